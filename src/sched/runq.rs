//! A P's queue of runnable goroutines: a ring with one producer and many
//! consumers, and a place in front of it for the one to run next.
//!
//! Go's counterpart: `runqput`, `runqputslow`, `runqget` in `runtime/proc.go`.
//!
//! ```text
//!            runnext: [ G ]      taken first, inherits the time slice
//!
//!   head ->  [ G | G | G | … ]   <- tail
//!   moved by compare-and-swap    written by the owner alone
//!   (the owner and thieves)
//! ```
//!
//! Invariants:
//! 1. Only the P's owner calls [`RunQueue::put`] and [`RunQueue::get`].
//! 2. `tail - head <= N` in wrapping arithmetic; slots `head..tail` are full.
//! 3. A slot is overwritten only when `head` has passed it: the owner's acquire
//!    load of `head` pairs with the release of the consumer that moved it.
//!
//! The file stands alone, generic over what it queues, so that build.rs can
//! take the layout of [`super::runtime2::P`] from it.

use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// The ring's size. A power of two, so that a wrapping index stays in step.
pub(crate) const RUNQ_SIZE: usize = 256;

/// The queue of one P. All zeros are an empty one. `N` is a power of two.
#[repr(C)]
pub(crate) struct RunQueue<T, const N: usize = RUNQ_SIZE> {
    head: AtomicU32,
    tail: AtomicU32,
    /// What was readied last by the running goroutine: it runs next and goes on
    /// with that goroutine's time slice, so that a pair which talks back and
    /// forth does not wait for all others each time.
    runnext: AtomicPtr<T>,
    ring: [AtomicPtr<T>; N],
}

impl<T, const N: usize> RunQueue<T, N> {
    /// Adds `item`: as the next to run if `next`, and whoever was next goes to
    /// the ring's end. When the ring is full, half of it and the item go to
    /// `overflow`, oldest first. Owner only.
    pub(crate) fn put(&self, item: *mut T, next: bool, mut overflow: impl FnMut(*mut T)) {
        let mut item = item;
        if next {
            // AcqRel pairs with itself: whoever takes an item from here sees
            // all that was written to it before.
            item = self.runnext.swap(item, Ordering::AcqRel);
            if item.is_null() {
                return;
            }
        }
        loop {
            let head = self.head.load(Ordering::Acquire); // pairs with get's compare-and-swap
            let tail = self.tail.load(Ordering::Relaxed); // only we write it
            if tail.wrapping_sub(head) < N as u32 {
                self.slot(tail).store(item, Ordering::Relaxed); // published by the next line
                self.tail.store(tail.wrapping_add(1), Ordering::Release); // pairs with consumers' loads
                return;
            }
            if self.put_slow(item, head, tail, &mut overflow) {
                return;
            }
            // A consumer made room in the meantime.
        }
    }

    /// Moves half of a full ring to `overflow`; false if a consumer was faster.
    fn put_slow(
        &self,
        item: *mut T,
        head: u32,
        tail: u32,
        overflow: &mut impl FnMut(*mut T),
    ) -> bool {
        let end = head.wrapping_add(tail.wrapping_sub(head) / 2);
        // Release pairs with put's load of head: the slots are ours to reuse.
        if self
            .head
            .compare_exchange(head, end, Ordering::Release, Ordering::Relaxed)
            .is_err()
        {
            return false;
        }
        // Nobody but us writes to the slots, so that what they held when head
        // was there is still in them.
        let mut at = head;
        while at != end {
            overflow(self.slot(at).load(Ordering::Relaxed)); // we wrote it
            at = at.wrapping_add(1);
        }
        overflow(item);
        true
    }

    /// Takes the next item, and whether it inherits the time slice. Owner only.
    pub(crate) fn get(&self) -> Option<(*mut T, bool)> {
        if let Some(next) = self.take_next() {
            return Some((next, true));
        }
        loop {
            let head = self.head.load(Ordering::Acquire); // pairs with other consumers' compare-and-swap
            let tail = self.tail.load(Ordering::Relaxed); // only we write it
            if head == tail {
                return None;
            }
            let item = self.slot(head).load(Ordering::Relaxed); // we wrote it
            // Release pairs with put's load of head.
            if self
                .head
                .compare_exchange(
                    head,
                    head.wrapping_add(1),
                    Ordering::Release,
                    Ordering::Relaxed,
                )
                .is_ok()
            {
                return Some((item, false));
            }
        }
    }

    /// Takes what is in front of the ring. Owner only.
    pub(crate) fn take_next(&self) -> Option<*mut T> {
        // Nobody but the owner makes runnext non-null, so a null is final.
        if self.runnext.load(Ordering::Relaxed).is_null() {
            return None;
        }
        let next = self.runnext.swap(ptr::null_mut(), Ordering::AcqRel); // pairs with put's swap
        if next.is_null() { None } else { Some(next) }
    }

    /// Returns the slot of a wrapping index.
    fn slot(&self, index: u32) -> &AtomicPtr<T> {
        const { assert!(N.is_power_of_two()) };
        &self.ring[index as usize & (N - 1)]
    }
}
