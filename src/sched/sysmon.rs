//! sysmon: the watcher, on an M of its own, without a P.
//!
//! Go's counterpart: `sysmon` and `retake` in `runtime/proc.go`. It asks a
//! goroutine that has run for 10 ms to give way. Nothing here needs Go's shorter
//! pace of 20 µs, which is for system calls that hold a P.

use core::sync::atomic::Ordering;

use super::SCHED;
use super::bgscavenge::wake_scavenger;
use super::preempt::{STORM_PACE, is_storm, preempt_m};
use super::procresize::allp;
use super::runtime2::{P, PStatus};
use crate::{mem, os};

/// How long a goroutine may run when others wait, in nanoseconds.
const FORCE_PREEMPT: i64 = 10_000_000;

/// In how many rounds the heap is told that time goes by: a quarter of a second.
const MEMORY_ROUNDS: u32 = 25;

/// Never returns. On its own g0.
#[unsafe(export_name = "runtime.sysmon")]
#[inline(never)]
pub(super) extern "C" fn sysmon() {
    let mut round = 0u32;
    loop {
        round = round.wrapping_add(1);
        os::nap(if is_storm() {
            STORM_PACE
        } else {
            FORCE_PREEMPT as u64
        });
        let now = os::nanotime();
        SCHED.now.store(now, Ordering::Relaxed); // a time, ordered with nothing
        retake(now);
        if round.is_multiple_of(MEMORY_ROUNDS) {
            mem::tick();
        }
        wake_scavenger();
    }
}

/// Looks at each P that runs.
fn retake(now: i64) {
    for pp in allp() {
        // Acquire pairs with acquirep.
        if pp.status.load(Ordering::Acquire) != PStatus::Running as u32 {
            continue;
        }
        let tick = pp.schedtick.load(Ordering::Relaxed); // only compared
        let seen = &pp.sysmontick;
        if seen.schedtick.replace(tick) != tick {
            seen.schedwhen.set(now);
        } else if seen.schedwhen.get() + FORCE_PREEMPT <= now || is_storm() {
            preemptone(pp);
        }
    }
}

/// Asks the goroutine that runs on a P to give way when it can, and the P to let
/// nobody inherit the time slice. Best effort: it may have stopped meanwhile, and
/// another may get the request.
fn preemptone(pp: &P) {
    pp.preempt.store(true, Ordering::Relaxed); // a request, ordered with nothing
    // SAFETY: an M is never freed. Acquire pairs with acquirep.
    let Some(mp) = (unsafe { pp.m.load(Ordering::Acquire).as_ref() }) else {
        return;
    };
    // SAFETY: a G is never freed. The M may change curg under our hands; either
    // value is a G, or null.
    if let Some(gp) = unsafe { mp.curg.load(Ordering::Relaxed).as_ref() } {
        gp.preempt.store(true, Ordering::Relaxed); // preempt_m orders it
        preempt_m(mp);
    }
}
