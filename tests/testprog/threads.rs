//! Ends of a program that has many threads: busy ones, blocked ones, locked ones.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hint::spin_loop;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;

use gort::__private::waiting;
use gort::process::{self, ExitCode};
use gort::{channel, debug, println, runtime, thread};
use rustix::thread::Timespec;

use crate::{Command, Failure, OK, deaths, number};

pub(crate) const COMMANDS: &[Command] = &[
    ("return-busy", |code| {
        keep_busy();
        Ok(ExitCode::from(number(code) as u8))
    }),
    ("exit-busy", |code| {
        let code = number(code) as i32;
        keep_busy();
        gort::go(move || process::exit(code));
        spin()
    }),
    ("nil-busy", |_| {
        keep_busy();
        deaths::load(0)
    }),
    ("deadlock-parallel", |_| {
        runtime::gomaxprocs(4);
        for _ in 0..8 {
            gort::go(|| {
                for _ in 0..100 {
                    runtime::gosched();
                }
                thread::park();
            });
        }
        park()
    }),
    ("deadlock-locked", |_| {
        gort::go(|| {
            runtime::lock_os_thread();
            thread::park();
        });
        park()
    }),
    ("deadlock-locked-main", |_| {
        runtime::lock_os_thread();
        gort::go(thread::park);
        park()
    }),
    ("deadlock-ended-locked", |_| {
        for _ in 0..10 {
            gort::go(runtime::lock_os_thread);
        }
        park()
    }),
    ("deadlock-after-call", |_| {
        gort::go(|| {
            runtime::blocking(|| nap(100));
            println!("back");
            thread::park();
        });
        park()
    }),
    ("calls-beside-main", |rounds| {
        for _ in 0..number(rounds) {
            gort::go(|| runtime::blocking(|| nap(30)));
            while runtime::num_goroutine() > 1 {
                runtime::gosched();
            }
        }
        println!("back");
        OK
    }),
    ("sleeps-beside-others", |rounds| {
        for _ in 0..number(rounds) {
            let other = thread::spawn(runtime::gosched);
            thread::sleep(Duration::from_millis(1)); // goes straight to the other
            let _ = other.join();
        }
        println!("awake");
        OK
    }),
    ("crossing", |count| {
        let (values, sum) = cross(number(count));
        println!("{values} values, {sum}");
        OK
    }),
    ("timer-beside-call", |_| timer_beside_call()),
    ("fault-in-company", |_| fault_in_company()),
    ("panic-together", |count| {
        together(number(count), || panic!("all at once"))
    }),
    ("nil-together", |count| {
        together(number(count), || _ = deaths::load(0))
    }),
    ("overflow-together", |count| {
        together(number(count), || _ = deaths::descend(0))
    }),
    ("goexit-locked", |rounds| {
        runtime::lock_os_thread();
        others_go_on(number(rounds))
    }),
    ("goexit-parallel", |rounds| {
        runtime::gomaxprocs(4);
        others_go_on(number(rounds))
    }),
    ("too-many-system-threads", |limit| {
        debug::set_max_threads(number(limit));
        block(20);
        spin()
    }),
    ("fewer-system-threads", |limit| {
        block(8);
        debug::set_max_threads(number(limit));
        OK
    }),
    ("locked-init", |_| {
        // The init task has locked main to the main thread; see main.rs.
        for _ in 0..10 {
            gort::go(|| (0..100).for_each(|_| runtime::gosched()));
        }
        let main = rustix::process::getpid();
        let stays = (0..200).all(|_| {
            runtime::gosched();
            rustix::thread::gettid() == main
        });
        println!("on the main thread: {stays}");
        OK
    }),
];

/// Sleeps with the whole thread for so many milliseconds.
fn nap(milliseconds: i64) {
    let mut left = Timespec {
        tv_sec: milliseconds / 1000,
        tv_nsec: milliseconds % 1000 * 1_000_000,
    };
    while let rustix::thread::NanosleepRelativeResult::Interrupted(rest) =
        rustix::thread::nanosleep(&left)
    {
        left = rest;
    }
}

/// Never gives way.
fn spin() -> ! {
    loop {
        spin_loop();
    }
}

/// Waits for what never comes.
fn park() -> Result<ExitCode, Failure> {
    thread::park();
    OK
}

