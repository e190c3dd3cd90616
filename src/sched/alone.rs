//! Whether of many Ps one alone is in use: `debug::alone` says what that is good for.
//!
//! sysmon finds it out, when it has been so for a while: where an idle P is taken now and
//! then by who has none, to end it costs more than it brings. Whoever takes an idle P ends it,
//! if there is one in use besides: mostly that one's own M, for which it costs nothing.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::idle::pidleget;
use super::runtime2::P;
use super::{GOMAXPROCS, SCHED, SchedLocked, getm, try_getp};
use crate::debug::lock::{ALONE, can_be_alone};
use crate::os;

/// For how long no idle P must have been taken, in nanoseconds: a thousand times what a barrier
/// costs.
const PATIENCE: i64 = 1_000_000;

/// How often one without a P has ended it.
static ENDED: AtomicUsize = AtomicUsize::new(0);

/// The system has refused a barrier: nobody is alone any more from here on.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// For tests: returns that; none where it cannot be.
pub(crate) fn alone_ended() -> Option<usize> {
    can_be().then(|| ENDED.load(Ordering::Relaxed)) // a counter
}

/// Tells whether one of many can be alone.
fn can_be() -> bool {
    can_be_alone() && !REFUSED.load(Ordering::Relaxed) // never taken back
}

/// Takes an idle P for who has waited for the time: there is nobody else to do that, and so it
/// waits where it is refused one.
pub(super) fn idle_p_in_time() -> Option<&'static P> {
    loop {
        let idle = pidleget(&mut SCHED.lock.lock());
        if idle.is_some() || !ALONE.is_leaving() {
            return idle;
        }
        os::nap(REFUSED_PACE);
    }
}

/// How often one asks again who was refused a P, in nanoseconds.
const REFUSED_PACE: u64 = 100_000;

/// What sysmon remembers.
pub(super) struct Watch {
    /// How often an idle P had been taken.
    taken: u32,
    /// When that was first seen, and all but one were idle.
    since: i64,
}

impl Watch {
    /// Makes that of a sysmon that has seen nothing.
    pub(super) fn new() -> Self {
        Self { taken: 0, since: 0 }
    }

    /// Looks, at the time `now`.
    pub(super) fn look(&mut self, now: i64) {
        // Relaxed: a hint, as the number of idle ones is.
        let procs = GOMAXPROCS.load(Ordering::Relaxed);
        if procs == 1 || SCHED.spinning.idle() < procs - 1 {
            self.since = 0;
            return;
        }
        if ALONE.is_set() || !can_be() {
            return;
        }
        let sched = SCHED.lock.lock();
        if self.since == 0 || sched.taken != self.taken {
            *self = Self {
                taken: sched.taken,
                since: now,
            };
        } else if self.since + PATIENCE <= now && in_use(&sched) <= 1 {
            ALONE.begin();
        }
    }
}

/// There are that many Ps now, of which several may have something to run. At boot, or with the
/// world stopped, under the lock.
pub(super) fn procs_are(procs: i32) {
    ALONE.only(procs == 1); // nobody takes an idle one beside it
}

/// Returns how many Ps are not idle; all of them, while the world is stopped.
fn in_use(_: &SchedLocked) -> i32 {
    // Relaxed, and exact under the lock.
    GOMAXPROCS.load(Ordering::Relaxed) - SCHED.spinning.idle()
}

/// An idle P is about to be taken, while there may be one that is alone. False if it must not be
/// taken, since the system has no barrier for us any more: the one in use goes on alone, until
/// it next takes a lock, or wakes another itself.
#[cold]
pub(super) fn end(sched: &SchedLocked) -> bool {
    match in_use(sched) {
        0 => true, // it will be the one
        // In our own hands, or in another's.
        _ if getm().and_then(try_getp).is_some() => {
            ALONE.end_own();
            true
        }
        _ if ALONE.end() => {
            ENDED.fetch_add(1, Ordering::Relaxed); // a counter
            true
        }
        _ => {
            REFUSED.store(true, Ordering::Relaxed); // see can_be
            false
        }
    }
}
