//! The runtime's locks: short spin locks with a rank each.
//!
//! Go's counterparts: `runtime/lock_*.go`, `lockrank.go`. Invariants:
//! 1. A thread takes locks in the order of [`Rank`] only; debug builds check it.
//! 2. Whoever holds one does not park, does not call users' code, and does not
//!    lose its P: `m.locks` says so to whoever would take it away.

use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};

use crate::sched::{self, M};

/// What a lock protects, in the order in which locks may be taken.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Rank {
    /// `sched.lock`.
    Sched = 0,
    /// The state of the random numbers.
    Rand = 1,
    /// The program's heap.
    Heap = 2,
    /// The boot heap.
    BootHeap = 3,
    /// What the boot found out and keeps.
    Boot = 4,
}

/// A lock with a rank.
pub(crate) struct Mutex<T> {
    rank: Rank,
    inner: spin::Mutex<T>,
}

/// The right to use what a lock protects; dropping it gives the lock back.
pub(crate) struct Guard<'a, T> {
    inner: ManuallyDrop<spin::MutexGuard<'a, T>>,
    rank: Rank,
    mp: &'static M,
}

impl<T> Mutex<T> {
    /// Makes an open lock.
    pub(crate) const fn new(rank: Rank, value: T) -> Self {
        Self { rank, inner: spin::Mutex::new(value) }
    }

    /// Takes the lock, from any stack.
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        // The goroutine stays on this M from here on: locks is up before
        // anything could move it.
        let mp = sched::acquirem();
        if cfg!(debug_assertions) {
            let held = mp.lock_ranks.get();
            if held >> self.rank as u8 != 0 {
                crate::debug::fatal::throw("lock ordering problem");
            }
            mp.lock_ranks.set(held | 1 << self.rank as u8);
        }
        Guard { inner: ManuallyDrop::new(self.inner.lock()), rank: self.rank, mp }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: once, here; nothing uses the inner guard afterwards.
        unsafe { ManuallyDrop::drop(&mut self.inner) };
        if cfg!(debug_assertions) {
            self.mp.lock_ranks.set(self.mp.lock_ranks.get() & !(1 << self.rank as u8));
        }
        sched::releasem(self.mp);
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}
