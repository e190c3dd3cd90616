//! gort's lock-free pieces under loom, which runs each model in every order that
//! its atomics allow, and sees what is not ordered at all.
//!
//! A piece is included here by its path. It names its atomics `super::atomic`,
//! which in gort are core's, and here loom's.

#![cfg(test)]

#[path = "../../../src/thread/parker.rs"]
mod parker;
#[path = "../../../src/sched/pstatus.rs"]
mod pstatus;
#[path = "../../../src/sched/runq.rs"]
mod runq;
#[path = "../../../src/sched/spinning.rs"]
mod spinning;

mod futex;
mod parker_models;
mod preempt_models;
mod pstatus_models;
mod runq_models;
mod spinning_models;

/// What the pieces use.
use loom::sync::atomic;
