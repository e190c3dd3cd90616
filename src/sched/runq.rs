//! A P's queue of runnable goroutines: a ring with one producer and many
//! consumers, and a place in front of it for the one to run next.
//!
//! Go's counterpart: `runqput`, `runqputslow`, `runqputbatch`, `runqget`,
//! `runqgrab`, `runqsteal`, `runqempty` in `runtime/proc.go`.
//!
//! ```text
//!            runnext: [ G ]      taken first, inherits the time slice;
//!                                filled by the owner alone, emptied by all
//!
//!   head ->  [ G | G | G | … ]   <- tail
//!   moved by compare-and-swap    written by the owner alone
//!   (the owner and thieves)
//! ```
//!
//! Invariants:
//! 1. The P's owner alone calls what is not said to be for all. Its memory goes
//!    from one owner to the next with release and acquire, as all of the P does.
//! 2. `tail - head <= N` in wrapping arithmetic; slots `head..tail` are full.
//! 3. A slot is overwritten only when `head` has passed it: the owner's acquire
//!    load of `head` pairs with the release of the consumer that moved it.
//! 4. Nobody but the owner makes `runnext` non-null: once the owner has seen a
//!    null there, it stays null until the owner itself puts something in.
//!
//! Putting costs no locked instruction, but where somebody is put off from
//! `runnext`; taking costs one. Where there is only one P there is no thief, and
//! [`RunQueue::take_next_alone`] takes without. (A second `runnext` was tried, from which the
//! owner takes without one, and sysmon alone by membarrier: two Ps became no faster. The next
//! lock waits for what the exchange would have waited for.)
//!
//! The file stands alone, generic over what it queues, so that build.rs can
//! take the layout of [`super::runtime2::P`] from it; and over its atomics:
//! `atomic` is `core::sync::atomic` here, and loom's in the tests.

use core::hint::cold_path;
use core::ptr;

use super::atomic::{AtomicPtr, AtomicU32, Ordering};

/// The ring's size. A power of two, so that a wrapping index stays in step.
pub(crate) const RUNQ_SIZE: usize = 256;

/// The queue of one P. All zeros are an empty one. `N` is a power of two.
#[repr(C)]
pub(crate) struct RunQueue<T, const N: usize = RUNQ_SIZE> {
    pub(super) head: AtomicU32,
    pub(super) tail: AtomicU32,
    /// What was readied last by the running goroutine: it runs next and goes on
    /// with that goroutine's time slice, so that a pair which talks back and
    /// forth does not wait for all others each time.
    pub(super) runnext: AtomicPtr<T>,
    pub(super) ring: [AtomicPtr<T>; N],
}

impl<T, const N: usize> RunQueue<T, N> {
    /// Makes an empty one for the models, whose atomics are not zeros.
    #[cfg(test)]
    pub(crate) fn new() -> Self {
        Self {
            head: AtomicU32::new(0),
            tail: AtomicU32::new(0),
            runnext: AtomicPtr::new(ptr::null_mut()),
            ring: core::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
        }
    }

    /// Adds `item`: as the next to run if `next`, and whoever was next goes to
    /// the ring's end. When the ring is full, half of it and the item go to
    /// `overflow`, oldest first. Owner only.
    pub(crate) fn put(&self, item: *mut T, next: bool, mut overflow: impl FnMut(*mut T)) {
        let Err(item) = self.try_put(item, next, |_| ()) else {
            return;
        };
        loop {
            let (head, tail) = self.owners_view();
            let full = tail.wrapping_sub(head) == N as u32;
            if full && self.put_slow(item, head, tail, &mut overflow) || self.put_ring(item) {
                return;
            }
            // Somebody stole between the two looks, and there is room.
        }
    }

    /// Does what [`RunQueue::put`] does while the ring has room. Returns the item for
    /// which it has none. Calls `put_off` with whoever was next, before he comes to the ring.
    /// Owner only.
    pub(crate) fn try_put(
        &self,
        item: *mut T,
        next: bool,
        put_off: impl FnOnce(*mut T),
    ) -> Result<(), *mut T> {
        let mut item = item;
        if next {
            item = self.replace_next(item);
            if item.is_null() {
                return Ok(());
            }
            put_off(item);
        }
        if self.put_ring(item) {
            Ok(())
        } else {
            Err(item)
        }
    }

    /// Adds `item` to the ring's end; false if the ring is full. Owner only.
    #[must_use]
    pub(crate) fn put_ring(&self, item: *mut T) -> bool {
        let (head, tail) = self.owners_view();
        if tail.wrapping_sub(head) >= N as u32 {
            return false;
        }
        self.slot(tail).store(item, Ordering::Relaxed); // published by the next line
        self.tail.store(tail.wrapping_add(1), Ordering::Release); // pairs with others' loads
        true
    }

