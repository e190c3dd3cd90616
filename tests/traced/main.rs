//! A program with a command for each thing that a trace of the scheduler shows: the
//! host-side tests run it with GORT_TRACE, and look at what is in the file. Built with the
//! feature `sched-trace`.

#![no_std]
#![no_main]

extern crate gort as std;

use std::channel;
use std::hint::black_box;
use std::prelude::v1::*;
use std::process::{self, ExitCode};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use std::{env, runtime, thread};

std::main!(main);

/// A command: its name, and what it does.
type Command = (&'static str, fn());

const COMMANDS: &[Command] = &[
    ("nothing", || ()),
    ("spawn", spawn),
    ("ping-pong", || ping_pong(1000)),
    ("much", || ping_pong(200_000)),
    ("blocking", blocking),
    ("sleep", sleep),
    ("yield", || yields(4, 500)),
    ("yield-much", || {
        yields(7, 100_000);
        println!("done");
    }),
    ("spin", spin),
    ("procs", procs),
    ("locked", locked),
    ("exit", || {
        ping_pong(10);
        process::exit(7)
    }),
    ("panic", || {
        ping_pong(10);
        panic!("at the end")
    }),
    ("nil", || {
        ping_pong(10);
        let null: *const u8 = black_box(core::ptr::null());
        #[allow(unsafe_code, reason = "it is to fault")]
        // SAFETY: none: that is the test.
        unsafe {
            null.read_volatile();
        }
    }),
    ("deadlock", || {
        ping_pong(10);
        thread::park();
    }),
    ("wait", || {
        ping_pong(10);
        println!("waiting");
        loop {
            thread::sleep(Duration::from_millis(5));
        }
    }),
];

fn main() -> ExitCode {
    let name = env::args().nth(1).unwrap_or_default();
    match COMMANDS.iter().find(|(known, _)| *known == name) {
        Some((_, command)) => {
            command();
            ExitCode::SUCCESS
        }
        None => ExitCode::FAILURE,
    }
}

/// Ten thousand goroutines, which end at once.
fn spawn() {
    static RAN: AtomicU64 = AtomicU64::new(0);
    let threads: Vec<_> = (0..10_000)
        .map(|_| thread::spawn(|| RAN.fetch_add(1, Ordering::Relaxed)))
        .collect();
    threads
        .into_iter()
        .for_each(|thread| _ = thread.join().unwrap());
    assert_eq!(RAN.load(Ordering::Relaxed), 10_000);
    others_ended();
}

/// Waits until all goroutines but this one have ended: whoever is joined may have some way
/// left to its end.
fn others_ended() {
    while runtime::num_goroutine() > 1 {
        thread::yield_now();
    }
}

/// Two goroutines that send each other a number.
fn ping_pong(times: u64) {
    let (ping, pinged) = channel::bounded::<u64>(0);
    let (pong, ponged) = channel::bounded::<u64>(0);
    let other = thread::spawn(move || {
        for number in pinged {
            pong.send(number + 1).unwrap();
        }
    });
    for number in 0..times {
        ping.send(number).unwrap();
        assert_eq!(ponged.recv(), Ok(number + 1));
    }
    drop(ping);
    other.join().unwrap();
}

/// System calls that last, while others run.
fn blocking() {
    let others: Vec<_> = (0..4)
        .map(|_| {
            thread::spawn(|| {
                for _ in 0..5 {
                    runtime::blocking(|| nap(2_000_000));
                }
            })
        })
        .collect();
    for _ in 0..200 {
        thread::yield_now();
    }
    others.into_iter().for_each(|other| other.join().unwrap());
}

/// Keeps the thread busy, as a system call would, for so many nanoseconds.
fn nap(nanoseconds: i64) {
    let end = gort::__private::nanotime() + nanoseconds;
    while gort::__private::nanotime() < end {
        core::hint::spin_loop();
    }
}

/// Timers.
fn sleep() {
    let others: Vec<_> = (1..=8)
        .map(|milliseconds| {
            thread::spawn(move || {
                for _ in 0..5 {
                    thread::sleep(Duration::from_millis(milliseconds));
                }
            })
        })
        .collect();
    others.into_iter().for_each(|other| other.join().unwrap());
}

/// Goroutines that give way to each other, so often each. Seven of them write what cannot be
/// packed: nothing that the words repeat is four of them apart.
fn yields(goroutines: u32, times: u32) {
    let others: Vec<_> = (0..goroutines)
        .map(|_| {
            thread::spawn(move || {
                for _ in 0..times {
                    thread::yield_now();
                }
            })
        })
        .collect();
    others.into_iter().for_each(|other| other.join().unwrap());
}

/// More goroutines that never give way than Ps, until each has been made to.
fn spin() {
    static STOP: AtomicBool = AtomicBool::new(false);
    let before = gort::__private::preemptions();
    let others: Vec<_> = (0..runtime::gomaxprocs(0) + 1)
        .map(|_| {
            thread::spawn(|| {
                while !STOP.load(Ordering::Relaxed) {
                    core::hint::spin_loop();
                }
            })
        })
        .collect();
    while gort::__private::preemptions() < before + 3 {
        core::hint::spin_loop();
    }
    STOP.store(true, Ordering::Relaxed);
    others.into_iter().for_each(|other| other.join().unwrap());
}

/// More Ps and fewer, while others are at it.
fn procs() {
    let other = thread::spawn(|| ping_pong(2000));
    for procs in [1, 4, 2, 8, 1, 3] {
        runtime::gomaxprocs(procs);
        thread::yield_now();
    }
    other.join().unwrap();
}

/// A goroutine that is locked to its thread, and ends with it.
fn locked() {
    let other = thread::spawn(|| {
        runtime::lock_os_thread();
        ping_pong(100);
    });
    other.join().unwrap();
    others_ended();
}
