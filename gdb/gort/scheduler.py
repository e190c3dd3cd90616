"""info ms, info ps, info sched: what Go's schedtrace prints, and more, of a stopped program."""

import collections

import gdb

from gort import names, places, runtime, structs
from gort.goroutines import table


class Scheduler(gdb.Command):
    """One of the commands; it needs a program in which gort has started."""

    def __init__(self, name):
        super().__init__(f"info {name}", gdb.COMMAND_STATUS, gdb.COMPLETE_NONE)

    def invoke(self, arg, from_tty):
        runtime.running()
        self.show(structs.record("sched", "schedt"))


class InfoMs(Scheduler):
    """List the Ms, the threads: number, gdb's thread, P, and what each does.

A star marks the selected thread."""

    def show(self, sched):
        selected = runtime.selected_m()
        idle = {mp.address for mp in idle_ms(sched)}
        rows = [(" ", "Id", "Thread", "LWP", "P", "What it does")]
        for mp in runtime.ms():
            star = "*" if selected and selected.address == mp.address else " "
            thread = mp.thread
            pp = runtime.read_or_none(runtime.P, mp["p"])
            p = f"p{pp.id}" if pp else ""
            number = str(thread.num) if thread else ""
            rows.append((star, f"m{mp.id}", number, str(mp["procid"]), p, self.doing(mp, idle, thread)))
        table(rows)

    def doing(self, mp, idle, thread):
        """Says what an M does."""
        words = []
        gp = mp.curg
        if gp:
            words.append(f"goroutine {gp.goid} [{gp.state}] {places.place(gp)}")
        elif mp.address in idle:
            words.append("idle")
        elif mp["spinning"]:
            words.append("looks for work")
        elif thread:
            words.append(go_place(thread))
        locked = runtime.read_or_none(runtime.G, mp["lockedg"])
        if locked and not gp:
            words.append(f"waits for goroutine {locked.goid}, which is locked to it")
        if mp["dying"]:
            words.append("dying")
        return ", ".join(words)


class InfoPs(Scheduler):
    """List the Ps: number, status, M, how often it took another goroutine, its queue.

The first of the queue, with `next` behind it, is what was readied last."""

    def show(self, sched):
        rows = [("", "Id", "Status", "M", "Tick", "Queue")]
        for pp in runtime.ps():
            mp = runtime.read_or_none(runtime.M, pp["m"])
            row = f"p{pp.id}", pp.status, f"m{mp.id}" if mp else "", str(pp["schedtick"])
            following = [f"{goid(pp['runnext'])} (next)"] if pp["runnext"] else []
            rows.append(("", *row, " ".join(following + listed(pp.queue))))
        table(rows)


class InfoSched(Scheduler):
    """Show what the scheduler's Ms and Ps share: counts, idle ones, the global queue."""

    def show(self, sched):
        everyone = runtime.goroutines()
        counts = collections.Counter(gp.reason or gp.status for gp in everyone)
        states = ", ".join(f"{count} {state}" for state, count in counts.most_common())
        print(f"goroutines: {len(everyone)}: {states}")
        threads = sched["mnext"] - sched["nmfreed"]
        print(f"Ms: {threads} of at most {sched['maxmcount']}, {sched['nmspinning']} looking for work")
        print("idle Ms:", listing(f"m{mp.id}" for mp in idle_ms(sched)))
        print(f"Ps: {int(structs.variable('gomaxprocs'))}, {sched['npidle']} idle")
        print("idle Ps:", listing(f"p{pp.id}" for pp in linked(runtime.P, sched["pidle"], "link", "Ps")))
        print("global queue:", listing(global_queue(sched)))
        flags = {
            "gcwaiting": "the world is being stopped",
            "sysmonwait": "sysmon sleeps until it is woken",
            "polling": "an M waits for the next timer",
            "lock": "sched.lock is taken",
        }
        for flag, meaning in flags.items():
            if sched[flag]:
                print(meaning)


def idle_ms(sched):
    """Returns the Ms on the idle list."""
    return linked(runtime.M, sched["midle"], "schedlink", "idle Ms")


def global_queue(sched):
    """Returns the numbers of the goroutines in the global queue: those that came one by
    one, and then those that came together, the newest first."""
    alone = linked(runtime.G, sched["runq.head"], "schedlink", "the global queue")
    together = linked(lambda at: structs.Record("batch", at), sched["runq.newest"], "older", "batches")
    gs = [g for batch in together for g in batch.elements("gs")[batch["begin"] : batch["end"]]]
    return [str(gp.goid) for gp in alone] + [goid(g) for g in gs]


def linked(kind, first, link, what):
    """Returns what is in a list."""
    return list(runtime.follow(kind, first, link, what))


def goid(address):
    """Returns the number of a goroutine."""
    gp = runtime.read_or_none(runtime.G, address)
    return str(gp.goid) if gp else f"{address:#x}?"


def listed(addresses):
    """Returns the numbers of goroutines, of many only the first."""
    shown = [goid(address) for address in addresses[:MANY]]
    return shown + [f"and {len(addresses) - MANY} more"] if len(addresses) > MANY else shown


MANY = 32


def listing(words):
    """Joins words, of many only the first."""
    words = list(words)
    more = [f"and {len(words) - MANY} more"] if len(words) > MANY else []
    return " ".join(words[:MANY] + more) or "none"


def go_place(thread):
    """Says which function of the runtime's a thread is in: the first with a name of Go's."""
    calls = places.thread_calls(thread)
    named = (name for name, _ in calls if names.GO.match(name))
    return next(named, calls[0][0] if calls else "??")


def install():
    """Adds the commands."""
    InfoMs("ms")
    InfoPs("ps")
    InfoSched("sched")