    /// Takes the next item, as [`RunQueue::get`] does (or, where `alone`,
    /// [`RunQueue::take_next_alone`] on its terms), in exchange for `item`, which comes to the
    /// ring's end when the caller counts the [`tail`](RunQueue::tail) up. None if there
    /// is no next, or no room: then there is nothing to count. Owner only, who puts
    /// nothing else before that.
    #[inline]
    pub(crate) fn exchange(&self, item: *mut T, alone: bool) -> Option<(*mut T, bool)> {
        let (head, tail) = self.owners_view();
        if tail.wrapping_sub(head) >= N as u32 {
            return None;
        }
        self.slot(tail).store(item, Ordering::Relaxed); // published with the tail
        let next = if alone {
            self.take_next_alone()
        } else {
            self.take_next()
        };
        if next.is_some() {
            cold_path(); // who gives way has seldom readied anybody
            return next.map(|next| (next, true));
        }
        if head == tail {
            return None;
        }
        let first = self.slot(head).load(Ordering::Relaxed); // an owner wrote it
        let end = head.wrapping_add(1);
        if alone {
            self.head.store(end, Ordering::Release); // as in take
        } else if !self.take(head, end) {
            return self.get_ring().map(|item| (item, false)); // a thief was faster
        }
        Some((first, false))
    }

    /// Returns the ring's tail: to be counted up, once, after an
    /// [`exchange`](RunQueue::exchange), with release. Owner only.
    pub(crate) fn tail(&self) -> &AtomicU32 {
        &self.tail
    }

