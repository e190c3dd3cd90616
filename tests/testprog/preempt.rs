//! What happens to those who never give way, and deaths while everybody is being
//! preempted all the time.

use alloc::vec;
use core::ffi::{c_int, c_void};
use core::hint::black_box;
use core::sync::atomic::{AtomicBool, Ordering};

use gort::__private::{preempt_storm, preemptions};
use gort::process::ExitCode;
use gort::{println, runtime, thread};

use crate::{Command, Failure, OK, deaths};

pub(crate) const COMMANDS: &[Command] = &[
    ("spin-beside-main", |_| {
        spin_beside_main();
        OK
    }),
    ("storm-panic", |_| storm(|| panic!("in a storm"))),
    ("storm-nil", |_| storm(|| _ = deaths::load(0))),
    ("storm-overflow", |_| storm(|| _ = deaths::descend(0))),
    ("storm-exit", |_| storm(|| gort::process::exit(7))),
    ("storm-deadlock", |_| storm(thread::park)),
];

// SAFETY: gort.h's.
unsafe extern "C" {
    fn gort_write(fd: c_int, data: *const c_void, size: usize) -> isize;
}

/// How often somebody has to be preempted before a storm has its effect.
const PREEMPTIONS: usize = 50;

/// The goroutines beside main shall end.
static STOP: AtomicBool = AtomicBool::new(false);

/// A goroutine spins and says so each time it has done so for long, while main waits
/// for its turn.
fn spin_beside_main() {
    // Far more than a time slice, in either build.
    let turns = if cfg!(debug_assertions) {
        10_000_000
    } else {
        100_000_000
    };
    gort::go(move || {
        loop {
            for _ in 0..turns {
                black_box(());
            }
            // Not by println!, which may lose its P to others while it writes.
            let line = b"still there\n";
            // SAFETY: the bytes of a constant.
            unsafe { gort_write(1, line.as_ptr().cast(), line.len()) };
        }
    });
    runtime::gosched();
    println!("main again");
}

/// Has main call `f` when it has been preempted together with others that allocate
/// and spin. Before a deadlock these have ended.
fn storm(f: fn()) -> Result<ExitCode, Failure> {
    preempt_storm(true);
    for size in 1..4 {
        gort::go(move || {
            while !STOP.load(Ordering::Relaxed) {
                black_box(vec![size; 100 * size]);
            }
        });
    }
    while preemptions() < PREEMPTIONS {
        black_box(vec![0u8; 1000]);
    }
    if f as usize == thread::park as fn() as usize {
        STOP.store(true, Ordering::Relaxed);
    }
    f();
    OK
}
