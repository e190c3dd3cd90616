"""Goroutines, threads, processors, channels, locks and times as values: `p *allp[0]`."""

import re

import gdb
from gdb.printing import PrettyPrinter, register_pretty_printer

from gort import runtime, structs, waiting


class Described:
    """A struct of the runtime's, or a pointer to one: what it is, before its fields."""

    def __init__(self, value, text):
        self.value = value
        self.text = text

    def to_string(self):
        return self.text


class Fields(Described):
    """The same with the fields behind it."""

    def children(self):
        return ((field.name, self.value[field.name]) for field in self.value.type.fields())


def goroutine(value):
    gp = runtime.G(int(value.address))
    return f"goroutine {gp.goid} [{gp.state}]" if gp.goid else "a g0, or none yet"


def machine(value):
    mp = runtime.M(int(value.address))
    return f"m{mp.id}, thread {mp['procid']}"


def processor(value):
    pp = runtime.P(int(value.address))
    return f"p{pp.id} [{pp.status}]"


def channel(value):
    return str(waiting.Channel(int(value.address)))


STRUCTS = {
    "runtime.g": goroutine,
    "runtime.m": machine,
    "runtime.p": processor,
    "runtime.hchan": channel,
}


class Runtime(PrettyPrinter):
    """Finds the printer of a struct of the runtime's."""

    def __init__(self):
        super().__init__("gort")

    def __call__(self, value):
        type_ = value.type.strip_typedefs()
        try:
            if type_.code == gdb.TYPE_CODE_PTR:
                describe = STRUCTS.get(type_.target().unqualified().name)
                address = int(value)
                if describe and address:
                    return Described(value, f"{address:#x} ({describe(value.dereference())})")
                return None
            describe = STRUCTS.get(type_.name)
            if describe and value.address is not None:
                return Fields(value, describe(value))
            for pattern, printer in RUST:
                if type_.name and pattern.match(type_.name):
                    return printer(value)
        except (gdb.error, gdb.GdbError, OverflowError, TypeError, ValueError):
            pass  # a broken one, or laid out otherwise: it is printed as it is
        return None


def handle(value):
    """A Sender or a Receiver: the channel behind it."""
    kind = re.sub(r"^gort::channel::\w+::", "", value.type.name)
    text = raw(value)
    pointer = re.search(r"pointer: \S*?(0x[0-9a-f]+)", text)
    flavor = re.search(r"Flavor::(\w+)", text)
    if flavor and flavor[1] != "Chan":
        return f"{kind} of the clock: {flavor[1]}"
    chan = waiting.Channel(int(pointer[1], 16) + structs.layout("sharedchan").offset("chan"))
    waiters = [
        f"{count} wait{'s' * (count == 1)} {what}"
        for queue, what in waiting.QUEUES.items()
        if (count := len(chan.waiters(queue)))
    ]
    return ", ".join([f"{kind} of channel {chan.address:#x}: {chan}", *waiters])


class Lock(Described):
    """A Mutex or an RwLock: what its word says, and what it protects."""

    def __init__(self, value):
        kind = re.sub(r"^gort::sync::\w+::", "", value.type.name)
        sema = structs.Record("sema", int(value["raw"].address))
        super().__init__(value, f"{kind} ({waiting.said_by(sema['word'])})")

    def children(self):
        return [("value", self.value["value"]["value"])]


def guard(value):
    """A lock's guard: of which, by the address that `info chans` has."""
    kind = re.sub(r"^gort::sync::\w+::", "", value.type.name)
    reader = kind.startswith("RwLockRead")
    sema = structs.Record("sema", int(value["raw"] if reader else value["lock"]["raw"].address))
    return f"{kind} of lock {sema.address:#x}: {waiting.said_by(sema['word'])}"


def duration(value):
    """A time span: 1.5s."""
    seconds, nanos = (int(number) for number in re.findall(r"(?:secs|nanos)\D*(\d+)", raw(value)))
    total = seconds * 10**9 + nanos
    for unit, digits in (("s", 9), ("ms", 6), ("us", 3)):
        if total >= 10**digits:
            whole, rest = divmod(total, 10**digits)
            return f"{whole}.{rest:0{digits}d}".rstrip("0").rstrip(".") + unit
    return f"{total}ns"


def raw(value):
    """Formats a value as it would be without printers."""
    return value.format_string(raw=True)


def described(describe):
    """Makes a printer of a function that makes a text of a value."""
    return lambda value: Described(value, describe(value))


RUST = [
    (re.compile(r"gort::channel::(sender::Sender|receiver::Receiver)<"), described(handle)),
    (re.compile(r"gort::sync::(mutex::Mutex|rwlock::RwLock)<"), Lock),
    (re.compile(r"gort::sync::(mutex::Mutex|rwlock::RwLock(Read|Write))Guard<"), described(guard)),
    (re.compile(r"core::time::Duration$"), described(duration)),
]


def install():
    """Adds the printers."""
    register_pretty_printer(None, Runtime())
