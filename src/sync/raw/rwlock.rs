//! [`RawRwLock`].

use core::fmt;

use lock_api::GuardNoSend;

use super::atomic::Ordering;
use super::modes::{LOCKED, READERS, lock_slow, try_lock, try_lock_fast, unlock_fast};
use super::phases::{
    downgrade, read_slow, read_unlock_fast, read_unlock_slow, try_read, write_unlock_slow,
};
use super::sema::Sema;
use crate::sched::WaitReason;

/// A lock for many readers or one writer, none of whom starves. Like
/// [`RwLock`](crate::sync::RwLock), but without what it protects. From any goroutine.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::sync::raw::RawRwLock;
/// use gort::sync::raw::lock_api::RawRwLock as _;
///
/// static LOCK: RawRwLock = RawRwLock::INIT;
///
/// LOCK.lock_shared();
/// assert!(LOCK.try_lock_shared() && !LOCK.try_lock_exclusive());
/// // SAFETY: we are two readers.
/// unsafe { LOCK.unlock_shared() };
/// // SAFETY: and one of them is left.
/// unsafe { LOCK.unlock_shared() };
/// # }
/// ```
#[repr(transparent)]
pub struct RawRwLock(Sema<2>);

impl RawRwLock {
    /// Makes an open one.
    pub(crate) const fn new() -> Self {
        Self(Sema::new())
    }
}

// SAFETY: many readers or one writer get past their `lock`: see `phases`.
unsafe impl lock_api::RawRwLock for RawRwLock {
    #[allow(clippy::declare_interior_mutable_const, reason = "lock_api's way")]
    const INIT: Self = Self::new();

    type GuardMarker = GuardNoSend;

    #[inline]
    fn lock_shared(&self) {
        if !try_read(&self.0) {
            read_slow(&self.0, WaitReason::SYNC_RWMUTEX_RLOCK);
        }
    }

    #[inline]
    fn try_lock_shared(&self) -> bool {
        try_read(&self.0)
    }

    #[inline]
    unsafe fn unlock_shared(&self) {
        if read_unlock_fast(&self.0) {
            read_unlock_slow(&self.0);
        }
    }

    #[inline]
    fn lock_exclusive(&self) {
        if !try_lock_fast(&self.0) {
            lock_slow(&self.0, WaitReason::SYNC_RWMUTEX_LOCK);
        }
    }

    #[inline]
    fn try_lock_exclusive(&self) -> bool {
        try_lock(&self.0)
    }

    #[inline]
    unsafe fn unlock_exclusive(&self) {
        if unlock_fast(&self.0) {
            write_unlock_slow(&self.0);
        }
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.0.word.load(Ordering::Relaxed) & (LOCKED | READERS) != 0 // a moment's truth
    }

    #[inline]
    fn is_locked_exclusive(&self) -> bool {
        self.0.word.load(Ordering::Relaxed) & LOCKED != 0 // likewise
    }
}

// SAFETY: the writer is a reader before others can come in.
unsafe impl lock_api::RawRwLockDowngrade for RawRwLock {
    unsafe fn downgrade(&self) {
        downgrade(&self.0);
    }
}

impl fmt::Debug for RawRwLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let locked = lock_api::RawRwLock::is_locked(self);
        f.debug_struct("RawRwLock")
            .field("locked", &locked)
            .finish_non_exhaustive()
    }
}