/// Faults while one goroutine is in a system call, and two others, neither of which gives
/// way, share a P.
fn fault_in_company() -> Result<ExitCode, Failure> {
    static BEGUN: AtomicUsize = AtomicUsize::new(0);
    runtime::gomaxprocs(2);
    block(1);
    for _ in 0..2 {
        gort::go(|| {
            BEGUN.fetch_add(1, Ordering::Relaxed);
            spin()
        });
    }
    while BEGUN.load(Ordering::Relaxed) < 2 {
        spin_loop();
    }
    deaths::load(0)
}

/// Has so many goroutines, on a thread each, die at the same time.
fn together(count: usize, die: fn()) -> Result<ExitCode, Failure> {
    static READY: AtomicUsize = AtomicUsize::new(0);
    for _ in 0..count {
        gort::go(move || {
            runtime::lock_os_thread();
            READY.fetch_add(1, Ordering::Relaxed);
            while READY.load(Ordering::Relaxed) < count {
                spin_loop();
            }
            die();
        });
    }
    park()
}

/// Has so many goroutines block in the system for an hour.
fn block(count: usize) {
    let blocked = Arc::new(AtomicUsize::new(0));
    for _ in 0..count {
        let blocked = Arc::clone(&blocked);
        gort::go(move || {
            runtime::blocking(|| {
                blocked.fetch_add(1, Ordering::Relaxed);
                nap(3_600_000);
            });
        });
    }
    while blocked.load(Ordering::Relaxed) < count {
        runtime::gosched();
    }
}

/// Has threads in every state: three that spin, while a fourth P is left, some that are
/// blocked, and one that is locked to a goroutine that waits.
fn keep_busy() {
    static SPINNING: AtomicUsize = AtomicUsize::new(0);
    runtime::gomaxprocs(4);
    block(3);
    gort::go(|| {
        runtime::lock_os_thread();
        thread::park();
    });
    for _ in 0..2 {
        gort::go(|| {
            SPINNING.fetch_add(1, Ordering::Relaxed);
            spin();
        });
    }
    while SPINNING.load(Ordering::Relaxed) < 2 || waiting() < 1 {
        runtime::gosched();
    }
}

/// Ends the main goroutine while ten others go on, for so many rounds.
fn others_go_on(rounds: usize) -> Result<ExitCode, Failure> {
    static LEFT: AtomicUsize = AtomicUsize::new(10);
    for _ in 0..10 {
        gort::go(move || {
            for _ in 0..rounds {
                runtime::gosched();
            }
            if LEFT.fetch_sub(1, Ordering::Relaxed) == 1 {
                println!("the last one");
            }
        });
    }
    runtime::goexit()
}

/// Sets a timer while both Ps are busy, and keeps its own so. The other's goroutine goes
/// into a system call then: who looks at the time?
fn timer_beside_call() -> Result<ExitCode, Failure> {
    static PHASE: AtomicUsize = AtomicUsize::new(0);
    let is = |phase| PHASE.load(Ordering::Acquire) >= phase;
    gort::go(move || {
        PHASE.store(1, Ordering::Release);
        while !is(2) {
            spin_loop();
        }
        runtime::blocking(|| {
            for _ in 0..5000 {
                if is(3) {
                    break;
                }
                nap(1);
            }
            PHASE.store(if is(3) { 4 } else { 5 }, Ordering::Release);
        });
    });
    while !is(1) {
        spin_loop();
    }
    drop(gort::time::after_func(Duration::from_millis(50), || {
        PHASE.fetch_max(3, Ordering::Release);
    }));
    PHASE.store(2, Ordering::Release);
    while !is(4) {
        spin_loop();
    }
    println!("{}", if is(5) { "late" } else { "in time" });
    OK
}

/// Many send so many values each by one channel, and as many receive them; returns how many
/// came, and their sum.
fn cross(count: usize) -> (usize, usize) {
    const EACH: usize = 32;
    let (sender, receiver) = channel::bounded(1);
    for _ in 0..EACH {
        let sender = sender.clone();
        gort::go(move || (0..count).for_each(|value| sender.send(value).unwrap_or_default()));
    }
    drop(sender);
    let receivers: Vec<_> = (0..EACH)
        .map(|_| {
            let values = receiver.clone();
            thread::spawn(move || {
                values
                    .iter()
                    .fold((0, 0), |(n, sum), value| (n + 1, sum + value))
            })
        })
        .collect();
    let came = receivers
        .into_iter()
        .filter_map(|receiver| receiver.join().ok());
    came.fold((0, 0), |(n, sum), (its, of)| (n + its, sum + of))
}
