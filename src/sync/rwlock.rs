//! [`RwLock`]: what the raw one protects, with std's guards.

use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::{Deref, DerefMut};
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::NonNull;

use lock_api::{RawRwLock as _, RawRwLockDowngrade as _};

use super::poison::{LockResult, TryLockError, TryLockResult};
use super::raw::RawRwLock;

/// A value that many goroutines read at a time, or one writes.
///
/// Nobody starves: who wants to read waits behind a writer that waits, and a writer that
/// is done lets all in that want to read then. So a goroutine that reads must not do so
/// again before it is done: with a writer between the two it would wait for ever.
///
/// It is never poisoned: see [the module](super).
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::sync::RwLock;
///
/// static LIMIT: RwLock<u32> = RwLock::new(5);
///
/// {
///     let (one, other) = (LIMIT.read().unwrap(), LIMIT.read().unwrap());
///     assert_eq!(*one + *other, 10);
/// }
/// *LIMIT.write().unwrap() += 1;
/// assert_eq!(*LIMIT.read().unwrap(), 6);
/// # }
/// ```
pub struct RwLock<T: ?Sized> {
    raw: RawRwLock,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through the guards alone.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
// SAFETY: as above; readers share it.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}
impl<T: ?Sized> UnwindSafe for RwLock<T> {}
impl<T: ?Sized> RefUnwindSafe for RwLock<T> {}

/// The right to read what a [`RwLock`] protects; dropping it gives that back.
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockReadGuard<'a, T: ?Sized + 'a> {
    /// A pointer, since the value may be written before this guard is gone, but not its
    /// right. It makes the guard stay with who has locked, as std's does.
    value: NonNull<T>,
    raw: &'a RawRwLock,
}

// SAFETY: who has a reference to a guard has one to the value.
unsafe impl<T: ?Sized + Sync> Sync for RwLockReadGuard<'_, T> {}

/// The right to write what a [`RwLock`] protects; dropping it gives that back.
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockWriteGuard<'a, T: ?Sized + 'a> {
    lock: &'a RwLock<T>,
    /// As std's, it stays with who has locked.
    not_send: PhantomData<*const ()>,
}

// SAFETY: who has a reference to a guard has one to the value.
unsafe impl<T: ?Sized + Sync> Sync for RwLockWriteGuard<'_, T> {}

impl<T> RwLock<T> {
    /// Makes an open one.
    #[inline]
    pub const fn new(value: T) -> Self {
        Self {
            raw: RawRwLock::new(),
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

impl<T: ?Sized> RwLock<T> {
    /// Comes in to read; waits while somebody writes, or waits to. From any goroutine.
    ///
    /// # Errors
    ///
    /// None; see [the module](super).
    ///
    /// # Panics
    ///
    /// If there are 2^27 readers.
    #[inline]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        self.raw.lock_shared();
        Ok(RwLockReadGuard::new(self))
    }

    /// Comes in to read if nobody writes, or waits to. From any goroutine.
    ///
    /// # Errors
    ///
    /// [`TryLockError::WouldBlock`] else.
    ///
    /// # Panics
    ///
    /// If there are 2^27 readers.
    #[inline]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        if self.raw.try_lock_shared() {
            Ok(RwLockReadGuard::new(self))
        } else {
            Err(TryLockError::WouldBlock)
        }
    }

    /// Comes in to write; waits while somebody else reads or writes. From any goroutine.
    ///
    /// # Errors
    ///
    /// None; see [the module](super).
    #[inline]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        self.raw.lock_exclusive();
        Ok(RwLockWriteGuard::new(self))
    }

    /// Comes in to write if nobody else reads or writes. From any goroutine.
    ///
    /// # Errors
    ///
    /// [`TryLockError::WouldBlock`] else.
    #[inline]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        if self.raw.try_lock_exclusive() {
            Ok(RwLockWriteGuard::new(self))
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

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("RwLock");
        match self.try_read() {
            Ok(guard) => fields.field("data", &&*guard),
            Err(_) => fields.field("data", &format_args!("<locked>")),
        };
        fields.field("poisoned", &false).finish_non_exhaustive()
    }
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    /// Makes one. For who has come in.
    fn new(lock: &'a RwLock<T>) -> Self {
        Self {
            // SAFETY: a cell's address is not null.
            value: unsafe { NonNull::new_unchecked(lock.value.get()) },
            raw: &lock.raw,
        }
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Makes one. For who has come in.
    fn new(lock: &'a RwLock<T>) -> Self {
        Self {
            lock,
            not_send: PhantomData,
        }
    }

    /// Goes on as a reader, without anybody writing in between. Others that want to read
    /// come in as well. From any goroutine.
    pub fn downgrade(s: Self) -> RwLockReadGuard<'a, T> {
        let lock = ManuallyDrop::new(s).lock;
        // SAFETY: we have it, as the writer.
        unsafe { lock.raw.downgrade() };
        RwLockReadGuard::new(lock)
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: we are a reader.
        unsafe { self.raw.unlock_shared() };
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: we are the writer.
        unsafe { self.lock.raw.unlock_exclusive() };
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: we are a reader, so that nobody writes.
        unsafe { self.value.as_ref() }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: we are the writer, and there is nobody else.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and this borrow of the guard is the only one.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
