//! Whether it is worth while to look at a lock for a moment instead of parking.
//!
//! Go's counterparts: `sync_runtime_canSpin`, `sync_runtime_doSpin` in `runtime/proc.go`,
//! and its conditions: more than one CPU, at least one other P that runs goroutines (who
//! has the lock may be there), and nobody in our own queue who could run instead.

use core::hint::spin_loop;
use core::sync::atomic::Ordering;

use super::{GOMAXPROCS, NCPU, SCHED, acquirem, releasem, try_getp};

/// How often a goroutine may spin before it parks.
const ACTIVE_SPIN: u32 = 4;

/// How many PAUSEs one time is.
const ACTIVE_SPIN_COUNT: u32 = 30;

/// Tells whether a goroutine that has spun so often may spin once more. From a goroutine.
pub(crate) fn can_spin(times: u32) -> bool {
    // Relaxed: hints all of them.
    let procs = GOMAXPROCS.load(Ordering::Relaxed);
    if times >= ACTIVE_SPIN
        || procs == 1
        || NCPU.load(Ordering::Relaxed) == 1
        || procs <= SCHED.spinning.idle() + SCHED.spinning.spinning() + 1
    {
        return false;
    }
    let nobody_waits = try_getp(acquirem()).is_none_or(|pp| pp.runq.is_empty());
    releasem();
    nobody_waits
}

/// Spins once. It does not look at the lock meanwhile: each look takes the cache line away
/// from who has it, who without that takes it and gives it back some hundred times.
pub(crate) fn do_spin() {
    for _ in 0..ACTIVE_SPIN_COUNT {
        spin_loop();
    }
}
