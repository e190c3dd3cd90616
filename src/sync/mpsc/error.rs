//! What the operations say when they fail: std's types, traits and texts, which differ from
//! crossbeam's in the texts alone.

use core::error::Error;
use core::fmt;

use crate::channel;

/// What `send` says when the receiver is gone: the message comes back.
#[derive(PartialEq, Eq, Clone, Copy)]
pub struct SendError<T>(pub T);

/// What [`recv`](super::Receiver::recv) says when there is no message and all senders are
/// gone.
#[derive(PartialEq, Eq, Clone, Copy, Debug)]
pub struct RecvError;

/// What [`try_recv`](super::Receiver::try_recv) says.
#[derive(PartialEq, Eq, Clone, Copy, Debug)]
pub enum TryRecvError {
    /// There is no message.
    Empty,
    /// There is no message, and all senders are gone.
    Disconnected,
}

/// What [`recv_timeout`](super::Receiver::recv_timeout) says.
#[derive(PartialEq, Eq, Clone, Copy, Debug)]
pub enum RecvTimeoutError {
    /// There was no message all the time.
    Timeout,
    /// There is no message, and all senders are gone.
    Disconnected,
}

/// What [`try_send`](super::SyncSender::try_send) says: the message comes back.
#[derive(PartialEq, Eq, Clone, Copy)]
pub enum TrySendError<T> {
    /// There is no room; where there is none ever, nobody receives right now.
    Full(T),
    /// The receiver is gone.
    Disconnected(T),
}

impl<T> SendError<T> {
    /// Makes one of crossbeam's.
    pub(super) fn from_channel(error: channel::SendError<T>) -> Self {
        Self(error.0)
    }
}

impl<T> TrySendError<T> {
    /// Makes one of crossbeam's.
    pub(super) fn from_channel(error: channel::TrySendError<T>) -> Self {
        match error {
            channel::TrySendError::Full(message) => Self::Full(message),
            channel::TrySendError::Disconnected(message) => Self::Disconnected(message),
        }
    }
}

impl TryRecvError {
    /// Makes one of crossbeam's.
    pub(super) fn from_channel(error: channel::TryRecvError) -> Self {
        match error {
            channel::TryRecvError::Empty => Self::Empty,
            channel::TryRecvError::Disconnected => Self::Disconnected,
        }
    }
}

impl RecvTimeoutError {
    /// Makes one of crossbeam's.
    pub(super) fn from_channel(error: channel::RecvTimeoutError) -> Self {
        match error {
            channel::RecvTimeoutError::Timeout => Self::Timeout,
            channel::RecvTimeoutError::Disconnected => Self::Disconnected,
        }
    }
}

impl<T> From<SendError<T>> for TrySendError<T> {
    fn from(error: SendError<T>) -> Self {
        Self::Disconnected(error.0)
    }
}

impl From<RecvError> for TryRecvError {
    fn from(RecvError: RecvError) -> Self {
        Self::Disconnected
    }
}

impl From<RecvError> for RecvTimeoutError {
    fn from(RecvError: RecvError) -> Self {
        Self::Disconnected
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(..) => "TrySendError::Full(..)",
            Self::Disconnected(..) => "TrySendError::Disconnected(..)",
        })
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("sending on a closed channel")
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Full(..) => "sending on a full channel",
            Self::Disconnected(..) => "sending on a closed channel",
        })
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("receiving on a closed channel")
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Empty => "receiving on an empty channel",
            Self::Disconnected => "receiving on a closed channel",
        })
    }
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Timeout => "timed out waiting on channel",
            Self::Disconnected => "channel is empty and sending half is closed",
        })
    }
}

impl<T> Error for SendError<T> {}
impl<T> Error for TrySendError<T> {}
impl Error for RecvError {}
impl Error for TryRecvError {}
impl Error for RecvTimeoutError {}
