//! Scopes: what std's documentation says of them, and what goexit adds.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gort::__private::{preempt_storm, preemptions};
use gort::runtime::goexit;
use gort::thread::{self, Builder, Scope, ScopedJoinHandle};

use crate::{Dropped, until, until_alone};

/// Sums up what is in a slice, in goroutines that each take half of what is left.
fn sum<'scope>(
    scope: &'scope Scope<'scope, '_>,
    numbers: &'scope [u64],
    total: &'scope AtomicUsize,
) {
    if numbers.len() <= 8 {
        total.fetch_add(numbers.iter().sum::<u64>() as usize, Ordering::Relaxed);
        return;
    }
    let (left, right) = numbers.split_at(numbers.len() / 2);
    scope.spawn(move || sum(scope, left, total));
    scope.spawn(move || sum(scope, right, total));
}

/// Has so many write to what they borrow, and looks what is there when the scope has ended.
fn all_have_written(goroutines: usize) {
    let mut cells = vec![0usize; goroutines];
    thread::scope(|scope| {
        for (number, cell) in cells.iter_mut().enumerate() {
            scope.spawn(move || {
                if number % 3 == 0 {
                    thread::yield_now();
                }
                *cell = number + 1;
            });
        }
    });
    assert!(
        cells
            .iter()
            .enumerate()
            .all(|(number, &cell)| cell == number + 1)
    );
}

