//! Barrier and the two wait groups.

use alloc::format;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

use gort::sync::{Barrier, WaitGroup, go};
use gort::thread;

use crate::{all, spawn, spawn_waiting, storms};

gort_test::test_module! {
    fn generations_of_a_barrier() {
        storms(|_| {
            const ROUNDS: usize = 200;
            let barrier = Arc::new(Barrier::new(5));
            let counts = Arc::new([const { AtomicUsize::new(0) }; ROUNDS]);
            let leaders = Arc::new(AtomicUsize::new(0));
            let (its, counted, led) =
                (Arc::clone(&barrier), Arc::clone(&counts), Arc::clone(&leaders));
            all(5, move |_| {
                for count in &*counted {
                    count.fetch_add(1, Ordering::Relaxed);
                    if its.wait().is_leader() {
                        led.fetch_add(1, Ordering::Relaxed);
                    }
                    assert_eq!(count.load(Ordering::Relaxed), 5, "all have been there");
                }
            });
            assert_eq!(leaders.load(Ordering::Relaxed), ROUNDS, "one a generation");
        });
    }

    fn barriers_of_nobody_and_of_one() {
        static NOBODY: Barrier = Barrier::new(0);
        static ONE: Barrier = Barrier::new(1);
        for _ in 0..3 {
            assert!(NOBODY.wait().is_leader() && ONE.wait().is_leader());
        }
        assert_eq!(format!("{ONE:?}"), "Barrier { .. }");
        assert_eq!(format!("{:?}", ONE.wait()), "BarrierWaitResult { is_leader: true }");
    }

    fn a_group_waits_for_its_clones() {
        storms(|_| {
            for _ in 0..50 {
                let (group, done) = (WaitGroup::new(), Arc::new(AtomicUsize::new(0)));
                for _ in 0..5 {
                    let (group, done) = (group.clone(), Arc::clone(&done));
                    gort::go(move || {
                        thread::yield_now();
                        done.fetch_add(1, Ordering::Relaxed);
                        drop(group);
                    });
                }
                group.wait();
                assert_eq!(done.load(Ordering::Relaxed), 5);
            }
        });
    }

    fn members_of_a_group_wait_for_each_other() {
        storms(|_| {
            let group = WaitGroup::default();
            let here = Arc::new(AtomicUsize::new(0));
            let others = [(); 5].map(|()| {
                let (group, here) = (group.clone(), Arc::clone(&here));
                spawn(move || {
                    here.fetch_add(1, Ordering::Relaxed);
                    group.wait();
                    assert_eq!(here.load(Ordering::Relaxed), 5);
                })
            });
            group.wait();
            for other in others {
                other.join().unwrap();
            }
        });
    }

    fn a_group_of_one_does_not_wait() {
        let group = WaitGroup::new();
        assert_eq!(format!("{group:?}"), "WaitGroup { count: 1 }");
        drop(group.clone());
        group.wait();
    }

    fn a_count_is_used_again() {
        // Round after round, by the same waiters: each sees all of its round done, though
        // the next may have begun.
        storms(|_| {
            static GROUP: go::WaitGroup = go::WaitGroup::new();
            for round in 0..50 {
                let done = Arc::new(AtomicUsize::new(0));
                GROUP.add(3);
                GROUP.add(1);
                for _ in 0..4 {
                    let done = Arc::clone(&done);
                    gort::go(move || {
                        if round % 2 == 0 {
                            thread::yield_now();
                        }
                        done.fetch_add(1, Ordering::Relaxed);
                        GROUP.done();
                    });
                }
                let others = [(); 2].map(|()| {
                    let done = Arc::clone(&done);
                    spawn(move || {
                        GROUP.wait();
                        assert_eq!(done.load(Ordering::Relaxed), 4);
                    })
                });
                GROUP.wait();
                assert_eq!(done.load(Ordering::Relaxed), 4);
                for other in others {
                    other.join().unwrap();
                }
            }
        });
    }

    fn the_next_round_may_begin_before_all_have_left() {
        let group = Arc::new(go::WaitGroup::default());
        group.add(1);
        let its = Arc::clone(&group);
        let waiter = spawn_waiting(move || its.wait());
        group.done();
        group.add(1); // whether the waiter has woken or not
        waiter.join().unwrap();
        let its = Arc::clone(&group);
        let next = spawn_waiting(move || its.wait());
        assert_eq!(format!("{group:?}"), "WaitGroup { count: 1 }");
        group.add(-1);
        next.join().unwrap();
        group.wait();
    }

    #[should_panic(expected = "negative WaitGroup counter")]
    fn a_count_is_not_negative() {
        let group = go::WaitGroup::new();
        group.add(2);
        group.add(-3);
    }

    #[should_panic(expected = "too large WaitGroup counter")]
    fn a_count_has_an_end() {
        let group = go::WaitGroup::new();
        group.add(i32::MAX);
        group.add(1);
    }
}
