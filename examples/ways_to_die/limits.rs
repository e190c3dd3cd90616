//! What there is no more of: memory, stacks, threads.

use core::hint::black_box;
use core::mem;

use gort::prelude::v1::*;
use gort::sync::atomic::{AtomicUsize, Ordering};
use gort::time::Duration;
use gort::{debug, go, runtime, stack, thread};
use rustix::process::{Resource, Rlimit, getuid, setrlimit};
use rustix::thread::{Timespec, nanosleep, set_thread_uid};

use crate::{Command, Failure};

pub(crate) const COMMANDS: &[Command] = &[
    ("out-of-memory", "the heap has no more", |_| {
        loop {
            mem::forget(black_box(Vec::<u8>::with_capacity(1 << 45)));
        }
    }),
    ("out-of-stacks", "there is no room for a goroutine", |_| {
        limit(Resource::As, 300 << 20)?;
        loop {
            go(thread::park);
        }
    }),
    ("stack-too-large", "a piece of stack that cannot be", |_| {
        stack::grow(usize::MAX, || {});
        Ok(())
    }),
    ("too-many-threads", "more than 10,000, or so many", |most| {
        if let Ok(most) = most.parse() {
            debug::set_max_threads(most);
        }
        loop {
            block();
        }
    }),
    ("no-more-threads", "the system has no more", |_| {
        // The limit is not for root.
        let nobody = rustix::process::Uid::from_raw(65534);
        if getuid().is_root() && set_thread_uid(nobody).is_err() {
            return Err(Failure {
                why: "root has no limit",
            });
        }
        limit(Resource::Nproc, 1)?;
        go(|| {});
        Ok(())
    }),
];

/// Sets one of the system's limits for this process.
fn limit(what: Resource, most: u64) -> Result<(), Failure> {
    let limit = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    setrlimit(what, limit).map_err(|_| Failure {
        why: "there is no such limit",
    })
}

/// Has a thread more wait in the system, for good.
fn block() {
    static BLOCKED: AtomicUsize = AtomicUsize::new(0);
    let before = BLOCKED.load(Ordering::SeqCst);
    go(|| {
        runtime::blocking(|| {
            BLOCKED.fetch_add(1, Ordering::SeqCst);
            loop {
                let _ = nanosleep(&Timespec {
                    tv_sec: 3600,
                    tv_nsec: 0,
                });
            }
        })
    });
    while BLOCKED.load(Ordering::SeqCst) == before {
        thread::sleep(Duration::from_micros(1));
    }
}
