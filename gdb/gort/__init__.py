"""gort for gdb; gort-gdb.py says what it offers.

    structs     the runtime's structs: where their fields are, and what is in them
    runtime     goroutines, threads, processors: the lists that lead to them
    names       what functions are called, and which are the runtime's
    places      where a goroutine is
    elsewhere   a goroutine that no thread runs, as if it were stopped here
    frames      the frame filter
    goroutines  info goroutines, goroutine
    scheduler   info ms, info ps, info sched
    waiting     info chans: who waits on whom
    printers    goroutines, threads, processors, channels, locks and times as values
    functions   $goid(), $getg(), set gort
"""

import gdb

from gort import frames, functions, goroutines, printers, scheduler, structs, waiting


def install():
    """Adds it all to gdb. Once, whoever carries it: a program, gort-gdb, or both."""
    frames.install()
    functions.install()
    goroutines.install()
    scheduler.install()
    waiting.install()
    printers.install()
    gdb.events.new_objfile.connect(past_main)
    past_main()


def past_main(_event=None):
    """gdb takes main.main for the place where all begins, and ends backtraces
    there. Here runtime.main and runtime.goexit come before it."""
    if structs.static("allgs") is not None:
        gdb.execute("set backtrace past-main on")
