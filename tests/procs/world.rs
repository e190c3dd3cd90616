//! How many Ps there are, and that this changes under everybody's feet.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gort::runtime::{gomaxprocs, gosched};
use gort::{go, thread};

use crate::{until, until_alone};

gort_test::test_module! {
    fn the_number_is_what_was_set() {
        let before = gomaxprocs(0);
        assert!(before >= 1);
        let mut last = before;
        for procs in [3, 1, 2, 2, 100, 1, 8] {
            assert_eq!(gomaxprocs(procs), last);
            assert_eq!(gomaxprocs(0), procs);
            last = procs;
        }
        assert_eq!(thread::available_parallelism().unwrap().get(), 8);
    }

    fn there_are_1024_at_most() {
        static RAN: AtomicUsize = AtomicUsize::new(0);
        for procs in [1024, 5000, usize::MAX] {
            gomaxprocs(1);
            gomaxprocs(procs);
            assert_eq!(gomaxprocs(0), 1024);
            RAN.store(0, Ordering::Relaxed);
            for _ in 0..5000 {
                go(|| {
                    gosched();
                    RAN.fetch_add(1, Ordering::Relaxed);
                });
            }
            until_alone();
            assert_eq!(RAN.load(Ordering::Relaxed), 5000);
        }
    }

    fn the_number_changes_under_load() {
        // What is queued on a P that goes is not lost, and neither is what waits.
        static STOP: AtomicBool = AtomicBool::new(false);
        static ROUNDS: AtomicUsize = AtomicUsize::new(0);
        static CHILDREN: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
        for _ in 0..30 {
            go(|| {
                while !STOP.load(Ordering::Relaxed) {
                    ROUNDS.fetch_add(1, Ordering::Relaxed);
                    CHILDREN[0].fetch_add(1, Ordering::Relaxed);
                    go(|| _ = CHILDREN[1].fetch_add(1, Ordering::Relaxed));
                    gosched();
                }
            });
        }
        for round in 0..300 {
            gomaxprocs(round * 7 % 9 + 1);
            if round % 10 == 0 {
                let before = ROUNDS.load(Ordering::Relaxed);
                until(|| ROUNDS.load(Ordering::Relaxed) > before);
            }
        }
        STOP.store(true, Ordering::Relaxed);
        until_alone();
        let [made, ran] = CHILDREN.each_ref().map(|count| count.load(Ordering::Relaxed));
        assert_eq!(made, ran);
    }

    fn many_change_the_number_at_once() {
        let others: Vec<_> = (1..=8)
            .map(|procs| {
                thread::spawn(move || {
                    for _ in 0..50 {
                        let before = gomaxprocs(procs);
                        assert!((1..=1024).contains(&before));
                        gosched();
                    }
                })
            })
            .collect();
        for other in others {
            other.join().unwrap();
        }
        assert!((1..=8).contains(&gomaxprocs(0)));
    }
}
