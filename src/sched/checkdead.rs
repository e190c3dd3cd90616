//! The deadlock detector: is there anybody left who could ready anybody?
//!
//! Go's counterpart: `checkdead` in `runtime/proc.go`, and its rules: a program is dead
//! when no M runs a goroutine, or is in a system call, or waits for a timer; and nobody wants to be told of signals. So a
//! goroutine in a system call that never returns is no deadlock, and neither are ten
//! that wait for each other while an eleventh runs.

use core::sync::atomic::Ordering;

use super::proc::for_each_g;
use super::runtime2::GStatus;
use super::{SchedLocked, sighandler, timers};
use crate::debug::fatal::{self, throw};
use crate::debug::print::say;

/// Ends the program with Go's words if all its goroutines wait for each other. Under
/// sched.lock, whenever an M has gone to sleep or ended.
#[unsafe(export_name = "runtime.checkdead")]
#[inline(never)]
pub(super) fn checkdead(sched: &SchedLocked) {
    let run =
        sched.mnext - sched.nmfreed - i64::from(sched.nmidle + sched.nmidlelocked + sched.nmsys);
    if run > 0 || fatal::PANICKING.load(Ordering::SeqCst) > 0 {
        return;
    }
    if run < 0 {
        throw("checkdead: inconsistent counts");
    }
    if sighandler::signals_may_come() {
        return; // in Go a thread waits for them, in the system
    }
    if timers::hooks().is_some_and(|timers| (timers.any)()) {
        return;
    }
    for_each_g(&mut |gp| {
        let status = super::readgstatus(gp);
        if status != GStatus::Waiting as u32 {
            if sched.p_waits {
                // It had to run on an M that there was no room for.
                throw("runtime: cannot map a stack for a new thread");
            }
            say(
                "runtime: checkdead: find g %d in status %d",
                &[gp.goid.get(), status.into()],
                &[],
            );
            throw("checkdead: runnable g");
        }
    });
    deadlock()
}

/// Ends the program: there is nothing to run, and nothing that could ever change that.
pub(super) fn deadlock() -> ! {
    let mut left = false;
    for_each_g(&mut |_| left = true);
    let text = if left {
        "fatal error: all goroutines are asleep - deadlock!"
    } else {
        "fatal error: no goroutines (main called runtime.Goexit) - deadlock!"
    };
    say(text, &[], &[]);
    fatal::other_goroutines();
    fatal::die(2)
}
