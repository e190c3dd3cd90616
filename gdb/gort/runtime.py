"""Goroutines, threads and processors, and the lists that lead to them.

A process that is being debugged may be a broken one: no list is followed for ever, and
what cannot be read ends a list with a message.
"""

import gdb

from gort import structs
from gort.structs import Missing, Record

MINUTE = 60_000_000_000

# Longer than any list of the runtime's, but for that of all goroutines.
MOST = 1 << 20


# The `go` statements that were looked up, and when the program was last looked at.
LINES = {}
NOW = []


class G(Record):
    """A goroutine."""

    __slots__ = ()

    def __init__(self, address):
        super().__init__("g", address)

    @property
    def goid(self):
        return self["goid"]

    @property
    def status(self):
        """Its status in a word, Go's."""
        number = self["atomicstatus"]
        return structs.names("gstatus", "_G").get(number, f"status {number}")

    @property
    def reason(self):
        """What it waits for, in Go's words; "" if it does not."""
        if self.status != "waiting" or not self["waitreason"]:
            return ""
        return structs.text(self["waitreason"])

    @property
    def state(self):
        """What stands in brackets in Go's tracebacks."""
        words = [self.reason or self.status]
        since = self["waitsince"]
        if self.status == "waiting" and since:
            minutes = (now() - since) // MINUTE
            if minutes > 0:
                words.append(f"{minutes} minute" + "s" * (minutes > 1))
        if self["lockedm"]:
            words.append("locked to thread")
        return ", ".join(words)

    @property
    def begun(self):
        """Whether it has run at all."""
        return self["sched.pc"] != self["startpc"]

    @property
    def m(self):
        """Its M, or None."""
        return read_or_none(M, self["m"])

    @property
    def thread(self):
        """The thread that runs it, or None."""
        mp = self.m
        return mp.thread if mp else None

    @property
    def made_by(self):
        """Who made it, and where. Its gopc is a Rust `Location`: the file's name as
        pointer and length, and the line."""
        gopc = self["gopc"]
        if gopc not in LINES:
            line = read_or_none(lambda at: int.from_bytes(structs.read(at + 16, 4), "little"), gopc)
            LINES[gopc] = f"{structs.text(gopc)}:{line}" if gopc and structs.text(gopc) else ""
        return f"created by goroutine {self['parentGoid']} at {LINES[gopc]}" if LINES[gopc] else ""

    def owns(self, address):
        """Tells whether an address is on its stack, whichever piece of that."""
        return any(address in piece for piece in self.pieces())

    def pieces(self):
        """Goes through the pieces of its stack, the one in use first."""
        yield range(self["stack.lo"], self["stack.hi"])
        top = self["stktop"]
        for _ in range(MOST):
            if not top:
                return
            stktop = read_or_none(lambda at: Record("stktop", at), top)
            if stktop is None:
                return
            yield range(stktop["stack.lo"], stktop["stack.hi"])
            top = stktop["link"]


class M(Record):
    """A machine: a thread."""

    __slots__ = ()

    def __init__(self, address):
        super().__init__("m", address)

    @property
    def id(self):
        return self["id"]

    @property
    def thread(self):
        """gdb's thread, or None."""
        procid = self["procid"]
        for thread in gdb.selected_inferior().threads():
            if procid and procid in (thread.ptid[1], thread.ptid[2]):
                return thread
        return None

    @property
    def curg(self):
        """The goroutine that it runs, or None."""
        return read_or_none(G, self["curg"])


class P(Record):
    """A processor."""

    __slots__ = ()

    def __init__(self, address):
        super().__init__("p", address)

    @property
    def id(self):
        return self["id"]

    @property
    def status(self):
        """Its status in a word, Go's."""
        number = self["status"]
        return structs.names("pstatus", "_P").get(number, f"status {number}")

    @property
    def queue(self):
        """The addresses of the goroutines in its queue."""
        head, tail = self["runqhead"], self["runqtail"]
        ring = self.elements("runq")
        length = min(tail - head & 0xFFFFFFFF, len(ring))
        return [ring[(head + at) % len(ring)] for at in range(length)]


def read_or_none(kind, address):
    """Reads a struct; None if there is no such address."""
    try:
        return kind(address) if address else None
    except (gdb.MemoryError, OverflowError):
        return None


def note(text):
    """Says something of what was found, beside it."""
    gdb.write(text + "\n", gdb.STDERR)


def follow(kind, first, link, what):
    """Goes through a list; says so where it is no list."""
    at, seen = first, set()
    while at:
        found = None if at in seen or len(seen) >= MOST else read_or_none(kind, at)
        if found is None:
            note(f"The list of {what} is damaged at {at:#x}: what comes behind is not shown.")
            return
        seen.add(at)
        yield found
        at = found[link]


def now():
    """Returns the time of sysmon's clock."""
    if not NOW:
        NOW.append(structs.record("sched", "schedt")["now"])
    return NOW[0]


def running():
    """Makes sure that there is a process, or a core file, with gort in it; first of all in
    each command."""
    NOW.clear()
    LINES.clear()
    if structs.static("allgs") is None:
        raise Missing(structs.NO_GORT)
    if gdb.selected_thread() is None:
        raise Missing("The program is not running.")


def goroutines():
    """Returns all goroutines that are not dead, in the order of their numbers."""
    running()
    found = []
    slabs = follow(lambda at: Record("slab", at), int(structs.variable("allgs").address), "next", "stacks")
    for slab in slabs:
        found += [gp for gp in live(slab) if gp.status not in ("idle", "dead")]
    if not found:
        raise Missing("There are no goroutines yet: the runtime has not started.")
    return sorted(found, key=lambda gp: gp.goid)


def live(slab):
    """Returns the goroutines on the stacks of a slab, dead ones too."""
    size = structs.layout("g").size
    line = int(structs.variable("slabLine"))
    colours = int(structs.variable("slabColours"))
    for index, bits in enumerate(slab.elements("live")):
        while bits:
            slot = 64 * index + (bits & -bits).bit_length() - 1
            bits &= bits - 1
            top = slab["line"] + slot * slab["stride"] - slot % colours * line
            gp = read_or_none(G, (top - size) & ~(line - 1))
            if gp is None or slot >= slab["slots"]:
                note(f"The stacks at {slab.address:#x} are damaged: not all of them are shown.")
                return
            yield gp


def ms():
    """Returns all Ms, in the order of their numbers."""
    running()
    found = follow(M, structs.record("sched", "schedt")["allm"], "alllink", "Ms")
    return sorted(found, key=lambda mp: mp.id)


def ps():
    """Returns all Ps that are in use."""
    running()
    list_, count = int(structs.variable("allp")), int(structs.variable("gomaxprocs"))
    found = []
    for index in range(min(count, MOST) if list_ else 0):
        pp = read_or_none(lambda at: P(structs.word(at)), list_ + 8 * index)
        if pp is None:
            note(f"The list of Ps is damaged at {list_:#x}: not all of them are shown.")
            break
        found.append(pp)
    return found


def selected_m():
    """Returns the M of the selected thread, or None."""
    thread = gdb.selected_thread()
    if thread is None:
        return None
    ids = [number for number in thread.ptid[1:] if number]
    first = structs.record("sched", "schedt")["allm"] or int(structs.variable("m0").address)
    found = follow(M, first, "alllink", "Ms")
    return next((mp for mp in found if mp["procid"] in ids), None)
