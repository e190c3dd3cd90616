//! Waiting: park and unpark, sleep, timers.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::time::Duration;

use gort::runtime::gosched;
use gort::thread::{self, Thread};
use gort::{go, time};

use crate::{Count, Random, crowd, now, storm};

/// A goroutine that is given tasks, and sleeps when it has none.
struct Worker {
    given: Arc<AtomicUsize>,
    thread: Thread,
}

/// Nobody gives tasks any more. Stored by whoever knows that, before the last unpark.
static ALL_GIVEN: AtomicBool = AtomicBool::new(false);

/// Starts one that does tasks until there are no more.
fn worker(done: &'static Count) -> Worker {
    let given = Arc::new(AtomicUsize::new(0));
    let tasks = Arc::clone(&given);
    let handle = thread::spawn(move || {
        let mut left = 0;
        loop {
            let last = ALL_GIVEN.load(Ordering::Acquire);
            left += tasks.swap(0, Ordering::Acquire);
            if left == 0 {
                if last {
                    return;
                }
                thread::park();
            } else {
                left -= 1;
                done.end();
                if left % 7 == 0 {
                    gosched();
                }
            }
        }
    });
    Worker {
        given,
        thread: handle.thread().clone(),
    }
}

gort_test::test_module! {
    fn tasks_are_given_and_none_is_lost() {
        static DONE: Count = Count::new();
        storm(|| {
            let workers: Arc<Vec<Worker>> = Arc::new((0..8).map(|_| worker(&DONE)).collect());
            let all = Arc::clone(&workers);
            crowd(8, move |random| {
                let worker = &all[random.below(all.len())];
                for _ in 0..=random.below(3) {
                    DONE.begin();
                    worker.given.fetch_add(1, Ordering::Release);
                }
                worker.thread.unpark();
                if random.below(4) == 0 {
                    gosched();
                }
            });
            // Their last wake-up, when those who give have ended.
            go(move || {
                let mut workers = workers;
                while Arc::get_mut(&mut workers).is_none() {
                    thread::sleep(Duration::from_millis(1));
                }
                ALL_GIVEN.store(true, Ordering::Release);
                workers.iter().for_each(|worker| worker.thread.unpark());
            });
        });
        DONE.adds_up();
    }

    fn pairs_wake_each_other_wherever_they_are() {
        static ROUNDS: Count = Count::new();
        storm(|| {
            crowd(10, |random| {
                let rounds = 1 + random.below(50);
                ROUNDS.begin();
                let me = thread::current();
                let partner = thread::spawn(move || {
                    for _ in 0..rounds {
                        thread::park();
                        me.unpark();
                    }
                });
                for _ in 0..rounds {
                    partner.thread().unpark();
                    thread::park();
                }
                partner.join().unwrap();
                ROUNDS.end();
            });
        });
        ROUNDS.adds_up();
    }

    fn sleeps_of_random_length_are_never_short() {
        static SLEEPS: Count = Count::new();
        storm(|| {
            crowd(200, |random| {
                let length = Duration::from_micros(random.below(3000) as u64);
                SLEEPS.begin();
                let before = now();
                thread::sleep(length);
                let slept = now() - before;
                assert!(u128::from(slept) >= length.as_nanos(), "{slept} ns in place of {length:?}");
                SLEEPS.end();
            });
        });
        SLEEPS.adds_up();
    }

    fn timers_are_stopped_and_set_at_random() {
        // Each arming ends in a call, or in a stop or another arming that was in time.
        static ARMED: Count = Count::new();
        storm(|| {
            crowd(20, |random: &Random| {
                let length = || Duration::from_micros(random.below(2000) as u64);
                ARMED.begin();
                let timer = time::after_func(length(), || ARMED.end());
                for _ in 0..random.below(5) {
                    match random.below(4) {
                        0 => {
                            ARMED.begin();
                            if timer.reset(length()) {
                                ARMED.end();
                            }
                        }
                        1 => thread::sleep(length()),
                        2 => {
                            if timer.stop() {
                                ARMED.end();
                            }
                        }
                        _ => gosched(),
                    }
                }
                if random.below(2) == 0 && timer.stop() {
                    ARMED.end();
                }
            });
        });
        // All others have ended, and none is armed any more; the last ones are due soon.
        while ARMED.begun.load(Ordering::Relaxed) != ARMED.ended.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(1));
        }
        ARMED.adds_up();
    }
}
