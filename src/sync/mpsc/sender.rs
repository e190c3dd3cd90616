//! The two kinds of senders.

use core::fmt;

use super::error::{SendError, TrySendError};
use crate::channel;

/// Who sends to a [`channel`](super::channel()).
pub struct Sender<T>(channel::Sender<T>);

/// Who sends to a [`sync_channel`](super::sync_channel()).
pub struct SyncSender<T>(channel::Sender<T>);

impl<T> Sender<T> {
    /// Makes one of crossbeam's.
    pub(super) fn new(sender: channel::Sender<T>) -> Self {
        Self(sender)
    }

    /// Sends a message, without waiting.
    ///
    /// # Errors
    ///
    /// If the receiver is gone: the message comes back.
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        self.0.send(t).map_err(SendError::from_channel)
    }
}

impl<T> SyncSender<T> {
    /// Makes one of crossbeam's.
    pub(super) fn new(sender: channel::Sender<T>) -> Self {
        Self(sender)
    }

    /// Sends a message; waits until there is room, or, where there is none ever, until it
    /// is received.
    ///
    /// # Errors
    ///
    /// If the receiver is gone: the message comes back.
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        self.0.send(t).map_err(SendError::from_channel)
    }

    /// Sends a message if there is room, or, where there is none ever, if the receiver waits.
    ///
    /// # Errors
    ///
    /// If that is not so, or the receiver is gone: the message comes back.
    pub fn try_send(&self, t: T) -> Result<(), TrySendError<T>> {
        self.0.try_send(t).map_err(TrySendError::from_channel)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Clone for SyncSender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for SyncSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncSender").finish_non_exhaustive()
    }
}
