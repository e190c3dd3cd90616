"""$goid() and $getg(), for conditions and expressions; and `set gort`."""

import gdb

from gort import runtime, structs
from gort.elsewhere import ELSEWHERE


# A segment that holds thread-local variables.
PT_TLS = 7


class Getg(gdb.Function):
    """The g of the selected thread, which may be the one that it schedules on: $getg().

Null before the runtime has one. Within `goroutine N CMD` the goroutine's."""

    def __init__(self):
        super().__init__("getg")

    def invoke(self):
        return gdb.Value(getg()).cast(structs.layout("g").type.pointer())


class Goid(gdb.Function):
    """The number of the goroutine that the selected thread runs: $goid().

Also while the thread is on the stack that it schedules or takes signals on. 0 if it runs
none. Within `goroutine N CMD` it is N. `break FUNCTION if $goid() == 7` stops one
goroutine alone."""

    def __init__(self):
        super().__init__("goid")

    def invoke(self):
        gp = current()
        return gp.goid if gp else 0


def getg():
    """Returns the address in the selected thread's slot, 0 if there is none."""
    if ELSEWHERE.enabled:
        return ELSEWHERE.gp.address
    if structs.static("tlsgOffset") is None or gdb.selected_thread() is None:
        return 0
    try:
        base = int(gdb.newest_frame().read_register("fs_base")) & (1 << 64) - 1
        return structs.word(base + slot()) if base else 0
    except (gdb.MemoryError, OverflowError, ValueError):
        return 0


def slot():
    """Returns where the slot is, from where FS points: ELF's TLS ends there."""
    ehdr = int(structs.variable("ehdr").address)
    header = structs.read(ehdr, 64)
    number = lambda start, size: int.from_bytes(header[start : start + size], "little")
    phdrs, size, count = ehdr + number(32, 8), number(54, 2), number(56, 2)
    for at in range(phdrs, phdrs + size * count, size):
        header = structs.read(at, size)
        if number(0, 4) == PT_TLS:
            vaddr, memsz, align = number(16, 8), number(40, 8), number(48, 8)
            padding = -(vaddr + memsz) % max(align, 1)
            return int(structs.variable("tlsgOffset")) - memsz - padding
    return -8


def current():
    """Returns the goroutine that the selected thread runs, or None."""
    gp = runtime.read_or_none(runtime.G, getg())
    if gp is None or gp.goid:
        return gp
    mp = gp.m
    return mp.curg if mp else None


class Gort(gdb.Command):
    """Settings of gort's script."""

    def __init__(self, verb):
        super().__init__(f"{verb} gort", gdb.COMMAND_STACK, gdb.COMPLETE_NONE, True)


class RuntimeFrames(gdb.Parameter):
    """Whether `goroutine N bt` shows how the goroutine waits.

If off, as it is unless set, it begins with the function of gort's that users' code has
called. The frames keep their numbers."""

    set_doc = "Set whether goroutine N bt shows how the goroutine waits."
    show_doc = "Show whether goroutine N bt shows how the goroutine waits."

    def __init__(self):
        super().__init__("gort runtime-frames", gdb.COMMAND_STACK, gdb.PARAM_BOOLEAN)
        self.value = False

    def get_show_string(self, value):
        return f"goroutine N bt shows how the goroutine waits: {value}."

    def get_set_string(self):
        return ""


def install():
    """Adds them all."""
    Getg()
    Goid()
    Gort("set")
    Gort("show")
    RuntimeFrames()
