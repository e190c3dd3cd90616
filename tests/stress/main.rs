//! Storms: each program does one thing as wildly as it can, for a second, or for as many
//! as GORT_STRESS_SECONDS says, and checks at last that all adds up.
//!
//! `cargo xtask stress` runs them for minutes, in every way in which gort can run. A
//! hang is for it to find, or for GORT_TEST_TIMEOUT.

#![no_std]
#![no_main]

extern crate alloc;

mod channels;
mod company;
#[allow(unsafe_code, reason = "hands boxes over as addresses")]
mod memory;
mod signals;
mod threads;
#[path = "../preempt/torture.rs"]
#[allow(unsafe_code, reason = "assembly that fills all registers")]
#[allow(dead_code, reason = "what the tests of preemption need besides")]
mod torture;
mod waits;

use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use core::time::Duration;

use gort::__private::preempt_storm;
use gort::runtime::{gomaxprocs, gosched, num_goroutine};
use gort::{env, go, thread};
use rustix::time::{ClockId, clock_gettime};

/// The time is over: whoever goes on in a circle ends.
static STOP: AtomicBool = AtomicBool::new(false);

/// Tells whether the time is over.
fn over() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// Runs what `start` starts for the time of a storm, and waits for the end of all.
fn storm(start: impl FnOnce()) {
    storm_until(|| true, start);
}

/// The same, and the storm goes on until there was enough of something: a busy machine
/// may have had no time for it.
fn storm_until(enough: impl Fn() -> bool, start: impl FnOnce()) {
    let seconds = env::var("GORT_STRESS_SECONDS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(1);
    start();
    thread::sleep(Duration::from_secs(seconds));
    while !enough() {
        thread::sleep(Duration::from_millis(1));
    }
    STOP.store(true, Ordering::Relaxed);
    while num_goroutine() > 1 {
        gosched();
    }
}

/// Starts so many goroutines that do something over and over, each with random numbers
/// of its own, until the time is over.
fn crowd(count: usize, step: impl Fn(&Random) + Clone + Send + 'static) {
    for _ in 0..count {
        let step = step.clone();
        go(move || {
            let random = Random::new();
            while !over() {
                step(&random);
            }
        });
    }
}

/// Returns the time, in nanoseconds.
fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Random numbers, others in each run.
struct Random(Cell<u64>);

impl Random {
    /// Begins with the time, and with who asks.
    fn new() -> Self {
        static SALT: AtomicU64 = AtomicU64::new(0);
        let salt = SALT.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        Self(Cell::new((now() ^ salt) | 1))
    }

    /// Returns one below `end`.
    fn below(&self, end: usize) -> usize {
        let mut state = self.0.get();
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        self.0.set(state);
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
    }
}

/// Counts what was begun and what has ended.
struct Count {
    begun: AtomicUsize,
    ended: AtomicUsize,
}

impl Count {
    /// Makes one.
    const fn new() -> Self {
        Self {
            begun: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
        }
    }

    /// Counts one that begins.
    fn begin(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one that ends.
    fn end(&self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    /// Checks that there were some, and that all have ended.
    fn adds_up(&self) {
        self.adds_up_or_none();
        assert!(self.begun.load(Ordering::Relaxed) > 0, "none begun");
    }

    /// Checks that all have ended.
    fn adds_up_or_none(&self) {
        let [begun, ended] = [&self.begun, &self.ended].map(|count| count.load(Ordering::Relaxed));
        assert!(begun == ended, "{begun} begun, {ended} ended");
    }
}

gort_test::tests! {
    mod channels, company, memory, signals, threads, waits;

    fn spawning_from_all_ps() {
        static COUNT: Count = Count::new();
        fn branch(depth: usize, random: &Random) {
            if depth > 0 {
                for _ in 0..random.below(4) {
                    COUNT.begin();
                    go(move || {
                        branch(depth - 1, &Random::new());
                        COUNT.end();
                    });
                }
            }
            if random.below(3) == 0 {
                gosched();
            }
        }
        storm(|| {
            crowd(16, |random| {
                branch(4, random);
                // Not more than the machine can bear.
                while num_goroutine() > 20_000 && !over() {
                    gosched();
                }
            });
        });
        COUNT.adds_up();
    }

    fn all_registers_survive_preemption() {
        static INTERRUPTED: AtomicUsize = AtomicUsize::new(0);
        let vectors = torture::vectors();
        preempt_storm(true);
        storm_until(|| INTERRUPTED.load(Ordering::Relaxed) > 0, || {
            crowd(6, move |random| {
                let interrupted = torture::once(random.below(1 << 30) as u64, vectors);
                INTERRUPTED.fetch_add(usize::from(interrupted), Ordering::Relaxed);
            });
        });
        preempt_storm(false);
    }

    fn changing_the_number_of_ps_under_load() {
        static COUNT: Count = Count::new();
        static CHANGES: AtomicUsize = AtomicUsize::new(0);
        storm_until(|| CHANGES.load(Ordering::Relaxed) > 0, || {
            go(|| {
                let random = Random::new();
                while !over() {
                    gomaxprocs(1 + random.below(8));
                    CHANGES.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(Duration::from_micros(500));
                }
            });
            crowd(20, |random| match random.below(4) {
                0 => {
                    COUNT.begin();
                    thread::spawn(|| COUNT.end()).join().unwrap();
                }
                1 => {
                    COUNT.begin();
                    go(|| {
                        gosched();
                        COUNT.end();
                    });
                }
                2 => gort::runtime::blocking(|| ()),
                _ => gosched(),
            });
        });
        COUNT.adds_up();
    }
}
