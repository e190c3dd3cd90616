//! Sleeping, and timers that call a function.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use gort::runtime::{gosched, num_goroutine};
use gort::thread;
use gort::time::{Duration, after_func};
use gort_test::one_p;

/// Returns the monotonic time in nanoseconds.
fn nanotime() -> i64 {
    gort::__private::nanotime()
}

/// Returns pseudo-random numbers, from a seed.
fn random(state: &AtomicU64) -> u64 {
    let mut x = state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Sleeps for so many nanoseconds, and checks that it was not less.
fn sleep_for(nanoseconds: u64) {
    let before = nanotime();
    thread::sleep(Duration::from_nanos(nanoseconds));
    let slept = nanotime() - before;
    assert!(
        slept >= nanoseconds as i64,
        "slept {slept} ns of {nanoseconds}"
    );
}

/// Waits until a number is what it should be; it may not get past that.
fn until(count: &AtomicUsize, expected: usize) {
    loop {
        let now = count.load(Ordering::Acquire);
        assert!(now <= expected, "{now} of {expected}");
        if now == expected {
            return;
        }
        thread::sleep(Duration::from_micros(100));
    }
}

/// Waits until only the caller is left.
fn until_alone() {
    while num_goroutine() > 1 {
        thread::sleep(Duration::from_micros(100));
    }
}

/// A long time, which no test waits for.
const HOUR: Duration = Duration::from_secs(3600);

/// Counts how often it is dropped.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

gort_test::tests! {
    fn a_sleeper_never_wakes_early() {
        for nanoseconds in [1, 10, 1_000, 10_000, 100_000, 1_000_000, 5_000_000] {
            sleep_for(nanoseconds);
        }
    }

    fn no_time_is_no_sleep() {
        static RAN: AtomicBool = AtomicBool::new(false);
        gort::go(|| RAN.store(true, Ordering::Release));
        thread::sleep(Duration::ZERO);
        until_alone();
        assert!(RAN.load(Ordering::Acquire));
    }

    fn others_run_meanwhile() {
        let rounds = Arc::new(AtomicUsize::new(0));
        let done = Arc::new(AtomicBool::new(false));
        let (count, end) = (rounds.clone(), done.clone());
        let other = thread::spawn(move || {
            while !end.load(Ordering::Acquire) {
                count.fetch_add(1, Ordering::Relaxed);
                gosched();
            }
        });
        let mut sleeps = 0;
        while sleeps == 0 || rounds.load(Ordering::Relaxed) < 1000 {
            sleep_for(10_000);
            sleeps += 1;
        }
        done.store(true, Ordering::Release);
        other.join().unwrap();
        assert!(sleeps > 0);
    }

    fn one_fires_while_pairs_hammer_each_other() {
        // Each P always has somebody to run, who was just readied by the one before. In
        // Go it is channels that are hammered.
        const TIMES: usize = 100;
        let before = gort::runtime::gomaxprocs(2);
        let done = Arc::new(AtomicBool::new(false));
        for _ in 0..4 {
            let end = done.clone();
            let partner = thread::spawn(move || {
                while !end.load(Ordering::Acquire) {
                    thread::park();
                }
            });
            let end = done.clone();
            gort::go(move || {
                while !end.load(Ordering::Acquire) {
                    partner.thread().unpark();
                    gosched();
                }
                partner.thread().unpark();
            });
        }
        let fired = Arc::new(AtomicUsize::new(0));
        let count = fired.clone();
        let timer = after_func(HOUR, move || {
            count.fetch_add(1, Ordering::AcqRel);
        });
        for times in 1..=TIMES {
            timer.reset(Duration::from_micros(100));
            until(&fired, times);
            sleep_for(100_000);
        }
        done.store(true, Ordering::Release);
        until_alone();
        gort::runtime::gomaxprocs(before);
    }

    fn the_earlier_one_wakes_first() {
        // The later one sleeps on when the earlier have woken: it has half a second more.
        // Should the machine hold one of them up for so long, another try will do.
        let in_order = (0..10).any(|_| {
            let count = Arc::new(AtomicUsize::new(0));
            let other = count.clone();
            let late = thread::spawn(move || {
                thread::sleep(Duration::from_millis(500));
                other.load(Ordering::Acquire) == 10
            });
            for milliseconds in (1..=10).rev() {
                let count = count.clone();
                gort::go(move || {
                    sleep_for(milliseconds * 1_000_000);
                    count.fetch_add(1, Ordering::AcqRel);
                });
            }
            let in_order = late.join().unwrap();
            until(&count, 10);
            in_order
        });
        assert!(in_order);
    }

    fn ten_thousand_sleep_at_random() {
        static STATE: AtomicU64 = AtomicU64::new(1);
        let count = Arc::new(AtomicUsize::new(0));
        for _ in 0..10_000 {
            let count = count.clone();
            gort::go(move || {
                for _ in 0..3 {
                    sleep_for(random(&STATE) % 20_000_000);
                }
                count.fetch_add(1, Ordering::AcqRel);
            });
        }
        until(&count, 10_000);
        until_alone();
    }

    fn after_func_calls_once_and_not_early() {
        let count = Arc::new(AtomicUsize::new(0));
        let start = nanotime();
        let timers: Vec<_> = (1..=100u64)
            .map(|n| {
                let count = count.clone();
                after_func(Duration::from_micros(n * 50), move || {
                    assert!(nanotime() - start >= n as i64 * 50_000, "early");
                    count.fetch_add(1, Ordering::AcqRel);
                })
            })
            .collect();
        until(&count, 100);
        until_alone();
        assert!(timers.iter().all(|timer| !timer.stop()));
        assert_eq!(count.load(Ordering::Acquire), 100);
    }

    fn no_duration_is_at_once() {
        let count = Arc::new(AtomicUsize::new(0));
        let other = count.clone();
        let timer = after_func(Duration::ZERO, move || {
            other.fetch_add(1, Ordering::AcqRel);
        });
        until(&count, 1);
        drop(timer);
    }

    fn the_longest_time_is_far_away() {
        let timer = after_func(Duration::MAX, || panic!("the end of time"));
        sleep_for(100_000);
        assert!(timer.reset(Duration::from_secs(u64::MAX)));
        sleep_for(100_000);
        assert!(timer.stop());
    }

    fn a_timer_outlives_its_handle() {
        let count = Arc::new(AtomicUsize::new(0));
        let dropped = Dropped(count.clone());
        drop(after_func(Duration::from_millis(1), move || {
            assert_eq!(dropped.0.fetch_add(10, Ordering::AcqRel), 0);
        }));
        until(&count, 11);
    }

    fn the_closure_is_dropped_once() {
        // Stopped, fired, set again, with the handle dropped before or after.
        for case in 0..6 {
            let drops = Arc::new(AtomicUsize::new(0));
            let calls = Arc::new(AtomicUsize::new(0));
            let (dropped, called) = (Dropped(drops.clone()), calls.clone());
            let duration = if case % 2 == 0 { HOUR } else { Duration::from_micros(50) };
            let timer = after_func(duration, move || {
                let _keep = &dropped;
                called.fetch_add(1, Ordering::AcqRel);
            });
            let expected = match case {
                0 => {
                    assert!(timer.stop());
                    0
                }
                1 => {
                    until(&calls, 1);
                    assert!(!timer.stop());
                    1
                }
                2 => {
                    assert!(timer.reset(Duration::from_micros(50)));
                    until(&calls, 1);
                    1
                }
                3 => {
                    until(&calls, 1);
                    assert!(!timer.reset(Duration::from_micros(50)));
                    until(&calls, 2);
                    2
                }
                4 => {
                    assert!(timer.stop());
                    assert!(!timer.reset(Duration::from_micros(50)));
                    1
                }
                _ => {
                    until(&calls, 1);
                    assert!(!timer.reset(HOUR));
                    assert!(timer.reset(HOUR));
                    assert!(timer.stop());
                    1
                }
            };
            drop(timer);
            until(&drops, 1);
            until_alone();
            assert_eq!(calls.load(Ordering::Acquire), expected, "case {case}");
            assert_eq!(drops.load(Ordering::Acquire), 1, "case {case}");
        }
    }

    fn stopped_and_set_at_random_the_counts_add_up() {
        static STATE: AtomicU64 = AtomicU64::new(2);
        const TIMERS: usize = 64;
        const TURNS: usize = 2000;
        let fired = Arc::new(AtomicUsize::new(0));
        let drops = Arc::new(AtomicUsize::new(0));
        let timers: Arc<Vec<_>> = Arc::new(
            (0..TIMERS)
                .map(|_| {
                    let (fired, dropped) = (fired.clone(), Dropped(drops.clone()));
                    after_func(Duration::from_micros(random(&STATE) % 500), move || {
                        let _keep = &dropped;
                        fired.fetch_add(1, Ordering::AcqRel);
                    })
                })
                .collect(),
        );
        let armed = Arc::new(AtomicUsize::new(TIMERS));
        let stopped = Arc::new(AtomicUsize::new(0));
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let timers = timers.clone();
                let (armed, stopped) = (armed.clone(), stopped.clone());
                thread::spawn(move || {
                    for _ in 0..TURNS {
                        let number = random(&STATE);
                        let timer = &timers[number as usize % TIMERS];
                        match number >> 32 & 3 {
                            0 => {
                                stopped.fetch_add(timer.stop().into(), Ordering::AcqRel);
                            }
                            1 => thread::sleep(Duration::from_nanos(number >> 40 & 0xffff)),
                            _ => {
                                let micros = number >> 40 & 511;
                                let pending = timer.reset(Duration::from_micros(micros));
                                stopped.fetch_add(pending.into(), Ordering::AcqRel);
                                armed.fetch_add(1, Ordering::AcqRel);
                            }
                        }
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.join().unwrap();
        }
        let sum = armed.load(Ordering::Acquire) - stopped.load(Ordering::Acquire);
        until(&fired, sum);
        until_alone();
        sleep_for(1_000_000);
        assert!(timers.iter().all(|timer| !timer.stop()));
        assert_eq!(fired.load(Ordering::Acquire), sum);
        drop(timers);
        until(&drops, TIMERS);
    }

    fn a_million_are_pending_and_stopped() {
        const COUNT: usize = if cfg!(debug_assertions) { 200_000 } else { 1_000_000 };
        static STATE: AtomicU64 = AtomicU64::new(3);
        let count = Arc::new(AtomicUsize::new(0));
        let timers: Vec<_> = (0..COUNT)
            .map(|_| {
                let count = count.clone();
                let seconds = 1000 + random(&STATE) % 1000;
                after_func(Duration::from_secs(seconds), move || {
                    count.fetch_add(1, Ordering::AcqRel);
                })
            })
            .collect();
        // Among so many, one that is early is found at once.
        let early = count.clone();
        drop(after_func(Duration::from_micros(1), move || {
            early.fetch_add(1, Ordering::AcqRel);
        }));
        until(&count, 1);
        sleep_for(1_000_000);
        assert!(timers.iter().step_by(2).all(gort::time::Timer::stop));
        sleep_for(1_000_000); // half of them are swept out
        assert!(timers.iter().skip(1).step_by(2).all(gort::time::Timer::stop));
        assert!(!timers.iter().any(gort::time::Timer::stop));
        drop(timers);
        // Each P sweeps its own: all are with this one then.
        let _one = one_p();
        while Arc::strong_count(&count) > 1 {
            sleep_for(1_000_000);
        }
        assert_eq!(count.load(Ordering::Acquire), 1);
    }
}
