//! [`LocalKey`] and `thread_local!`: std's face of goroutine-local values.

use core::cell::{Cell, RefCell};
use core::error::Error;
use core::fmt;

use super::local::Key;

/// What [`thread_local!`](crate::thread_local!) makes: the name of a value that each
/// goroutine has for itself.
///
/// The value is made when the goroutine first asks for it, and dropped when the goroutine
/// ends, be it by returning or by [`goexit`](crate::runtime::goexit): of several the last
/// made first. Who joins the goroutine, or ends the scope that it is in, does so after
/// that. A destructor may use other values, and have them made: it gets an [`AccessError`]
/// for one that has a destructor which has begun to run. The main goroutine's values are
/// dropped when `main` returns, and not when the process ends otherwise.
///
/// A goroutine keeps its values when it goes on on another thread. It costs a few loads
/// to find one; a goroutine's first value allocates the table that leads to it, and each
/// value is an allocation of its own.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use core::cell::Cell;
/// use gort::thread;
///
/// gort::thread_local! {
///     static COUNT: Cell<u32> = const { Cell::new(1) };
/// }
///
/// COUNT.set(2);
/// thread::spawn(|| assert_eq!(COUNT.get(), 1)).join().unwrap();
/// assert_eq!(COUNT.get(), 2);
/// # }
/// ```
pub struct LocalKey<T: 'static> {
    /// Functions, so that a constant can hold it.
    key: fn() -> &'static Key<T>,
    init: fn() -> T,
}

impl<T: 'static> LocalKey<T> {
    /// What `thread_local!` calls; not for anybody else.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(key: fn() -> &'static Key<T>, init: fn() -> T) -> Self {
        Self { key, init }
    }

    /// Calls `f` with the current goroutine's value, which is made if this is the first
    /// time.
    ///
    /// # Panics
    ///
    /// If the value's destructor has begun to run: this was called by it, or by another
    /// one that ran afterwards.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::alloc::string::String;
    /// use gort::thread;
    ///
    /// gort::thread_local! {
    ///     static NAME: String = thread::current().name().unwrap_or("nobody").into();
    /// }
    ///
    /// NAME.with(|name| assert_eq!(name, "main"));
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn with<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        match self.find() {
            Some(value) => f(value),
            None => destroyed(),
        }
    }

    /// The same, with an error in place of the panic.
    ///
    /// # Errors
    ///
    /// If the value's destructor has begun to run.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// gort::thread_local!(static LIMIT: u32 = 10);
    ///
    /// assert_eq!(LIMIT.try_with(|limit| limit + 1), Ok(11));
    /// # }
    /// ```
    #[inline]
    pub fn try_with<F, R>(&'static self, f: F) -> Result<R, AccessError>
    where
        F: FnOnce(&T) -> R,
    {
        match self.find() {
            Some(value) => Ok(f(value)),
            None => Err(AccessError),
        }
    }

    /// Returns the goroutine's value, made now if need be; None if it has been destroyed.
    #[inline]
    fn find<'a>(&self) -> Option<&'a T> {
        let key = (self.key)();
        key.find().or_else(|| key.make(self.init))
    }

    /// Calls `f` with the goroutine's value and `first`; or with nothing if the value is
    /// not there yet, which then is `first`.
    #[track_caller]
    fn with_first<R>(&'static self, first: T, f: impl FnOnce(Option<T>, &T) -> R) -> R {
        let key = (self.key)();
        if let Some(value) = key.find() {
            return f(Some(first), value);
        }
        match key.make(|| first) {
            Some(value) => f(None, value),
            None => destroyed(),
        }
    }
}

/// Says that there is no such value any more.
#[cold]
#[inline(never)]
#[track_caller]
fn destroyed() -> ! {
    panic!("cannot access a Thread Local Storage value during or after destruction: AccessError")
}

