"""A goroutine that no thread runs, as if it were stopped here.

The frames of the goroutine become the callers of the frame where the selected thread is:
frame 1 and up. Nothing in the process changes, so that a core file will do.
"""

import gdb
from gdb.unwinder import Unwinder, register_unwinder

from gort import names, places, structs

# Commands that let the program run make no sense for one that waits for its turn.
RUN = (
    "advance c call continue jump kill n next nexti ni r reverse-continue return run s si"
    " signal start starti step stepi u until xcall detach"
).split()


# Commands that begin with the innermost frame, whichever is selected.
ALL_FRAMES = ("bt", "backtrace", "where")


class Elsewhere(Unwinder):
    """The unwinder that does it, for a while. The CFI of mcall and systemstack needs
    these three registers; it finds those that functions preserve on the stack, and that
    of asyncPreempt all that there are."""

    def __init__(self):
        super().__init__("gort")
        self.enabled = False
        self.gp = None

    def __call__(self, pending_frame):
        if int(pending_frame.read_register("rsp")) & MASK != self.sp:
            return None
        unwound = pending_frame.create_unwind_info(self.below)
        for register, saved in self.saved.items():
            unwound.add_saved_register(register, saved)
        return unwound

    def enter(self, gp):
        self.gp = gp
        # An id below all that is on the goroutine's stack, as a callee's must be.
        self.below = FrameId(word(gp["stack.lo"]), word(gp["startpc"]))
        # gdb looks up what is before a return address: that is another function's
        # if this one is still to begin.
        past = 0 if gp.begun else 1
        self.saved = {
            "rip": word(gp["sched.pc"] + past),
            "rsp": word(gp["sched.sp"]),
            "rbp": word(gp["sched.bp"]),
        }
        self.sp = int(gdb.newest_frame().read_register("rsp")) & MASK
        self.enabled = True
        gdb.invalidate_cached_frames()
        frame = gdb.newest_frame()
        while frame.type() == gdb.INLINE_FRAME:  # part of the one that is unwound
            frame = frame.older()
        frame = frame.older()
        self.level = frame.level()
        frame.select()

    def leave(self):
        self.enabled = False
        gdb.invalidate_cached_frames()


MASK = (1 << 64) - 1


def word(number):
    """Makes a value of gdb's, as large as a register."""
    return gdb.Value(number.to_bytes(8, "little"), structs.layout("gobuf").type["pc"].type)


class FrameId:
    """What gdb tells frames apart by."""

    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


ELSEWHERE = Elsewhere()
register_unwinder(None, ELSEWHERE)


def where_it_is(frame):
    """Returns the first frame from there on that is not the runtime's, if there is one."""
    first = frame
    for _ in range(places.DEPTH):
        if frame is None:
            break
        if not names.is_runtime(names.frame_name(frame)):
            return frame
        frame = places.older(frame)
    return first


def run_as(gp, command):
    """Runs a command where a goroutine is, and then puts everything back; unless the
    command has let the program run."""
    word = command.split()[0]
    thread = gp.thread
    if len(word) > 2 and "finish".startswith(word):
        finish(gp)
    elif word in RUN:
        if thread is None:
            raise gdb.GdbError(f"Goroutine {gp.goid} waits for its turn: `{word}` is for a thread.")
        thread.switch()
        gdb.execute(command)
    else:
        if not gp.begun:
            # It has no frame yet, so that its arguments are nowhere.
            command = "with print frame-arguments none -- " + command
        with there(gp, word not in ALL_FRAMES):
            gdb.execute(command)


class there(places.selection):
    """Where a goroutine is, for a while: on its thread, or elsewhere. With the first of
    its frames selected that is not the runtime's, if that is wanted."""

    def __init__(self, gp, select=True):
        self.gp = gp
        self.select = select

    def __enter__(self):
        if self.gp.thread is None and self.gp["m"]:
            raise gdb.GdbError(f"Goroutine {self.gp.goid} runs on a thread that is not here.")
        thread = places.runner(self.gp)
        super().__enter__()
        try:
            if thread is None:
                ELSEWHERE.enter(self.gp)
            else:
                thread.switch()
            if self.select:
                first = gdb.selected_frame() if thread is None else gdb.newest_frame()
                where_it_is(first).select()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *error):
        if ELSEWHERE.enabled:
            ELSEWHERE.leave()
        super().__exit__(*error)


def finish(gp):
    """Lets the program run until a goroutine returns from the function in which it is,
    on whichever thread."""
    with there(gp):
        told = gdb.execute("frame", to_string=True).splitlines()[0]
        frame = gdb.selected_frame()
        while frame.type() == gdb.INLINE_FRAME:
            frame = frame.older()
        caller = places.older(frame)
        if caller is None or not caller.pc():
            raise gdb.GdbError(f"Goroutine {gp.goid} has no caller to return to: {told}")
        pc, sp = caller.pc(), int(caller.read_register("rsp")) & MASK
    gdb.write(f"Run till exit from {told}\n")
    stop = Returned(pc, sp)
    try:
        gdb.execute("continue")
        if stop.reached:
            gdb.execute("frame")
    finally:
        if stop.is_valid():
            stop.delete()


class Returned(gdb.Breakpoint):
    """A breakpoint behind a call, for one frame of all that may come there."""

    def __init__(self, pc, sp):
        super().__init__(f"*{pc:#x}", internal=True)
        self.silent = True
        self.sp = sp
        self.reached = False

    def stop(self):
        self.reached = int(gdb.newest_frame().read_register("rsp")) & MASK == self.sp
        return self.reached
