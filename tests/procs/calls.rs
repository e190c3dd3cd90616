//! System calls that block: they cost the thread, and nobody's P.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::hint::black_box;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gort::runtime::{self, gomaxprocs, gosched};
use gort::{go, thread};
use gort_test::one_p;

use crate::system::{Pipe, nap, thread, threads};
use crate::{until, until_alone};

/// Has `count` goroutines block in the system; returns the sum of what they read when
/// `meanwhile` is over.
fn while_blocked(count: usize, meanwhile: impl FnOnce()) -> usize {
    let entered = Arc::new(AtomicUsize::new(0));
    let pipe = Arc::new(Pipe::new());
    let readers: Vec<_> = (0..count)
        .map(|_| {
            let (pipe, entered) = (Arc::clone(&pipe), Arc::clone(&entered));
            thread::spawn(move || {
                runtime::blocking(|| {
                    entered.fetch_add(1, Ordering::Relaxed);
                    usize::from(pipe.wait_with_the_p())
                })
            })
        })
        .collect();
    until(|| entered.load(Ordering::Relaxed) == count);
    meanwhile();
    assert!(readers.iter().all(|reader| !reader.is_finished()));
    pipe.put(count);
    readers
        .into_iter()
        .map(|reader| reader.join().unwrap())
        .sum()
}

gort_test::test_module! {
    fn those_that_block_cost_no_p() {
        static ROUNDS: AtomicUsize = AtomicUsize::new(0);
        let _one = one_p(); // the one that all others need
        let sum = while_blocked(20, || {
            for _ in 0..10 {
                go(|| {
                    for _ in 0..100 {
                        ROUNDS.fetch_add(1, Ordering::Relaxed);
                        gosched();
                    }
                });
            }
            until(|| ROUNDS.load(Ordering::Relaxed) == 1000);
        });
        assert_eq!(sum, (0..20).sum());
    }

    fn their_threads_are_used_again() {
        gomaxprocs(4);
        let mut most = 0;
        for round in 0..40 {
            let mut during = 0;
            while_blocked(20, || during = threads().len());
            assert!(during >= 21, "{during} threads, 20 of them blocked");
            if round < 2 {
                most = most.max(during);
            }
            // Each may be on its way to sleep while another is made in its place: one more
            // in each round would be more than that.
            assert!(during <= most + 20, "{during} threads in round {round}, and {most} before");
        }
    }

    fn a_p_is_where_it_was_left_or_another_is_found() {
        // Calls of any length, from none at all to one that sysmon notices.
        static SUM: AtomicUsize = AtomicUsize::new(0);
        for procs in [1, 2, 4] {
            gomaxprocs(procs);
            SUM.store(0, Ordering::Relaxed);
            for number in 0..20usize {
                go(move || {
                    for round in 0..50usize {
                        let length = (number * 7 + round * 13) % 40 * 5;
                        let got = runtime::blocking(|| {
                            if length > 0 {
                                nap(length as u64);
                            }
                            round
                        });
                        SUM.fetch_add(got, Ordering::Relaxed);
                        if round % 3 == 0 {
                            gosched();
                        }
                    }
                });
            }
            until_alone();
            assert_eq!(SUM.load(Ordering::Relaxed), 20 * (0..50).sum::<usize>());
        }
    }

    fn an_unpark_from_within_a_call_arrives() {
        // Who calls has no P to put the other on, and blocks before it gets one.
        for procs in [1, 2, 4] {
            gomaxprocs(procs);
            for _ in 0..20 {
                let (main, pipe) = (thread::current(), Arc::new(Pipe::new()));
                let its = Arc::clone(&pipe);
                let handle = thread::spawn(move || {
                    runtime::blocking(|| {
                        nap(100); // so that the P is gone, most of the times
                        main.unpark();
                        its.wait_with_the_p()
                    })
                });
                thread::park();
                pipe.put(1);
                assert_eq!(handle.join().unwrap(), 0);
            }
        }
    }

    fn what_needs_a_p_ends_the_call_and_works() {
        static RAN: AtomicUsize = AtomicUsize::new(0);
        for procs in [1, 2, 4] {
            gomaxprocs(procs);
            RAN.store(0, Ordering::Relaxed);
            let nothing: fn() = || {};
            for before in [nothing, || nap(300)] {
                let value = runtime::blocking(|| {
                    before();
                    go(|| _ = RAN.fetch_add(1, Ordering::Relaxed));
                    let one = runtime::blocking(|| 1);
                    gosched();
                    one + thread::spawn(|| 2).join().unwrap()
                });
                assert_eq!(value, 3);
                runtime::blocking(|| {
                    before();
                    gosched();
                });
                runtime::blocking(|| {
                    before();
                    gomaxprocs(procs);
                });
            }
            until_alone();
            assert_eq!(RAN.load(Ordering::Relaxed), 2);
            // It may even end in there.
            go(|| {
                runtime::blocking(|| {
                    nap(300);
                    runtime::goexit()
                })
            });
            until_alone();
        }
    }

    fn one_may_allocate_in_there() {
        static STOP: AtomicBool = AtomicBool::new(false);
        gomaxprocs(2);
        // Somebody uses the P that is left behind, and its cache.
        for _ in 0..4 {
            go(|| {
                while !STOP.load(Ordering::Relaxed) {
                    let block = black_box(vec![1u8; 100]);
                    gosched();
                    assert!(block.iter().all(|&byte| byte == 1));
                }
            });
        }
        for round in 0..100u8 {
            let blocks = runtime::blocking(|| {
                nap(200);
                (0..100).map(|size| vec![round; size * 3]).collect::<Vec<_>>()
            });
            for (size, block) in blocks.iter().enumerate() {
                assert!(block.len() == size * 3 && block.iter().all(|&byte| byte == round));
            }
            let kept = runtime::blocking(|| {
                drop(blocks);
                nap(10);
                vec![round; 1000]
            });
            assert_eq!(kept, [round; 1000]);
        }
        STOP.store(true, Ordering::Relaxed);
        until_alone();
    }

    fn the_thread_in_a_call_runs_nobody_else() {
        static INSIDE: AtomicUsize = AtomicUsize::new(0);
        static STOP: AtomicBool = AtomicBool::new(false);
        let _one = one_p();
        let pipe = Arc::new(Pipe::new());
        let its = Arc::clone(&pipe);
        let reader = thread::spawn(move || {
            runtime::blocking(|| {
                INSIDE.store(thread() as usize, Ordering::Relaxed);
                its.wait_with_the_p()
            })
        });
        until(|| INSIDE.load(Ordering::Relaxed) != 0);
        let inside = INSIDE.load(Ordering::Relaxed) as i32;
        for _ in 0..10 {
            go(move || {
                while !STOP.load(Ordering::Relaxed) {
                    assert_ne!(thread(), inside);
                    gosched();
                }
            });
        }
        for _ in 0..100 {
            assert_ne!(thread(), inside);
            gosched();
        }
        STOP.store(true, Ordering::Relaxed);
        pipe.put(1);
        reader.join().unwrap();
    }
}
