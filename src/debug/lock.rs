//! The runtime's locks: short spin locks with a rank each.
//!
//! Go's counterparts: `runtime/lock_*.go`, `lockrank.go`. Invariants:
//! 1. A thread takes locks in the order of [`rank`] only; debug builds check it.
//! 2. Whoever holds one does not park, does not call users' code, and does not
//!    lose its P: `g.locks` says so to whoever would take it away.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};

use spin::MutexGuard;

use crate::sched::{self, M};

/// What a lock protects, in the order in which locks may be taken.
pub(crate) mod rank {
    /// `sched.lock`.
    pub(crate) const SCHED: u8 = 0;
    /// The timers of a P.
    pub(crate) const TIMERS: u8 = 1;
    /// The state of the random numbers.
    pub(crate) const RAND: u8 = 2;
    /// The reserve of stacks.
    pub(crate) const STACK: u8 = 3;
    /// The spans of one size class.
    pub(crate) const CENTRAL: u8 = 4;
    /// The program's heap.
    pub(crate) const HEAP: u8 = 5;
    /// The heap's own metadata.
    pub(crate) const METADATA: u8 = 6;
    /// The boot heap.
    pub(crate) const BOOT_HEAP: u8 = 7;
}

/// A lock with a rank. The rank is part of the type, so that an open lock over
/// zeros is all zeros: it lies in .bss and costs a page fault less.
pub(crate) struct Mutex<T, const RANK: u8> {
    lock: spin::Mutex<()>,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through the guard alone, by one thread at a time.
unsafe impl<T: Send, const RANK: u8> Sync for Mutex<T, RANK> {}

/// The right to use what a lock protects; dropping it gives the lock back.
pub(crate) struct Guard<'a, T, const RANK: u8> {
    mutex: &'a Mutex<T, RANK>,
    mp: &'static M,
}

impl<T, const RANK: u8> Mutex<T, RANK> {
    /// Makes an open lock.
    pub(crate) const fn new(value: T) -> Self {
        Self {
            lock: spin::Mutex::new(()),
            value: UnsafeCell::new(value),
        }
    }

    /// Takes the lock, from any stack.
    pub(crate) fn lock(&self) -> Guard<'_, T, RANK> {
        Guard {
            mutex: self,
            mp: acquire(&self.lock, RANK),
        }
    }
}

/// Takes a lock of that rank: one function for all of them.
#[inline(never)]
fn acquire(lock: &spin::Mutex<()>, rank: u8) -> &'static M {
    // The goroutine stays on this M from here on: locks is up before anything
    // could move it.
    let mp = sched::acquirem();
    if cfg!(debug_assertions) {
        let held = mp.lock_ranks.get();
        if held >> rank != 0 {
            crate::debug::fatal::throw("lock ordering problem");
        }
        mp.lock_ranks.set(held | 1 << rank);
    }
    MutexGuard::leak(lock.lock());
    mp
}

impl<T, const RANK: u8> Drop for Guard<'_, T, RANK> {
    fn drop(&mut self) {
        // SAFETY: `lock` took it and leaked its guard, for this one.
        unsafe { self.mutex.lock.force_unlock() };
        if cfg!(debug_assertions) {
            self.mp
                .lock_ranks
                .set(self.mp.lock_ranks.get() & !(1 << RANK));
        }
        sched::releasem();
    }
}

impl<T, const RANK: u8> Deref for Guard<'_, T, RANK> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the lock is ours, so that nobody writes.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T, const RANK: u8> DerefMut for Guard<'_, T, RANK> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is ours, and this borrow of the guard is the only one.
        unsafe { &mut *self.mutex.value.get() }
    }
}
