"""gort for gdb: the runtime's frames under Go's names, and its goroutines.

Every gort program carries this file in its section .debug_gdb_scripts. gdb
loads it from there if the program is on its auto-load safe path; `gort-gdb`
beside this file loads it for any program. It does nothing to programs without
gort. Written for gdb 13.

    bt                  runtime.schedinit, not gort::boot::schedinit::schedinit
    info goroutines     all goroutines, where they go on, who made them
    goroutine N CMD     runs a gdb command as if goroutine N were stopped here

It knows the runtime's structs by the types in asm/debug_amd64.S, which are
there in release builds too.
"""

import itertools
import re

import gdb
from gdb.FrameDecorator import FrameDecorator
from gdb.unwinder import Unwinder, register_unwinder

# Go's numbers; `GStatus` in src/sched/runtime2.rs.
STATUS = {
    0: "idle",
    1: "runnable",
    2: "running",
    3: "syscall",
    4: "waiting",
    5: "moribund",
    6: "dead",
    7: "enqueue",
    8: "copystack",
    9: "preempted",
    10: "leaked",
    11: "deadextra",
}

# How deep to look for the first frame that is not the runtime's.
DEPTH = 64


class GoFrame(FrameDecorator):
    """A frame of the runtime's, or main.main, under the name that it is linked by."""

    def __init__(self, fobj, name):
        super().__init__(fobj)
        self.name = name

    def function(self):
        return self.name

    def frame_args(self):
        # `_` is an argument that the function does not use.
        args = super().frame_args()
        return [arg for arg in args if str(arg.symbol()) != "_"] if args else None


class GoNames:
    """The frame filter."""

    name = "gort"
    enabled = True
    priority = 100

    def filter(self, frames):
        if ELSEWHERE.enabled:  # without those of the thread
            first = ELSEWHERE.level
            frames = (frame for frame in frames if frame.inferior_frame().level() >= first)
        return map(self.decorate, frames)

    def decorate(self, frame):
        name = linkage_name(frame.inferior_frame())
        return GoFrame(frame, name) if name else frame


class InfoGoroutines(gdb.Command):
    """List the goroutines: number, status, where it goes on, who made it.

A star marks those that a thread runs at the moment."""

    def __init__(self):
        super().__init__("info goroutines", gdb.COMMAND_STATUS, gdb.COMPLETE_NONE)

    def invoke(self, arg, from_tty):
        for gp in goroutines():
            star = "*" if int(gp["m"]) else " "
            print(star, int(gp["goid"]), f"{status(gp):8}", place(gp) + made_by(gp))


