//! The runtime's locks and notes under real threads and the kernel's futexes; in all
//! orders they are tried under loom.

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{self, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use gort_host_tests::ensure;
use libtest_mimic::{Failed, Trial};

#[path = "../../../../src/debug/futex_lock.rs"]
mod futex_lock;
#[path = "../../../../src/sched/note.rs"]
mod note;

use super::runtime2;
use futex_lock::FutexLock;
use runtime2::Note;

/// The system as src/os has it.
mod os {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering, compiler_fence};
    use std::time::Instant;

    use rustix::thread::MembarrierCommand::{PrivateExpedited, RegisterPrivateExpedited};
    use rustix::thread::futex::{self, Flags};
    use rustix::thread::{self, Timespec};

    pub(super) fn futexsleep(word: &AtomicU32, value: u32, ns: i64) {
        let timeout = Timespec {
            tv_sec: ns.max(0) / 1_000_000_000,
            tv_nsec: ns.max(0) % 1_000_000_000,
        };
        let timeout = (ns >= 0).then_some(&timeout);
        let _ = futex::wait(word, Flags::PRIVATE, value, timeout);
    }

    pub(super) fn futexwakeup(word: &AtomicU32, count: u32) {
        let _ = futex::wake(word, Flags::PRIVATE, count);
    }

    /// Prepared for all tests of this process; where there is none it says so, and nobody
    /// sleeps.
    pub(super) fn membarrier() -> bool {
        static REGISTERED: OnceLock<bool> = OnceLock::new();
        *REGISTERED.get_or_init(|| thread::membarrier(RegisterPrivateExpedited).is_ok())
            && thread::membarrier(PrivateExpedited).is_ok()
    }

    pub(super) fn light_barrier() {
        compiler_fence(Ordering::SeqCst);
    }

    pub(super) fn osyield() {
        std::thread::yield_now();
    }

    pub(super) fn nanotime() -> i64 {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed().as_nanos() as i64
    }
}

fn throw(message: &str) -> ! {
    panic!("fatal error: {message}")
}

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("futex_lock_counts_right_when_all_sleep", || count(0, None)),
        Trial::test("futex_lock_counts_right_when_all_look_first", || {
            count(50, None)
        }),
        Trial::test("futex_lock_by_plain_stores_when_all_sleep", || {
            count(0, Some(&AtomicU32::new(0)))
        }),
        Trial::test("futex_lock_by_plain_stores_when_all_look_first", || {
            count(50, Some(&AtomicU32::new(0)))
        }),
        Trial::test("note_goes_to_and_fro", to_and_fro),
        Trial::test("note_says_when_the_time_is_over", time_is_over),
        Trial::test("note_is_woken_before_the_time_is_over", woken_in_time),
    ]
}

/// A lock, and numbers behind it that are equal whenever it is open.
struct Locked {
    lock: FutexLock,
    numbers: UnsafeCell<[u64; 8]>,
}

// SAFETY: the numbers are reached under the lock alone.
unsafe impl Sync for Locked {}

/// Threads count, more of them than there are CPUs; now and then one gives its CPU away
/// while it has the lock. With `sleepers` that is given back by a plain store.
fn count(spins: u32, sleepers: Option<&AtomicU32>) -> Result<(), Failed> {
    const THREADS: u64 = 6;
    const ROUNDS: u64 = 50_000;
    let locked = Locked {
        lock: FutexLock(AtomicU32::new(0)),
        numbers: UnsafeCell::new([0; 8]),
    };
    let all = &locked;
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    if !all.lock.try_lock() {
                        match sleepers {
                            Some(sleepers) => all.lock.wait_counted(spins, sleepers),
                            None => all.lock.wait(spins),
                        }
                    }
                    // SAFETY: under the lock.
                    let numbers = unsafe { &mut *all.numbers.get() };
                    let first = numbers[0];
                    if round % 64 == 0 {
                        thread::yield_now();
                    }
                    for number in numbers {
                        assert_eq!(*number, first, "somebody else is here");
                        *number += 1;
                    }
                    let wake = match sleepers {
                        Some(sleepers) => all.lock.unlock_counted(sleepers),
                        None => all.lock.unlock(),
                    };
                    if wake {
                        all.lock.wake();
                    }
                }
            });
        }
    });
    let counted = locked.numbers.into_inner()[7];
    ensure!(counted == THREADS * ROUNDS, "{counted} rounds");
    Ok(())
}

/// Two threads wake each other by turns, and hand a number over each time.
fn to_and_fro() -> Result<(), Failed> {
    const ROUNDS: u32 = 20_000;
    let shared = Arc::new(([Note::new(), Note::new()], AtomicU32::new(0)));
    let its = Arc::clone(&shared);
    let other = thread::spawn(move || {
        for round in 0..ROUNDS {
            its.0[1].sleep();
            its.0[1].clear();
            // Relaxed: the notes order it.
            assert_eq!(its.1.swap(2 * round + 2, Ordering::Relaxed), 2 * round + 1);
            its.0[0].wakeup();
        }
    });
    for round in 0..ROUNDS {
        assert_eq!(shared.1.swap(2 * round + 1, Ordering::Relaxed), 2 * round);
        shared.0[1].wakeup();
        shared.0[0].sleep();
        shared.0[0].clear();
    }
    other.join().map_err(|_| "it died")?;
    let last = shared.1.load(Ordering::Relaxed);
    ensure!(last == 2 * ROUNDS, "{last}");
    Ok(())
}

/// Nobody wakes it: it says so, and not early.
fn time_is_over() -> Result<(), Failed> {
    let note = Note::new();
    let start = Instant::now();
    let woken = note.tsleep(5_000_000);
    let took = start.elapsed();
    let early = took < Duration::from_millis(5);
    ensure!(!woken && !early, "{woken} after {took:?}");
    ensure!(!note.tsleep(0), "nobody woke it");
    Ok(())
}

/// It sleeps for a time that is never over in a test.
fn woken_in_time() -> Result<(), Failed> {
    let note = Note::new();
    let woken = thread::scope(|scope| {
        scope.spawn(|| note.wakeup());
        note.tsleep(i64::MAX)
    });
    ensure!(woken && note.tsleep(0), "it was woken");
    Ok(())
}
