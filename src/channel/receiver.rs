//! [`Receiver`]: the half of a channel that messages come out of.

use crate::alloc::sync::Arc;
use core::alloc::Layout;
use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::mem::{self, MaybeUninit};
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::{self, NonNull};
use core::time::Duration;

use super::case::{Case, Kind, SelectHandle};
use super::clock;
use super::error::{RecvError, RecvTimeoutError, TryRecvError};
use super::hchan::{Side, Timeout};
use super::iter::{Iter, TryIter};
use super::shared::Shared;
use super::timed::{At, Tick, Timed};
use super::token::{Token, fits};
use super::waitq::{Ended, Outcome};
use crate::time::Instant;

/// The half of a channel that messages come out of. A clone is another handle on the same
/// channel: each message goes to one of those who receive. When the last one is dropped the
/// channel is disconnected, and the messages that are left are dropped.
pub struct Receiver<T> {
    flavor: Flavor,
    message: PhantomData<Cell<T>>,
}

/// What is behind a receiver.
pub(super) enum Flavor {
    Chan(NonNull<Shared>),
    At(Arc<At>),
    Tick(Arc<Tick>),
    Never,
}

// SAFETY: what is in a channel goes from thread to thread, one at a time has it, and the
// channel itself is made for many.
unsafe impl<T: Send> Send for Receiver<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Receiver<T> {}

impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}

impl<T> Receiver<T> {
    /// A token has a place for a message.
    const IS_INLINE: bool = fits(Layout::new::<T>());

    /// Makes a handle.
    ///
    /// # Safety
    ///
    /// It must have been counted, and the channel must be one for values of this type; one
    /// of the clock's, for instants.
    pub(super) const unsafe fn new(flavor: Flavor) -> Self {
        let message = PhantomData;
        Self { flavor, message }
    }

