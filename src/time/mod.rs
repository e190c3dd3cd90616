//! Time: std's module of that name, and timers that call a function.
//!
//! To wait is [`thread::sleep`](crate::thread::sleep). Not there yet are timers that
//! send.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `instant` | [`Instant`] |
//! | `system_time` | [`SystemTime`] |
//! | `timespec` | what both are made of |
//! | `after_func` | [`after_func()`] and its [`Timer`] |

mod after_func;
mod instant;
mod system_time;
mod timespec;

pub use core::time::{Duration, TryFromFloatSecsError};

pub use after_func::{Timer, after_func};
pub use instant::Instant;
pub use system_time::{SystemTime, SystemTimeError, UNIX_EPOCH};