impl<T: 'static> LocalKey<Cell<T>> {
    /// Sets the value. If it is not there yet it is made with this one, and not by its
    /// initialiser.
    ///
    /// # Panics
    ///
    /// As [`with`](Self::with).
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use core::cell::Cell;
    ///
    /// gort::thread_local!(static ID: Cell<u32> = panic!("not set"));
    ///
    /// ID.set(7);
    /// assert_eq!(ID.get(), 7);
    /// # }
    /// ```
    #[track_caller]
    pub fn set(&'static self, value: T) {
        self.with_first(Cell::new(value), |value, cell| {
            if let Some(value) = value {
                cell.set(value.into_inner());
            }
        });
    }

    /// Returns a copy of the value.
    ///
    /// # Panics
    ///
    /// As [`with`](Self::with).
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use core::cell::Cell;
    ///
    /// gort::thread_local!(static DEPTH: Cell<u32> = const { Cell::new(3) });
    ///
    /// assert_eq!(DEPTH.get(), 3);
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// Takes the value out, and leaves the default.
    ///
    /// # Panics
    ///
    /// As [`with`](Self::with).
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use core::cell::Cell;
    ///
    /// gort::thread_local!(static ONCE: Cell<Option<u32>> = const { Cell::new(Some(1)) });
    ///
    /// assert_eq!(ONCE.take(), Some(1));
    /// assert_eq!(ONCE.take(), None);
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }

    /// Sets the value, and returns the one before.
    ///
    /// # Panics
    ///
    /// As [`with`](Self::with).
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use core::cell::Cell;
    ///
    /// gort::thread_local!(static STATE: Cell<u32> = const { Cell::new(1) });
    ///
    /// assert_eq!(STATE.replace(2), 1);
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> LocalKey<RefCell<T>> {
    /// Calls `f` with the value, borrowed.
    ///
    /// # Panics
    ///
    /// If the value is mutably borrowed, and as [`with`](Self::with).
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use core::cell::RefCell;
    /// use gort::alloc::vec::Vec;
    ///
    /// gort::thread_local!(static LINES: RefCell<Vec<u32>> = RefCell::new(Vec::new()));
    ///
    /// LINES.with_borrow(|lines| assert!(lines.is_empty()));
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn with_borrow<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        self.with(|cell| f(&cell.borrow()))
    }

    /// Calls `f` with the value, mutably borrowed.
    ///
    /// # Panics
    ///
    /// If the value is borrowed, and as [`with`](Self::with).
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use core::cell::RefCell;
    /// use gort::alloc::vec::Vec;
    ///
    /// gort::thread_local!(static LINES: RefCell<Vec<u32>> = RefCell::new(Vec::new()));
    ///
    /// LINES.with_borrow_mut(|lines| lines.push(1));
    /// LINES.with_borrow(|lines| assert_eq!(lines[..], [1]));
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn with_borrow_mut<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&mut T) -> R,
    {
        self.with(|cell| f(&mut cell.borrow_mut()))
    }

    /// Sets the value. If it is not there yet it is made with this one, and not by its
    /// initialiser.
    ///
    /// # Panics
    ///
    /// If the value is borrowed, and as [`with`](Self::with).
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use core::cell::RefCell;
    /// use gort::alloc::string::String;
    ///
    /// gort::thread_local!(static USER: RefCell<String> = panic!("not set"));
    ///
    /// USER.set("root".into());
    /// USER.with_borrow(|user| assert_eq!(user, "root"));
    /// # }
    /// ```
    #[track_caller]
    pub fn set(&'static self, value: T) {
        self.with_first(RefCell::new(value), |value, cell| {
            if let Some(value) = value {
                *cell.borrow_mut() = value.into_inner();
            }
        });
    }

    /// Takes the value out, and leaves the default.
    ///
    /// # Panics
    ///
    /// If the value is borrowed, and as [`with`](Self::with).
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use core::cell::RefCell;
    /// use gort::alloc::string::String;
    ///
    /// gort::thread_local!(static TEXT: RefCell<String> = RefCell::new("once".into()));
    ///
    /// assert_eq!(TEXT.take(), "once");
    /// assert_eq!(TEXT.take(), "");
    /// # }
    /// ```
    #[track_caller]
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }

    /// Sets the value, and returns the one before.
    ///
    /// # Panics
    ///
    /// If the value is borrowed, and as [`with`](Self::with).
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use core::cell::RefCell;
    ///
    /// gort::thread_local!(static LEVEL: RefCell<u32> = RefCell::new(1));
    ///
    /// assert_eq!(LEVEL.replace(2), 1);
    /// # }
    /// ```
    #[track_caller]
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

/// The value's destructor has begun to run.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::thread;
///
/// struct Last;
///
/// impl Drop for Last {
///     fn drop(&mut self) {
///         let error: thread::AccessError = LAST.try_with(|_| ()).unwrap_err();
///         gort::println!("{error}");
///     }
/// }
///
/// gort::thread_local!(static LAST: Last = const { Last });
///
/// thread::spawn(|| LAST.with(|_| ())).join().unwrap();
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessError;

impl fmt::Debug for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessError").finish()
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("already destroyed")
    }
}

impl Error for AccessError {}
