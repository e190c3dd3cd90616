//! Who waits on a channel: a queue through the waiting goroutines' own stacks.
//!
//! Go's counterparts: `sudog` in `runtime/runtime2.go`, `waitq` in `runtime/chan.go`.
//! Go's sudogs come from a pool; here one lies on the stack of the goroutine that waits,
//! and is there until that goes on.
//!
//! Invariants:
//! 1. A queue, and the links of what is on it, are touched with the channel's lock held
//!    alone.
//! 2. A plain wait, one party on one channel, is whoever's that takes it off the queue.
//!    Any other (a select's, one with a deadline) has a [`Waiter`], and has to be claimed
//!    too: there may be others on other channels, and the clock.
//! 3. Who gets a sudog from [`take`](Waitq::take) has to call [`ready`](Sudog::ready), once,
//!    and may use it, and the place for the value that it names, until then.
//! 4. Who fails to claim one touches it no more after `linked` is false: its goroutine is
//!    awake, or will be, and once it sees that it need not look for it on the queue.

use core::cell::Cell;
use core::ptr;

use super::atomic::{AtomicBool, AtomicPtr, Ordering};
use super::scheduler::{G, Waiter, getg, goready, goready_releasem};

/// What has become of a wait.
#[derive(Clone, Copy)]
pub(super) enum Outcome {
    /// Nothing yet.
    Pending,
    /// The value is where it belongs.
    Done,
    /// The other side is gone.
    Closed,
    /// An item of the buffer, or room for one, is kept for who waited: a select, which
    /// takes it when it is completed.
    Reserved,
    /// The other party waits, until a select is completed, for its value or for a place to
    /// put one.
    Partner(*const Sudog),
}

/// How a send or a receive has ended. It fits into a register, so that who waits at the end
/// of one is not called but jumped to: a return less, of those that a CPU predicts by the
/// calls of another goroutine (see `switch`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The value is where it belongs.
    Done,
    /// The other side is gone.
    Closed,
    /// The time is over; for one that must not wait, that is at once.
    TimedOut,
}

impl Outcome {
    /// Returns that of a plain operation which has ended.
    #[inline(always)]
    pub(super) fn ended(self) -> Ended {
        match self {
            Self::Done => Ended::Done,
            _ => Ended::Closed,
        }
    }
}

/// A goroutine that waits on one channel.
pub(super) struct Sudog {
    pub(super) gp: &'static G,
    /// What has to be claimed, or null.
    waiter: *const Waiter,
    /// Where the value is, or goes to. Null where it has no place yet: a select that sends
    /// has no value until it has been selected, and one that receives a large one no place
    /// for it.
    elem: *mut u8,
    outcome: Cell<Outcome>,
    pub(super) next: Cell<*const Self>,
    prev: Cell<*const Self>,
    /// It may be on a queue.
    linked: AtomicBool,
}

impl Sudog {
    /// Makes one for the current goroutine.
    #[inline(always)]
    pub(super) fn new(waiter: *const Waiter, elem: *mut u8) -> Self {
        Self {
            gp: getg(),
            waiter,
            elem,
            outcome: Cell::new(Outcome::Pending),
            next: Cell::new(ptr::null()),
            prev: Cell::new(ptr::null()),
            linked: AtomicBool::new(false),
        }
    }

    /// Returns where the value is or goes to, or null.
    pub(super) fn elem(&self) -> *mut u8 {
        self.elem
    }

    /// Returns what has become of the wait. On its goroutine.
    pub(super) fn outcome(&self) -> Outcome {
        self.outcome.get()
    }

    /// Returns what whoever claims this says to the waiter.
    pub(super) fn claim_word(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Says what has become of the wait, before [`ready`](Self::ready).
    pub(super) fn set_outcome(&self, outcome: Outcome) {
        self.outcome.set(outcome);
    }

    /// Wakes the goroutine, which parked with the lock of its queue, or one that the caller
    /// has had since. The sudog is gone then.
    pub(super) fn ready(&self) {
        goready(self.gp);
    }

    /// The same, and gives `acquirem` back.
    #[inline]
    pub(super) fn ready_releasem(&self) {
        goready_releasem(self.gp);
    }

    /// Tells whether it may be on its queue still. On its goroutine, when it has been woken.
    pub(super) fn is_linked(&self) -> bool {
        self.linked.load(Ordering::Acquire) // pairs with unlinked's: invariant 4
    }

    /// Says that it is on no queue; the last touch, unless it was claimed.
    #[inline(always)]
    fn unlinked(&self) {
        self.linked.store(false, Ordering::Release); // pairs with is_linked's
    }

    /// Tells whether nobody has claimed it yet. With the queue's lock held.
    fn is_live(&self) -> bool {
        // SAFETY: null, or the waiter of the same goroutine, which is there as long as this
        // is on the queue.
        unsafe { self.waiter.as_ref() }.is_none_or(|waiter| waiter.claimed_by() == 0)
    }

    /// Claims it, if it has to be claimed. With the queue's lock held.
    fn claim(&self) -> bool {
        // SAFETY: as in is_live.
        unsafe { self.waiter.as_ref() }.is_none_or(|waiter| waiter.claim(self.claim_word()))
    }
}

/// A queue of those; all zeros are an empty one.
pub(super) struct Waitq {
    /// An atomic for those who look without the lock.
    pub(super) first: AtomicPtr<Sudog>,
    last: Cell<*const Sudog>,
}

impl Waitq {
    /// Makes an empty one.
    pub(super) fn new() -> Self {
        Self {
            first: AtomicPtr::new(ptr::null_mut()),
            last: Cell::new(ptr::null()),
        }
    }

