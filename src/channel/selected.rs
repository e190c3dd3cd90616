//! [`SelectedOperation`]: what a select has selected, until it is completed.

use core::fmt;
use core::marker::PhantomData;
use core::mem;
use core::ptr;

use super::error::{RecvError, SendError};
use super::receiver::Receiver;
use super::sender::Sender;
use super::token::Token;

/// An operation that was selected, and has to be completed, by [`send`](Self::send) or
/// [`recv`](Self::recv): others may wait for that.
///
/// # Panics
///
/// When it is dropped without.
#[must_use]
pub struct SelectedOperation<'a> {
    token: Token,
    index: usize,
    /// The handle's address.
    ptr: *const u8,
    handle: PhantomData<&'a ()>,
}

impl SelectedOperation<'_> {
    /// Makes one for what has been selected by the handle at `ptr`.
    pub(super) fn new(token: Token, index: usize, ptr: *const u8) -> Self {
        Self {
            token,
            index,
            ptr,
            handle: PhantomData,
        }
    }

    /// Returns the token, to be filled.
    pub(super) fn token(&mut self) -> &mut Token {
        &mut self.token
    }

    /// Says by which handle the token was filled.
    pub(super) fn set(&mut self, index: usize, ptr: *const u8) {
        (self.index, self.ptr) = (index, ptr);
    }

    /// Returns the index that the operation was given when it was added.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{Select, unbounded};
    ///
    /// let (s, r) = unbounded();
    /// s.send(1).unwrap();
    /// let mut select = Select::new();
    /// let recv = select.recv(&r);
    /// let operation = select.select();
    /// assert_eq!(operation.index(), recv);
    /// operation.recv(&r).unwrap();
    /// # }
    /// ```
    pub fn index(&self) -> usize {
        self.index
    }

    /// Completes a send, with the handle that was added.
    ///
    /// # Errors
    ///
    /// The message comes back if the receivers are gone.
    ///
    /// # Panics
    ///
    /// If it is another handle.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{Select, bounded};
    ///
    /// let (s, r) = bounded(0);
    /// gort::go(move || assert_eq!(r.recv(), Ok(10)));
    /// let mut select = Select::new();
    /// select.send(&s);
    /// assert_eq!(select.select().send(&s, 10), Ok(()));
    /// # }
    /// ```
    pub fn send<T>(self, s: &Sender<T>, msg: T) -> Result<(), SendError<T>> {
        assert!(
            ptr::from_ref(s).cast() == self.ptr,
            "passed a sender that wasn't selected",
        );
        let result = s.complete(&self.token, msg);
        mem::forget(self);
        result
    }

    /// Completes a receive, with the handle that was added.
    ///
    /// # Errors
    ///
    /// If the channel is empty, and the senders are gone.
    ///
    /// # Panics
    ///
    /// If it is another handle.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{Select, bounded};
    ///
    /// let (s, r) = bounded(0);
    /// gort::go(move || s.send(10).unwrap());
    /// let mut select = Select::new();
    /// select.recv(&r);
    /// assert_eq!(select.select().recv(&r), Ok(10));
    /// # }
    /// ```
    pub fn recv<T>(mut self, r: &Receiver<T>) -> Result<T, RecvError> {
        assert!(
            ptr::from_ref(r).cast() == self.ptr,
            "passed a receiver that wasn't selected",
        );
        let result = r.complete(&mut self.token);
        mem::forget(self);
        result
    }
}

impl fmt::Debug for SelectedOperation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("SelectedOperation { .. }")
    }
}

impl Drop for SelectedOperation<'_> {
    fn drop(&mut self) {
        panic!("dropped `SelectedOperation` without completing the operation");
    }
}
