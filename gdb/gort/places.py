"""Where a goroutine is: the functions that it is in, and which of them is the user's."""

import itertools
import re

import gdb

from gort import names, structs

# How deep to look for the first frame that is not the runtime's.
DEPTH = 64

# Routines that leave a goroutine, and call what is to be done then on the next one's stack.
SWITCHES = {"runtime.gosave_gogo", "runtime.gogo_ended"}

# A closure in the name of an instance of a generic function.
CLOSURE = re.compile(r"([\w:{}#]*)(\{closure_env#\d+\})")

# How much of a stack to read at a time: as much as most goroutines have used of it.
WINDOW = 1024


def place(gp):
    """Describes where a goroutine is: outside of the runtime, if possible."""
    chain = calls(gp)
    first = next(chain, ("??", ""))
    everything = itertools.chain([first], chain)
    name, where = next((call for call in everything if not names.is_runtime(call[0])), first)
    return name + where


def calls(gp):
    """Goes through the functions that a goroutine is in, innermost first."""
    thread = runner(gp)
    if thread is not None:
        return iter(thread_calls(thread))
    return saved_calls(gp) if gp.begun else iter([(entry(gp["sched.pc"]), "")])


def runner(gp):
    """Returns the thread on which a goroutine's frames are, or None. None as well where its
    M has it, and schedules: it has left it, or has yet to switch to it, and its frames are
    where the last switch has put them."""
    thread, mp = gp.thread, gp.m
    if thread is None or not mp["g0"]:
        return thread
    g0 = type(gp)(mp["g0"])
    scheduling = False
    with selection():
        thread.switch()
        frame = gdb.newest_frame()
        for _ in range(DEPTH):
            sp = int(frame.read_register("rsp")) & (1 << 64) - 1
            scheduling = scheduling or g0.owns(sp)
            if gp.owns(sp) and scheduling:
                return thread  # g0 does something for it
            caller = older(frame)
            if caller is None:
                # What is called there is on the stack of the one that goes on.
                scheduling = scheduling or names.frame_name(frame) in SWITCHES
                break
            frame = caller
    return None if scheduling else thread


def saved_calls(gp):
    """The same of one that no thread runs: by its frame pointers, without touching a
    register, which is quick, and a core file will do."""
    pc, bp = gp["sched.pc"], gp["sched.bp"]
    stack = Stack(gp)
    for _ in range(DEPTH):
        yield from names.functions_at(pc - 1)
        words = stack.words(bp)
        if words is None:
            return
        bp, pc = words


class Stack:
    """What is on a goroutine's stack, from its stack pointer on."""

    def __init__(self, gp):
        self.pieces = gp.pieces()
        self.piece = next(self.pieces)
        self.start, self.bytes = gp["sched.sp"], b""

    def words(self, address):
        """Returns two words in a frame, a frame pointer and a return address; None if
        that is not where a frame may be."""
        while not (address in self.piece and address + 16 <= self.piece.stop):
            self.piece = next(self.pieces, None)
            if self.piece is None:
                return None
        at = address - self.start
        if not 0 <= at <= len(self.bytes) - 16:
            self.start, at = address, 0
            try:
                self.bytes = structs.read(address, min(WINDOW, self.piece.stop - address))
            except gdb.MemoryError:
                return None
        frame = self.bytes[at : at + 16]  # what can be read of it
        return int.from_bytes(frame[:8], "little"), int.from_bytes(frame[8:], "little")


def thread_calls(thread):
    """The same of a thread."""
    found = []
    with selection():
        thread.switch()
        frame = gdb.newest_frame()
        while frame is not None and len(found) < DEPTH:
            found.append((names.frame_name(frame), names.line(frame.find_sal())))
            frame = older(frame)
    return found


def older(frame):
    """Returns the caller's frame; None where there is no more, or gdb finds it odd."""
    try:
        return frame.older()
    except gdb.error:
        return None


def entry(pc):
    """Describes a goroutine that has not run yet by its closure's name."""
    found = names.functions_at(pc)
    for name, _ in found:  # what the closure begins with may be inlined there
        closures = [path + number for path, number in CLOSURE.findall(name)]
        users = [closure for closure in closures if not names.is_runtime(closure)]
        if users:
            return f"{users[0].replace('closure_env', 'closure')}, not started"
    return f"{found[0][0]}, not started"


class selection:
    """What the user has selected, thread and frame, given back at the end; the frame by
    the outermost of those that lie in each other."""

    depth = 0

    def __enter__(self):
        self.thread = gdb.selected_thread()
        if not selection.depth:
            self.level = gdb.selected_frame().level()
        selection.depth += 1

    def __exit__(self, *error):
        selection.depth -= 1
        if not self.thread.is_valid():
            return
        if gdb.selected_thread() != self.thread:
            self.thread.switch()
        if selection.depth:
            return
        frame = gdb.newest_frame()
        for _ in range(self.level):
            frame = older(frame) or frame
        frame.select()
