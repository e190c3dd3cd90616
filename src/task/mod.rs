//! Futures: std's module of that name, and the way to wait for one.
//!
//! There is no executor here but the scheduler itself: each goroutine that calls
//! [`block_on()`] drives one future, and waits as goroutines do, without keeping a thread.
//! What is asynchronous and names no runtime of its own, channels, streams and
//! combinators, works between goroutines like this.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `block_on` | [`block_on()`], and its waker |

mod block_on;

pub use crate::alloc::task::Wake;
pub use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker, ready};

pub use block_on::block_on;
