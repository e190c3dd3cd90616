//! The word of a runtime lock: one atomic instruction to take and one to give back
//! while nobody else wants it, and a futex for those who have to wait.
//!
//! Go's counterparts: `lock2` and `unlock2` in `runtime/lock_futex.go`. The states
//! are those of the futex locks of libcs:
//!
//! ```text
//!             try_lock                 wait
//!    OPEN --------------> LOCKED --------------> CONTENDED
//!     ^ <----- unlock -----+                         |
//!     +------------------- unlock, wakes one --------+
//! ```
//!
//! Invariants:
//! 1. Who sleeps left CONTENDED in the word, and the kernel looks at it again
//!    before it lets him sleep.
//! 2. Who has slept takes the lock as CONTENDED, since others may sleep still: the
//!    one that is woken by an unlock is who wakes the next. At worst an unlock
//!    wakes nobody.
//!
//! **Given back by a plain store.** Of the two atomic instructions the second is there
//! for the one case in a million in which somebody sleeps. Where the system can have all
//! threads of the process run through a fence (Linux's membarrier), who wants to sleep
//! bears that cost instead ([`FutexLock::wait_counted`]):
//!
//! ```text
//!    who unlocks                who sleeps
//!    word = OPEN                sleepers += 1
//!    (no fence)                 membarrier: a fence, there and here
//!    sleepers > 0? wake one     word == OPEN? take it, else sleep
//! ```
//!
//! 3. At the barrier the unlocking thread is either before its store, and then it sees the
//!    sleeper afterwards, or behind it, and then the sleeper sees the word open, or
//!    somebody else's, for whom the same is true. Nobody stores anything but OPEN and
//!    LOCKED, and each unlock wakes one as long as anybody sleeps.
//!
//! The file stands alone: `atomic` and `os` are the runtime's here, and models of
//! them in the tests under loom.

use core::hint::spin_loop;

use super::atomic::{AtomicU32, Ordering};
use super::os::{futexsleep, futexwakeup, light_barrier, membarrier, osyield};

pub(super) const OPEN: u32 = 0;
pub(super) const LOCKED: u32 = 1;
const CONTENDED: u32 = 2;

/// How many PAUSEs there are between two looks at a lock that is not open, a microsecond. A
/// look takes the cache line away from whoever has the lock; who is left alone with it
/// does some twenty operations on a channel meanwhile, one after another.
const PAUSES: u32 = 32;

/// The word; [`OPEN`] is zero.
pub(super) struct FutexLock(pub(super) AtomicU32);

impl FutexLock {
    /// Takes the lock if it is open.
    #[inline]
    pub(super) fn try_lock(&self) -> bool {
        self.take(LOCKED)
    }

    /// Takes the lock as `state`, if it opens while this looks `spins` times.
    fn spin(&self, spins: u32, state: u32) -> bool {
        for _ in 0..spins {
            for _ in 0..PAUSES {
                spin_loop();
            }
            // A look first: a compare-and-swap that fails takes the cache line away from
            // whoever is about to unlock. Relaxed: `take` looks again.
            if self.0.load(Ordering::Relaxed) == OPEN && self.take(state) {
                return true;
            }
        }
        false
    }

    /// Takes the lock, whatever it costs: looks `spins` times whether it opens, then
    /// once behind whoever else waits for this CPU, then sleeps.
    pub(super) fn wait(&self, spins: u32) {
        let mut state = LOCKED;
        loop {
            if self.spin(spins, state) {
                return;
            }
            osyield();
            // The one place that says CONTENDED: it takes the lock or leaves a mark
            // for whoever has it. Acquire pairs with unlock's release.
            if self.0.swap(CONTENDED, Ordering::Acquire) == OPEN {
                return;
            }
            futexsleep(&self.0, CONTENDED, -1);
            state = CONTENDED;
        }
    }

    /// Takes the lock as `state` if it is open.
    #[inline]
    fn take(&self, state: u32) -> bool {
        // Acquire pairs with unlock's release. Relaxed: nothing is learnt from a lock that is
        // not open.
        self.0
            .compare_exchange(OPEN, state, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Gives the lock back. Only for who has it; tells whether to call [`wake`](Self::wake).
    #[must_use]
    pub(super) fn unlock(&self) -> bool {
        // Release pairs with the acquire of whoever takes it next.
        self.0.swap(OPEN, Ordering::Release) == CONTENDED
    }

    /// The same for a lock that is given back by [`unlock_counted`](Self::unlock_counted), with
    /// those same `sleepers`.
    pub(super) fn wait_counted(&self, spins: u32, sleepers: &AtomicU32) {
        if self.spin(spins, LOCKED) {
            return;
        }
        osyield();
        // Relaxed: the barrier orders it, and that is all it is for.
        sleepers.fetch_add(1, Ordering::Relaxed);
        let may_sleep = membarrier();
        while !self.try_lock() {
            if may_sleep {
                futexsleep(&self.0, LOCKED, -1);
            } else {
                osyield();
            }
            if self.spin(spins, LOCKED) {
                break;
            }
        }
        sleepers.fetch_sub(1, Ordering::Relaxed); // one too many would do no harm
    }

    /// Gives the lock back. Only for who has it; tells whether to call [`wake`](Self::wake).
    #[inline]
    #[must_use]
    pub(super) fn unlock_counted(&self, sleepers: &AtomicU32) -> bool {
        // Release pairs with the acquire of whoever takes it next.
        self.0.store(OPEN, Ordering::Release);
        light_barrier(); // pairs with membarrier
        sleepers.load(Ordering::Relaxed) != 0 // as above
    }

    /// Wakes one who waits, if one sleeps.
    pub(super) fn wake(&self) {
        futexwakeup(&self.0, 1);
    }
}