    /// Puts `item` in front of the ring; returns what was there, or null.
    fn replace_next(&self, item: *mut T) -> *mut T {
        // A null is final (invariant 4), and needs no exchange.
        if self.runnext.load(Ordering::Relaxed).is_null() {
            // Release pairs with the acquire of whoever takes it.
            self.runnext.store(item, Ordering::Release);
            return ptr::null_mut();
        }
        // A thief may be about to take what is there. Release as above; what comes
        // back is our own.
        self.runnext.swap(item, Ordering::Release)
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
        if !self.take(head, end) {
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
        match self.take_next() {
            Some(next) => Some((next, true)),
            None => self.get_ring().map(|item| (item, false)),
        }
    }

    /// Takes what is in front of the ring. Owner only.
    pub(crate) fn take_next(&self) -> Option<*mut T> {
        // A null is final (invariant 4).
        if self.runnext.load(Ordering::Relaxed).is_null() {
            return None;
        }
        // Release pairs with is_empty's load. What comes back is our own.
        let next = self.runnext.swap(ptr::null_mut(), Ordering::Release);
        if next.is_null() { None } else { Some(next) }
    }

    /// Takes the ring's first item. Owner only.
    pub(crate) fn get_ring(&self) -> Option<*mut T> {
        loop {
            let (head, tail) = self.owners_view();
            if head == tail {
                return None;
            }
            let item = self.slot(head).load(Ordering::Relaxed); // an owner wrote it
            if self.take(head, head.wrapping_add(1)) {
                return Some(item);
            }
        }
    }

    /// Does what [`RunQueue::take_next`] does, where nobody can steal: the caller holds
    /// the only P there is. Owner only.
    ///
    /// Only who holds another P steals, and the number of Ps changes only while the
    /// world is stopped, which the caller's P is not: whoever finds GOMAXPROCS to be
    /// 1, with its P in hands and preemption off, is alone until it gives the P up.
    pub(crate) fn take_next_alone(&self) -> Option<*mut T> {
        let next = self.runnext.load(Ordering::Relaxed); // only we write it
        if next.is_null() {
            return None;
        }
        self.runnext.store(ptr::null_mut(), Ordering::Release); // pairs with is_empty's load
        Some(next)
    }

    /// Does what [`RunQueue::get_ring`] does, on the terms of
    /// [`RunQueue::take_next_alone`].
    pub(crate) fn get_ring_alone(&self) -> Option<*mut T> {
        let (head, tail) = self.owners_view();
        if head == tail {
            return None;
        }
        let item = self.slot(head).load(Ordering::Relaxed); // an owner wrote it
        self.head.store(head.wrapping_add(1), Ordering::Release); // as in take
        Some(item)
    }

    /// Takes the older half, rounded up, of the victim's ring into this one, but for
    /// the newest of what it took, which it returns. Where the ring is empty and
    /// `take_next`, it takes what is in front of it, and says so; before that it calls
    /// `backoff`, in which the victim may come to run that itself.
    ///
    /// By the owner of `self`, another than the victim's, when its own ring is at
    /// most half full.
    pub(crate) fn steal_from(
        &self,
        victim: &Self,
        take_next: bool,
        backoff: impl FnOnce(),
    ) -> Option<(*mut T, bool)> {
        let (head, tail) = self.owners_view();
        if tail.wrapping_sub(head) > N as u32 / 2 {
            debug_assert!(false, "steal_from: no room");
            return None;
        }
        let count = self.grab(tail, victim);
        if count == 0 {
            return if take_next {
                victim.steal_next(backoff).map(|next| (next, true))
            } else {
                None
            };
        }
        let newest = tail.wrapping_add(count - 1);
        let item = self.slot(newest).load(Ordering::Relaxed); // grab wrote it
        if newest != tail {
            self.tail.store(newest, Ordering::Release); // pairs with others' loads
        }
        Some((item, false))
    }

    /// Takes the older half of the victim's ring into our slots from `at` on, where
    /// nobody sees it yet; returns how many these are.
    fn grab(&self, at: u32, victim: &Self) -> u32 {
        loop {
            let (head, tail) = victim.others_view();
            let count = tail.wrapping_sub(head);
            let count = count - count / 2;
            if count > N as u32 / 2 {
                continue; // head and tail are of different times
            }
            for i in 0..count {
                // Whatever is read here counts only if head is still there.
                let item = victim.slot(head.wrapping_add(i)).load(Ordering::Relaxed);
                self.slot(at.wrapping_add(i)).store(item, Ordering::Relaxed); // published by the caller
            }
            if count == 0 || victim.take(head, head.wrapping_add(count)) {
                return count;
            }
        }
    }

    /// Takes what is in front of the ring, by another than the owner.
    fn steal_next(&self, backoff: impl FnOnce()) -> Option<*mut T> {
        let next = self.runnext.load(Ordering::Relaxed); // the exchange decides
        if next.is_null() {
            return None;
        }
        backoff();
        // AcqRel: acquire pairs with put's release, release with is_empty's load.
        self.runnext
            .compare_exchange(next, ptr::null_mut(), Ordering::AcqRel, Ordering::Relaxed)
            .ok()
    }

    /// Tells whether nothing is here. For all; by the time it returns it may be
    /// otherwise. What was put in before something that the caller has seen is seen.
    pub(crate) fn is_empty(&self) -> bool {
        loop {
            let (head, tail) = self.others_view();
            // Acquire pairs with the release of whoever took it: if that was after
            // a put had sent the one before it to the ring, the tail shows that.
            let next = self.runnext.load(Ordering::Acquire);
            if tail == self.tail.load(Ordering::Relaxed) {
                return head == tail && next.is_null();
            }
        }
    }

    /// Tells whether something is in front of the ring. Owner only; it may be stolen.
    pub(crate) fn has_next(&self) -> bool {
        !self.runnext.load(Ordering::Relaxed).is_null() // a hint
    }

    /// Returns the ring's first item if there are some more behind it, which is when
    /// its memory may be far away. Owner only.
    pub(crate) fn crowds_next(&self) -> Option<*const T> {
        let (head, tail) = self.owners_view();
        // A thief may have it, too, by now: a hint.
        (tail.wrapping_sub(head) >= 16)
            .then(|| self.slot(head).load(Ordering::Relaxed).cast_const())
    }

    /// Returns about how many are here. For all.
    pub(crate) fn len(&self) -> u32 {
        let next = !self.runnext.load(Ordering::Relaxed).is_null(); // a hint
        let (head, tail) = self.others_view();
        tail.wrapping_sub(head).min(N as u32) + u32::from(next)
    }

    /// Moves head, and takes by that what lies between; false if another consumer
    /// was faster.
    fn take(&self, head: u32, end: u32) -> bool {
        // Release pairs with the loads of head: what was read from the slots was
        // read before they are filled anew. Relaxed: nothing was learnt.
        self.head
            .compare_exchange(head, end, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    }

    /// Returns head and tail, for the owner.
    fn owners_view(&self) -> (u32, u32) {
        let head = self.head.load(Ordering::Acquire); // pairs with take: invariant 3
        (head, self.tail.load(Ordering::Relaxed)) // only we write it
    }

    /// Returns head and tail, for others: each may be of another time.
    fn others_view(&self) -> (u32, u32) {
        // Acquire pairs with take: tail is not older than what moved head saw.
        let head = self.head.load(Ordering::Acquire);
        // Acquire pairs with the puts: the slots are filled, and what was written
        // to the items is seen.
        (head, self.tail.load(Ordering::Acquire))
    }

    /// Returns the slot of a wrapping index.
    fn slot(&self, index: u32) -> &AtomicPtr<T> {
        const { assert!(N.is_power_of_two()) };
        &self.ring[index as usize & (N - 1)]
    }
}
