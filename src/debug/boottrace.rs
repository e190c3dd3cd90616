//! `GODEBUG=boottrace=1`: each step of the boot as it ends, on stderr, with the
//! time since the first instruction and the step's own time, in nanoseconds.
//!
//! Times are taken from the time-stamp counter, which needs nothing to be
//! ready. `GODEBUG=boottrace=2` says the same in the format that ui.perfetto.dev and
//! chrome://tracing open: in GORT_TRACE's file if there is one, else on stderr; with the
//! feature `sched-trace`, without which 2 is 1. What ends before GODEBUG is known waits in a small buffer. The time
//! that the trace itself takes (taking GODEBUG apart, measuring the counter's rate,
//! writing) is left out of all numbers. Only the thread that boots calls [`step`].

use core::cell::Cell;
use core::hint::black_box;
use core::sync::atomic::{AtomicU64, Ordering};

use super::print::say;
use crate::{arch, os};

// SAFETY: the entry wrote it before anything else ran; nobody writes it again.
unsafe extern "C" {
    #[link_name = "runtime.bootTicks"]
    safe static BOOT_TICKS: AtomicU64;
}

/// The first step, and the last.
#[cfg(feature = "sched-trace")]
const FIRST: &str = os::ENTRY;
#[cfg(feature = "sched-trace")]
const LAST: &str = "main.main";

/// How many steps can end before GODEBUG is known.
const EARLY: usize = 8;

/// Off, on, or not yet known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Unknown,
    Off,
    On,
}

