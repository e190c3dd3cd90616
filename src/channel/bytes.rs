//! Channels whose messages are so many bytes, as the program says when it makes one: for C.
//! The handles are the program's to count, and so it says itself when a channel is closed.

use core::alloc::Layout;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use super::case::{Case, Kind, SelectHandle};
use super::clock;
use super::hchan::{Hchan, Side, Timeout};
use super::selecting::{Mode, run};
use super::token::Token;
use super::waitq::Ended;
use crate::sched::{WaitReason, timers};

/// An operation, its index, and what select alone needs.
pub(crate) type Handle<'a> = super::selecting::Handle<'a>;

/// A channel.
pub(crate) struct ByteChan {
    chan: Hchan,
    /// [`close`](Self::close) was called.
    is_closed: AtomicBool,
}

/// Why nothing was sent or received.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The channel is closed; to who receives, and empty.
    Closed,
    /// The time is over.
    TimedOut,
}

/// An operation of a select.
pub(crate) struct ByteCase<'a> {
    pub(crate) chan: &'a ByteChan,
    /// It sends; else it receives.
    pub(crate) sends: bool,
    /// Where the message is, or goes to. Not null.
    pub(crate) message: *mut u8,
}

impl ByteChan {
    /// Makes one for so many messages of so many bytes; `usize::MAX` is no limit. None if
    /// that is more than the address space.
    pub(crate) fn new(size: usize, capacity: usize) -> Option<Self> {
        // Aligned as memory of that size is anyway, if they have the usual sizes.
        let message = Layout::from_size_align(size, 1).ok()?;
        if capacity != usize::MAX && isize::try_from(size.checked_mul(capacity)?).is_err() {
            return None;
        }
        Some(Self {
            chan: Hchan::new(capacity, message, ""),
            is_closed: AtomicBool::new(false),
        })
    }

    /// Returns the size of a message.
    pub(crate) fn size(&self) -> usize {
        self.chan.size
    }

    /// Sends the message, for which it waits so many nanoseconds at most; less than 0 is for
    /// ever. From a goroutine.
    ///
    /// # Safety
    ///
    /// `message` must be of the channel's size, and not null.
    pub(crate) unsafe fn send(&self, message: *const u8, ns: i64) -> Result<(), Refused> {
        said(self.chan.send(message, self.chan.size, timeout(ns)))
    }

    /// Receives a message, as [`send`](Self::send) sends one.
    ///
    /// # Safety
    ///
    /// There must be room for one at `message`, which is not null.
    pub(crate) unsafe fn recv(&self, message: *mut u8, ns: i64) -> Result<(), Refused> {
        said(self.chan.recv(message, self.chan.size, timeout(ns)))
    }

    /// Has all sends fail, and all receives when there is nothing left; false if that was so
    /// already. From a goroutine.
    pub(crate) fn close(&self) -> bool {
        // Relaxed: it tells closers apart; the rest is behind the channel's lock.
        let first = !self.is_closed.swap(true, Ordering::Relaxed);
        if first {
            self.chan.close();
        }
        first
    }

    /// Counts the messages that nobody has received yet.
    pub(crate) fn len(&self) -> usize {
        self.chan.len()
    }

    /// Returns how many there may be; `usize::MAX` for no limit.
    pub(crate) fn capacity(&self) -> usize {
        self.chan.capacity
    }
}

impl SelectHandle for ByteCase<'_> {
    fn case(&self) -> Case<'_> {
        let side = if self.sends { Side::Send } else { Side::Recv };
        Case(Kind::Chan(&self.chan.chan, side))
    }
}

/// Makes the handle of a case, which gets that index.
pub(crate) fn handle<'a>(case: &'a ByteCase<'a>, index: usize) -> Handle<'a> {
    (case.case(), index, ptr::null())
}

/// Waits until one of the operations is ready, and returns its place, to be
/// [`completed`](Selected::complete); none if the time is over, as of
/// [`send`](ByteChan::send). It changes the order of the handles. From a goroutine.
pub(crate) fn select(handles: &mut [Handle<'_>], ns: i64) -> Option<Selected> {
    let mut token = Token::new();
    let timeout = timeout(ns);
    loop {
        if let Some(place) = run(handles, Mode::Select, timeout, false, &mut token) {
            let index = handles[place].1;
            return Some(Selected { index, token });
        }
        if timeout != Timeout::Never {
            return None;
        }
    }
}

/// An operation that was selected.
#[must_use = "it must be completed"]
pub(crate) struct Selected {
    /// The index that its handle has.
    pub(crate) index: usize,
    token: Token,
}

impl Selected {
    /// Does it. `case` must be the one that was selected.
    ///
    /// # Safety
    ///
    /// As of [`ByteChan::send`] and [`ByteChan::recv`].
    pub(crate) unsafe fn complete(mut self, case: &ByteCase<'_>) -> Result<(), Refused> {
        let chan = &case.chan.chan;
        let done = if case.sends {
            chan.complete_send(&self.token, case.message)
        } else {
            chan.complete_recv(&mut self.token, case.message)
        };
        if done { Ok(()) } else { Err(Refused::Closed) }
    }
}

/// Waits for ever, or until the time is over, for what never happens.
pub(crate) fn wait(ns: i64, sends: bool) {
    let reason = if sends {
        WaitReason::CHAN_SEND
    } else {
        WaitReason::CHAN_RECEIVE
    };
    clock::wait(timeout(ns), reason);
}

/// Returns when so many nanoseconds will be over.
fn timeout(ns: i64) -> Timeout {
    match ns {
        0 => Timeout::Now,
        1.. => Timeout::At(timers::deadline(ns)),
        _ => Timeout::Never,
    }
}

/// Says what came of an operation that is over.
fn said(outcome: Ended) -> Result<(), Refused> {
    match outcome {
        Ended::Closed => Err(Refused::Closed),
        Ended::TimedOut => Err(Refused::TimedOut),
        Ended::Done => Ok(()),
    }
}
