//! How a goroutine waits on one channel.
//!
//! Go's counterpart: the ends of `chansend` and `chanrecv` in `runtime/chan.go`. Who waits for
//! ever needs its place in the queue and nothing else, and has a way of its own to park;
//! with a deadline there is the clock besides, and a [`Waiter`] to be claimed.

use core::ptr;

use super::clock;
use super::hchan::{Hchan, Side, Timeout};
use super::scheduler::{ParkLock, WaitReason, Waiter, goparkunlock, open};
use super::waitq::{Ended, Outcome, Sudog, Waitq};

impl Hchan {
    /// Waits on one of the queues. With the lock held, which this gives back.
    #[inline(always)]
    pub(super) fn wait(&self, side: Side, elem: *mut u8, timeout: Timeout) -> Ended {
        if timeout != Timeout::Never {
            return self.wait_until(side, elem, timeout);
        }
        let sudog = Sudog::new(ptr::null(), elem);
        let reason = self.announce(side, &sudog);
        // SAFETY: the channel is there as long as this goroutine has its handle, and the
        // lock is this goroutine's.
        unsafe { goparkunlock(&self.lock, reason) };
        sudog.outcome().ended()
    }

    /// The same for those who do not wait for ever.
    #[inline(never)]
    fn wait_until(&self, side: Side, elem: *mut u8, timeout: Timeout) -> Ended {
        let deadline = match timeout {
            Timeout::At(deadline) if !clock::is_over(timeout) => deadline,
            _ => {
                self.leave();
                return Ended::TimedOut;
            }
        };
        let waiter = Waiter::new();
        let sudog = Sudog::new(&waiter, elem);
        let reason = self.announce(side, &sudog);
        let lock: *const ParkLock = &raw const self.lock;
        // SAFETY: as in wait.
        let by = unsafe { waiter.park(open::<ParkLock>, lock.cast(), reason, deadline) };
        if by == sudog.claim_word() {
            return sudog.outcome().ended();
        }
        self.unqueue(self.queue(side), &sudog);
        Ended::TimedOut
    }

    /// Puts one who waits on its queue, and says so to those who wait for that. With the
    /// lock held.
    #[inline(always)]
    fn announce(&self, side: Side, sudog: &Sudog) -> WaitReason {
        let (other, reason) = match side {
            Side::Recv => (&self.send_watch, WaitReason::CHAN_RECEIVE),
            Side::Send => (&self.recv_watch, WaitReason::CHAN_SEND),
        };
        if self.capacity == 0 {
            self.notify(other); // there is a partner now
        }
        self.queue(side).enqueue(sudog);
        reason
    }

    /// Returns the queue of those who wait on a side.
    #[inline(always)]
    pub(super) fn queue(&self, side: Side) -> &Waitq {
        match side {
            Side::Recv => &self.recvq,
            Side::Send => &self.sendq,
        }
    }

    /// Takes one that others, or the clock, have woken off its queue. On its goroutine.
    pub(super) fn unqueue(&self, queue: &Waitq, sudog: &Sudog) {
        if sudog.is_linked() {
            self.enter();
            if sudog.is_linked() {
                queue.remove(sudog);
            }
            self.leave();
        }
    }

    /// Waits until a select that was claimed has been completed, and has moved the value from
    /// or to `elem`; which may be null, if this is a select too. With the lock held, which
    /// this gives back.
    pub(super) fn wait_for_partner(
        &self,
        partner: &Sudog,
        elem: *mut u8,
        reason: WaitReason,
    ) -> Outcome {
        let sudog = Sudog::new(ptr::null(), elem);
        partner.set_outcome(Outcome::Partner(&sudog));
        // It takes the lock before it touches our sudog: we are parked by then.
        partner.ready();
        // SAFETY: as in wait.
        unsafe { goparkunlock(&self.lock, reason) };
        sudog.outcome()
    }

    /// Wakes those who only want to know. With the lock held.
    #[inline]
    pub(super) fn notify(&self, watch: &Waitq) {
        if !watch.is_empty() {
            wake_all(watch);
        }
    }
}

/// Wakes all selects of a queue that only want to know.
#[cold]
fn wake_all(watch: &Waitq) {
    while let Some(sudog) = watch.first() {
        if watch.take(sudog) {
            sudog.set_outcome(Outcome::Done);
            sudog.ready();
        }
    }
}
