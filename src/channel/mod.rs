//! Channels: goroutines send each other messages, and wait for that.
//!
//! Names, signatures and behaviour are those of crossbeam-channel 0.5; underneath is Go's
//! channel. All of it may be used from any goroutine. Who waits on a channel is parked, and
//! others run; where all wait for each other the program dies of the deadlock, and its
//! traces say who waits for what: `chan receive`, `chan send`, `select`.
//!
//! ```
//! # #![no_std]
//! # #![no_main]
//! # gort::main!(main);
//! # fn main() {
//! use gort::channel;
//!
//! let (s, r) = channel::bounded(1);
//! gort::go(move || s.send("hello").unwrap());
//! assert_eq!(r.recv(), Ok("hello"));
//! assert!(r.recv().is_err()); // the sender is gone
//! # }
//! ```
//!
//! **What differs from crossbeam-channel.** Messages that nobody received are dropped with
//! the last receiver, also those of a bounded channel. A message that is made in a select,
//! after that has chosen to send, comes back as an error if the receivers go meanwhile. And
//! `try_send` or `try_recv` that meets a select of the other side which waits waits for its
//! completion: for the message that it makes, or until it has a place for one that is larger
//! than 32 bytes; crossbeam spins then. Where one has to wait, nothing spins here, but a sender
//! that finds a buffer full, for a few microseconds where that pays.
//!
//! **Large messages.** A message goes from the sender's stack to the receiver's, or through
//! the buffer, in one copy; but a `T` that is passed and returned by value is copied by the
//! code around, too. Allow for some three times its size on both stacks, and four or five in
//! a debug build, or send a `Box`.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `sender`, `receiver`, `iter` | the two halves |
//! | `new` | how they are made |
//! | `select`, `selected` | [`Select`], what it selects, and what the macros use |
//! | `select_macro`, `select_error` | [`select!`] and [`select_biased!`], and what they say of mistakes |
//! | `error` | what operations say when they fail |
//! | `hchan`, `ends` | the channel: send, receive, close |
//! | `buffer` | where values are in between |
//! | `waiting`, `waitq` | how a goroutine waits, and who does |
//! | `linger` | why a sender does not always do so at once |
//! | `shared` | who has a handle |
//! | `selecting` | the select: the three passes |
//! | `select_ops`, `token`, `case` | what it does with each channel |
//! | `timed`, `clock` | channels that the clock sends to |
//! | `bytes` | channels for C |

mod buffer;
pub(crate) mod bytes;
mod case;
mod clock;
mod ends;
mod error;
mod hchan;
mod iter;
mod layout;
mod linger;
mod new;
mod receiver;
mod select;
mod select_error;
mod select_macro;
mod select_ops;
mod selected;
mod selecting;
mod sender;
mod shared;
mod timed;
mod token;
mod waiting;
mod waitq;

/// What the channel uses; the tests put loom's here, and models of the scheduler.
use core::sync::atomic;

/// What waiting and waking are made of.
mod scheduler {
    pub(super) use crate::debug::lock::ParkLock;
    pub(super) use crate::sched::waiter::Waiter;
    pub(super) use crate::sched::{
        G, Locked, WaitReason, acquirem, can_linger, cheaprand, do_spin, getg, goparkunlock,
        goready, goready_releasem, need_p, open, park_locked, releasem,
    };
    pub(super) use crate::time::Instant;
}

pub use error::{
    ReadyTimeoutError, RecvError, RecvTimeoutError, SelectTimeoutError, SendError,
    SendTimeoutError, TryReadyError, TryRecvError, TrySelectError, TrySendError,
};
pub use iter::{IntoIter, Iter, TryIter};
pub use new::{after, at, bounded, never, tick, unbounded};
pub use receiver::Receiver;
pub use select::Select;
pub use selected::SelectedOperation;
pub use sender::Sender;

pub use crate::{select, select_biased};

/// What the macros `select!` and `select_biased!` use.
#[doc(hidden)]
pub mod internal {
    pub use super::case::SelectHandle;
    pub use super::select::{select, select_timeout, try_select};
}
