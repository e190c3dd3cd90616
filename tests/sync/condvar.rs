//! The condition variable.

use alloc::format;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;

use gort::sync::{Condvar, Mutex};
use gort::thread;

use crate::{LONG, SHORT, all, spawn, spawn_waiting, storms, until};

/// What most tests share.
fn pair<T>(value: T) -> Arc<(Mutex<T>, Condvar)> {
    Arc::new((Mutex::new(value), Condvar::new()))
}

gort_test::test_module! {
    fn a_queue_of_one() {
        // Producers and consumers that wait for each other.
        storms(|_| {
            const ROUNDS: usize = 500;
            let slot = pair(None);
            let sum = Arc::new(AtomicUsize::new(0));
            let (shared, added) = (Arc::clone(&slot), Arc::clone(&sum));
            all(6, move |number| {
                let (slot, changed) = &*shared;
                for round in 0..ROUNDS {
                    if number % 2 == 0 {
                        let full = slot.lock().unwrap();
                        let mut slot = changed.wait_while(full, |slot| slot.is_some()).unwrap();
                        *slot = Some(round);
                        changed.notify_all();
                    } else {
                        let mut slot = slot.lock().unwrap();
                        while slot.is_none() {
                            slot = changed.wait(slot).unwrap();
                        }
                        added.fetch_add(slot.take().unwrap(), Ordering::Relaxed);
                        changed.notify_all();
                    }
                }
            });
            assert_eq!(sum.load(Ordering::Relaxed), 3 * ROUNDS * (ROUNDS - 1) / 2);
        });
    }

    fn a_notification_wakes_one_and_who_came_first() {
        let state = pair(0_usize);
        static ORDER: Mutex<alloc::vec::Vec<usize>> = Mutex::new(alloc::vec::Vec::new());
        let waiters = [0, 1, 2].map(|number| {
            let state = Arc::clone(&state);
            spawn_waiting(move || {
                let guard = state.0.lock().unwrap();
                drop(state.1.wait(guard).unwrap());
                ORDER.lock().unwrap().push(number);
            })
        });
        for woken in 1..=3 {
            state.1.notify_one();
            until(|| ORDER.lock().unwrap().len() == woken);
        }
        for waiter in waiters {
            waiter.join().unwrap();
        }
        assert_eq!(*ORDER.lock().unwrap(), [0, 1, 2]);
        state.1.notify_one(); // nobody
        state.1.notify_all();
    }

    fn all_are_notified() {
        storms(|_| {
            for _ in 0..20 {
                let state = pair(false);
                let others = [(); 10].map(|()| {
                    let state = Arc::clone(&state);
                    spawn(move || {
                        let guard = state.0.lock().unwrap();
                        assert!(*state.1.wait_while(guard, |go| !*go).unwrap());
                    })
                });
                thread::yield_now();
                *state.0.lock().unwrap() = true;
                state.1.notify_all();
                for other in others {
                    other.join().unwrap();
                }
            }
        });
    }

    fn a_time_that_is_over() {
        let (lock, condvar) = (Mutex::new(1), Condvar::new());
        let guard = lock.lock().unwrap();
        let (guard, result) = condvar.wait_timeout(guard, SHORT).unwrap();
        assert!(result.timed_out());
        let (mut guard, result) = condvar.wait_timeout(guard, Duration::ZERO).unwrap();
        assert!(result.timed_out());
        assert_eq!(result, result.clone());
        *guard += 1;
        let (guard, result) =
            condvar.wait_timeout_while(guard, SHORT, |value| *value == 2).unwrap();
        assert!(result.timed_out() && *guard == 2);
        let (guard, result) =
            condvar.wait_timeout_while(guard, LONG, |value| *value != 2).unwrap();
        assert!(!result.timed_out());
        #[allow(deprecated, reason = "as long as std has it")]
        let (guard, notified) = condvar.wait_timeout_ms(guard, 1).unwrap();
        assert!(!notified && lock.try_lock().is_err());
        drop(guard);
        assert!(lock.try_lock().is_ok());
    }

    fn a_notification_before_the_time_is_over() {
        let state = pair(false);
        let its = Arc::clone(&state);
        let waiter = spawn_waiting(move || {
            let guard = its.0.lock().unwrap();
            let (guard, result) = its.1.wait_timeout(guard, LONG).unwrap();
            (*guard, result.timed_out())
        });
        *state.0.lock().unwrap() = true;
        state.1.notify_one();
        assert_eq!(waiter.join().unwrap(), (true, false));
    }

    fn no_notification_is_lost_to_a_time_that_is_over() {
        // Each of so many permits is one notification. Those whose time is over at the same
        // moment must not take one with them: else the last ones wait for ever.
        storms(|_| {
            const ROUNDS: usize = 150;
            let state = pair(0_usize);
            let consumers = [0, 1, 2, 3].map(|number| {
                let state = Arc::clone(&state);
                spawn(move || {
                    let mut taken = 0;
                    while taken < ROUNDS {
                        let mut guard = state.0.lock().unwrap();
                        while *guard == 0 {
                            guard = if number == 0 {
                                state.1.wait(guard).unwrap()
                            } else {
                                let timeout = Duration::from_micros(5 * number);
                                state.1.wait_timeout(guard, timeout).unwrap().0
                            };
                        }
                        *guard -= 1;
                        taken += 1;
                        if *guard > 0 {
                            state.1.notify_one();
                        }
                    }
                })
            });
            for _ in 0..4 * ROUNDS {
                *state.0.lock().unwrap() += 1;
                state.1.notify_one();
                thread::yield_now();
            }
            for consumer in consumers {
                consumer.join().unwrap();
            }
        });
    }

    fn who_gives_up_is_passed_over() {
        // Who waits for long is woken, whoever beside it gives up meanwhile.
        storms(|_| {
            let state = pair(());
            for _ in 0..50 {
                let its = Arc::clone(&state);
                let short = spawn(move || {
                    let guard = its.0.lock().unwrap();
                    drop(its.1.wait_timeout(guard, Duration::from_micros(20)).unwrap());
                });
                let its = Arc::clone(&state);
                let long = spawn(move || {
                    let guard = its.0.lock().unwrap();
                    its.1.wait_timeout(guard, LONG).unwrap().1.timed_out()
                });
                until(|| {
                    state.1.notify_one();
                    long.is_finished()
                });
                short.join().unwrap();
                assert!(!long.join().unwrap());
            }
        });
    }

    fn the_rest_of_it() {
        static CONDVAR: Condvar = Condvar::new();
        CONDVAR.notify_one();
        assert_eq!(format!("{:?}", Condvar::default()), "Condvar { .. }");
        let guard = Mutex::new(false);
        let guard = CONDVAR.wait_while(guard.lock().unwrap(), |wait| *wait).unwrap();
        assert!(!*guard);
    }
}
