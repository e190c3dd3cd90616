"""info chans: what goroutines wait on, channels and locks, and who waits on each.

A goroutine that waits has in its g what it gave to gopark, `waitlock`. For a channel that
is the address of the channel's lock, for a select that of a list of channels, for a mutex
and all of its kin that of the lock in a Sema; and with a deadline it is a Timed, which has
the other's address. Nothing but the wait's reason tells which: so all is looked at
closely before it is believed.
"""

import gdb

from gort import names, places, runtime, structs
from gort.structs import Record

CHANNELS = {"chan send": "send", "chan receive": "receive"}

# Whose word is one of src/sync/raw/modes.rs.
LOCKS = ("sync.Mutex.", "sync.RWMutex.")

# More operations than any select has.
CASES = 1 << 12


def waits_on(gp):
    """Returns what a goroutine waits on: the addresses of channels, and of semas."""
    reason = gp.reason
    lock = gp["waitlock"]
    if not reason or not lock:
        return [], []
    if gp.owns(lock):
        timed = runtime.read_or_none(lambda at: Record("timed", at), lock)
        if timed and timed["g"] == gp.address:
            lock = timed["lock"]
    if reason in CHANNELS:
        return [lock - structs.layout("hchan").offset("lock")], []
    if reason == "select":
        return cases(lock), []
    if reason.startswith("sync.") or reason in ("semacquire", "Once::wait", "Barrier::wait"):
        return [], [lock - structs.layout("sema").offset("lock")]
    return [], []


def cases(lock):
    """Returns the channels of a select."""
    locks = runtime.read_or_none(lambda at: Record("selectlocks", at), lock)
    if locks is None or not 0 < locks["count"] <= CASES:
        return []
    try:
        words = structs.read(locks["first"], 8 * locks["count"])
    except (gdb.MemoryError, OverflowError):
        return []
    return [int.from_bytes(words[at : at + 8], "little") for at in range(0, len(words), 8)]


class Channel(Record):
    """A channel."""

    __slots__ = ()

    def __init__(self, address):
        super().__init__("hchan", address)

    @property
    def closed(self):
        """Whether one side is gone."""
        return self["flags"] & int(structs.variable("chanClosed")) != 0

    @property
    def elemtype(self):
        """What the values' type is called; "" if that is not known, as of a channel of C's."""
        return structs.read_text(self.address + structs.layout("hchan").offset("elemtype"))

    def waiters(self, queue):
        """Returns the goroutines in one of its queues."""
        sudogs = runtime.follow(lambda at: Record("sudog", at), self[queue], "next", "waiters")
        return [gp for gp in (runtime.read_or_none(runtime.G, s["g"]) for s in sudogs) if gp]

    def __str__(self):
        capacity = self["capacity"]
        room = "any number of" if capacity >> 63 else capacity
        plural = "" if room == 1 else "s"
        text = f"{self['items']} of {room} value{plural} of {self['elemsize']} bytes"
        return text + (", disconnected" if self.closed else "")


# What the queues of a channel are for.
QUEUES = {
    "sendq.first": "to send",
    "recvq.first": "to receive",
    "send_watch.first": "until it can send",
    "recv_watch.first": "until it can receive",
}


class InfoChans(gdb.Command):
    """Show who waits on whom: each channel and lock on which a goroutine waits.

Of a channel: its address, what is in it, and who waits to send and to receive. Of a lock
(a mutex, a condition variable, a semaphore and so on): the address of its queue, and who
is in it, the first first."""

    def __init__(self):
        super().__init__("info chans", gdb.COMMAND_STATUS, gdb.COMPLETE_NONE)

    def invoke(self, arg, from_tty):
        channels, semas = {}, {}
        for gp in runtime.goroutines():
            for found, ons in zip((channels, semas), waits_on(gp)):
                for on in ons:
                    found.setdefault(on, []).append(gp)
        if not channels and not semas:
            print("No goroutine waits on a channel or a lock.")
        for address in channels:
            show_channel(address)
        for address, waiters in semas.items():
            show_sema(address, waiters)


def show_channel(address):
    """Prints a channel and who waits on it."""
    chan = runtime.read_or_none(Channel, address)
    if chan is None:
        runtime.note(f"The channel at {address:#x} cannot be read.")
        return
    of = f" of {chan.elemtype}" if chan.elemtype else ""
    print(f"channel {address:#x}{of}: {chan}")
    for queue, what in QUEUES.items():
        for gp in chan.waiters(queue):
            select = ", in a select" if gp.reason == "select" else ""
            show_waiter(gp, f"waits {what}{select}")


def show_sema(address, waiters):
    """Prints a lock and who waits for it, in the order of its queues if they are known."""
    sema = runtime.read_or_none(lambda at: Record("sema", at), address)
    variable = names.symbol(address)
    name = f" in {variable}" if variable else ""
    says = said_to(waiters[0].reason, sema["word"]) if sema else ""
    print(f"lock {address:#x}{name}{says and ': '}{says}")
    for gp in in_order(sema, waiters):
        show_waiter(gp, f"waits: {gp.reason}")


def said_to(reason, word):
    """Says what the word of a lock says to those who wait for that reason; "" where there is
    nothing to say but that they wait."""
    if reason.startswith(LOCKS):
        return said_by(word)
    if reason == "sync.WaitGroup.Wait":
        return f"{word // int(structs.variable('groupOne'))} to wait for"
    if reason == "semacquire":
        permits = word & (1 << int(structs.variable("semaphoreBits"))) - 1
        return f"{permits} permit{'s' * (permits != 1)}"
    return ""


def said_by(word):
    """Says what the word of a mutex or an rwlock says."""
    bits = {name: int(structs.variable(name)) for name in ("lockLocked", "lockWaiters", "lockReader")}
    readers = word // bits["lockReader"]
    words = [f"{readers} reader{'s' * (readers > 1)}"] if readers else []
    if word & bits["lockLocked"] or not readers:
        words.append("locked" if word & bits["lockLocked"] else "open")
    if word & bits["lockWaiters"]:
        words.append("somebody waits")
    return ", ".join(words)


def in_order(sema, waiters):
    """Returns those who wait for a lock in the order of its first queue, others behind."""
    order, first = [], sema.elements("queues")[0] if sema else 0
    at = first
    goroutine = structs.layout("sleeper").offset("waiter.g")
    while at and len(order) <= len(waiters):
        sleeper = runtime.read_or_none(lambda at: Record("sleeper", at), at)
        if sleeper is None:
            break
        order.append(structs.word(at + goroutine))
        at = sleeper["next"] if sleeper["next"] != first else 0
    known = {gp.address: gp for gp in waiters}
    sorted_ = [known.pop(address) for address in order if address in known]
    return sorted_ + list(known.values())


def show_waiter(gp, what):
    """Prints one that waits."""
    print(f"    goroutine {gp.goid} {what}, {places.place(gp)}")


def install():
    """Adds the command."""
    InfoChans()
