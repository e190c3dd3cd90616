"""gort for gdb: the runtime's frames under Go's names, its goroutines, its scheduler.

    bt                      runtime.schedinit, not gort::boot::schedinit::schedinit
    info goroutines [REGEX] all goroutines: what they do, where, who made them
    goroutine N|all CMD     a gdb command as if goroutine N were stopped here
    info chans              who waits on whom: channels, locks
    info ms, ps, sched      threads, processors, what they share
    $goid(), $getg()        the current goroutine, for conditions and expressions

Every gort program carries this file and the package `gort` beside it in its section
.debug_gdb_scripts. gdb loads them from there if the program is on its auto-load safe
path; `gort-gdb` loads them for any program. They do nothing to programs without gort.
Written for gdb 13.
"""

import importlib.abc
import importlib.util
import os
import sys


class Carried(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds the package in the text that a program carries: see build.rs."""

    def __init__(self, sources):
        self.sources = sources

    def find_spec(self, name, path=None, target=None):
        if self.key(name) not in self.sources:
            return None
        return importlib.util.spec_from_loader(name, self, is_package=name == "gort")

    def is_package(self, name):
        return name == "gort"

    def get_source(self, name):
        return self.sources[self.key(name)]

    def key(self, name):
        package, _, module = name.partition(".")
        return (module or "__init__") if package == "gort" else None


if "gort" not in sys.modules:
    if "GORT" in globals():
        sys.meta_path.insert(0, Carried(GORT))
    else:
        sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
    kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        import gort
    finally:
        sys.dont_write_bytecode = kept
        if "GORT" not in globals():
            sys.path.pop(0)
    gort.install()
