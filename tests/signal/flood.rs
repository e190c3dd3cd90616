//! Many signals, at the worst of times.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gort::channel::bounded;
use gort::runtime::lock_os_thread;
use gort::signal::{self, Signal};
use gort::{go, thread};
use gort_test::{Status, under_qemu};
use rustix::process::{Pid, Signal as Number, getppid, kill_process};

use super::{again, busy, until};

/// How many signals another process sends.
const MANY: usize = 50_000;

/// Sends many signals to the process that has started this one.
fn flood_the_parent() {
    let parent: Pid = getppid().unwrap();
    let count = if under_qemu() { MANY / 10 } else { MANY };
    for round in 0..count {
        let signal = [Number::USR1, Number::USR2, Number::WINCH][round % 3];
        if kill_process(parent, signal).is_err() {
            return; // it has ended
        }
    }
}

gort_test::test_module! {
    /// Another process sends 50,000, and as many come from within, while all is busy.
    /// Afterwards each comes as ever.
    fn a_storm_from_outside() {
        static STOP: AtomicBool = AtomicBool::new(false);
        static CAME: AtomicUsize = AtomicUsize::new(0);
        const KINDS: [Signal; 3] = [Signal::USR1, Signal::USR2, Signal::WINCH];
        // What is still on its way when the others have stopped shall not end the program.
        let (keep, _kept) = bounded(1);
        signal::notify(&keep, &KINDS);
        let (sender, signals) = bounded(3);
        signal::notify(&sender, &KINDS);
        let receiver = {
            let signals = signals.clone();
            thread::spawn(move || {
                while !STOP.load(Ordering::SeqCst) {
                    assert!(KINDS.contains(&signals.recv().unwrap()));
                    CAME.fetch_add(1, Ordering::SeqCst);
                }
            })
        };
        let output = busy(|| {
            go(|| {
                // Threads of ours send to themselves and to others.
                lock_os_thread();
                for round in 0..MANY {
                    if STOP.load(Ordering::SeqCst) {
                        return;
                    }
                    signal::raise(KINDS[round % 3]);
                }
            });
            again("flood::a_storm_from_outside", flood_the_parent)
        });
        assert_eq!(output.status, Status::Exited(0), "{output:?}");
        STOP.store(true, Ordering::SeqCst);
        signal::raise(Signal::USR1); // it may be waiting
        receiver.join().unwrap();
        assert!(CAME.load(Ordering::SeqCst) >= 3);
        signal::stop(&sender);
        while signals.try_recv().is_ok() {}

        for kind in KINDS {
            let (sender, signals) = bounded(1);
            signal::notify(&sender, &[kind]);
            for _ in 0..10 {
                signal::raise(kind);
                assert_eq!(signals.recv(), Ok(kind));
            }
            signal::stop(&sender);
        }
    }

    /// A kind each, and a channel each: what is sent comes, whatever the others send at
    /// the same time. Were one lost, this would wait for ever.
    fn none_is_lost() {
        static ENDED: AtomicUsize = AtomicUsize::new(0);
        let rounds = if under_qemu() { 100 } else { 1000 };
        busy(|| {
            for number in 35..=42 {
                let kind = Signal::from_raw(number).unwrap();
                go(move || {
                    let (sender, signals) = bounded(1);
                    signal::notify(&sender, &[kind]);
                    for _ in 0..rounds {
                        signal::raise(kind);
                        assert_eq!(signals.recv(), Ok(kind));
                    }
                    signal::stop(&sender);
                    assert!(signals.is_empty());
                    ENDED.fetch_add(1, Ordering::SeqCst);
                });
            }
            until(|| ENDED.load(Ordering::SeqCst) == 8);
        });
    }

    /// Wishes come and go while signals come: each is sent to somebody, or nobody had a
    /// wish.
    fn wishes_come_and_go() {
        static ENDED: AtomicUsize = AtomicUsize::new(0);
        let rounds = if under_qemu() { 50 } else { 500 };
        let kind = Signal::from_raw(50).unwrap();
        let (keep, kept) = bounded(1); // so that it never ends the program
        signal::notify(&keep, &[kind]);
        busy(|| {
            for _ in 0..4 {
                go(move || {
                    for _ in 0..rounds {
                        let (sender, signals) = bounded(1);
                        signal::notify(&sender, &[kind]);
                        signal::raise(kind);
                        signal::stop(&sender);
                        assert_eq!(signals.try_recv(), Ok(kind));
                    }
                    ENDED.fetch_add(1, Ordering::SeqCst);
                });
            }
            until(|| ENDED.load(Ordering::SeqCst) == 4);
        });
        assert_eq!(kept.recv(), Ok(kind));
    }
}
