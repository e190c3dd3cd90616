//! Threads: goroutines locked to them, blocked in the system, ended with them.

use alloc::vec::Vec;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;

use gort::runtime::{self, gosched, lock_os_thread, unlock_os_thread};
use gort::{go, thread};
use gort_test::under_qemu;
use rustix::fs::{Mode, OFlags, RawDir};
use rustix::thread::{Timespec, gettid};

use crate::{Count, Random, crowd, num_goroutine, over, storm, storm_until};

/// Sleeps with the whole thread for so many microseconds, or less.
pub(crate) fn nap(microseconds: usize) {
    let time = Timespec {
        tv_sec: 0,
        tv_nsec: microseconds as i64 * 1000,
    };
    let _ = rustix::thread::nanosleep(&time); // a signal may end it
}

/// Counts the threads there are.
fn threads() -> usize {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let tasks = rustix::fs::open(c"/proc/self/task", flags, Mode::empty()).unwrap();
    let mut buffer = Vec::new();
    buffer.resize(4096, MaybeUninit::uninit());
    let mut entries = RawDir::new(tasks, &mut buffer);
    let mut count = 0;
    while let Some(entry) = entries.next() {
        count += usize::from(entry.unwrap().file_name().to_bytes()[0].is_ascii_digit());
    }
    count
}

/// Gives way in some way.
fn give_way(random: &Random) {
    match random.below(5) {
        0 => runtime::blocking(|| nap(random.below(300))),
        1 => thread::spawn(gosched).join().unwrap(),
        2 => {
            let me = thread::current();
            go(move || me.unpark());
            thread::park();
        }
        _ => gosched(),
    }
}

gort_test::test_module! {
    fn locking_nesting_and_ending_locked() {
        static COUNT: Count = Count::new();
        static ENDED_LOCKED: AtomicUsize = AtomicUsize::new(0);
        storm_until(|| ENDED_LOCKED.load(Ordering::Relaxed) > 0, || {
            crowd(6, |random| {
                COUNT.begin();
                let seed = random.below(1000);
                go(move || {
                    let random = Random::new();
                    let depth = 1 + seed % 3;
                    (0..depth).for_each(|_| lock_os_thread());
                    let here = gettid();
                    for _ in 0..random.below(10) {
                        give_way(&random);
                        assert_eq!(gettid(), here);
                    }
                    let unlocks = random.below(depth + 1);
                    (0..unlocks).for_each(|_| unlock_os_thread());
                    ENDED_LOCKED.fetch_add(usize::from(unlocks < depth), Ordering::Relaxed);
                    COUNT.end();
                    if random.below(2) == 0 {
                        runtime::goexit();
                    }
                });
                gosched();
                while num_goroutine() > 60 && !over() {
                    gosched();
                }
            });
        });
        COUNT.adds_up();
        // Each needed one at most, and most of those end. An emulator's own may not.
        while threads() > 100 && !under_qemu() {
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn calls_of_random_length() {
        static COUNT: Count = Count::new();
        storm(|| {
            crowd(30, |random| {
                COUNT.begin();
                let length = match random.below(4) {
                    0 => 0,
                    1 => random.below(50),
                    2 => random.below(500),
                    _ => random.below(3000),
                };
                let value = runtime::blocking(|| {
                    if length > 0 {
                        nap(length);
                    }
                    if length % 5 == 0 {
                        go(|| ()); // which ends the call
                    }
                    length
                });
                assert_eq!(value, length);
                if random.below(2) == 0 {
                    gosched();
                }
                COUNT.end();
            });
        });
        COUNT.adds_up();
        let count = threads();
        // One for each that was blocked, and others in the places of those that were on
        // their way to sleep: more of them on a busy machine, but not one for each call.
        assert!(count <= 200, "{count} threads");
    }
}
