//! Where goroutines wait for each other: a word, a lock, and queues behind it.
//!
//! Go's counterparts: `semacquire1`, `semrelease1`, `notifyListWait` in `runtime/sema.go`.
//! There a mutex has two words, of which one is a semaphore; who waits for that is found
//! in a table of 251 roots, by the word's address, in a treap of addresses. Here the queue
//! is in the thing itself. That costs eight bytes more a mutex, and it is all zeros and may
//! be moved while nobody waits, as there; and it spares everything else: no hash, no tree,
//! no lock that others share, no count of permits beside the thing's own state. What the
//! word says and who is in the queues is changed under one lock, so that it cannot be that
//! one says yes and the other no.
//!
//! ```text
//!   who waits          lock; the word says that it has to; the word says that it waits
//!                      park: to the queue's end, or its front; saved; unlock
//!   who wakes          the word says that somebody waits; lock
//!                      pop: the first, if the clock has not claimed it; unlock; ready
//!   whom the clock     lock; out of the queue, if it is in there still
//!   has woken
//! ```
//!
//! Invariants:
//! 1. The queues are touched under the lock alone. A [`Sleeper`] is in one from `park` on
//!    until it is popped, or has come back: it lies on the stack of a goroutine that does
//!    not go on before that.
//! 2. Who has popped a sleeper readies it, once. Until then nobody else touches it.
//! 3. The lock is held for a few dozen instructions, and no user's code is called with it.
//!    What is popped is readied behind it.
//! 4. The memory may be freed by who was woken, as soon as the lock is open: the last thing
//!    that is done to it. (A futex's wake-up behind that needs the address alone.)
//! 5. A goroutine that holds the lock is not preempted: `acquirem` is in force.
//!
//! The file stands alone but for what it waits with: the scheduler's here, and models of
//! it in the tests under loom.

use core::cell::Cell;
use core::mem::ManuallyDrop;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr;

use super::atomic::AtomicU32;
use super::waiter::{TIMED_OUT, Waiter};
use super::waitreason::WaitReason;
use super::{ParkLock, acquirem, need_p, open, releasem};

/// A word of the owner's, and `N` queues. An open one over zeros is all zeros.
#[repr(C)]
pub(crate) struct Sema<const N: usize = 1> {
    /// What it says is the owner's business.
    pub(crate) word: AtomicU32,
    pub(super) lock: ParkLock,
    /// The first in each queue, or null: a ring through `next` and `prev`.
    pub(super) queues: [Cell<*const Sleeper>; N],
}

// SAFETY: the cells are touched under the lock alone.
unsafe impl<const N: usize> Sync for Sema<N> {}
// SAFETY: as above; who can move it knows that nobody waits.
unsafe impl<const N: usize> Send for Sema<N> {}
impl<const N: usize> UnwindSafe for Sema<N> {}
impl<const N: usize> RefUnwindSafe for Sema<N> {}

/// One that waits; on its stack.
pub(crate) struct Sleeper {
    pub(super) waiter: Waiter,
    pub(super) next: Cell<*const Sleeper>,
    prev: Cell<*const Sleeper>,
    /// It is in a queue.
    queued: Cell<bool>,
    /// When the clock wakes it, in nanoseconds; 0 for never.
    deadline: i64,
    /// What it wants, and then what it was given.
    note: Cell<u32>,
}

impl Sleeper {
    /// Makes one of the current goroutine. `wants` is for [`Locked::pop_if`]; a `deadline`
    /// is in nanoseconds of the monotonic clock, or 0.
    pub(crate) fn new(wants: u32, deadline: i64) -> Self {
        Self {
            waiter: Waiter::new(),
            next: Cell::new(ptr::null()),
            prev: Cell::new(ptr::null()),
            queued: Cell::new(false),
            deadline,
            note: Cell::new(wants),
        }
    }
}

impl<const N: usize> Sema<N> {
    /// Makes one with the word 0 and nobody in the queues.
    #[cfg(not(test))] // loom's atomics are no constants
    pub(crate) const fn new() -> Self {
        Self::with_word(0)
    }

    /// Makes one with that word and nobody in the queues.
    #[cfg(not(test))]
    pub(crate) const fn with_word(word: u32) -> Self {
        Self {
            word: AtomicU32::new(word),
            lock: ParkLock::new(),
            queues: [const { Cell::new(ptr::null()) }; N],
        }
    }

    /// The same for the models.
    #[cfg(test)]
    pub(crate) fn new() -> Self {
        Self {
            word: AtomicU32::new(0),
            lock: ParkLock::new(),
            queues: [const { Cell::new(ptr::null()) }; N],
        }
    }

    /// Takes the lock. From a goroutine.
    pub(crate) fn lock(&self) -> Locked<'_, N> {
        need_p(); // the goroutine may park with it
        acquirem();
        self.lock.lock();
        Locked(self)
    }
}

/// The right to touch the queues; dropping it opens the lock.
pub(crate) struct Locked<'a, const N: usize>(&'a Sema<N>);

impl<const N: usize> Drop for Locked<'_, N> {
    fn drop(&mut self) {
        self.0.lock.unlock();
        releasem();
    }
}

