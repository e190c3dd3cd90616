//! The scheduler, for those who look at it from outside.

use core::hint::black_box;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use gort::__private::{nanotime, preempt_storm};
use gort::process::ExitCode;
use gort::{println, runtime, thread};

use crate::{Command, Failure, OK, number};

pub(crate) const COMMANDS: &[Command] = &[
    ("idle", |milliseconds| {
        thread::sleep(Duration::from_millis(number(milliseconds) as u64));
        OK
    }),
    ("sched-work", sched_work),
    ("sleep-init", |_| OK), // an init task sleeps
    ("threads-end", |rounds| threads_end(number(rounds))),
    ("main-alone", |milliseconds| {
        spin(number(milliseconds));
        OK
    }),
    ("left-alone", |_| {
        for _ in 0..50 {
            static RAN: AtomicBool = AtomicBool::new(false);
            RAN.store(false, Ordering::Release);
            gort::go(|| RAN.store(true, Ordering::Release));
            while !RAN.load(Ordering::Acquire) {
                black_box(()); // another P runs it
            }
        }
        OK
    }),
    ("watch-gomaxprocs", |_| watch_gomaxprocs(|| {})),
    ("watch-gomaxprocs-set", |procs| {
        runtime::gomaxprocs(number(procs));
        watch_gomaxprocs(|| {})
    }),
    ("watch-gomaxprocs-default", |procs| {
        runtime::gomaxprocs(number(procs));
        runtime::set_default_gomaxprocs();
        watch_gomaxprocs(|| {})
    }),
    ("watch-gomaxprocs-locked", |_| watch_gomaxprocs(locked)),
];

/// For how long a program that is watched runs, unless it is killed: longer than any
/// test has patience, in nanoseconds.
const PATIENCE: i64 = 100_000_000_000;

/// Uses the CPU for so many milliseconds.
fn spin(milliseconds: usize) {
    let start = nanotime();
    while nanotime() - start < milliseconds as i64 * 1_000_000 {
        black_box(());
    }
}

/// One of each: a goroutine that gives way all the time, one that sleeps, one that is
/// locked to its thread and waits, one in a system call, while main spins.
fn sched_work(milliseconds: &str) -> Result<ExitCode, Failure> {
    let milliseconds = number(milliseconds);
    let long = Duration::from_secs(100);
    gort::go(|| {
        loop {
            runtime::gosched();
        }
    });
    gort::go(move || thread::sleep(long));
    gort::go(|| {
        runtime::lock_os_thread();
        thread::park();
    });
    gort::go(|| runtime::blocking(|| spin(100_000)));
    spin(milliseconds);
    OK
}

/// A goroutine locked to its thread that starts others, all the time, and some of those
/// end locked, so that threads come and go.
fn locked() {
    gort::go(|| {
        runtime::lock_os_thread();
        loop {
            gort::go(|| runtime::blocking(|| black_box(())));
            gort::go(|| {
                runtime::lock_os_thread();
                gort::go(|| {});
            });
            while runtime::num_goroutine() > 20 {
                runtime::gosched();
            }
            runtime::gosched();
        }
    });
}

/// Threads end with the goroutines that are locked to them while these are being
/// preempted, and others take their memory over. Then all who run are to be stopped.
fn threads_end(rounds: usize) -> Result<ExitCode, Failure> {
    const SPINNERS: usize = 8;
    static STOP: AtomicBool = AtomicBool::new(false);
    runtime::gomaxprocs(SPINNERS);
    preempt_storm(true);
    for _ in 0..rounds {
        for _ in 0..SPINNERS {
            gort::go(|| {
                runtime::lock_os_thread();
                spin(1);
            });
        }
        while runtime::num_goroutine() > 1 {
            runtime::gosched();
        }
    }
    preempt_storm(false);
    for _ in 0..SPINNERS {
        gort::go(|| {
            while !STOP.load(Ordering::Relaxed) {
                black_box(());
            }
        });
    }
    for procs in 0..20 {
        spin(5);
        runtime::gomaxprocs(1 + procs % SPINNERS);
    }
    STOP.store(true, Ordering::Relaxed);
    println!("stopped");
    OK
}

/// Prints GOMAXPROCS whenever it has changed, while there is always something to run,
/// also `beside` it.
fn watch_gomaxprocs(beside: fn()) -> Result<ExitCode, Failure> {
    static END: AtomicBool = AtomicBool::new(false);
    for _ in 0..3 {
        gort::go(|| {
            while !END.load(Ordering::Relaxed) {
                black_box(());
            }
        });
    }
    beside();
    let start = nanotime();
    let mut before = 0;
    while nanotime() - start < PATIENCE {
        let procs = runtime::gomaxprocs(0);
        if procs != before {
            println!("{procs}");
            before = procs;
        }
        runtime::gosched();
    }
    OK
}
