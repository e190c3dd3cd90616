//! [`Sender`]: the half of a channel that messages go into.

use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::NonNull;
use core::time::Duration;

use super::case::{Case, Kind, SelectHandle};
use super::clock;
use super::error::{SendError, SendTimeoutError, TrySendError};
use super::hchan::{Hchan, Side, Timeout};
use super::shared::Shared;
use super::token::Token;
use super::waitq::Ended;
use crate::time::Instant;

/// The half of a channel that messages go into. A clone is another handle on the same
/// channel. When the last one is dropped the channel is disconnected: who receives gets what
/// is left, and then errors.
pub struct Sender<T> {
    shared: NonNull<Shared>,
    /// It may not become a sender of what lives shorter: so it is a cell's.
    message: PhantomData<Cell<T>>,
}

// SAFETY: what is in a channel goes from thread to thread, one at a time has it, and the
// channel itself is made for many.
unsafe impl<T: Send> Send for Sender<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Sender<T> {}

impl<T> UnwindSafe for Sender<T> {}
impl<T> RefUnwindSafe for Sender<T> {}

impl<T> Sender<T> {
    /// Makes a handle.
    ///
    /// # Safety
    ///
    /// It must have been counted, and the channel must be one for values of this type.
    pub(super) unsafe fn new(shared: NonNull<Shared>) -> Self {
        let message = PhantomData;
        Self { shared, message }
    }

    #[inline(always)]
    fn shared(&self) -> &Shared {
        // SAFETY: it is there as long as there is a handle.
        unsafe { self.shared.as_ref() }
    }

    #[inline(always)]
    pub(super) fn chan(&self) -> &Hchan {
        &self.shared().chan
    }

    /// Sends a message; it comes back with the outcome if it is still ours.
    #[inline(always)]
    fn send_until(&self, msg: T, timeout: Timeout) -> Result<(), (Ended, T)> {
        let msg = ManuallyDrop::new(msg);
        let elem: *const u8 = (&raw const msg).cast();
        // The bytes are moved if this says Done, and only then.
        match self.chan().send(elem, size_of::<T>(), timeout) {
            Ended::Done => Ok(()),
            outcome => Err((outcome, ManuallyDrop::into_inner(msg))),
        }
    }

    /// Completes what a select has selected.
    pub(super) fn complete(&self, token: &Token, msg: T) -> Result<(), SendError<T>> {
        let msg = ManuallyDrop::new(msg);
        if self.chan().complete_send(token, (&raw const msg).cast()) {
            Ok(())
        } else {
            Err(SendError(ManuallyDrop::into_inner(msg)))
        }
    }

    /// Sends a message, if that can be done without waiting. Into a channel without capacity
    /// that is if somebody waits to receive it.
    ///
    /// # Errors
    ///
    /// [`TrySendError::Full`] if not, [`TrySendError::Disconnected`] if the receivers are
    /// gone. The message comes back with it.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{TrySendError, bounded};
    ///
    /// let (s, r) = bounded(1);
    /// assert_eq!(s.try_send(1), Ok(()));
    /// assert_eq!(s.try_send(2), Err(TrySendError::Full(2)));
    /// drop(r);
    /// assert_eq!(s.try_send(3), Err(TrySendError::Disconnected(3)));
    /// # }
    /// ```
    pub fn try_send(&self, msg: T) -> Result<(), TrySendError<T>> {
        self.send_until(msg, Timeout::Now)
            .map_err(|(outcome, msg)| match outcome {
                Ended::Closed => TrySendError::Disconnected(msg),
                _ => TrySendError::Full(msg),
            })
    }

    /// Sends a message; waits for room, or, if the channel has no capacity, until somebody
    /// receives it.
    ///
    /// # Errors
    ///
    /// The message comes back if the receivers are gone, or go meanwhile.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{SendError, bounded};
    ///
    /// let (s, r) = bounded(1);
    /// assert_eq!(s.send(1), Ok(()));
    /// gort::go(move || {
    ///     assert_eq!(r.recv(), Ok(1));
    ///     drop(r);
    /// });
    /// let _ = s.send(2); // for that one there may be room before
    /// assert_eq!(s.send(3), Err(SendError(3)));
    /// # }
    /// ```
    #[inline]
    pub fn send(&self, msg: T) -> Result<(), SendError<T>> {
        self.send_until(msg, Timeout::Never)
            .map_err(|(_, msg)| SendError(msg))
    }

