//! Channels with one receiver: std's module of that name, over [`crate::channel`].
//!
//! Whoever has the choice takes that one: there is select, and receivers may be cloned.
//! From any goroutine, all of it.
//!
//! ```
//! # #![no_std]
//! # #![no_main]
//! # gort::main!(main);
//! # fn main() {
//! use gort::sync::mpsc;
//! use gort::thread;
//!
//! let (sender, receiver) = mpsc::channel();
//! for n in 0..3 {
//!     let sender = sender.clone();
//!     thread::spawn(move || sender.send(n).unwrap());
//! }
//! drop(sender);
//! assert_eq!(receiver.iter().sum::<u32>(), 3);
//! # }
//! ```

mod error;
mod receiver;
mod sender;

pub use error::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};
pub use receiver::{IntoIter, Iter, Receiver, TryIter};
pub use sender::{Sender, SyncSender};

use crate::channel;

/// Makes a channel without a bound: who sends never waits.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// let (sender, receiver) = gort::sync::mpsc::channel();
/// sender.send(1).unwrap();
/// assert_eq!(receiver.recv(), Ok(1));
/// # }
/// ```
#[must_use]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = channel::unbounded();
    (Sender::new(sender), Receiver::new(receiver))
}

/// Makes a channel with room for so many messages: who sends waits until there is some.
/// With 0, that is until the message is received.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// let (sender, receiver) = gort::sync::mpsc::sync_channel(1);
/// sender.send(1).unwrap();
/// assert!(sender.try_send(2).is_err());
/// assert_eq!(receiver.recv(), Ok(1));
/// # }
/// ```
#[must_use]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let (sender, receiver) = channel::bounded(bound);
    (SyncSender::new(sender), Receiver::new(receiver))
}
