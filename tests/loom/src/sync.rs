//! Models of what goroutines wait for each other with: the queues (`sched::sema`), and over
//! them the mutex's two modes and the phases of readers and writers (`sync::raw`).
//!
//! A goroutine is a thread of loom's; how it parks is in `waiter`.

use loom::sync::atomic;

#[path = "../../../src/sync/raw/modes.rs"]
mod modes;
#[path = "../../../src/sync/raw/phases.rs"]
mod phases;
#[path = "../../../src/sched/sema.rs"]
#[allow(dead_code, reason = "not all of it is modelled")]
mod sema;

mod lock;
mod lock_models;
mod sema_models;
mod spin;
mod waiter;

/// The types that `sched::sema` passes on.
mod runtime2 {
    pub(super) struct G;
}
mod waitreason {
    #[derive(Clone, Copy)]
    pub(super) struct WaitReason;
}

use lock::{ParkLock, open};
use spin::nanotime;
use waitreason::WaitReason;

/// No thread is taken from a goroutine here, and none has a system call.
fn need_p() {}
fn acquirem() {}
fn releasem() {}
