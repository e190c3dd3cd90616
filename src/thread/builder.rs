//! [`Builder`]: a goroutine with a name, or with a stack of another size.

use crate::alloc::string::String;
use core::fmt;
use core::panic::Location;

use super::handle::{self, Party};
use super::join::{JoinHandle, Packet};
use super::scope::{Scope, ScopeData, ScopedJoinHandle};
use crate::io;
use crate::mem;
use crate::sched;

/// The largest stack that may be asked for.
const MAX_STACK: usize = 1 << 30;

/// The unit of stacks.
const PAGE_SIZE: usize = 4096;

/// What a new goroutine shall be like.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::thread;
///
/// let parser = thread::Builder::new().name("parser".into()).stack_size(8 << 20);
/// let handle = parser.spawn(|| "parsed").unwrap();
/// assert_eq!(handle.join().unwrap(), "parsed");
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use = "must eventually spawn the thread"]
pub struct Builder {
    name: Option<String>,
    stack_size: Option<usize>,
}

impl Builder {
    /// Begins with a goroutine as [`spawn`](super::spawn) makes it.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// let handle = gort::thread::Builder::new().spawn(|| 6 * 7).unwrap();
    /// assert_eq!(handle.join().unwrap(), 42);
    /// # }
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the goroutine. There must be no null byte in it: `spawn` panics.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::thread;
    ///
    /// let handle = thread::Builder::new().name("writer".into()).spawn(|| {
    ///     assert_eq!(thread::current().name(), Some("writer"));
    /// });
    /// handle.unwrap().join().unwrap();
    /// # }
    /// ```
    pub fn name(mut self, name: String) -> Self {
        self.name = Some(name);
        self
    }

    /// Sets the size of the goroutine's stack, in bytes, up to 1 GiB. The stack has
    /// at least that, and the 256 KiB that any goroutine has; a larger one is the
    /// next power of two. Some 500 bytes of it are the runtime's, and the closure
    /// lies on it. The size is one of addresses: memory is used as far as the stack
    /// is touched.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// fn depth(rest: u32) -> u32 {
    ///     if rest == 0 { 0 } else { core::hint::black_box(depth(rest - 1)) + 1 }
    /// }
    ///
    /// let deep = gort::thread::Builder::new().stack_size(64 << 20);
    /// let handle = deep.spawn(|| depth(100_000)).unwrap();
    /// assert_eq!(handle.join().unwrap(), 100_000);
    /// # }
    /// ```
    pub fn stack_size(mut self, size: usize) -> Self {
        self.stack_size = Some(size);
        self
    }

