//! Time: timers that call a function.
//!
//! To wait is [`thread::sleep`](crate::thread::sleep). Not there yet are `Instant` and
//! `SystemTime`, and timers that send.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `after_func` | [`after_func()`] and its [`Timer`] |

mod after_func;

pub use core::time::Duration;

pub use after_func::{Timer, after_func};
