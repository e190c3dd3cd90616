//! park_timeout: the token or the time, and nothing else.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gort::__private::{preempt_storm, preemptions};
use gort::thread::{self, Thread};
use gort::time::{Duration, Instant};

use crate::until_alone;

/// Longer than any test waits.
const LONG: Duration = Duration::from_secs(3600);

/// Makes somebody park for `LONG`, and counts it when it goes on.
fn sleeper(woken: &'static AtomicUsize) -> Thread {
    let handle = thread::spawn(|| {
        thread::park_timeout(LONG);
        woken.fetch_add(1, Ordering::Relaxed);
    });
    handle.thread().clone()
}

/// Tells whether the current goroutine's token is there, and takes it.
fn take() -> bool {
    // The shortest time that is one: with a token this returns before.
    let start = Instant::now();
    thread::park_timeout(Duration::from_millis(20));
    start.elapsed() < Duration::from_millis(20)
}

/// Has one goroutine give tokens, each when the one before was taken, while the other
/// parks for about as long as it takes until the next comes; and counts both.
fn tokens_against_the_time(rounds: usize) {
    struct Shared {
        given: AtomicUsize,
        taken: AtomicUsize,
        done: AtomicBool,
    }
    let shared = Arc::new(Shared {
        given: AtomicUsize::new(0),
        taken: AtomicUsize::new(0),
        done: AtomicBool::new(false),
    });
    let its = shared.clone();
    let owner = thread::spawn(move || {
        let mut timeouts = 0;
        for round in 0.. {
            let seen = its.taken.load(Ordering::Relaxed);
            if its.done.load(Ordering::Acquire) {
                break;
            }
            let start = Instant::now();
            let time = Duration::from_nanos(round * 7919 % 60_000 + 1);
            thread::park_timeout(time);
            // A note is what each token stands for: the token may be late, not lost.
            let given = its.given.load(Ordering::Acquire);
            its.taken.store(given, Ordering::Release);
            if given == seen {
                timeouts += usize::from(start.elapsed() >= time);
            }
        }
        timeouts
    });
    for round in 0..rounds {
        let number = shared.given.fetch_add(1, Ordering::Release) + 1;
        owner.thread().unpark();
        while shared.taken.load(Ordering::Acquire) < number {
            if round % 3 == 0 {
                thread::yield_now();
            } else {
                thread::sleep(Duration::from_nanos(round as u64 * 6007 % 50_000 + 1));
            }
        }
    }
    shared.done.store(true, Ordering::Release);
    owner.thread().unpark();
    owner.join().unwrap();
}

