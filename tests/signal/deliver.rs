//! To whom a signal comes, and to whom it does not.

use alloc::format;
use alloc::vec::Vec;

use gort::channel::{TryRecvError, bounded, unbounded};
use gort::runtime::{self, gosched, num_goroutine};
use gort::signal::{self, Signal};
use gort::thread;
use gort::time::Duration;
use gort_test::{Output, Status, under_qemu};

use super::{again, cpu_time, nanotime, until};

/// A test whose program dies: has `f` called in a process of its own, and returns how
/// that ended.
fn end_of(name: &str, f: impl FnOnce()) -> Output {
    again(&format!("deliver::{name}"), f)
}

/// The same, by SIGUSR1.
fn is_ended(name: &str, f: impl FnOnce()) {
    let output = end_of(name, f);
    // QEMU may call a handler that has just been taken away: address 0.
    let expected = |signal| signal == 10 || signal == 11 && under_qemu();
    let killed = matches!(output.status, Status::Killed { signal, .. } if expected(signal));
    assert!(killed, "{name}: {output:?}");
}

/// The same, with a report that begins like that.
fn is_dumped(name: &str, text: &str, f: impl FnOnce()) {
    let output = end_of(name, f);
    assert_eq!(output.status, Status::Exited(2), "{name}: {output:?}");
    assert!(output.stderr.starts_with(text), "{name}: {output:?}");
}

/// Waits for the end.
fn wait() -> ! {
    loop {
        thread::park();
    }
}

/// Wants a signal, receives it and wants it no more, again and again, while somebody raises it.
fn wanted_and_unwanted() {
    let raise = thread::spawn(|| {
        loop {
            signal::raise(Signal::USR1);
        }
    });
    loop {
        let (sender, signals) = bounded(1);
        signal::notify(&sender, &[Signal::USR1]);
        signals.recv().unwrap();
        signal::stop(&sender);
        gosched();
        if raise.is_finished() {
            return;
        }
    }
}