impl<'a, const N: usize> Locked<'a, N> {
    /// Parks the current goroutine at a queue's end, or its front, and opens the lock.
    /// Returns what whoever has woken it gave it: what it wanted, if nothing else. It is an
    /// error if the clock has: then it is out of the queue, and the lock is taken.
    #[inline(never)]
    pub(crate) fn park(
        self,
        queue: usize,
        sleeper: &Sleeper,
        front: bool,
        reason: WaitReason,
    ) -> Result<u32, Self> {
        let sema = ManuallyDrop::new(self).0; // gopark undoes the rest
        sema.push(queue, sleeper, front);
        let lock: *const ParkLock = &raw const sema.lock;
        // SAFETY: it is borrowed until the goroutine has been woken, for which the lock had
        // to be open.
        let by = unsafe {
            sleeper
                .waiter
                .park(open::<ParkLock>, lock.cast(), reason, sleeper.deadline)
        };
        if by != TIMED_OUT {
            return Ok(sleeper.note.get());
        }
        let locked = sema.lock();
        if sleeper.queued.get() {
            sema.remove(queue, sleeper);
        }
        Err(locked)
    }

    /// Takes the first out of a queue.
    pub(crate) fn pop(&self, queue: usize) -> Option<Woken> {
        self.pop_if(queue, |_| true)
    }

    /// Takes the first out of a queue, if that one's wish can be fulfilled. Those whose time
    /// has run out meanwhile do not count.
    pub(crate) fn pop_if(&self, queue: usize, can: impl Fn(u32) -> bool) -> Option<Woken> {
        loop {
            // SAFETY: who is in a queue is there; invariant 1.
            let first = unsafe { self.0.queues[queue].get().as_ref() }?;
            if !can(first.note.get()) {
                return None;
            }
            self.0.remove(queue, first);
            if first.deadline == 0 || first.waiter.claim(1) {
                return Some(Woken(first));
            }
        }
    }

    /// Takes all out of a queue in which nobody waits for the clock.
    pub(crate) fn take_all(&self, queue: usize) -> All {
        All {
            first: self.0.queues[queue].replace(ptr::null()),
        }
    }

    /// Tells whether a queue is empty.
    pub(crate) fn is_empty(&self, queue: usize) -> bool {
        self.0.queues[queue].get().is_null()
    }

    /// Tells whether there is but one in a queue.
    pub(crate) fn is_last(&self, queue: usize) -> bool {
        let first = self.0.queues[queue].get();
        // SAFETY: as in pop_if.
        unsafe { first.as_ref() }.is_some_and(|first| ptr::eq(first.next.get(), first))
    }

    /// Tells whether nobody is in any queue but this one.
    pub(crate) fn others_are_empty(&self, queue: usize) -> bool {
        (0..N).all(|other| other == queue || self.is_empty(other))
    }

    /// Opens the lock and readies who was popped under it.
    pub(crate) fn ready(self, woken: Woken) {
        acquirem(); // it must not wait until we have been preempted
        drop(self);
        woken.ready();
        releasem();
    }
}

impl<const N: usize> Sema<N> {
    /// Puts one into a queue. Under the lock.
    fn push(&self, queue: usize, sleeper: &Sleeper, front: bool) {
        let head = &self.queues[queue];
        // SAFETY: who is in a queue is there; invariant 1.
        if let Some(first) = unsafe { head.get().as_ref() } {
            let last = first.prev.replace(sleeper);
            sleeper.prev.set(last);
            sleeper.next.set(first);
            // SAFETY: as above.
            unsafe { &*last }.next.set(sleeper);
        } else {
            sleeper.prev.set(sleeper);
            sleeper.next.set(sleeper);
        }
        if front || head.get().is_null() {
            head.set(sleeper);
        }
        sleeper.queued.set(true);
    }

    /// Takes one out of the queue that it is in. Under the lock.
    fn remove(&self, queue: usize, sleeper: &Sleeper) {
        let head = &self.queues[queue];
        let (prev, next) = (sleeper.prev.get(), sleeper.next.get());
        if ptr::eq(next, sleeper) {
            head.set(ptr::null());
        } else {
            // SAFETY: who is in a queue is there; invariant 1.
            unsafe { &*prev }.next.set(next);
            // SAFETY: as above.
            unsafe { &*next }.prev.set(prev);
            if ptr::eq(head.get(), sleeper) {
                head.set(next);
            }
        }
        sleeper.queued.set(false);
    }
}

/// One that was popped, to be readied.
#[must_use = "it waits for ever"]
pub(crate) struct Woken(*const Sleeper);

impl Woken {
    /// Leaves it something.
    pub(crate) fn give(&self, what: u32) {
        self.sleeper().note.set(what);
    }

    /// Returns what it wanted, or was given.
    pub(crate) fn note(&self) -> u32 {
        self.sleeper().note.get()
    }

    /// Wakes it.
    pub(crate) fn ready(self) {
        self.sleeper().waiter.ready();
    }

    fn sleeper(&self) -> &Sleeper {
        // SAFETY: it was popped and waits for us; invariant 2.
        unsafe { &*self.0 }
    }
}

/// All that were in a queue, each to be readied.
#[must_use = "they wait for ever"]
pub(crate) struct All {
    first: *const Sleeper,
}

impl All {
    /// Wakes them, the first first, having called `before_each`.
    pub(crate) fn ready(self, before_each: impl Fn()) {
        let mut next = self.first;
        // SAFETY: each waits for us; invariant 2.
        while let Some(sleeper) = unsafe { next.as_ref() } {
            let behind = sleeper.next.get(); // soon it may be gone
            next = if ptr::eq(behind, self.first) {
                ptr::null()
            } else {
                behind
            };
            before_each();
            Woken(sleeper).ready();
        }
    }
}