    /// Sends a message, as [`send`](Self::send); waits so long at most.
    ///
    /// # Errors
    ///
    /// [`SendTimeoutError::Timeout`] if the time is over,
    /// [`SendTimeoutError::Disconnected`] if the receivers are gone. The message comes back
    /// with it.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{SendTimeoutError, bounded};
    /// use gort::time::Duration;
    ///
    /// let (s, r) = bounded(0);
    /// let timeout = Duration::from_millis(2);
    /// assert_eq!(s.send_timeout(1, timeout), Err(SendTimeoutError::Timeout(1)));
    /// drop(r);
    /// assert_eq!(s.send_timeout(1, timeout), Err(SendTimeoutError::Disconnected(1)));
    /// # }
    /// ```
    pub fn send_timeout(&self, msg: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        self.send_or_time_out(msg, clock::after(timeout))
    }

    /// Sends a message, as [`send_timeout`](Self::send_timeout); waits until then at most.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{SendTimeoutError, bounded};
    /// use gort::time::{Duration, Instant};
    ///
    /// let (s, _r) = bounded(0);
    /// let deadline = Instant::now() + Duration::from_millis(2);
    /// assert_eq!(s.send_deadline(1, deadline), Err(SendTimeoutError::Timeout(1)));
    /// assert!(Instant::now() >= deadline);
    /// # }
    /// ```
    pub fn send_deadline(&self, msg: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        self.send_or_time_out(msg, clock::until(deadline))
    }

    fn send_or_time_out(&self, msg: T, timeout: Timeout) -> Result<(), SendTimeoutError<T>> {
        self.send_until(msg, timeout)
            .map_err(|(outcome, msg)| match outcome {
                Ended::Closed => SendTimeoutError::Disconnected(msg),
                _ => SendTimeoutError::Timeout(msg),
            })
    }

    /// Tells whether the channel holds no message; one without capacity never does.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// let (s, r) = gort::channel::unbounded();
    /// assert!(s.is_empty());
    /// s.send(1).unwrap();
    /// assert!(!s.is_empty());
    /// # }
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells whether there is no room; one without capacity never has any.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// let (s, r) = gort::channel::bounded(1);
    /// assert!(!s.is_full());
    /// s.send(1).unwrap();
    /// assert!(s.is_full());
    /// # }
    /// ```
    pub fn is_full(&self) -> bool {
        self.chan().is_full()
    }

    /// Returns how many messages the channel holds.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// let (s, r) = gort::channel::unbounded();
    /// s.send(1).unwrap();
    /// s.send(2).unwrap();
    /// assert_eq!(s.len(), 2);
    /// # }
    /// ```
    pub fn len(&self) -> usize {
        self.chan().len()
    }

    /// Returns how many messages it can hold; none if there is no limit.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{bounded, unbounded};
    ///
    /// assert_eq!(bounded::<u8>(5).0.capacity(), Some(5));
    /// assert_eq!(bounded::<u8>(0).0.capacity(), Some(0));
    /// assert_eq!(unbounded::<u8>().0.capacity(), None);
    /// # }
    /// ```
    pub fn capacity(&self) -> Option<usize> {
        self.chan().capacity()
    }

    /// Tells whether both are handles on one channel.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::unbounded;
    ///
    /// let (s, _r) = unbounded::<u8>();
    /// assert!(s.same_channel(&s.clone()));
    /// assert!(!s.same_channel(&unbounded().0));
    /// # }
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        self.shared == other.shared
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // SAFETY: it is our handle. The values are not dropped from this side.
        unsafe { Shared::release(self.shared, Side::Send, |_| {}) };
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared().acquire(Side::Send);
        // SAFETY: just counted; the channel is ours.
        unsafe { Self::new(self.shared) }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Sender { .. }")
    }
}

impl<T> SelectHandle for Sender<T> {
    #[inline(always)]
    fn case(&self) -> Case<'_> {
        Case(Kind::Chan(self.chan(), Side::Send))
    }
}
