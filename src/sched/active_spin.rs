//! Whether it is worth while to look at a lock, or a channel, for a moment instead of parking.
//!
//! Go's counterparts: `sync_runtime_canSpin`, `sync_runtime_doSpin` in `runtime/proc.go`,
//! and its conditions: more than one CPU, at least one other P that runs goroutines (who
//! has the lock may be there), and nobody in our own queue who could run instead.

use core::hint::spin_loop;
use core::sync::atomic::Ordering;

use super::runtime2::P;
use super::{GOMAXPROCS, NCPU, SCHED, acquirem, releasem, try_getp};

/// How often a goroutine may spin before it parks.
const ACTIVE_SPIN: u32 = 4;

/// How many PAUSEs one time is.
const ACTIVE_SPIN_COUNT: u32 = 30;

/// Tells whether a goroutine that has spun so often may spin once more. From a goroutine.
pub(crate) fn can_spin(times: u32) -> bool {
    others_run(times) && ours(|pp| pp.runq.is_empty())
}

/// Tells whether one may that waits for others to make room in a channel. Who waits in our
/// queue does not count, but for the next: that is one whom we have readied, and maybe the
/// one that we wait for. From a goroutine.
pub(crate) fn can_linger(times: u32) -> bool {
    others_run(times) && ours(|pp| !pp.runq.has_next())
}

/// Tells whether one that has spun so often may spin at all: another P runs goroutines.
fn others_run(times: u32) -> bool {
    // Relaxed: hints all of them.
    let procs = GOMAXPROCS.load(Ordering::Relaxed);
    times < ACTIVE_SPIN
        && procs != 1
        && NCPU.load(Ordering::Relaxed) != 1
        && procs > SCHED.spinning.idle() + SCHED.spinning.spinning() + 1
}

/// Asks our P, if we have one.
fn ours(what: fn(&P) -> bool) -> bool {
    let answer = try_getp(acquirem()).is_none_or(what);
    releasem();
    answer
}

/// Spins once. It does not look at the lock meanwhile: each look takes the cache line away
/// from who has it, who without that takes it and gives it back some hundred times.
pub(crate) fn do_spin() {
    for _ in 0..ACTIVE_SPIN_COUNT {
        spin_loop();
    }
}