gort_test::test_module! {
    fn comes_to_the_channel() {
        let (sender, signals) = bounded(1);
        signal::notify(&sender, &[Signal::USR1]);
        for _ in 0..100 {
            signal::raise(Signal::USR1);
            assert_eq!(signals.recv(), Ok(Signal::USR1));
        }
        assert_eq!(signals.try_recv(), Err(TryRecvError::Empty));
    }

    fn comes_before_anything_waits() {
        let (sender, signals) = bounded(1);
        signal::notify(&sender, &[Signal::USR1]);
        signal::raise(Signal::USR1);
        until(|| !signals.is_empty());
        assert_eq!(signals.try_recv(), Ok(Signal::USR1));
    }

    fn every_signal_that_there_is() {
        let (sender, signals) = unbounded();
        signal::notify_all(&sender);
        signal::notify(&sender, &[Signal::URG]);
        let mut seen = 0;
        for number in 1..=64 {
            let signal = Signal::from_raw(number).unwrap();
            if matches!(number, 9 | 19 | 32..=34) || number > 62 && under_qemu() {
                continue; // nobody's; and QEMU has the last two for itself
            }
            signal::raise(signal);
            // The scheduler may send SIGURG at any time.
            let came = signals.iter().find(|&came| came != Signal::URG || signal == came);
            assert_eq!(came, Some(signal));
            seen += 1;
        }
        assert!(seen >= 57);
    }

    fn several_channels_get_it() {
        let (one, first) = bounded(1);
        let (two, second) = bounded(1);
        let (three, third) = bounded(1);
        signal::notify(&one, &[Signal::USR1, Signal::USR2]);
        signal::notify(&two, &[Signal::USR1]);
        signal::notify(&three, &[Signal::USR2]);
        signal::raise(Signal::USR1);
        assert_eq!(first.recv(), Ok(Signal::USR1));
        assert_eq!(second.recv(), Ok(Signal::USR1));
        signal::raise(Signal::USR2);
        assert_eq!(first.recv(), Ok(Signal::USR2));
        assert_eq!(third.recv(), Ok(Signal::USR2));
        assert!(second.is_empty() && third.is_empty());
    }

    fn a_channel_gets_more_and_more() {
        let (sender, signals) = bounded(1);
        signal::notify(&sender, &[Signal::USR1]);
        signal::notify(&sender.clone(), &[Signal::USR1, Signal::USR2]);
        for signal in [Signal::USR1, Signal::USR2, Signal::USR1] {
            signal::raise(signal);
            assert_eq!(signals.recv(), Ok(signal));
        }
        // It is one wish, and gets each signal once.
        signal::stop(&sender);
        assert!(signals.is_empty());
    }

    fn a_full_channel_holds_up_nobody() {
        let (full, kept) = bounded(1);
        let (none, nobody) = bounded(0);
        let (sender, signals) = bounded(1);
        for sender in [&full, &none, &sender] {
            signal::notify(sender, &[Signal::USR1, Signal::USR2]);
        }
        signal::raise(Signal::USR1);
        assert_eq!(signals.recv(), Ok(Signal::USR1));
        signal::raise(Signal::USR2);
        assert_eq!(signals.recv(), Ok(Signal::USR2));
        signal::stop(&full); // all has been handed on
        assert_eq!(kept.recv(), Ok(Signal::USR1));
        assert!(kept.is_empty() && nobody.is_empty());
    }

    fn a_full_channel_is_a_wish_as_well() {
        let (full, kept) = bounded(1);
        signal::notify(&full, &[Signal::USR1, Signal::USR2]);
        for signal in [Signal::USR1, Signal::USR2, Signal::USR1] {
            signal::raise(signal); // those that find no room do not end us
        }
        signal::stop(&full);
        assert_eq!(kept.recv(), Ok(Signal::USR1));
        assert!(kept.is_empty());
    }

    fn one_that_receives_gets_it_without_a_buffer() {
        let (sender, signals) = bounded(0);
        signal::notify(&sender, &[Signal::USR1]);
        let _open = signals.clone(); // or the next one, which nobody takes, would end us
        let receiver = thread::spawn(move || signals.recv());
        while !receiver.is_finished() {
            signal::raise(Signal::USR1);
            thread::sleep(Duration::from_micros(200));
        }
        assert_eq!(receiver.join().unwrap(), Ok(Signal::USR1));
        signal::stop(&sender); // one that was raised last may be on its way yet
    }

    fn stop_hands_on_what_came() {
        for _ in 0..200 {
            let (sender, signals) = bounded(1);
            let (other, rest) = bounded(1);
            signal::notify(&sender, &[Signal::USR1]);
            signal::notify(&other, &[Signal::USR1]);
            signal::raise(Signal::USR1);
            signal::stop(&sender);
            assert_eq!(signals.try_recv(), Ok(Signal::USR1));
            // From here on it has the last sender.
            drop(sender);
            assert_eq!(signals.try_recv(), Err(TryRecvError::Disconnected));
            signal::stop(&other);
            assert_eq!(rest.try_recv(), Ok(Signal::USR1));
            signal::stop(&other); // nothing
        }
    }

    fn ignored_and_wanted_again() {
        let (sender, signals) = bounded(10);
        signal::notify(&sender, &[Signal::TERM, Signal::USR1]);
        assert!(!signal::ignored(Signal::TERM));
        signal::ignore(&[Signal::TERM]);
        assert!(signal::ignored(Signal::TERM));
        signal::raise(Signal::TERM);
        signal::raise(Signal::USR1);
        assert_eq!(signals.recv(), Ok(Signal::USR1));
        signal::notify(&sender, &[Signal::TERM]);
        assert!(!signal::ignored(Signal::TERM));
        signal::raise(Signal::TERM);
        assert_eq!(signals.recv(), Ok(Signal::TERM));
        assert!(signals.is_empty());
    }

    fn what_instructions_raise_can_be_sent_and_ignored() {
        let (sender, signals) = bounded(10);
        let faults = [Signal::SEGV, Signal::BUS, Signal::FPE, Signal::ILL];
        let traps = [Signal::TRAP, Signal::SYS, Signal::STKFLT];
        for signal in faults.into_iter().chain(traps) {
            signal::notify(&sender, &[signal]);
            signal::raise(signal);
            assert_eq!(signals.recv(), Ok(signal));
            signal::ignore(&[signal]);
            assert!(signal::ignored(signal));
            signal::raise(signal);
        }
        signal::stop(&sender);
        assert!(signals.is_empty());
    }

    fn the_schedulers_signal_can_be_had() {
        let (sender, signals) = bounded(1);
        signal::ignore(&[Signal::URG]);
        signal::notify(&sender, &[Signal::URG]);
        signal::raise(Signal::URG);
        assert_eq!(signals.recv(), Ok(Signal::URG));
        let preempted = || {
            // With one P it never ends unless somebody preempts it.
            let before = gort::__private::preemptions();
            let others = thread::spawn(move || while gort::__private::preemptions() == before {});
            others.join().unwrap();
        };
        preempted();
        signal::stop(&sender);
        preempted();
        signal::ignore(&[Signal::URG]);
        preempted();
        signal::reset(&[Signal::URG]);
        preempted();
    }

    fn the_impossible_is_not_done() {
        let (sender, signals) = bounded(1);
        let never = [9, 19, 32, 33, 34].map(|number| Signal::from_raw(number).unwrap());
        signal::notify(&sender, &never);
        signal::notify(&sender, &[]);
        signal::ignore(&never);
        signal::reset(&never);
        signal::stop(&sender);
        assert!(!signal::ignored(Signal::KILL));
        assert_eq!(signals.len(), 0);
        drop(sender);
        assert!(signals.recv().is_err());
    }

    fn names() {
        assert_eq!(format!("{} {:?}", Signal::TERM, Signal::TERM), "terminated SIGTERM");
        let last = Signal::from_raw(64).unwrap();
        assert_eq!(format!("{last} {last:?}"), "signal 64 Signal(64)");
        assert_eq!(format!("{:>10}|", Signal::HUP), "    hangup|");
        for number in [i32::MIN, -1, 0, 65, i32::MAX] {
            assert_eq!(Signal::from_raw(number), None);
        }
        for number in 1..=64 {
            assert_eq!(Signal::from_raw(number).map(Signal::as_raw), Some(number));
        }
    }

    fn nobody_counts_the_receiver() {
        let before = num_goroutine();
        let (sender, signals) = bounded(1);
        signal::notify(&sender, &[Signal::USR1]);
        signal::raise(Signal::USR1);
        assert_eq!(signals.recv(), Ok(Signal::USR1));
        assert_eq!(num_goroutine(), before);
    }

    /// Nothing runs while the program waits for a signal, for seconds of CPU time.
    fn who_waits_uses_no_cpu() {
        let (sender, signals) = bounded(1);
        signal::notify(&sender, &[Signal::USR1]);
        for round in 0..3 {
            // The scheduler goes to sleep by and by; then 200 ms are nothing.
            let (cpu, start) = (cpu_time(), nanotime());
            thread::sleep(Duration::from_millis(300));
            let (used, took) = (cpu_time() - cpu, nanotime() - start);
            signal::raise(Signal::USR1);
            assert_eq!(signals.recv(), Ok(Signal::USR1));
            if used < took / 20 {
                return;
            }
            assert!(round < 2, "{used} ns of CPU time in {took} ns");
        }
    }

    fn after_stop() {
        is_ended("after_stop", || {
            let (sender, _signals) = bounded(1);
            signal::notify(&sender, &[Signal::USR1]);
            signal::stop(&sender);
            signal::raise(Signal::USR1);
            wait();
        });
    }

    fn after_reset() {
        is_ended("after_reset", || {
            let (sender, signals) = bounded(1);
            signal::notify(&sender, &[Signal::USR1, Signal::USR2]);
            signal::reset(&[Signal::USR1]);
            signal::raise(Signal::USR2);
            assert_eq!(signals.recv(), Ok(Signal::USR2));
            signal::raise(Signal::USR1);
            wait();
        });
    }

    fn after_ignore_and_reset() {
        is_ended("after_ignore_and_reset", || {
            signal::ignore(&[Signal::USR1]);
            signal::raise(Signal::USR1);
            signal::reset(&[Signal::USR1]);
            signal::raise(Signal::USR1);
            wait();
        });
    }

    /// The second Ctrl-C, where who waited for the first has gone.
    fn without_a_receiver() {
        is_ended("without_a_receiver", || {
            let (sender, signals) = bounded(1);
            signal::notify(&sender, &[Signal::USR1]);
            signal::raise(Signal::USR1);
            assert_eq!(signals.recv(), Ok(Signal::USR1));
            drop(signals);
            signal::raise(Signal::USR1);
            wait();
        });
    }

    /// It is wanted and unwanted all the time, and comes all the time: it is sent, or it
    /// ends the program.
    fn in_the_midst_of_stop() {
        is_ended("in_the_midst_of_stop", wanted_and_unwanted);
    }

    /// The same where who raises it has the only P, and gives way when that is asked for.
    fn in_the_midst_of_stop_on_one() {
        is_ended("in_the_midst_of_stop_on_one", || {
            runtime::gomaxprocs(1);
            wanted_and_unwanted();
        });
    }

    /// Those that the runtime has a handler for, which stays when nobody wants them.
    fn after_stop_of_quit() {
        is_dumped("after_stop_of_quit", "SIGQUIT: quit\nPC=0x", || {
            let (sender, signals) = bounded(1);
            signal::notify(&sender, &[Signal::QUIT]);
            signal::raise(Signal::QUIT);
            assert_eq!(signals.recv(), Ok(Signal::QUIT));
            signal::stop(&sender);
            signal::raise(Signal::QUIT);
            wait();
        });
    }

    fn after_stop_of_a_fault() {
        is_dumped("after_stop_of_a_fault", "SIGSEGV: segmentation violation\nPC=0x", || {
            let (sender, signals) = bounded(1);
            signal::notify(&sender, &[Signal::SEGV]);
            signal::raise(Signal::SEGV);
            assert_eq!(signals.recv(), Ok(Signal::SEGV));
            signal::reset(&[Signal::SEGV]);
            signal::raise(Signal::SEGV);
            wait();
        });
    }

    /// A goroutine that waits for a signal is no deadlock, and neither are those that
    /// wait for it.
    fn waiting_is_no_deadlock() {
        let (sender, signals) = bounded(1);
        signal::notify(&sender, &[Signal::ALRM]);
        drop(sender);
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let signals = signals.clone();
                thread::spawn(move || signals.recv())
            })
            .collect();
        // All wait, main for them: the alarm alone can wake anybody.
        super::masks::alarm_every(2000);
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), Ok(Signal::ALRM));
        }
        assert_eq!(signals.recv(), Ok(Signal::ALRM));
        signal::ignore(&[Signal::ALRM]); // it still rings when nobody receives
    }
}
