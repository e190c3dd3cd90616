"""info goroutines, and goroutine N CMD."""

import re

import gdb

from gort import functions, places, runtime
from gort.elsewhere import run_as


class InfoGoroutines(gdb.Command):
    """List the goroutines: number, state, thread, where it is, who made it.

info goroutines [REGEX]: only those whose line has it, as `runnable` or `chan receive`.
The state is Go's. A star marks the one that the selected thread runs."""

    def __init__(self):
        super().__init__("info goroutines", gdb.COMMAND_STATUS, gdb.COMPLETE_NONE)

    def invoke(self, arg, from_tty):
        try:
            wanted = re.compile(arg)
        except re.error as error:
            raise gdb.GdbError(f"{arg}: {error}") from None
        everyone = runtime.goroutines()
        current = functions.current()
        rows = []
        for gp in everyone:
            row = describe(gp)
            if wanted.search(" ".join(row)):
                star = "*" if current and current.address == gp.address else " "
                rows.append((star, *row))
        if not rows:
            print(f"No goroutine is like {arg}, of {len(everyone)}.")
            return
        table([(" ", "Id", "State", "M", "Where"), *rows])


def describe(gp):
    """Returns what is said of a goroutine: number, state, M, and where it is."""
    mp = gp.m
    where = ", ".join(filter(None, [places.place(gp), gp.made_by]))
    return str(gp.goid), gp.state, f"m{mp.id}" if mp else "", where


def table(rows):
    """Prints rows with columns of one width; the last is as long as it is."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]) - 1)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]
        lines.append(" ".join([cells[0] + " " + cells[1], *("" + c for c in cells[2:]), row[-1]]).rstrip())
    print("\n".join(lines))


class Goroutine(gdb.Command):
    """Run a gdb command as if a goroutine were stopped here.

goroutine N CMD: bt, up, frame 3, info locals, print, finish. One that no thread runs has
its frames behind the one where this thread is; the function that it waits in, the first
that is not the runtime's, is selected. `finish` lets the program run until that function
has returned, on whichever thread. Nothing else changes: a core file will do.
goroutine all CMD: for each of them.
goroutine N: what it does, and where."""

    def __init__(self):
        super().__init__("goroutine", gdb.COMMAND_STACK, gdb.COMPLETE_NONE)

    def invoke(self, arg, from_tty):
        which, _, command = arg.partition(" ")
        command = command.strip()
        if not (which == "all" and command or which.isdecimal()):
            raise gdb.GdbError("usage: goroutine N CMD, or goroutine all CMD")
        chosen = [gp for gp in runtime.goroutines() if which in ("all", str(gp.goid))]
        if not chosen:
            raise gdb.GdbError(f"There is no goroutine {which}.")
        if which != "all":
            self.run(chosen[0], command)
            return
        with places.selection():
            for gp in chosen:
                print(f"\nGoroutine {gp.goid} [{gp.state}]:")
                self.run(gp, command, one_of_many=True)

    def run(self, gp, command, one_of_many=False):
        """Runs it; what goes wrong with one of many is said, and the others come."""
        if not command:
            table([(" ", *describe(gp))])
            return
        try:
            run_as(gp, command)
        except gdb.error as error:
            if not one_of_many:
                raise gdb.GdbError(str(error)) from None
            print(error)


def install():
    """Adds the commands."""
    InfoGoroutines()
    Goroutine()
