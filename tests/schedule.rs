//! Who runs when: the queues, and the end of a time slice. Most of it is about one P,
//! whose goroutines run one after the other; `procs` has what is true of many.

#![no_std]
#![no_main]

use core::hint::spin_loop;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use gort::thread::{park, spawn};
use gort::vec::Vec;

use gort::go;
use gort::runtime::{gosched, num_goroutine};
use gort_test::one_p;

/// Lets others run until only the caller is left.
fn until_alone() {
    while num_goroutine() > 1 {
        gosched();
    }
}

/// Notes who ran when: a digit each, the first one high.
static ORDER: AtomicU64 = AtomicU64::new(0);

fn note(digit: u64) {
    ORDER.store(
        ORDER.load(Ordering::Relaxed) * 10 + digit,
        Ordering::Relaxed,
    );
}

/// Checks in which order the goroutines run that `start` starts. Where the
/// machine is busy, sysmon may see a time slice's end between any two of them and
/// have the others go first, so that only the same wrong order each time is
/// wrong.
fn in_this_order(expected: u64, start: fn()) {
    let mut order = 0;
    for _ in 0..100 {
        ORDER.store(0, Ordering::Relaxed);
        start();
        until_alone();
        order = ORDER.load(Ordering::Relaxed);
        if order == expected {
            return;
        }
    }
    assert_eq!(order, expected);
}

/// Starts goroutines and never gives way, until sysmon has asked for that.
fn until_sysmon_asks() {
    static RAN: AtomicBool = AtomicBool::new(false);
    while !RAN.load(Ordering::Relaxed) {
        go(|| RAN.store(true, Ordering::Relaxed));
        // Not too many, should sysmon be held up for a second.
        for _ in 0..10_000 {
            spin_loop();
        }
    }
    until_alone();
}

/// Makes its own successor, which is then the next to run, until told to stop.
fn respawn(stop: &'static AtomicBool, rounds: &'static AtomicUsize) {
    rounds.fetch_add(1, Ordering::Relaxed);
    if !stop.load(Ordering::Relaxed) {
        go(move || respawn(stop, rounds));
    }
}

/// Makes a successor for the queue and another goroutine that runs before it:
/// the queue never gets empty, and each in it has a time slice of its own.
fn refill(stop: &'static AtomicBool, rounds: &'static AtomicUsize) {
    rounds.fetch_add(1, Ordering::Relaxed);
    if !stop.load(Ordering::Relaxed) {
        go(move || refill(stop, rounds));
        go(|| {});
    }
}