class Goroutine(gdb.Command):
    """Run a gdb command as if the goroutine were stopped here: goroutine N CMD.

`goroutine all CMD` runs it for each. The frames of a goroutine that no thread runs
come behind the one where this thread is. A core file will do as well."""

    def __init__(self):
        super().__init__("goroutine", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    def invoke(self, arg, from_tty):
        which, _, command = arg.partition(" ")
        if not command.strip() or not (which == "all" or which.isdecimal()):
            raise gdb.GdbError("usage: goroutine N CMD, or goroutine all CMD")
        chosen = [gp for gp in goroutines() if which in ("all", str(int(gp["goid"])))]
        if not chosen:
            raise gdb.GdbError(f"There is no goroutine {which}.")
        for gp in chosen:
            if which == "all":
                print(f"\nGoroutine {int(gp['goid'])} ({status(gp)}):")
            run_as(gp, command)


def goroutines():
    """Returns all goroutines that are not dead, in the order of their numbers."""
    head = gdb.lookup_static_symbol("allgs")
    if head is None:
        raise gdb.GdbError("There is no gort in this program, or nothing for debuggers.")
    if gdb.selected_thread() is None:
        raise gdb.GdbError("The program is not running.")
    found = []
    slab = head.value()
    while True:
        found += [gp for gp in live(slab) if status(gp) not in ("idle", "dead")]
        if not int(slab["next"]):
            break
        slab = slab["next"].dereference()
    return sorted(found, key=lambda gp: int(gp["goid"]))


def live(slab):
    """Returns the goroutines on the stacks of a slab, dead ones too."""
    g = gdb.lookup_static_symbol("g0").value().type
    bytes_of_line = int(gdb.lookup_static_symbol("slabLine").value())
    colours = int(gdb.lookup_static_symbol("slabColours").value())
    for word in range(0, int(slab["slots"]) + 63 >> 6):
        bits = int(slab["live"][word])
        for slot in (64 * word + bit for bit in range(64) if bits >> bit & 1):
            line = int(slab["line"]) + slot * int(slab["stride"])
            top = line - slot % colours * bytes_of_line
            place = gdb.Value((top - g.sizeof) & ~(bytes_of_line - 1))
            yield place.cast(g.pointer()).dereference()


def status(gp):
    """Names a goroutine's status."""
    number = int(gp["atomicstatus"])
    return STATUS.get(number, str(number))


def run_as(gp, command):
    """Runs a command on a goroutine's stack, and then puts everything back."""
    runs_it = thread_of(gp)
    with selection():
        if runs_it is not None:
            runs_it.switch()
            gdb.execute(command)
            return
        if not begun(gp):
            # It has no frame yet, so that its arguments are nowhere.
            command = "with print frame-arguments none -- " + command
        ELSEWHERE.enter(gp)
        try:
            gdb.execute(command)
        finally:
            ELSEWHERE.leave()


class selection:
    """What the user has selected, thread and frame, given back at the end."""

    def __enter__(self):
        self.thread = gdb.selected_thread()
        self.level = gdb.selected_frame().level()

    def __exit__(self, *error):
        self.thread.switch()
        frame = gdb.newest_frame()
        for _ in range(self.level):
            frame = frame.older() or frame
        frame.select()


class Elsewhere(Unwinder):
    """Makes a goroutine that no thread runs the caller of the newest frame, for a
    while. Nothing in the process changes, so that a core file will do. The CFI of
    mcall and systemstack needs these three registers; it finds those that
    functions preserve on the stack."""

    def __init__(self):
        super().__init__("gort")
        self.enabled = False

    def __call__(self, pending_frame):
        if int(pending_frame.read_register("rsp")) != self.sp:
            return None
        # An id below all that is on the goroutine's stack, as a callee's must be.
        below = FrameId(self.gp["stack"]["lo"], self.gp["startpc"])
        unwound = pending_frame.create_unwind_info(below)
        sched = self.gp["sched"]
        # gdb looks up what is before a return address: that is another function's
        # if this one is still to begin.
        past = 0 if begun(self.gp) else 1
        unwound.add_saved_register("rip", sched["pc"] + past)
        unwound.add_saved_register("rsp", sched["sp"])
        unwound.add_saved_register("rbp", sched["bp"])
        return unwound

    def enter(self, gp):
        self.gp = gp
        self.sp = int(gdb.newest_frame().read_register("rsp"))
        self.enabled = True
        gdb.invalidate_cached_frames()
        frame = gdb.newest_frame()
        while frame.type() == gdb.INLINE_FRAME:  # part of the one that is unwound
            frame = frame.older()
        frame = frame.older()
        frame.select()
        self.level = frame.level()

    def leave(self):
        self.enabled = False
        gdb.invalidate_cached_frames()


class FrameId:
    """What gdb tells frames apart by."""

    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


def begun(gp):
    """Tells whether a goroutine has run at all."""
    return int(gp["sched"]["pc"]) != int(gp["startpc"])


def thread_of(gp):
    """Returns the thread that runs a goroutine, if one does."""
    if not int(gp["m"]):
        return None
    procid = int(gp["m"]["procid"])
    for thread in gdb.selected_inferior().threads():
        if thread.ptid[1] == procid:
            return thread
    return None


def place(gp):
    """Describes where a goroutine goes on: outside of the runtime, if possible."""
    chain = calls(gp)
    first = next(chain, "??")
    return next((call for call in itertools.chain([first], chain) if not is_runtime(call)), first)


def calls(gp):
    """Goes through the functions that a goroutine is in, innermost first."""
    thread = thread_of(gp)
    if thread is not None:
        yield from live_calls(thread)
        return
    # Its frame pointers, without touching a register: on a core file as well.
    pc, bp = int(gp["sched"]["pc"]), int(gp["sched"]["bp"])
    if not begun(gp):
        yield entry(pc)
        return
    rest = pieces(gp)
    piece = next(rest)
    word = gp["stackguard0"].type
    for _ in range(DEPTH):
        yield from functions_at(pc - 1)
        while bp not in piece:
            piece = next(rest, None)
            if piece is None:
                return
        at = gdb.Value(bp).cast(word.pointer())
        bp, pc = int(at[0]), int(at[1])


def pieces(gp):
    """Goes through the pieces of a goroutine's stack, the one in use first: where
    a frame pointer may point."""
    stack, top = gp["stack"], gp["stktop"]
    yield range(int(stack["lo"]), int(stack["hi"]) - 16)
    while int(top):
        stack, top = top["stack"], top["link"]
        yield range(int(stack["lo"]), int(stack["hi"]) - 16)


def live_calls(thread):
    """The same of a goroutine that a thread runs."""
    found = []
    with selection():
        thread.switch()
        frame = gdb.newest_frame()
        while frame is not None and len(found) < DEPTH:
            sal = frame.find_sal()
            where = f" at {sal.symtab.filename}:{sal.line}" if sal.symtab else ""
            found.append((linkage_name(frame) or frame.name() or "??") + where)
            frame = frame.older()
    return found


def functions_at(pc):
    """Names the function at an address, and before it those inlined there."""
    block = gdb.block_for_pc(pc)
    sal = gdb.find_pc_line(pc)
    where = f" at {sal.symtab.filename}:{sal.line}" if sal.symtab else ""
    named = False
    while block is not None and block.function is None or block is not None and not named:
        symbol = block.function
        if symbol is not None:
            yield (go_name(symbol) or symbol.name) + where
            where = ""
            named = not is_inlined(block)
        block = block.superblock
    if not named:
        yield minimal_name(pc)


def is_inlined(block):
    """Tells whether a function's block lies inside of another function's."""
    outer = block.superblock
    while outer is not None and not outer.is_static and not outer.is_global:
        if outer.function is not None:
            return True
        outer = outer.superblock
    return False


def entry(pc):
    """Describes a goroutine that has not run yet by its closure's name."""
    names = list(functions_at(pc))
    for name in names:  # what the closure begins with may be inlined there
        closure = re.search(r"entry<(.*?)\{closure_env#(\d+)\}", name)
        if closure:
            return f"{closure[1]}{{closure#{closure[2]}}}, not started"
    return f"{names[0]}, not started" if names else "??"


def minimal_name(pc):
    """Names a function that only the symbol table knows."""
    text = gdb.execute(f"info symbol {pc}", to_string=True)
    name = text.split(" ")[0]
    return "??" if text.startswith("No symbol") else renamed(name, gdb.find_pc_line(pc)) or name


def made_by(gp):
    """Says who made a goroutine, and where. Its gopc is a Rust `Location`: the
    file's name as pointer and length, and the line."""
    if not int(gp["gopc"]):
        return ""
    memory = gdb.selected_inferior()
    try:
        words = memory.read_memory(int(gp["gopc"]), 20).tobytes()
        fields = words[:8], words[8:16], words[16:]
        pointer, length, line = (int.from_bytes(field, "little") for field in fields)
        file = memory.read_memory(pointer, length).tobytes().decode() if length < 4096 else "??"
    except (gdb.MemoryError, UnicodeDecodeError):
        return ""
    return f", created by goroutine {int(gp['parentGoid'])} at {file}:{line}"


def linkage_name(frame):
    """Returns Go's name of a frame's function, if it has one."""
    symbol = frame.function()
    return go_name(symbol) if symbol is not None else renamed(frame.name(), frame.find_sal())


def go_name(symbol):
    """Returns Go's name of a function, if it has one."""
    return renamed(symbol.linkage_name, symbol)


def renamed(name, source):
    """Returns a name if it is one of Go's; `source` has the file that it is from."""
    if name == "__morestack":  # the middle of a routine; see asm/switch_amd64.S
        file = source.symtab.filename if source.symtab else ""
        return "runtime.morestack" if file.endswith("stack_amd64.S") else "runtime.systemstack"
    return name if name and re.match(r"runtime\.|main\.main$|_rt0_amd64", name) else None


def is_runtime(call):
    """Tells whether a function belongs to gort or to Rust's own libraries."""
    return re.match(r"runtime\.|_rt0_|gort::|<?(core|alloc)::|\?\?", call) is not None


def past_main(_event=None):
    """gdb takes main.main for the place where all begins, and ends backtraces
    there. Here runtime.main and runtime.goexit come before it."""
    if gdb.lookup_static_symbol("allgs") is not None:
        gdb.execute("set backtrace past-main on")


ELSEWHERE = Elsewhere()
if "gort" not in gdb.frame_filters:
    gdb.frame_filters["gort"] = GoNames()
    register_unwinder(None, ELSEWHERE)
    InfoGoroutines()
    Goroutine()
    gdb.events.new_objfile.connect(past_main)
past_main()
