//! What std's locks return: here there is never a panic to tell of.

use core::error::Error;
use core::fmt;

/// What a lock returns: the guard. It is never an error.
pub type LockResult<T> = Result<T, PoisonError<T>>;

/// What a lock returns that was not to wait: the guard, or that it is locked.
pub type TryLockResult<Guard> = Result<Guard, TryLockError<Guard>>;

/// A panic happened while the lock was held. It does not happen here: a panic ends the
/// program.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::sync::Mutex;
///
/// // Code that is written against std may look into it, though there never is one.
/// let lock = Mutex::new(1);
/// let guard = lock.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
/// assert_eq!(*guard, 1);
/// # }
/// ```
pub struct PoisonError<T> {
    data: T,
}

impl<T> PoisonError<T> {
    /// Makes one.
    pub fn new(data: T) -> Self {
        Self { data }
    }

    /// Returns the guard.
    pub fn into_inner(self) -> T {
        self.data
    }

    /// Returns the guard, borrowed.
    pub fn get_ref(&self) -> &T {
        &self.data
    }

    /// Returns the guard, borrowed mutably.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.data
    }
}

impl<T> fmt::Debug for PoisonError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoisonError").finish_non_exhaustive()
    }
}

impl<T> fmt::Display for PoisonError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("poisoned lock: another task failed inside")
    }
}

impl<T> Error for PoisonError<T> {}

/// Why a lock could not be taken at once.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::sync::{Mutex, TryLockError};
///
/// let lock = Mutex::new(1);
/// let _guard = lock.lock().unwrap();
/// assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
/// # }
/// ```
pub enum TryLockError<T> {
    /// A panic happened while it was held; it does not happen here.
    Poisoned(PoisonError<T>),
    /// Somebody has it.
    WouldBlock,
}

impl<T> From<PoisonError<T>> for TryLockError<T> {
    fn from(error: PoisonError<T>) -> Self {
        Self::Poisoned(error)
    }
}

impl<T> fmt::Debug for TryLockError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Poisoned(..) => "Poisoned(..)",
            Self::WouldBlock => "WouldBlock",
        };
        fmt::Debug::fmt(text, f) // with quotes: so has std
    }
}

impl<T> fmt::Display for TryLockError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Poisoned(error) => error.fmt(f),
            Self::WouldBlock => f.write_str("try_lock failed because the operation would block"),
        }
    }
}

impl<T> Error for TryLockError<T> {}
