//! One wait of one goroutine for the first of several parties, of which one may be the
//! clock.
//!
//! Go's counterparts: `g.selectDone`, and `g.timer` in `runtime/select.go` and
//! `time.go`. A [`Waiter`] lies on the stack of the goroutine that waits. Whoever comes
//! to wake it has to [`claim`](Waiter::claim) it first, and one alone can:
//!
//! ```text
//!   the goroutine            a party                     the clock
//!   queues the waiter
//!   park: saved, unlockf --> claim(by) ----------------> claim(TIMED_OUT)
//!         armed                | true: ready               | true: ready
//!   park returns by  <---------+---------------------------+
//!                              | false: hands off          | false: says so
//! ```
//!
//! Invariants:
//! 1. `by` goes from 0 to what the one who claimed it said, once.
//! 2. Who has claimed it calls [`ready`](Waiter::ready), once, and touches it no more
//!    afterwards. Who failed to does not touch it again either: parties that find
//!    waiters in a queue do so under the queue's lock, and the goroutine, once awake,
//!    takes itself out of all queues under their locks before the waiter's frame ends.
//! 3. With a deadline the clock is one more of those that come to claim it: `timed`.

use core::ffi::c_void;
use core::ptr;

use super::atomic::{AtomicUsize, Ordering};
use super::getg;
use super::park::{gopark, goready};
use super::runtime2::{G, UnlockFn};
use super::timed::{Claim, park_until};
use super::waitreason::WaitReason;

/// What a wait says that the clock has ended.
pub(crate) const TIMED_OUT: usize = usize::MAX;

/// Nobody has claimed it.
const NOBODY: usize = 0;

/// A goroutine that waits.
pub(crate) struct Waiter {
    pub(super) gp: &'static G,
    /// Who has claimed it.
    by: AtomicUsize,
}

impl Waiter {
    /// Makes one for the current goroutine.
    pub(crate) fn new() -> Self {
        Self {
            gp: getg(),
            by: AtomicUsize::new(NOBODY),
        }
    }

    /// Takes the right, and the duty, to wake the goroutine; `by`, not 0, is what it will
    /// learn of it. False if somebody else has.
    #[must_use = "who has claimed it must ready it"]
    pub(crate) fn claim(&self, by: usize) -> bool {
        // A look first: most that come too late are. Release hands over what the claimer has
        // done before to `claimed_by`, in addition to goready; acquire pairs with that of
        // another who was earlier.
        self.by.load(Ordering::Relaxed) == NOBODY
            && self
                .by
                .compare_exchange(NOBODY, by, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
    }

    /// Returns who has claimed it, or 0.
    pub(crate) fn claimed_by(&self) -> usize {
        self.by.load(Ordering::Acquire) // pairs with claim
    }

    /// Wakes the goroutine. Once, by who has claimed it; the waiter is gone then. It must
    /// have been found where the unlock function, or a lock that it opens, let it be found.
    pub(crate) fn ready(&self) {
        goready(self.gp);
    }

    /// Parks the goroutine until somebody has claimed and readied it, and returns what that
    /// one said. `unlockf` and `lock` are gopark's, and so is a refusal: then this returns
    /// what was claimed so far, maybe 0. With a `deadline`, in nanoseconds of the monotonic
    /// clock, not 0, it may be [`TIMED_OUT`], and never is before that time. On the waiter's
    /// goroutine; as gopark, this undoes an `acquirem`.
    ///
    /// # Safety
    ///
    /// As of gopark.
    pub(crate) unsafe fn park(
        &self,
        unlockf: UnlockFn,
        lock: *const c_void,
        reason: WaitReason,
        deadline: i64,
    ) -> usize {
        if deadline == 0 {
            // SAFETY: the caller's promise.
            unsafe { gopark(Some(unlockf), lock, reason) };
        } else {
            let clock = (time_out as Claim, ptr::from_ref(self).cast());
            // SAFETY: as above; and the waiter is there until this returns.
            unsafe { park_until(unlockf, lock, reason, deadline, clock) };
        }
        self.claimed_by()
    }
}

/// The clock claims a waiter.
///
/// # Safety
///
/// It must be a [`Waiter`].
unsafe fn time_out(waiter: *const c_void) -> bool {
    // SAFETY: the caller's promise.
    unsafe { &*waiter.cast::<Waiter>() }.claim(TIMED_OUT)
}