    /// Returns the channel, or what the clock sends.
    #[inline(always)]
    fn kind(&self) -> Kind<'_> {
        match &self.flavor {
            // SAFETY: it is there as long as there is a handle.
            Flavor::Chan(shared) => Kind::Chan(&unsafe { shared.as_ref() }.chan, Side::Recv),
            Flavor::At(at) => Kind::Timed(Timed::At(at)),
            Flavor::Tick(tick) => Kind::Timed(Timed::Tick(tick)),
            Flavor::Never => Kind::Timed(Timed::Never),
        }
    }

    /// Receives a message, or says why not.
    #[inline(always)]
    fn recv_until(&self, timeout: Timeout) -> Result<T, Ended> {
        match self.kind() {
            Kind::Chan(chan, _) => {
                let mut message = MaybeUninit::<T>::uninit();
                let elem = message.as_mut_ptr().cast();
                match chan.recv(elem, size_of::<T>(), timeout) {
                    // SAFETY: the bytes of one that was sent, and of nobody else now.
                    Ended::Done => Ok(unsafe { message.assume_init() }),
                    outcome => Err(outcome),
                }
            }
            Kind::Timed(timed) => timed.recv(timeout).map(Self::message),
        }
    }

    /// Makes a message of the clock's.
    fn message(instant: Instant) -> T {
        // SAFETY: T is Instant: so says who has made such a channel.
        unsafe { mem::transmute_copy(&instant) }
    }

    /// Completes what a select has selected.
    #[inline]
    pub(super) fn complete(&self, token: &mut Token) -> Result<T, RecvError> {
        let Kind::Chan(chan, _) = self.kind() else {
            return Ok(Self::message(token.instant()));
        };
        if Self::IS_INLINE && matches!(token.outcome, Outcome::Done) {
            // SAFETY: a value of this channel, which was put there.
            return Ok(unsafe { token.slot().cast::<T>().read() });
        }
        let mut message = MaybeUninit::<T>::uninit();
        if !chan.complete_recv(token, message.as_mut_ptr().cast()) {
            return Err(RecvError);
        }
        // SAFETY: as in recv_until.
        Ok(unsafe { message.assume_init() })
    }

    /// Receives a message, if there is one. From a channel without capacity that is if
    /// somebody waits to send it.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if not, [`TryRecvError::Disconnected`] if there will be none
    /// any more: the senders are gone, too.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{TryRecvError, unbounded};
    ///
    /// let (s, r) = unbounded();
    /// assert_eq!(r.try_recv(), Err(TryRecvError::Empty));
    /// s.send(5).unwrap();
    /// drop(s);
    /// assert_eq!(r.try_recv(), Ok(5));
    /// assert_eq!(r.try_recv(), Err(TryRecvError::Disconnected));
    /// # }
    /// ```
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        if let Kind::Chan(chan, side) = self.kind()
            && !chan.may_be_ready(side)
        {
            return Err(TryRecvError::Empty);
        }
        self.recv_until(Timeout::Now).map_err(|why| match why {
            Ended::Closed => TryRecvError::Disconnected,
            _ => TryRecvError::Empty,
        })
    }

    /// Receives a message; waits until there is one.
    ///
    /// # Errors
    ///
    /// If there is none, and the senders are gone, or go meanwhile.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{RecvError, unbounded};
    ///
    /// let (s, r) = unbounded();
    /// gort::go(move || s.send(5).unwrap());
    /// assert_eq!(r.recv(), Ok(5));
    /// assert_eq!(r.recv(), Err(RecvError));
    /// # }
    /// ```
    #[inline]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.recv_until(Timeout::Never).map_err(|_| RecvError)
    }

    /// Receives a message, as [`recv`](Self::recv); waits so long at most.
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError::Timeout`] if the time is over,
    /// [`RecvTimeoutError::Disconnected`] if there will be none any more.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{RecvTimeoutError, unbounded};
    /// use gort::time::Duration;
    ///
    /// let (s, r) = unbounded::<u8>();
    /// let timeout = Duration::from_millis(2);
    /// assert_eq!(r.recv_timeout(timeout), Err(RecvTimeoutError::Timeout));
    /// drop(s);
    /// assert_eq!(r.recv_timeout(timeout), Err(RecvTimeoutError::Disconnected));
    /// # }
    /// ```
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.recv_or_time_out(clock::after(timeout))
    }

    /// Receives a message, as [`recv_timeout`](Self::recv_timeout); waits until then at most.
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
    /// use gort::channel::{RecvTimeoutError, unbounded};
    /// use gort::time::{Duration, Instant};
    ///
    /// let (_s, r) = unbounded::<u8>();
    /// let deadline = Instant::now() + Duration::from_millis(2);
    /// assert_eq!(r.recv_deadline(deadline), Err(RecvTimeoutError::Timeout));
    /// assert!(Instant::now() >= deadline);
    /// # }
    /// ```
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        self.recv_or_time_out(clock::until(deadline))
    }

    fn recv_or_time_out(&self, timeout: Timeout) -> Result<T, RecvTimeoutError> {
        self.recv_until(timeout).map_err(|why| match why {
            Ended::Closed => RecvTimeoutError::Disconnected,
            _ => RecvTimeoutError::Timeout,
        })
    }

    /// Tells whether there is no message; a channel without capacity never holds any.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// let (s, r) = gort::channel::unbounded();
    /// assert!(r.is_empty());
    /// s.send(1).unwrap();
    /// assert!(!r.is_empty());
    /// # }
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tells whether the channel holds as many messages as it can; one without capacity, and
    /// one that never has any, always does.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// let (s, r) = gort::channel::bounded(1);
    /// assert!(!r.is_full());
    /// s.send(1).unwrap();
    /// assert!(r.is_full());
    /// # }
    /// ```
    pub fn is_full(&self) -> bool {
        match self.kind() {
            Kind::Chan(chan, _) => chan.is_full(),
            Kind::Timed(Timed::Never) => true,
            Kind::Timed(timed) => timed.is_ready(),
        }
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
    /// assert_eq!(r.len(), 2);
    /// # }
    /// ```
    pub fn len(&self) -> usize {
        match self.kind() {
            Kind::Chan(chan, _) => chan.len(),
            Kind::Timed(timed) => usize::from(timed.is_ready()),
        }
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
    /// assert_eq!(bounded::<u8>(5).1.capacity(), Some(5));
    /// assert_eq!(bounded::<u8>(0).1.capacity(), Some(0));
    /// assert_eq!(unbounded::<u8>().1.capacity(), None);
    /// # }
    /// ```
    pub fn capacity(&self) -> Option<usize> {
        match self.kind() {
            Kind::Chan(chan, _) => chan.capacity(),
            Kind::Timed(Timed::Never) => Some(0),
            Kind::Timed(_) => Some(1),
        }
    }

    /// Returns the messages as an iterator, which waits for each, and ends when the channel is
    /// empty and disconnected.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// let (s, r) = gort::channel::unbounded();
    /// gort::go(move || {
    ///     for i in 1..=3 {
    ///         s.send(i).unwrap();
    ///     }
    /// });
    /// assert_eq!(r.iter().sum::<u32>(), 6);
    /// # }
    /// ```
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// Returns the messages as an iterator, which waits for none, and ends when there is none
    /// at hand.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// let (s, r) = gort::channel::unbounded();
    /// s.send(1).unwrap();
    /// s.send(2).unwrap();
    /// assert_eq!(r.try_iter().sum::<u32>(), 3);
    /// # }
    /// ```
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self }
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
    /// let (_s, r) = unbounded::<u8>();
    /// assert!(r.same_channel(&r.clone()));
    /// assert!(!r.same_channel(&unbounded().1));
    /// # }
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        match (&self.flavor, &other.flavor) {
            (Flavor::Chan(one), Flavor::Chan(other)) => ptr::eq(one.as_ptr(), other.as_ptr()),
            (Flavor::At(one), Flavor::At(other)) => Arc::ptr_eq(one, other),
            (Flavor::Tick(one), Flavor::Tick(other)) => Arc::ptr_eq(one, other),
            (Flavor::Never, Flavor::Never) => true,
            _ => false,
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        /// Drops what was never received.
        fn drop_message<T>(message: *mut u8) {
            // SAFETY: a value of the channel's, in its slot, and nobody else's.
            unsafe { message.cast::<T>().drop_in_place() };
        }
        if let Flavor::Chan(shared) = self.flavor {
            // SAFETY: it is our handle.
            unsafe { Shared::release(shared, Side::Recv, drop_message::<T>) };
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        let flavor = match &self.flavor {
            Flavor::Chan(shared) => {
                // SAFETY: it is there as long as there is a handle.
                unsafe { shared.as_ref() }.acquire(Side::Recv);
                Flavor::Chan(*shared)
            }
            Flavor::At(at) => Flavor::At(Arc::clone(at)),
            Flavor::Tick(tick) => Flavor::Tick(Arc::clone(tick)),
            Flavor::Never => Flavor::Never,
        };
        // SAFETY: just counted; the channel is ours.
        unsafe { Self::new(flavor) }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Receiver { .. }")
    }
}

impl<T> SelectHandle for Receiver<T> {
    #[inline(always)]
    fn case(&self) -> Case<'_> {
        Case(self.kind())
    }
}
