//! [`JoinHandle`]: the end of a goroutine, and what it returned.
//!
//! The result goes through a [`Packet`]. The goroutine writes it, and then its
//! end sets the token of which `join` waits, in that order; nobody else looks into
//! the packet before. The last of the two parties, the goroutine and the handle, drops
//! what is still in it; the memory goes with the last [`Thread`].

use crate::alloc::boxed::Box;
use core::any::Any;
use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::mem;
use core::ptr::NonNull;

use super::handle::{Drops, Inner, Party, Thread};
use super::park::sleep_until_set;
use crate::sched::WaitReason;

/// What `join` returns: what the goroutine returned, or why it did not.
pub type Result<T> = core::result::Result<T, Box<dyn Any + Send + 'static>>;

/// What an `Err` of `join` holds.
const GOEXIT: &str = "the goroutine called runtime::goexit";

/// An Inner, and where the goroutine leaves its result.
#[repr(C)]
pub(super) struct Packet<T> {
    /// First, so that its address is this one's.
    inner: Inner,
    result: UnsafeCell<Option<T>>,
}

impl<T> Packet<T> {
    /// Makes an empty one for that many parties.
    pub(super) fn allocate(name: Option<Box<str>>, parties: u64) -> NonNull<Inner> {
        let drops = const {
            &Drops {
                result: Self::drop_result,
                all: Self::free,
            }
        };
        let packet = Box::new(Self {
            inner: Inner::new(name, parties, drops),
            result: UnsafeCell::new(None),
        });
        NonNull::from(Box::leak(packet)).cast()
    }

    /// Puts the result in. Where nobody is there who could want it, it is dropped.
    ///
    /// # Safety
    ///
    /// By the goroutine only, once, to the packet that is its party's.
    pub(super) unsafe fn fill(inner: NonNull<Inner>, value: T) {
        // SAFETY: the caller's promise: it is a packet of this type, and there until
        // the goroutine ends.
        let packet = unsafe { inner.cast::<Self>().as_ref() };
        if packet.inner.one_party() {
            return; // and the value is dropped
        }
        // SAFETY: the goroutine has not ended: nobody else looks.
        unsafe { *packet.result.get() = Some(value) };
    }

    /// Takes the result out.
    ///
    /// # Safety
    ///
    /// By the JoinHandle only, when it has seen the goroutine's end; or by the last
    /// party.
    unsafe fn take(inner: NonNull<Inner>) -> Option<T> {
        // SAFETY: as in `fill`.
        let packet = unsafe { inner.cast::<Self>().as_ref() };
        // SAFETY: the goroutine has ended: nobody else looks.
        unsafe { &mut *packet.result.get() }.take()
    }

    /// Waits for the goroutine's end, and takes the result.
    ///
    /// # Safety
    ///
    /// By the JoinHandle only, with its party, which must be one of a packet of this type.
    pub(super) unsafe fn wait(party: Party) -> Result<T> {
        sleep_until_set(party.inner().ended(), WaitReason::THREAD_JOIN);
        let packet = party.address();
        // SAFETY: the caller's promise, and the goroutine has ended.
        let result = unsafe { Self::take(packet) };
        // The usual case, without what depends on a type that is known here.
        if party.inner().is_alone() {
            mem::forget(party);
            // SAFETY: there is no result any more, and this was the last handle.
            unsafe { Self::free(packet) };
        }
        result.ok_or_else(|| Box::new(GOEXIT) as Box<dyn Any + Send>)
    }

    /// Drops the result, if there is one.
    ///
    /// # Safety
    ///
    /// By the last party.
    unsafe fn drop_result(inner: NonNull<Inner>) {
        // SAFETY: the caller's promise.
        drop(unsafe { Self::take(inner) });
    }

    /// Frees all of it.
    ///
    /// # Safety
    ///
    /// By the last handle.
    unsafe fn free(inner: NonNull<Inner>) {
        // SAFETY: `allocate` leaked it, and nobody else has it.
        drop(unsafe { Box::from_raw(inner.cast::<Self>().as_ptr()) });
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
    party: Party,
    result: PhantomData<fn() -> T>,
}

impl<T> JoinHandle<T> {
    /// Makes the only handle of that goroutine.
    ///
    /// # Safety
    ///
    /// `party` must be one of a `Packet<T>`.
    pub(super) unsafe fn new(party: Party) -> Self {
        Self {
            party,
            result: PhantomData,
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
        self.party.thread()
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
        // SAFETY: this is the handle, of such a packet.
        unsafe { Packet::wait(self.party) }
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
        self.party.inner().ended().is_set()
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").finish_non_exhaustive()
    }
}
