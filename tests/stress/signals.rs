//! Signals from everywhere, while everything else goes on.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};

use gort::__private::preempt_storm;
use gort::channel::{bounded, unbounded};
use gort::runtime::gosched;
use gort::signal::{self, Signal};
use gort::{go, thread};
use rustix::process::{Signal as Number, getpid, kill_process};

use crate::{Count, over, storm_until};

/// How many there have to be: what a second's storm makes, with much to spare.
const ENOUGH: usize = 20_000;

/// A million, where the storm lasts for more than a second.
const MANY: usize = 1_000_000;

/// What is sent to the process, and may be coalesced.
const FROM_ANYWHERE: [Number; 6] = [
    Number::USR1,
    Number::USR2,
    Number::WINCH,
    Number::CHILD,
    Number::PROF,
    Number::IO,
];

/// Returns how many signals this storm is to have.
fn enough() -> usize {
    let seconds = gort::env::var("GORT_STRESS_SECONDS").ok();
    let seconds: Option<u64> = seconds.and_then(|text| text.parse().ok());
    if seconds.is_some_and(|seconds| seconds >= 60) {
        MANY
    } else {
        ENOUGH
    }
}

gort_test::test_module! {
    /// Threads send signals to each other and to the process; some goroutines wait for one
    /// of their own after each that they send; wishes come and go. Others allocate, talk,
    /// and are preempted.
    fn signals_are_sent_and_none_is_lost() {
        static SENT: AtomicUsize = AtomicUsize::new(0);
        static OWN: Count = Count::new();
        static TALK: Count = Count::new();
        let anywhere = FROM_ANYWHERE.map(Number::as_raw);
        let numbers = anywhere.into_iter().chain(35..=42).chain(51..=54);
        let all: Vec<Signal> = numbers.filter_map(Signal::from_raw).collect();
        let (everything, came) = bounded(4);
        signal::notify(&everything, &all);
        preempt_storm(true);
        let enough = enough();
        storm_until(move || SENT.load(Ordering::Relaxed) >= enough, || {
            // To the process: any thread takes them.
            for _ in 0..2 {
                go(|| {
                    while !over() {
                        for _ in 0..50 {
                            for number in FROM_ANYWHERE {
                                kill_process(getpid(), number).unwrap();
                                SENT.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                        gosched();
                    }
                });
            }
            // A kind each: what is sent comes.
            for number in 35..=42 {
                let signal = Signal::from_raw(number).unwrap();
                go(move || {
                    let (sender, own) = bounded(1);
                    signal::notify(&sender, &[signal]);
                    while !over() {
                        OWN.begin();
                        signal::raise(signal);
                        SENT.fetch_add(1, Ordering::Relaxed);
                        assert_eq!(own.recv(), Ok(signal));
                        OWN.end();
                    }
                    signal::stop(&sender);
                    assert!(own.is_empty());
                });
            }
            // Wishes that come and go.
            for number in 51..=54 {
                let signal = Signal::from_raw(number).unwrap();
                go(move || {
                    while !over() {
                        let (sender, own) = unbounded();
                        signal::notify(&sender, &[signal]);
                        signal::raise(signal);
                        signal::stop(&sender);
                        assert_eq!(own.try_recv(), Ok(signal));
                        SENT.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            // All else.
            for _ in 0..4 {
                go(|| {
                    while !over() {
                        TALK.begin();
                        let (there, from) = bounded(1);
                        let echo = thread::spawn(move || from.recv().unwrap());
                        there.send(alloc::vec![7u8; 3000]).unwrap();
                        assert_eq!(echo.join().unwrap(), [7; 3000]);
                        TALK.end();
                    }
                });
            }
        });
        preempt_storm(false);
        OWN.adds_up();
        TALK.adds_up();
        // Each comes as ever.
        signal::stop(&everything);
        while came.try_recv().is_ok() {}
        signal::notify(&everything, &all);
        for signal in all {
            signal::raise(signal);
            assert_eq!(came.recv(), Ok(signal));
        }
    }
}