    /// Starts a goroutine that calls `f`; see [`spawn`](super::spawn).
    ///
    /// # Errors
    ///
    /// If the stack's size is above 1 GiB, or if the system has no room for it; `f`
    /// is dropped then. The error holds a [`SpawnError`].
    ///
    /// # Panics
    ///
    /// If there is a null byte in the name, as in std.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// let handle = gort::thread::Builder::new().stack_size(usize::MAX).spawn(|| {});
    /// assert!(handle.is_err());
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        // SAFETY: there is nothing that might be gone too early.
        unsafe { self.spawn_unchecked(f) }
    }

    /// The same, of an `f` that borrows something, or has a result that does.
    ///
    /// # Safety
    ///
    /// What `f` borrows must live until the goroutine has ended; if it ends by
    /// [`goexit`](crate::runtime::goexit), also what it has lent on its stack to others
    /// meanwhile. What its result borrows must live until that is dropped, be it by the
    /// handle or by whoever gets it from there.
    ///
    /// # Errors
    ///
    /// As [`spawn`](Self::spawn).
    ///
    /// # Panics
    ///
    /// As [`spawn`](Self::spawn).
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// let word = gort::alloc::string::String::from("borrowed");
    /// let builder = gort::thread::Builder::new();
    /// // SAFETY: `join` waits for the goroutine, and the word is there until then.
    /// let handle = unsafe { builder.spawn_unchecked(|| word.len()) }.unwrap();
    /// assert_eq!(handle.join().unwrap(), 8);
    /// # }
    /// ```
    #[track_caller]
    pub unsafe fn spawn_unchecked<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        // SAFETY: the caller's promise.
        Ok(unsafe { self.start_alone(f) }?)
    }

    /// The same, with the error as it is: see `start_scoped`.
    ///
    /// # Safety
    ///
    /// As of [`spawn_unchecked`](Self::spawn_unchecked).
    #[track_caller]
    pub(super) unsafe fn start_alone<F, T>(self, f: F) -> Result<JoinHandle<T>, SpawnError>
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        // SAFETY: the caller's promise.
        let party = unsafe { self.start(f, None) }?;
        // SAFETY: the packet is of this type.
        Ok(unsafe { JoinHandle::new(party) })
    }

    /// Starts a goroutine in a [`scope`](super::scope()), in which it may borrow; see
    /// [`Scope::spawn`].
    ///
    /// # Errors
    ///
    /// As [`spawn`](Self::spawn).
    ///
    /// # Panics
    ///
    /// As [`spawn`](Self::spawn).
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::thread;
    ///
    /// let numbers = [1, 2, 3];
    /// thread::scope(|scope| {
    ///     let adder = thread::Builder::new().name("adder".into());
    ///     let sum = adder.spawn_scoped(scope, || numbers.iter().sum::<i32>()).unwrap();
    ///     assert_eq!(sum.thread().name(), Some("adder"));
    ///     assert_eq!(sum.join().unwrap(), 6);
    /// });
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_scoped<'scope, 'env, F, T>(
        self,
        scope: &'scope Scope<'scope, 'env>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        Ok(self.start_scoped(scope, f)?)
    }

    /// The same, with the error as it is: who panics with it needs no `io::Error`.
    #[track_caller]
    pub(super) fn start_scoped<'scope, 'env, F, T>(
        self,
        scope: &'scope Scope<'scope, 'env>,
        f: F,
    ) -> Result<ScopedJoinHandle<'scope, T>, SpawnError>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        // SAFETY: the scope does not end before the goroutine has; its handle, and so the
        // result, is not left by then but where it is lost.
        let party = unsafe { self.start(f, Some(scope.data())) }?;
        // SAFETY: the packet is of this type.
        Ok(unsafe { ScopedJoinHandle::new(party) })
    }

    /// Starts a goroutine, and returns the other party of its packet, a `Packet<T>`.
    ///
    /// # Safety
    ///
    /// As of [`spawn_unchecked`](Self::spawn_unchecked).
    #[track_caller]
    unsafe fn start<F, T>(self, f: F, scope: Option<&ScopeData>) -> Result<Party, SpawnError>
    where
        F: FnOnce() -> T + Send,
        T: Send,
    {
        let size = self.stack_size.unwrap_or_default();
        if size > MAX_STACK {
            return Err(SpawnError::StackTooLarge { size });
        }
        let stack = size.max(mem::DEFAULT_STACK).next_multiple_of(PAGE_SIZE);
        if self.name.as_deref().is_some_and(|name| name.contains('\0')) {
            panic!("thread name may not contain interior null bytes");
        }

        let packet = Packet::<T>::allocate(self.name.map(String::into_boxed_str), 2);
        // SAFETY: one of two.
        let goroutine = unsafe { Party::new(packet) };
        // SAFETY: the other one.
        let ours = unsafe { Party::new(packet) };
        if let Some(scope) = scope {
            scope.enter();
            ours.inner().set_scope(scope);
        }
        let run = move || {
            let packet = goroutine.address();
            handle::adopt(goroutine);
            let value = f();
            // SAFETY: this is the goroutine, and does it once.
            unsafe { Packet::fill(packet, value) };
        };
        // SAFETY: the caller's promise.
        match unsafe { sched::try_go_unchecked(run, Some(Location::caller()), stack) } {
            Ok(goid) => {
                ours.inner().set_id(goid.get());
                Ok(ours)
            }
            Err(sched::NoRoom) => {
                if let Some(scope) = scope {
                    scope.leave();
                }
                Err(SpawnError::OutOfMemory { size: stack })
            }
        }
    }
}

/// Why there is no new goroutine: in the `io::Error` of [`Builder::spawn`].
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// let error = gort::thread::Builder::new().stack_size(2 << 30).spawn(|| {}).unwrap_err();
/// assert_eq!(
///     gort::alloc::format!("{error}"),
///     "a stack of 2147483648 bytes is larger than the limit of 1073741824 bytes",
/// );
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SpawnError {
    /// The stack's size is above the limit.
    StackTooLarge {
        /// The size that was asked for, in bytes.
        size: usize,
    },
    /// The system has no room for the stack.
    OutOfMemory {
        /// The size that was asked for, in bytes, rounded up to whole pages.
        size: usize,
    },
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StackTooLarge { size } => write!(
                f,
                "a stack of {size} bytes is larger than the limit of {MAX_STACK} bytes"
            ),
            Self::OutOfMemory { size } => {
                write!(f, "out of memory: no room for a stack of {size} bytes")
            }
        }
    }
}

impl core::error::Error for SpawnError {}

impl From<SpawnError> for io::Error {
    fn from(error: SpawnError) -> Self {
        let kind = match error {
            SpawnError::StackTooLarge { .. } => io::ErrorKind::InvalidInput,
            SpawnError::OutOfMemory { .. } => io::ErrorKind::OutOfMemory,
        };
        Self::new(kind, error)
    }
}
