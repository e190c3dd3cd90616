//! Ends that the program asks for, and those that it comes to when nothing can go on.

use gort::prelude::v1::*;
use gort::sync::Mutex;
use gort::{channel, process, runtime, thread};

use crate::{Command, Failure};

pub(crate) const COMMANDS: &[Command] = &[
    ("exit", "process::exit with a status", |status| {
        process::exit(status.parse().unwrap_or(0))
    }),
    ("exit-goroutine", "the same on a goroutine", |status| {
        let status = status.parse().unwrap_or(0);
        gort::go(move || process::exit(status));
        wait()
    }),
    ("main-returns-err", "main returns an error", |_| {
        Err(Failure {
            why: "it was asked to",
        })
    }),
    ("abort", "process::abort: SIGABRT", |_| process::abort()),
    ("deadlock", "every goroutine waits", |_| deadlock()),
    ("deadlock-lock", "a lock is taken twice", |_| {
        let lock = Mutex::new(());
        let _first = lock.lock();
        let _second = lock.lock();
        Ok(())
    }),
    (
        "goexit-main",
        "main calls goexit, and all others end",
        |_| {
            gort::go(|| {});
            runtime::goexit()
        },
    ),
];

/// Waits for the end.
pub(crate) fn wait() -> ! {
    loop {
        thread::park();
    }
}

/// One goroutine waits for another, which waits for a third, which waits for ever.
fn deadlock() -> Result<(), Failure> {
    let (_sender, receiver) = channel::unbounded::<()>();
    let waiter = thread::spawn(move || receiver.recv());
    let _ = waiter.join();
    Ok(())
}
