//! [`RawMutex`].

use core::fmt;

use lock_api::GuardNoSend;

use super::atomic::Ordering;
use super::modes::{LOCKED, lock_slow, try_lock, try_lock_fast, unlock_fast, unlock_slow};
use super::sema::Sema;
use crate::sched::WaitReason;

/// A lock that one goroutine has at a time: Go's, with its normal and its starving mode.
/// Like [`Mutex`](crate::sync::Mutex), but without what it protects. From any goroutine.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// // With the crate lock_api: lock_api::Mutex<gort::sync::raw::RawMutex, T>.
/// use gort::sync::raw::RawMutex;
/// use gort::sync::raw::lock_api::RawMutex as _;
///
/// static LOCK: RawMutex = RawMutex::INIT;
///
/// LOCK.lock();
/// assert!(!LOCK.try_lock());
/// // SAFETY: we have it.
/// unsafe { LOCK.unlock() };
/// # }
/// ```
#[repr(transparent)]
pub struct RawMutex(Sema);

impl RawMutex {
    /// Makes an open one.
    pub(crate) const fn new() -> Self {
        Self(Sema::new())
    }
}

// SAFETY: one goroutine at a time gets past `lock`: see `modes`.
unsafe impl lock_api::RawMutex for RawMutex {
    #[allow(clippy::declare_interior_mutable_const, reason = "lock_api's way")]
    const INIT: Self = Self::new();

    type GuardMarker = GuardNoSend;

    #[inline]
    fn lock(&self) {
        if !try_lock_fast(&self.0) {
            lock_slow(&self.0, WaitReason::SYNC_MUTEX_LOCK);
        }
    }

    #[inline]
    fn try_lock(&self) -> bool {
        try_lock(&self.0)
    }

    #[inline]
    unsafe fn unlock(&self) {
        if unlock_fast(&self.0) {
            unlock_slow(&self.0);
        }
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.0.word.load(Ordering::Relaxed) & LOCKED != 0 // true of a moment that is over
    }
}

impl fmt::Debug for RawMutex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let locked = lock_api::RawMutex::is_locked(self);
        f.debug_struct("RawMutex")
            .field("locked", &locked)
            .finish_non_exhaustive()
    }
}