gort_test::test_module! {
    fn what_is_borrowed_is_written_when_the_scope_has_ended() {
        let mut words = vec![String::from("a"), String::from("b")];
        let count = words.len();
        let (first, rest) = words.split_at_mut(1);
        let value = thread::scope(|scope| {
            scope.spawn(|| first[0].push('1'));
            scope.spawn(|| rest[0].push('2'));
            count * 10
        });
        assert_eq!(value, 20);
        assert_eq!(words, ["a1", "b2"]);
    }

    fn nobody_in_it_is_a_scope_too() {
        assert_eq!(thread::scope(|_| 7), 7);
    }

    fn results_arrive_by_join() {
        let text = String::from("one two three");
        thread::scope(|scope| {
            let words: Vec<ScopedJoinHandle<'_, &str>> =
                text.split(' ').map(|word| scope.spawn(move || &word[1..])).collect();
            let ends: Vec<&str> = words.into_iter().map(|word| word.join().unwrap()).collect();
            assert_eq!(ends, ["ne", "wo", "hree"]);
        });
    }

    fn handles_say_who_and_whether() {
        static GO: AtomicBool = AtomicBool::new(false);
        thread::scope(|scope| {
            let named = Builder::new().name("worker".into()).stack_size(1 << 20);
            let handle = named
                .spawn_scoped(scope, || {
                    until(|| GO.load(Ordering::Relaxed));
                    thread::current().id()
                })
                .unwrap();
            assert!(!handle.is_finished());
            assert_eq!(handle.thread().name(), Some("worker"));
            assert_eq!(format!("{handle:?}"), "ScopedJoinHandle { .. }");
            assert_eq!(format!("{scope:?}"), "Scope { num_running_threads: 1, .. }");
            GO.store(true, Ordering::Relaxed);
            until(|| handle.is_finished());
            let id = handle.thread().id();
            assert_eq!(handle.join().unwrap(), id);
            assert!(Builder::new().stack_size(usize::MAX).spawn_scoped(scope, || ()).is_err());
        });
    }

    fn thousands_are_waited_for() {
        all_have_written(5_000);
        for _ in 0..50 {
            all_have_written(100);
        }
    }

    fn they_spawn_more_of_them() {
        let numbers: Vec<u64> = (1..=10_000).collect();
        let total = AtomicUsize::new(0);
        thread::scope(|scope| sum(scope, &numbers, &total));
        assert_eq!(total.into_inner(), 10_000 * 10_001 / 2);
    }

    fn scopes_within_scopes() {
        let outer = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| {
                    let inner = AtomicUsize::new(0);
                    thread::scope(|scope| {
                        for _ in 0..20 {
                            scope.spawn(|| {
                                inner.fetch_add(1, Ordering::Relaxed);
                                outer.fetch_add(1, Ordering::Relaxed);
                            });
                        }
                        thread::scope(|scope| {
                            scope.spawn(|| inner.fetch_add(1, Ordering::Relaxed));
                        });
                    });
                    assert_eq!(inner.into_inner(), 21);
                });
            }
        });
        assert_eq!(outer.into_inner(), 400);
    }

    fn one_that_ends_by_goexit_has_ended() {
        let word = String::from("borrowed");
        thread::scope(|scope| {
            let joined = scope.spawn(|| -> usize {
                if word.len() == 8 {
                    goexit();
                }
                0
            });
            scope.spawn(|| goexit());
            let payload = joined.join().unwrap_err();
            assert!(payload.downcast_ref::<&str>().unwrap().contains("goexit"));
        });
        until_alone();
    }

    fn who_ends_in_its_own_scope_waits_for_those_in_it() {
        // The inner one borrows from the outer scope's owner, by way of one that is gone.
        let mut word = String::from("whole");
        let text = &mut word;
        thread::scope(|scope| {
            scope.spawn(move || {
                thread::scope(|inner| {
                    inner.spawn(|| {
                        thread::scope(|innermost| {
                            innermost.spawn(|| {
                                for _ in 0..100 {
                                    thread::yield_now();
                                }
                                text.push_str(", still");
                            });
                            goexit();
                        });
                    });
                    goexit();
                });
            });
        });
        assert_eq!(word, "whole, still");
    }

    fn results_are_dropped_once_and_before_the_end() {
        static DROPS: AtomicUsize = AtomicUsize::new(0);
        let dropped = || DROPS.load(Ordering::Relaxed);
        thread::scope(|scope| {
            for _ in 0..100 {
                scope.spawn(|| Dropped(&DROPS)); // the handle is dropped before or after
            }
        });
        assert_eq!(dropped(), 100);
        thread::scope(|scope| {
            let handles: Vec<_> = (0..100).map(|_| scope.spawn(|| Dropped(&DROPS))).collect();
            until(|| handles.iter().all(ScopedJoinHandle::is_finished));
            assert_eq!(dropped(), 100);
        });
        assert_eq!(dropped(), 200);
        let kept = thread::scope(|scope| scope.spawn(|| Dropped(&DROPS)).join().unwrap());
        assert_eq!(dropped(), 200);
        drop(kept);
        assert_eq!(dropped(), 201);
    }

    fn a_result_may_borrow_and_use_it_when_it_is_dropped() {
        struct Adds<'a>(&'a AtomicUsize);
        impl Drop for Adds<'_> {
            fn drop(&mut self) {
                thread::yield_now();
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        for _ in 0..100 {
            let count = AtomicUsize::new(0);
            thread::scope(|scope| {
                for number in 0..20 {
                    let handle = scope.spawn(|| Adds(&count));
                    if number % 2 == 0 {
                        let adds = handle.join().unwrap();
                        scope.spawn(move || drop(adds));
                    }
                }
            });
            assert_eq!(count.into_inner(), 20);
        }
    }

    fn spawn_unchecked_lets_borrow() {
        let mut numbers = [1, 2, 3];
        #[allow(unsafe_code, reason = "what is tried here")]
        // SAFETY: it is joined before the numbers go.
        let handle = unsafe { Builder::new().spawn_unchecked(|| numbers[1] = 20) }.unwrap();
        handle.join().unwrap();
        assert_eq!(numbers, [1, 20, 3]);
    }

    fn scopes_hold_under_preemption() {
        let before = preemptions();
        preempt_storm(true);
        thread::spawn(move || {
            let mut rounds = 0;
            while rounds < 30 || preemptions() - before < 500 {
                all_have_written(50);
                rounds += 1;
            }
        })
        .join()
        .unwrap();
        preempt_storm(false);
    }

    #[should_panic(expected = "in a scoped one")]
    fn a_panic_in_one_ends_the_program() {
        thread::scope(|scope| {
            let _ = scope.spawn(|| panic!("in a scoped one")).join();
        });
    }
}
