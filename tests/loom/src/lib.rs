//! gort's lock-free pieces under loom, which runs each model in every order that
//! its atomics allow, and sees what is not ordered at all.
//!
//! A piece is included here by its path. It names its atomics `super::atomic`,
//! which in gort are core's, and here loom's; its cells and locks likewise.
//!
//! With `GORT_LOOM=all` a few models run for minutes, with more interruptions.

#![cfg(test)]

extern crate alloc;

mod channel;
#[path = "../../../src/thread/count.rs"]
mod count;
#[path = "../../../src/thread/parker.rs"]
mod parker;
#[path = "../../../src/sched/pstatus.rs"]
mod pstatus;
#[path = "../../../src/sched/runq.rs"]
mod runq;
#[path = "../../../src/sched/sigqueue.rs"]
mod sigqueue;
#[path = "../../../src/sched/spinning.rs"]
mod spinning;
#[path = "../../../src/sched/timer.rs"]
mod timer;
#[path = "../../../src/sched/timer_heap.rs"]
mod timer_heap;
#[path = "../../../src/sched/timer_set.rs"]
mod timer_set;

mod count_models;
mod futex;
mod parker_models;
mod preempt_models;
mod pstatus_models;
mod runq_models;
mod sigqueue_models;
mod spinning_models;
mod sync;
mod timer_memory;
mod timer_models;

/// How many interruptions a model has at most that takes long with all of them: one less,
/// unless `GORT_LOOM=all` asks for them. With one less it still fails where a fence, a bit or
/// a wake-up is left out of what it is about.
fn patient(interruptions: usize) -> usize {
    if std::env::var_os("GORT_LOOM").is_some_and(|value| value == "all") {
        interruptions
    } else {
        interruptions - 1
    }
}

/// Where there is no trace.
mod trace {
    pub(crate) fn timer() {}
}

/// What the pieces use.
use loom::{cell, hint, sync::atomic};

use timer_memory::{TimersLock, prefetch};
