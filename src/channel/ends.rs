//! The end of a channel, and what others may know of it.
//!
//! Go's counterpart: `closechan` in `runtime/chan.go`. Here one side or the other is gone when
//! its last handle is.

use super::atomic::Ordering;
use super::hchan::{CLOSED, Hchan, WATCHED};
use super::scheduler::releasem;
use super::waitq::{Outcome, ReadyList};

impl Hchan {
    /// Ends it: one of the sides is gone. From the goroutine that has dropped its last handle.
    #[cold]
    pub(super) fn close(&self) {
        let list = ReadyList::new();
        self.enter();
        self.set_flags(CLOSED);
        for queue in [&self.recvq, &self.sendq, &self.recv_watch, &self.send_watch] {
            while let Some(sudog) = queue.first() {
                if queue.take(sudog) {
                    sudog.set_outcome(Outcome::Closed);
                    list.push(sudog);
                }
            }
        }
        self.lock.unlock();
        list.ready();
        releasem();
    }

    /// Adds flags. With the lock held.
    pub(super) fn set_flags(&self, flags: u8) {
        let before = self.flags.load(Ordering::Relaxed); // behind the lock
        self.flags.store(before | flags, Ordering::Release); // pairs with is_closed's
    }

    /// A select that only wants to know is on no queue any more.
    #[cold]
    pub(super) fn unwatch(&self) {
        self.enter();
        if self.recv_watch.is_empty() && self.send_watch.is_empty() {
            let others = self.flags.load(Ordering::Relaxed) & !WATCHED; // behind the lock
            self.flags.store(others, Ordering::Release); // pairs with is_closed's
        }
        self.leave();
    }

    /// Drops all values. When the receivers are gone, and all know that.
    #[cold]
    pub(super) fn discard(&self, drop_value: fn(*mut u8)) {
        let count = self.items.swap(0, Ordering::Relaxed); // nobody else receives
        self.buffer.discard(count, self.size, drop_value);
    }

    /// Returns how many values there are.
    pub(super) fn len(&self) -> usize {
        self.items.load(Ordering::Acquire) // a hint
    }

    /// Tells whether there is no room.
    pub(super) fn is_full(&self) -> bool {
        self.room.load(Ordering::Acquire) == 0 // a hint
    }

    /// Returns how many values there may be, if there is a limit.
    pub(super) fn capacity(&self) -> Option<usize> {
        (self.capacity != usize::MAX).then_some(self.capacity)
    }
}