    /// Tells whether nobody waits. Without the lock a hint.
    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        self.first.load(Ordering::Relaxed).is_null() // ordered by the lock, or a hint
    }

    /// Returns the first, which may have been claimed.
    #[inline(always)]
    pub(super) fn first(&self) -> Option<&Sudog> {
        // SAFETY: what is on the queue is there, and stays while the lock is held. Relaxed:
        // the lock orders it.
        unsafe { self.first.load(Ordering::Relaxed).as_ref() }
    }

    /// Returns the first that nobody has claimed, and takes those before it off.
    pub(super) fn first_live(&self) -> Option<&Sudog> {
        while let Some(sudog) = self.first() {
            if sudog.is_live() {
                return Some(sudog);
            }
            self.remove(sudog);
        }
        None
    }

    /// Puts one at the end.
    #[inline(always)]
    pub(super) fn enqueue(&self, sudog: &Sudog) {
        // Relaxed: whoever takes it off has the lock.
        sudog.linked.store(true, Ordering::Relaxed);
        sudog.next.set(ptr::null());
        sudog.prev.set(self.last.get());
        // SAFETY: null, or on the queue.
        match unsafe { self.last.get().as_ref() } {
            Some(last) => last.next.set(sudog),
            None => self.set_first(sudog),
        }
        self.last.set(sudog);
    }

    /// Takes one off, which may be anywhere on the queue, and is not touched any more.
    pub(super) fn remove(&self, sudog: &Sudog) {
        self.unlink(sudog);
        sudog.unlinked();
    }

    /// Takes one off, and claims it; false if somebody else has, to whom it belongs.
    #[inline(always)]
    #[must_use = "who has taken it must ready it"]
    pub(super) fn take(&self, sudog: &Sudog) -> bool {
        self.unlink(sudog);
        let claimed = sudog.claim();
        sudog.unlinked();
        claimed
    }

    /// Takes one out of the list.
    #[inline(always)]
    fn unlink(&self, sudog: &Sudog) {
        let (prev, next) = (sudog.prev.get(), sudog.next.get());
        // SAFETY: null, or on the queue.
        match unsafe { prev.as_ref() } {
            Some(prev) => prev.next.set(next),
            None => self.set_first(next),
        }
        // SAFETY: as above.
        match unsafe { next.as_ref() } {
            Some(next) => next.prev.set(prev),
            None => self.last.set(prev),
        }
    }

    /// Sets the first.
    #[inline(always)]
    fn set_first(&self, sudog: *const Sudog) {
        self.first.store(sudog.cast_mut(), Ordering::Relaxed); // as in is_empty
    }
}

/// Those that were taken off a queue, to be readied when the lock has been given back.
pub(super) struct ReadyList {
    first: Cell<*const Sudog>,
    last: Cell<*const Sudog>,
}

impl ReadyList {
    /// Makes an empty one.
    pub(super) fn new() -> Self {
        Self {
            first: Cell::new(ptr::null()),
            last: Cell::new(ptr::null()),
        }
    }

    /// Adds one that was taken off its queue.
    pub(super) fn push(&self, sudog: &Sudog) {
        sudog.next.set(ptr::null());
        // SAFETY: null, or one that was pushed and not yet readied.
        match unsafe { self.last.get().as_ref() } {
            Some(last) => last.next.set(sudog),
            None => self.first.set(sudog),
        }
        self.last.set(sudog);
    }

    /// Readies all of them, the first first.
    pub(super) fn ready(self) {
        let mut next = self.first.get();
        // SAFETY: one that was pushed, and is there until it is readied.
        while let Some(sudog) = unsafe { next.as_ref() } {
            next = sudog.next.get();
            sudog.ready();
        }
    }
}