/// The trace; only the booting thread, and later the main goroutine, touches it.
struct Trace {
    mode: Cell<Mode>,
    early: [Cell<Option<(&'static str, u64)>>; EARLY],
    count: Cell<usize>,
    /// When the last step ended.
    last: Cell<u64>,
    /// Ticks that the trace itself took.
    spent: Cell<u64>,
    /// Nanoseconds for 2^20 ticks.
    rate: Cell<u64>,
    /// Where the steps go.
    #[cfg(feature = "sched-trace")]
    to: Cell<To>,
}

/// Where the steps go.
#[cfg(feature = "sched-trace")]
#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    /// A line for people on stderr.
    Lines,
    /// An event of Chrome's format on stderr.
    Events,
    /// The scheduler's trace.
    Trace,
}

// SAFETY: `step` and `enable` are called by the boot alone, which is one thread
// until main.main has returned.
unsafe impl Sync for Trace {}

static TRACE: Trace = Trace {
    mode: Cell::new(Mode::Unknown),
    early: [const { Cell::new(None) }; EARLY],
    count: Cell::new(0),
    last: Cell::new(0),
    spent: Cell::new(0),
    rate: Cell::new(0),
    #[cfg(feature = "sched-trace")]
    to: Cell::new(To::Lines),
};

/// Says that the entry has jumped: the step that ended when the entry read the
/// counter, from which all times are taken.
#[cfg_attr(not(feature = "trace"), inline(always))]
pub(crate) fn entry(name: &'static str) {
    if cfg!(feature = "trace") {
        keep(name, BOOT_TICKS.load(Ordering::Relaxed)); // the entry's, same thread
    }
}

/// Keeps a step until it is known whether anybody asks.
fn keep(name: &'static str, ticks: u64) {
    if let Some(slot) = TRACE.early.get(TRACE.count.get()) {
        slot.set(Some((name, ticks)));
        TRACE.count.set(TRACE.count.get() + 1);
    }
}

/// Says that the step of this name has ended. Without the feature `trace` this is
/// nothing.
#[cfg_attr(feature = "trace", inline(never))]
#[cfg_attr(not(feature = "trace"), inline(always))]
pub(crate) fn step(name: &'static str) {
    if !cfg!(feature = "trace") {
        return;
    }
    match TRACE.mode.get() {
        Mode::Off => {}
        Mode::Unknown => keep(name, arch::cputicks()),
        Mode::On => {
            let now = arch::cputicks();
            report(name, now - TRACE.spent.get());
            TRACE
                .spent
                .set(TRACE.spent.get() + (arch::cputicks() - now));
        }
    }
}

/// Returns what the counter was at the entry.
#[cfg(feature = "sched-trace")]
pub(crate) fn boot_ticks() -> u64 {
    BOOT_TICKS.load(Ordering::Relaxed) // the entry's, before all others
}

/// Says what memory the runtime has taken so far. Behind the last step before
/// the program's own.
#[cfg_attr(not(feature = "trace"), inline(always))]
pub(crate) fn memory() {
    #[cfg(feature = "sched-trace")]
    if TRACE.to.get() != To::Lines {
        return; // that is no step
    }
    if cfg!(feature = "trace") && TRACE.mode.get() == Mode::On {
        let begin = arch::cputicks();
        let (boot_heap, heap, stacks) = crate::mem::boot_stats();
        let numbers = [boot_heap as u64, heap as u64, stacks as u64];
        say(
            "boot mem: %d B of the boot heap, %d B of heap, %d B of stacks reserved",
            &numbers,
            &[],
        );
        TRACE
            .spent
            .set(TRACE.spent.get() + (arch::cputicks() - begin));
    }
}

/// Turns the trace on or off, now that GODEBUG is known: 0 is off. What has been done since
/// the counter was at `begin` was done for that.
pub(crate) fn enable(level: u32, begin: u64) {
    let on = level > 0;
    TRACE.mode.set(if on { Mode::On } else { Mode::Off });
    if !on {
        return;
    }
    #[cfg(feature = "sched-trace")]
    if level > 1 {
        let to = match crate::boot::gort_trace() {
            Some(_) => To::Trace,
            None => To::Events,
        };
        TRACE.to.set(to);
    }
    TRACE.rate.set(measure_rate());
    TRACE.last.set(BOOT_TICKS.load(Ordering::Relaxed)); // the entry's, same thread
    for (name, ticks) in TRACE.early.iter().filter_map(Cell::get) {
        report(name, ticks);
    }
    TRACE.spent.set(arch::cputicks() - begin);
}

/// Prints one step, which ended at `ticks`.
fn report(name: &'static str, ticks: u64) {
    // A boot of less than four hours does not overflow.
    let nanoseconds = |ticks: u64| ticks.wrapping_mul(TRACE.rate.get()) >> 20;
    let since_entry = ticks.saturating_sub(BOOT_TICKS.load(Ordering::Relaxed)); // as above
    let before = TRACE.last.replace(ticks);
    let own = ticks.saturating_sub(before);
    #[cfg(feature = "sched-trace")]
    match TRACE.to.get() {
        To::Lines => {}
        To::Events => return event(name, nanoseconds(since_entry), nanoseconds(own)),
        To::Trace => return super::trace::boot_step(name, before, ticks),
    }
    say(
        "boot %c ns  +%c ns  %s",
        &[nanoseconds(since_entry), nanoseconds(own)],
        &[name.as_bytes()],
    );
}

/// Prints a step that has ended so many nanoseconds after the entry, as an event: the list
/// begins with the first and ends with the last.
#[cfg(feature = "sched-trace")]
fn event(name: &str, end: u64, own: u64) {
    let begin = end - own.min(end);
    let digits = |number: u64| {
        [
            number / 1000,
            number / 100 % 10,
            number / 10 % 10,
            number % 10,
        ]
    };
    let [[b, b1, b2, b3], [o, o1, o2, o3]] = [digits(begin), digits(own)];
    let template = match name {
        FIRST => {
            "[{\"ph\":\"X\",\"name\":\"%s\",\"cat\":\"boot\",\"pid\":1,\"tid\":0,\"ts\":%d.%d%d%d,\"dur\":%d.%d%d%d}"
        }
        LAST => {
            ",{\"ph\":\"X\",\"name\":\"%s\",\"cat\":\"boot\",\"pid\":1,\"tid\":0,\"ts\":%d.%d%d%d,\"dur\":%d.%d%d%d}]"
        }
        _ => {
            ",{\"ph\":\"X\",\"name\":\"%s\",\"cat\":\"boot\",\"pid\":1,\"tid\":0,\"ts\":%d.%d%d%d,\"dur\":%d.%d%d%d}"
        }
    };
    let numbers = [b, b1, b2, b3, o, o1, o2, o3];
    say(template, &numbers, &[name.as_bytes()]);
}

/// Compares the counter with the clock for a millisecond: nanoseconds for 2^20
/// ticks.
fn measure_rate() -> u64 {
    const INTERVAL: i64 = 1_000_000;
    let (clock, ticks) = look();
    while os::nanotime() - clock < INTERVAL {}
    let (later, now) = look();
    (((later - clock) as u64) << 20) / (now - ticks).max(1)
}

/// Looks at the clock and at the counter, several times, and returns the shortest look: between
/// the two a process may not be let run for long, and the first time takes an emulator longer.
fn look() -> (i64, u64) {
    const LOOKS: u32 = 4;
    let (mut best, mut shortest) = ((0, 0), u64::MAX);
    for _ in 0..black_box(LOOKS) {
        // black_box: one copy of it is enough.
        let before = arch::cputicks();
        let clock = os::nanotime();
        let took = arch::cputicks() - before;
        if took < shortest {
            (best, shortest) = ((clock, before + took / 2), took);
        }
    }
    best
}
