//! [`LazyLock`]: a value that a function makes when somebody wants it, behind a [`Once`].

use core::cell::UnsafeCell;
use core::fmt;
use core::ops::{Deref, DerefMut};
use core::panic::{RefUnwindSafe, UnwindSafe};

use super::once::Once;
use crate::debug::fatal::throw;

/// A value that is made when it is used for the first time.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// extern crate alloc;
/// use alloc::vec::Vec;
/// use gort::sync::LazyLock;
///
/// static SQUARES: LazyLock<Vec<u32>> = LazyLock::new(|| (0..10).map(|n| n * n).collect());
///
/// assert_eq!(SQUARES[7], 49);
/// # }
/// ```
pub struct LazyLock<T, F = fn() -> T> {
    once: Once,
    /// Ready from when `once` is done.
    data: UnsafeCell<Data<T, F>>,
}

/// What there is.
enum Data<T, F> {
    /// How to make it.
    Function(F),
    /// It is being made.
    Busy,
    /// It.
    Value(T),
}

// SAFETY: the function is called by one goroutine, in `once`, and the value shared behind
// that. Who reads it may drop it, so it must be Send; and who comes first moves the function.
unsafe impl<T: Sync + Send, F: Send> Sync for LazyLock<T, F> {}
impl<T: RefUnwindSafe + UnwindSafe, F: UnwindSafe> RefUnwindSafe for LazyLock<T, F> {}
impl<T: UnwindSafe, F: UnwindSafe> UnwindSafe for LazyLock<T, F> {}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// Makes one whose value `f` will make.
    #[inline]
    pub const fn new(f: F) -> Self {
        Self {
            once: Once::new(),
            data: UnsafeCell::new(Data::Function(f)),
        }
    }

    /// Returns the value; makes it if there is none, and waits for who is about to. From
    /// any goroutine; not from the function, which would wait for itself.
    #[inline]
    pub fn force(this: &Self) -> &T {
        this.once.call_once(|| {
            // SAFETY: nobody reads it before `once` is done, and nobody else writes it.
            let data = unsafe { &mut *this.data.get() };
            if let Data::Function(f) = core::mem::replace(data, Data::Busy) {
                *data = Data::Value(f());
            }
        });
        match Self::get(this) {
            Some(value) => value,
            None => throw("LazyLock without a value"),
        }
    }

    /// The same, borrowed mutably.
    pub fn force_mut(this: &mut Self) -> &mut T {
        Self::force(this);
        match Self::get_mut(this) {
            Some(value) => value,
            None => throw("LazyLock without a value"),
        }
    }
}

impl<T, F> LazyLock<T, F> {
    /// Returns the value, if it has been made. From any goroutine.
    #[inline]
    pub fn get(this: &Self) -> Option<&T> {
        if !this.once.is_completed() {
            return None;
        }
        // SAFETY: nobody writes it any more while there are references.
        match unsafe { &*this.data.get() } {
            Data::Value(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the value, borrowed mutably, if it has been made.
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        match this.data.get_mut() {
            Data::Value(value) => Some(value),
            _ => None,
        }
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        Self::force(self)
    }
}

impl<T, F: FnOnce() -> T> DerefMut for LazyLock<T, F> {
    fn deref_mut(&mut self) -> &mut T {
        Self::force_mut(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    fn default() -> Self {
        Self::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_tuple("LazyLock");
        match Self::get(self) {
            Some(value) => fields.field(value),
            None => fields.field(&format_args!("<uninit>")),
        };
        fields.finish()
    }
}
