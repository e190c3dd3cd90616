//! [`JoinHandle`]: the end of a goroutine, and what it returned.
//!
//! The result goes through a [`Packet`]. The goroutine writes it, and then its
//! end sets the token of which `join` waits, in that order; nobody else looks into
//! the packet before. Whoever drops the packet last drops what is still in it: the
//! goroutine where the handle was dropped before, else the handle.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::any::Any;
use core::cell::UnsafeCell;
use core::fmt;

use super::handle::{Inner, Thread};
use super::park::sleep_until_set;
use crate::sched::WaitReason;

/// What `join` returns: what the goroutine returned, or why it did not.
pub type Result<T> = core::result::Result<T, Box<dyn Any + Send + 'static>>;

/// What an `Err` of `join` holds.
const GOEXIT: &str = "the goroutine called runtime::goexit";

/// Where a goroutine leaves its result.
pub(super) struct Packet<T> {
    result: UnsafeCell<Option<T>>,
}

// SAFETY: the value is reached by one party at a time: the goroutine, and when it
// has ended, the only JoinHandle.
unsafe impl<T: Send> Sync for Packet<T> {}

impl<T> Packet<T> {
    /// Makes an empty one.
    pub(super) fn new() -> Self {
        Self {
            result: UnsafeCell::new(None),
        }
    }

    /// Puts the result in.
    ///
    /// # Safety
    ///
    /// By the goroutine only, once.
    pub(super) unsafe fn fill(&self, value: T) {
        // SAFETY: the goroutine has not ended: nobody else looks.
        unsafe { *self.result.get() = Some(value) };
    }

    /// Takes the result out.
    ///
    /// # Safety
    ///
    /// By the JoinHandle only, when it has seen the goroutine's end.
    unsafe fn take(&self) -> Option<T> {
        // SAFETY: the goroutine has ended: nobody else looks.
        unsafe { &mut *self.result.get() }.take()
    }
}

/// The right to wait for a goroutine's end. Dropping it leaves the goroutine to
/// itself; what it returns is dropped then.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// let sum = gort::thread::spawn(|| (1..=100).sum::<u32>());
/// assert_eq!(sum.join().unwrap(), 5050);
/// # }
/// ```
pub struct JoinHandle<T> {
    thread: Thread,
    packet: Arc<Packet<T>>,
}

impl<T> JoinHandle<T> {
    /// Makes the only handle of that goroutine.
    pub(super) fn new(inner: Arc<Inner>, packet: Arc<Packet<T>>) -> Self {
        Self {
            thread: Thread::new(inner),
            packet,
        }
    }

    /// Returns a handle to the goroutine.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::thread;
    ///
    /// let sleeper = thread::spawn(thread::park);
    /// sleeper.thread().unpark();
    /// sleeper.join().unwrap();
    /// # }
    /// ```
    #[must_use]
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Waits for the goroutine's end, and returns what it returned. What it did is
    /// seen by whoever returns from this. From any goroutine.
    ///
    /// # Errors
    ///
    /// A text, as a `&'static str`, if the goroutine ended by
    /// [`runtime::goexit`](crate::runtime::goexit): then there is no result. Where
    /// it panics the whole program ends, so that no handle gets to see that.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::thread;
    ///
    /// assert_eq!(thread::spawn(|| "done").join().unwrap(), "done");
    /// let ended = thread::spawn(|| gort::runtime::goexit());
    /// assert!(ended.join().unwrap_err().is::<&str>());
    /// # }
    /// ```
    pub fn join(self) -> Result<T> {
        sleep_until_set(self.thread.inner().ended(), WaitReason::THREAD_JOIN);
        // SAFETY: this is the handle, and the goroutine has ended.
        unsafe { self.packet.take() }.ok_or_else(|| Box::new(GOEXIT) as Box<dyn Any + Send>)
    }

    /// Tells whether the goroutine has ended, so that `join` would not wait.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::thread;
    ///
    /// let handle = thread::spawn(|| {});
    /// while !handle.is_finished() {
    ///     thread::yield_now();
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.inner().ended().is_set()
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").finish_non_exhaustive()
    }
}
