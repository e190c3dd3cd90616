//! Signals: they come to channels, none is lost, and what nobody wants does what it did
//! before. How programs die by them is for the host-side tests.

#![no_std]
#![no_main]

extern crate alloc;

mod deliver;
mod flood;
#[allow(unsafe_code, reason = "signal masks")]
mod masks;

use core::sync::atomic::{AtomicUsize, Ordering};

use gort::__private::nanotime;
use gort::runtime::gosched;
use gort::time::Duration;
use gort::{env, process, thread};
use gort_test::{Command, Output};

/// Lets others run until a condition holds.
fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        thread::sleep(Duration::from_micros(50));
    }
}

/// The variable by which a process of [`again`] knows that it is one.
const AGAIN: &str = "GORT_SIGNAL_AGAIN";

/// Tells whether this is a process of [`again`].
fn is_again() -> bool {
    env::var_os(AGAIN).is_some()
}

/// Has `f` called in a process of its own, by a test of that name, and returns how it
/// ended. In that process it does not return.
fn again(name: &str, f: impl FnOnce()) -> Output {
    if is_again() {
        f();
        process::exit(0);
    }
    let mut command = Command::this_program();
    command.args(["--force-run-in-process", "--nocapture", "--exact", name]);
    command.env(AGAIN, "1").output().unwrap()
}

/// Returns the CPU time that the process has used, in nanoseconds.
fn cpu_time() -> i64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Keeps the scheduler busy in all ways while `f` runs: goroutines that allocate, that
/// hand a message around, and that are preempted.
fn busy<T>(f: impl FnOnce() -> T) -> T {
    static RUNNING: AtomicUsize = AtomicUsize::new(0);
    static STOP: AtomicUsize = AtomicUsize::new(0);
    let start = |work: fn(usize)| {
        RUNNING.fetch_add(1, Ordering::SeqCst);
        gort::go(move || {
            let mut round = 0;
            while STOP.load(Ordering::Relaxed) == 0 {
                round += 1;
                work(round);
            }
            RUNNING.fetch_sub(1, Ordering::SeqCst);
        });
    };
    gort::__private::preempt_storm(true);
    start(|round| {
        let blocks: alloc::vec::Vec<_> = (0..20)
            .map(|at| alloc::vec![at as u8; 16 << (round % 8)])
            .collect();
        for (at, block) in blocks.iter().enumerate() {
            assert!(block.iter().all(|&byte| byte == at as u8));
        }
    });
    start(|round| {
        let (there, from) = gort::channel::bounded(round % 3);
        let echo = thread::spawn(move || from.recv().unwrap());
        there.send(round).unwrap();
        assert_eq!(echo.join().unwrap(), round);
    });
    start(|round| {
        let sum = (0..20_000_u64).fold(round as u64, |sum, at| sum.wrapping_mul(31) + at % 7);
        core::hint::black_box(sum);
        gosched();
    });
    let value = f();
    STOP.store(1, Ordering::SeqCst);
    until(|| RUNNING.load(Ordering::SeqCst) == 0);
    gort::__private::preempt_storm(false);
    value
}

gort_test::tests! {
    mod deliver, flood, masks;
}