gort_test::test_module! {
    fn without_a_token_the_time_passes() {
        let _handle = thread::current();
        for nanoseconds in [1, 1000, 100_000, 1_000_000, 5_000_000] {
            let time = Duration::from_nanos(nanoseconds);
            let start = Instant::now();
            thread::park_timeout(time);
            assert!(start.elapsed() >= time, "{:?} of {time:?}", start.elapsed());
        }
    }

    fn one_without_a_handle_sleeps() {
        static PASSED: AtomicBool = AtomicBool::new(false);
        gort::go(|| {
            let time = Duration::from_millis(1);
            let start = Instant::now();
            thread::park_timeout(time);
            PASSED.store(start.elapsed() >= time, Ordering::Relaxed);
        });
        until_alone();
        assert!(PASSED.load(Ordering::Relaxed));
    }

    fn a_token_that_is_there_is_taken_at_once() {
        let me = thread::current();
        for _ in 0..100 {
            me.unpark();
            me.unpark(); // is one
            thread::park_timeout(LONG);
        }
        assert!(!take());
        me.unpark();
        assert!(take());
    }

    fn no_time_is_a_look() {
        let me = thread::current();
        thread::park_timeout(Duration::ZERO);
        me.unpark();
        thread::park_timeout(Duration::ZERO);
        assert!(!take(), "it was taken");
    }

    fn a_token_ends_the_wait_of_each() {
        static WOKEN: AtomicUsize = AtomicUsize::new(0);
        let sleepers: Vec<_> = (0..1000).map(|_| sleeper(&WOKEN)).collect();
        while gort::__private::waiting() < 1000 {
            thread::yield_now();
        }
        assert_eq!(WOKEN.load(Ordering::Relaxed), 0);
        for sleeper in &sleepers {
            sleeper.unpark();
        }
        until_alone();
        assert_eq!(WOKEN.load(Ordering::Relaxed), 1000);
        // What is left of their timers, and of those that are gone, is nobody's.
        for sleeper in &sleepers {
            sleeper.unpark();
        }
    }

    fn the_longest_time_is_far_away() {
        let me = thread::current();
        let waker = thread::spawn(move || {
            thread::sleep(Duration::from_millis(1));
            me.unpark();
        });
        thread::park_timeout(Duration::MAX);
        waker.join().unwrap();
        assert!(!take());
    }

    fn times_that_pass_in_a_row_do_not_disturb_a_later_park() {
        // A timer that came too late must not wake who parks next, without a time.
        let me = thread::current();
        for round in 0..2000u64 {
            let other = me.clone();
            let given = Arc::new(AtomicBool::new(false));
            let its = given.clone();
            gort::go(move || {
                thread::sleep(Duration::from_nanos(round % 50 * 1000));
                its.store(true, Ordering::Release);
                other.unpark();
            });
            thread::park_timeout(Duration::from_nanos(round % 37 * 1000 + 1));
            if !given.load(Ordering::Acquire) {
                thread::park(); // it does not return for any other reason
                assert!(given.load(Ordering::Acquire), "in round {round}");
            } else {
                // It has given the token, or is about to: there is one in all.
                thread::park_timeout(Duration::from_micros(100));
            }
            // Else a token of this round would end a park of the next one.
            until_alone();
            thread::park_timeout(Duration::ZERO);
        }
    }

    fn no_token_is_lost_to_the_time() {
        tokens_against_the_time(5_000);
    }

    fn no_token_is_lost_to_the_time_under_preemption() {
        static DONE: AtomicBool = AtomicBool::new(false);
        let before = preemptions();
        preempt_storm(true);
        // One that never gives way: on one P the others have parked before they can be
        // preempted.
        let spinner = thread::spawn(|| {
            while !DONE.load(Ordering::Relaxed) {
                core::hint::spin_loop();
            }
        });
        thread::spawn(move || {
            while preemptions() - before < 500 {
                tokens_against_the_time(50);
            }
        })
        .join()
        .unwrap();
        DONE.store(true, Ordering::Relaxed);
        spinner.join().unwrap();
        preempt_storm(false);
    }

    fn many_at_a_time_on_one_timers_heap() {
        // Each parks for a short time again and again, and others unpark all of them.
        static DONE: AtomicBool = AtomicBool::new(false);
        let owners: Vec<_> = (0..64u64)
            .map(|number| {
                thread::spawn(move || {
                    let mut parks = 0;
                    while parks < 200 {
                        thread::park_timeout(Duration::from_nanos(number * 997 % 20_000 + 1));
                        parks += 1;
                    }
                })
            })
            .collect();
        let threads: Vec<_> = owners.iter().map(|owner| owner.thread().clone()).collect();
        let hammers: Vec<_> = (0..4)
            .map(|_| {
                let threads = threads.clone();
                thread::spawn(move || {
                    while !DONE.load(Ordering::Relaxed) {
                        threads.iter().for_each(Thread::unpark);
                        thread::yield_now();
                    }
                })
            })
            .collect();
        for owner in owners {
            owner.join().unwrap();
        }
        DONE.store(true, Ordering::Relaxed);
        for hammer in hammers {
            hammer.join().unwrap();
        }
    }

    #[allow(deprecated, reason = "std has them")]
    fn the_old_names_wait_as_well() {
        let start = Instant::now();
        thread::sleep_ms(1);
        thread::park_timeout_ms(1);
        assert!(start.elapsed() >= Duration::from_millis(2));
    }
}
