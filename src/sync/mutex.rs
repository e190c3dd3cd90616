//! [`Mutex`]: what the raw one protects, with std's guard.

use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::panic::{RefUnwindSafe, UnwindSafe};

use lock_api::RawMutex as _;

use super::poison::{LockResult, TryLockError, TryLockResult};
use super::raw::RawMutex;

/// A value that one goroutine has at a time.
///
/// It is Go's mutex: while it is wanted much, whoever runs takes it, which is fast; who
/// has been woken in vain and has waited for more than a millisecond is the next to have
/// it, which is fair.
///
/// It is never poisoned: see [the module](super).
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::sync::Mutex;
/// use gort::thread;
///
/// static SUM: Mutex<u32> = Mutex::new(0);
///
/// let others = [1, 2, 3, 4].map(|n| thread::spawn(move || *SUM.lock().unwrap() += n));
/// for other in others {
///     other.join().unwrap();
/// }
/// assert_eq!(*SUM.lock().unwrap(), 10);
/// # }
/// ```
pub struct Mutex<T: ?Sized> {
    raw: RawMutex,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through the guard alone, by one goroutine at a time.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}
impl<T: ?Sized> UnwindSafe for Mutex<T> {}
impl<T: ?Sized> RefUnwindSafe for Mutex<T> {}

/// The right to use what a [`Mutex`] protects; dropping it gives that back.
#[must_use = "if unused the Mutex will immediately unlock"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized + 'a> {
    lock: &'a Mutex<T>,
    /// As std's, it stays with who has locked.
    not_send: PhantomData<*const ()>,
}

// SAFETY: who has a reference to a guard has one to the value.
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

impl<T> Mutex<T> {
    /// Makes an open one.
    #[inline]
    pub const fn new(value: T) -> Self {
        Self {
            raw: RawMutex::new(),
            value: UnsafeCell::new(value),
        }
    }

    /// Returns the value.
    ///
    /// # Errors
    ///
    /// None; see [the module](super).
    pub fn into_inner(self) -> LockResult<T> {
        Ok(self.value.into_inner())
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Takes the lock; waits while somebody else has it. Who has it already waits for
    /// ever. From any goroutine.
    ///
    /// # Errors
    ///
    /// None; see [the module](super).
    #[inline]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        self.raw.lock();
        Ok(MutexGuard::new(self))
    }

    /// Takes the lock if nobody has it, and nobody is to have it next. From any goroutine.
    ///
    /// # Errors
    ///
    /// [`TryLockError::WouldBlock`] else.
    #[inline]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        if self.raw.try_lock() {
            Ok(MutexGuard::new(self))
        } else {
            Err(TryLockError::WouldBlock)
        }
    }

    /// Tells whether it is poisoned: no.
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        false
    }

    /// Does nothing.
    #[inline]
    pub fn clear_poison(&self) {}

    /// Returns the value, borrowed mutably: there is nothing to lock.
    ///
    /// # Errors
    ///
    /// None; see [the module](super).
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        Ok(self.value.get_mut())
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Mutex");
        match self.try_lock() {
            Ok(guard) => fields.field("data", &&*guard),
            Err(_) => fields.field("data", &"<locked>"), // with quotes: so has std
        };
        fields.field("poisoned", &false).finish_non_exhaustive()
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// Makes one. For who has taken the lock.
    fn new(lock: &'a Mutex<T>) -> Self {
        Self {
            lock,
            not_send: PhantomData,
        }
    }

    /// Returns the lock.
    pub(super) fn raw(&self) -> &'a RawMutex {
        &self.lock.raw
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: we have it.
        unsafe { self.lock.raw.unlock() };
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the lock is ours, so that nobody else writes.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is ours, and this borrow of the guard is the only one.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
