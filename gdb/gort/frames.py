"""Backtraces: the runtime's functions under Go's names, and not more of them than a
reader asks for."""

import itertools

import gdb
from gdb.FrameDecorator import FrameDecorator

from gort import names, places
from gort.elsewhere import ELSEWHERE


class GoFrame(FrameDecorator):
    """A frame of the runtime's, or main.main, under the name that it is linked by; and one
    that only the symbol table knows."""

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
        if ELSEWHERE.enabled:
            # Without those of the thread.
            frames = (f for f in frames if f.inferior_frame().level() >= ELSEWHERE.level)
            if not gdb.parameter("gort runtime-frames"):
                frames = from_call(frames)
        return map(decorate, frames)


def from_call(frames):
    """Leaves out how a goroutine waits: all frames before the one that users' code has
    called, if there is any of it."""
    first = list(itertools.islice(frames, places.DEPTH))
    for index, frame in enumerate(first):
        if not names.is_runtime(names.frame_name(frame.inferior_frame())):
            return itertools.chain(first[max(index - 1, 0) :], frames)
    return itertools.chain(first, frames)


def decorate(frame):
    inferior = frame.inferior_frame()
    name = names.frame_name(inferior)
    # Go's also where gdb has a word of its own, as for a frame that a signal has made.
    other = names.linkage_name(inferior) or name not in (inferior.name(), "??")
    return GoFrame(frame, name) if other else frame


def install():
    """Adds the filter."""
    gdb.frame_filters["gort"] = GoNames()
