//! A goroutine's states, and what changes them.
//!
//! Go's counterpart: `casgstatus` in `runtime/proc.go`.
//!
//! ```text
//!  Idle --set_up--> Dead --newproc1--> Runnable --execute, switch, goyield--> Running
//!   ^                | ^                ^  ^ ^                                | | | |
//!   +---give_back----+ |                |  | +-gosched_m, gopreempt_m, goyield+ | | |
//!                      |                |  |                                    | | |
//!                      |             goready                                    | | |
//!                      |                |  +--undo, exitsyscall0                | | |
//!                      |                |            |                          | | |
//!                      |             Waiting <-------|------park_m, parked------+ | |
//!                      |                             |                            | |
//!                      |                          Syscall <---entersyscall--------+ |
//!                      |                             +------exitsyscall--> Running  |
//!                      +----------------------------------goexit0, ended------------+
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
///
/// Each edge has one party that can make it: whoever runs the goroutine, took it off its
/// list, or has claimed it where it waits. So they look, and store, which spares a switch
/// three locked instructions; a mistaken one is found out sooner or later. Out of Waiting
/// two may be mistaken at the same time: debug builds see that by a compare-and-swap.
#[inline]
pub(super) fn casgstatus(gp: &G, from: GStatus, to: GStatus) {
    if cfg!(debug_assertions) && !is_edge(from, to) {
        throw("casgstatus: bad incoming values");
    }
    let status = &gp.atomicstatus;
    let was = if cfg!(debug_assertions) && from == GStatus::Waiting {
        let (from, to) = (from as u32, to as u32);
        match status.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(was) | Err(was) => was,
        }
    } else {
        let was = status.load(Ordering::Acquire); // see above
        status.store(to as u32, Ordering::Release); // as there
        was
    };
    if was != from as u32 {
        bad_status();
    }
}

/// Does what [`casgstatus`] does, for who runs the goroutine and has just seen that it is in
/// the first: only debug builds look again.
#[inline(always)]
pub(super) fn setgstatus(gp: &G, from: GStatus, to: GStatus) {
    if cfg!(debug_assertions) {
        casgstatus(gp, from, to);
    } else {
        gp.atomicstatus.store(to as u32, Ordering::Release); // as there
    }
}

/// Somebody was mistaken about a goroutine.
#[cold]
#[inline(never)]
fn bad_status() -> ! {
    throw("casgstatus: bad status")
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