gort_test::tests! {
    fn the_youngest_runs_first_then_the_others_in_order() {
        let _one = one_p();
        // As in Go: runnext takes the youngest, and moves the one before to the
        // queue's end.
        in_this_order(4123, || {
            for digit in 1..=4 {
                go(move || note(digit));
            }
        });
    }

    fn one_that_gives_way_goes_behind_the_others() {
        let _one = one_p();
        in_this_order(312_312, || {
            for digit in 1..=3 {
                go(move || {
                    note(digit);
                    gosched();
                    note(digit);
                });
            }
        });
    }

    fn one_that_gives_way_goes_to_the_queues_end() {
        let _one = one_p();
        // 3 is the next; then main, which had given way before; 1 before 2, which came
        // when it was in the queue already.
        in_this_order(312, || {
            go(|| {
                go(|| note(2));
                go(|| note(3));
            });
            go(|| {
                gosched();
                note(1);
            });
        });
    }

    fn more_than_a_queue_holds_run_once_each() {
        const MANY: usize = 3000;
        static RUNS: [AtomicUsize; MANY] = [const { AtomicUsize::new(0) }; MANY];
        for runs in &RUNS {
            go(move || {
                runs.fetch_add(1, Ordering::Relaxed);
            });
        }
        until_alone();
        assert!(RUNS.iter().all(|runs| runs.load(Ordering::Relaxed) == 1));
    }

    fn a_pair_that_respawns_does_not_starve_the_rest() {
        let _one = one_p();
        static STOP: AtomicBool = AtomicBool::new(false);
        static ROUNDS: AtomicUsize = AtomicUsize::new(0);
        go(|| respawn(&STOP, &ROUNDS));
        // Main comes back, though a younger one, and runnext, is always ready.
        for _ in 0..10 {
            gosched();
        }
        while ROUNDS.load(Ordering::Relaxed) <= 10 {
            gosched();
        }
        STOP.store(true, Ordering::Relaxed);
        until_alone();
    }

    fn a_chain_of_successors_does_not_starve_the_queue() {
        let _one = one_p();
        static STOP: AtomicBool = AtomicBool::new(false);
        static ROUNDS: AtomicUsize = AtomicUsize::new(0);
        static RAN: AtomicBool = AtomicBool::new(false);
        go(|| RAN.store(true, Ordering::Relaxed));
        // Takes its place as the next; it waits in the queue from here on. The
        // chain lives on one time slice, which sysmon ends.
        go(|| respawn(&STOP, &ROUNDS));
        while !RAN.load(Ordering::Relaxed) {
            gosched();
        }
        STOP.store(true, Ordering::Relaxed);
        until_alone();
    }

    fn a_queue_that_refills_itself_does_not_starve_the_global_one() {
        let _one = one_p();
        static STOP: AtomicBool = AtomicBool::new(false);
        static ROUNDS: AtomicUsize = AtomicUsize::new(0);
        go(|| refill(&STOP, &ROUNDS));
        // No time slice gets long here: that main comes back is the work of the
        // round in 61 in which the global queue is first.
        for _ in 0..10 {
            gosched();
        }
        while ROUNDS.load(Ordering::Relaxed) <= 10 {
            gosched();
        }
        STOP.store(true, Ordering::Relaxed);
        until_alone();
    }

    fn who_waits_behind_newer_ones_gets_a_turn() {
        const OLD: usize = 2000;
        let _one = one_p();
        static STOP: AtomicBool = AtomicBool::new(false);
        static RAN: AtomicUsize = AtomicUsize::new(0);
        static ROUNDS: AtomicUsize = AtomicUsize::new(0);
        let wait = || {
            park();
            RAN.fetch_add(1, Ordering::Relaxed);
        };
        let old: Vec<_> = (0..OLD).map(|_| spawn(wait)).collect();
        (0..OLD).for_each(|_| gosched()); // more often than it takes for all to have parked
        old.iter().for_each(|old| old.thread().unpark());
        // Each makes two: the queue gets longer and longer, and what is newest in it runs
        // first, until there are some ten thousand; then there are that many all the time.
        fn two(left: usize) {
            ROUNDS.fetch_add(1, Ordering::Relaxed);
            if STOP.load(Ordering::Relaxed) {
                return;
            }
            go(move || two(left.saturating_sub(1)));
            if left > 0 {
                go(move || two(left - 1));
            } else {
                go(|| {}); // else its successor were next, with what is left of its time
            }
        }
        go(|| two(13));
        while RAN.load(Ordering::Relaxed) < OLD {
            gosched();
        }
        STOP.store(true, Ordering::Relaxed);
        until_alone();
        assert_eq!(RAN.load(Ordering::Relaxed), OLD);
    }

    fn after_sysmons_request_the_order_is_as_before() {
        let _one = one_p();
        until_sysmon_asks();
        // The request was for once: neither does main give way at each `go`, nor
        // does the youngest lose its place in front.
        in_this_order(4123, || {
            for digit in 1..=4 {
                go(move || note(digit));
            }
        });
    }

    fn one_that_only_spawns_gives_way_when_sysmon_asks() {
        let _one = one_p();
        // It never gives way by itself: sysmon's request is seen in `go`.
        until_sysmon_asks();
    }
}
