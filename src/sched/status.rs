//! A goroutine's states, and the one function that changes them.
//!
//! Go's counterpart: `casgstatus` in `runtime/proc.go`.
//!
//! ```text
//!  Idle --set_up--> Dead --newproc1--> Runnable --execute--> Running
//!   ^                | ^                  ^    ^                 | | |
//!   +---give_back----+ |                  |    |                 | | |
//!                  |                  |    +----gosched_m----+ | |
//!                  |         goready, park_m                   | |
//!                  |                  |                        | |
//!                  |                  +---- Waiting <--park_m--+ |
//!                  +------------------goexit0--------------------+
//!
//!  Running --entersyscall--> Syscall --exitsyscall--> Running
//!                               +------exitsyscall0--> Runnable
//! ```

use core::sync::atomic::Ordering;

use super::runtime2::{G, GStatus};
use crate::debug::fatal::throw;

/// Returns a goroutine's state as a number.
pub(crate) fn readgstatus(gp: &G) -> u32 {
    gp.atomicstatus.load(Ordering::Acquire) // pairs with casgstatus
}

/// Moves a goroutine from one state to the next. Throws if it was not in the
/// first, or if no such edge is in the picture above.
///
/// AcqRel: who brings a goroutine into a state hands its plain fields over to
/// whoever takes it out of that state.
pub(super) fn casgstatus(gp: &G, from: GStatus, to: GStatus) {
    if cfg!(debug_assertions) && !is_edge(from, to) {
        throw("casgstatus: bad incoming values");
    }
    if gp
        .atomicstatus
        .compare_exchange(from as u32, to as u32, Ordering::AcqRel, Ordering::Relaxed)
        .is_err()
    {
        throw("casgstatus: bad status");
    }
}

/// Tells whether the picture has this edge.
fn is_edge(from: GStatus, to: GStatus) -> bool {
    use GStatus::{Dead, Idle, Runnable, Running, Syscall, Waiting};
    matches!(
        (from, to),
        (Idle | Running, Dead)
            | (Dead, Idle)
            | (Dead | Running | Syscall | Waiting, Runnable)
            | (Runnable | Syscall, Running)
            | (Running, Syscall | Waiting)
    )
}
