//! The workloads of `cargo xtask bench sched`: what all programs in Rust have in
//! common. Each program is the same on another runtime.
//!
//! | scenario | what happens | what is measured |
//! | --- | --- | --- |
//! | `yield` | two goroutines give way to each other | a yield |
//! | `spawn-wait` | one is spawned, and its end waited for; then the next | one |
//! | `spawn-signal` | the same; it says itself that it is done, to who parks | one |
//! | `spawn-many` | 100 are spawned, then the end of all waited for | one |
//! | `wake` | one wakes another, which sleeps, and goes on on its processor | until the other runs |
//! | `sleep` | 100,000 sleep for 1 ms | until all have ended |
//! | `sleep-series` | 1,000 sleep for 1 ms, 100 times each | until all have ended |
//! | `idle` | 10,000 are parked | whatever the process still does, from outside |
//!
//! An eighth of the work goes before the time that counts. Who sleeps does so twice:
//! for the first of them the kernel has yet to find memory.

#[path = "../shared/command.rs"]
mod command;

use core::sync::atomic::{AtomicU64, Ordering};

use crate::platform;

pub(crate) use command::{Work, warm_up};

// So much of what is short that a sample takes some 50 ms at least: sysmon, and its like
// elsewhere, looks often in the first few of them.

/// Yields of each of the two.
const YIELDS: u64 = 2_000_000;

/// How many are spawned, one after the other.
const SPAWNS: u64 = 1_000_000;

/// How many are spawned at once, and how often that is done.
pub(crate) const BATCH: u64 = 100;
const BATCHES: u64 = 2_000;

/// Wake-ups.
const WAKES: u64 = 2_000;

/// How many sleep once, and how many sleep in series, and how often.
const SLEEPERS: u64 = 100_000;
const SERIES: u64 = 1_000;
const SLEEPS: u64 = 100;

/// How long they sleep, in nanoseconds.
pub(crate) const NAP: u64 = 1_000_000;

/// How many are parked in an idle process.
const PARKED: u64 = 10_000;

/// How long who wakes another keeps its processor busy before: the other has
/// parked by then, and its processor, having found nothing to do, sleeps.
const SETTLE: u64 = 50_000;

/// When who was woken must run at last.
const LATEST: u64 = 2_000_000_000;

/// One in so many looks at the clock before and after it sleeps.
const OBSERVED: u64 = 64;

/// A workload, with its size.
#[derive(Clone, Copy)]
pub(crate) enum Load {
    /// So many yields of each of the two.
    Yield(u64),
    /// So many spawned, one after the other.
    SpawnWait(u64),
    /// The same.
    SpawnSignal(u64),
    /// So many batches.
    SpawnMany(u64),
    /// So many wake-ups.
    Wake(u64),
    /// So many sleep, so often.
    Sleep(u64, u64),
    /// So many are parked.
    Idle(u64),
}

impl Work<'_> {
    /// Returns the workload, if there is one of that name.
    pub(crate) fn load(&self) -> Option<Load> {
        Some(match self.scenario("sched")? {
            "yield" => Load::Yield(self.part(YIELDS)),
            "spawn-wait" => Load::SpawnWait(self.part(SPAWNS)),
            "spawn-signal" => Load::SpawnSignal(self.part(SPAWNS)),
            "spawn-many" => Load::SpawnMany(self.part(BATCHES)),
            "wake" => Load::Wake(self.part(WAKES)),
            "sleep" => Load::Sleep(self.part(SLEEPERS), 1),
            "sleep-series" => Load::Sleep(self.part(SERIES), SLEEPS),
            "idle" => Load::Idle(PARKED), // what does nothing needs no less of it
            _ => return None,
        })
    }

    /// Prints what wake-ups took, in nanoseconds: the median, and what nine in ten
    /// stay below.
    pub(crate) fn wakes(&self, times: &mut [u64]) {
        times.sort_unstable();
        let count = times.len();
        self.sample("/median", times[count / 2] as f64);
        self.sample("/p90", times[count * 9 / 10] as f64);
        platform::print(format_args!("check {count}\n"));
    }

    /// Tells who watches from outside that so many are parked.
    pub(crate) fn idle(&self, count: u64) {
        platform::print(format_args!("parked {count}\n"));
    }
}

/// Whose turn it was, and how often another one's came: on one processor each
/// yield must let the other go on.
pub(crate) struct Turns {
    last: AtomicU64,
    changes: AtomicU64,
}

impl Turns {
    /// Begins with nobody's turn.
    pub(crate) const fn new() -> Self {
        Self {
            last: AtomicU64::new(u64::MAX),
            changes: AtomicU64::new(0),
        }
    }

    /// Notes that it is the turn of `who`.
    pub(crate) fn take(&self, who: u64) {
        // Relaxed: numbers to count with, which order nothing.
        if self.last.swap(who, Ordering::Relaxed) != who {
            self.changes.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Checks that of so many yields nearly all led to the other, on one processor.
    pub(crate) fn check(&self, procs: usize, yields: u64) {
        let changes = self.changes.load(Ordering::Relaxed); // they have ended
        assert!(
            procs > 1 || changes >= yields - yields / 10,
            "{yields} yields, and only {changes} times another went on"
        );
    }
}

/// Between who wakes and who is woken. The one posts a number and wakes the other,
/// which parks until it is there, and answers with the time.
pub(crate) struct Mailbox {
    posted: AtomicU64,
    answer: AtomicU64,
}

impl Mailbox {
    /// Makes an empty one.
    pub(crate) const fn new() -> Self {
        Self {
            posted: AtomicU64::new(0),
            answer: AtomicU64::new(0),
        }
    }

    /// Keeps the processor busy until the other sleeps, posts the number, calls
    /// `wake`, and keeps the processor busy until the other has answered. Returns the
    /// nanoseconds from `wake` until the other ran, which was elsewhere: here it could
    /// not.
    pub(crate) fn wake(&self, number: u64, wake: impl FnOnce()) -> u64 {
        let start = platform::now();
        while platform::now() < start + SETTLE {
            core::hint::spin_loop();
        }
        self.answer.store(0, Ordering::Relaxed); // before the other is told to answer
        let woken = platform::now();
        self.posted.store(number, Ordering::Release); // pairs with the load in `posted`
        wake();
        loop {
            for _ in 0..1000 {
                // Acquire pairs with the store in `answer`.
                let answer = self.answer.load(Ordering::Acquire);
                if answer != 0 {
                    return answer - woken;
                }
                core::hint::spin_loop();
            }
            assert!(
                platform::now() < woken + LATEST,
                "who was woken does not run"
            );
        }
    }

    /// Tells whether that number is posted.
    pub(crate) fn posted(&self, number: u64) -> bool {
        // Acquire pairs with the store in `wake`.
        self.posted.load(Ordering::Acquire) >= number
    }

    /// Answers with the time.
    pub(crate) fn answer(&self) {
        // Release pairs with the load in `wake`.
        self.answer.store(platform::now(), Ordering::Release);
    }
}

/// A look at the clock before a sleep, of some.
pub(crate) struct Nap(Option<u64>);

impl Nap {
    /// Looks, if the goroutine of that number is one that does.
    pub(crate) fn begin(number: u64) -> Self {
        Self(number.is_multiple_of(OBSERVED).then(platform::now))
    }

    /// Checks that it was not woken early.
    pub(crate) fn end(self) {
        if let Some(start) = self.0 {
            let slept = platform::now() - start;
            assert!(slept >= NAP, "1 ms was over after {slept} ns");
        }
    }
}
