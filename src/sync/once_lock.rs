//! [`OnceLock`]: a value behind a [`Once`].

use core::cell::UnsafeCell;
use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};

use super::once::Once;

/// A value that is set once, and read by anybody from then on.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::sync::OnceLock;
///
/// static NAME: OnceLock<&str> = OnceLock::new();
///
/// assert_eq!(NAME.get(), None);
/// assert_eq!(NAME.get_or_init(|| "first"), &"first");
/// assert_eq!(NAME.set("second"), Err("second"));
/// # }
/// ```
pub struct OnceLock<T> {
    once: Once,
    /// Some from when `once` is done; an Option drops itself.
    value: UnsafeCell<Option<T>>,
}

// SAFETY: the value is written by one goroutine, in `once`, and shared behind that. Who
// reads it may drop it: so it must be Send.
unsafe impl<T: Sync + Send> Sync for OnceLock<T> {}
// SAFETY: it goes with the value.
unsafe impl<T: Send> Send for OnceLock<T> {}
impl<T: RefUnwindSafe + UnwindSafe> RefUnwindSafe for OnceLock<T> {}
impl<T: UnwindSafe> UnwindSafe for OnceLock<T> {}

impl<T> OnceLock<T> {
    /// Makes one without a value.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self {
            once: Once::new(),
            value: UnsafeCell::new(None),
        }
    }

    /// Returns the value, if there is one. From any goroutine.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        if self.once.is_completed() {
            // SAFETY: nobody writes it any more while there are references.
            unsafe { &*self.value.get() }.as_ref()
        } else {
            None
        }
    }

    /// Returns the value, borrowed mutably, if there is one.
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut().as_mut()
    }

    /// Waits until there is a value. From any goroutine.
    pub fn wait(&self) -> &T {
        loop {
            self.once.wait();
            if let Some(value) = self.get() {
                return value;
            }
        }
    }

    /// Sets the value, if there is none; waits for who is about to. From any goroutine.
    ///
    /// # Errors
    ///
    /// If there is one: with the one that was to be set.
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.initialize(|| value.take());
        match value {
            None => Ok(()),
            Some(value) => Err(value),
        }
    }

    /// Returns the value; if there is none, `f` makes it, once, and others wait for it.
    /// From any goroutine; not from `f`, which would wait for itself.
    #[inline]
    pub fn get_or_init<F: FnOnce() -> T>(&self, f: F) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        self.initialize(|| Some(f()));
        self.wait() // it is there
    }

    /// Returns the value.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Takes the value out, and leaves none.
    pub fn take(&mut self) -> Option<T> {
        self.once.reset();
        self.value.get_mut().take()
    }

    /// Makes the value what `f` returns, if there is none.
    #[cold]
    fn initialize(&self, f: impl FnOnce() -> Option<T>) {
        self.once.call_once(|| {
            let value = f();
            // SAFETY: nobody reads it before `once` is done, nobody else writes it, and this
            // is done once.
            unsafe { *self.value.get() = value };
        });
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_tuple("OnceLock");
        match self.get() {
            Some(value) => fields.field(value),
            None => fields.field(&format_args!("<uninit>")),
        };
        fields.finish()
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    fn clone(&self) -> Self {
        self.get().cloned().map_or_else(Self::new, Self::from)
    }
}

impl<T> From<T> for OnceLock<T> {
    fn from(value: T) -> Self {
        let lock = Self::new();
        let _: Result<(), T> = lock.set(value); // there is none
        lock
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceLock<T> {}
