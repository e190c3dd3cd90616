//! Time: std's module of that name, and Go's timers.
//!
//! To wait is [`thread::sleep`](crate::thread::sleep); what happens later is a [`Timer`]'s,
//! which sends or calls a function, or a [`Ticker`]'s. A channel that has a message at a
//! time, and that nobody wants to stop, is cheaper:
//! [`channel::after`](crate::channel::after), [`channel::tick`](crate::channel::tick).
//!
//! | file | what it holds |
//! | --- | --- |
//! | `instant` | [`Instant`] |
//! | `system_time` | [`SystemTime`] |
//! | `timespec` | what both are made of |
//! | `after_func` | [`after_func()`], and the alarm that is below all of these |
//! | `timer` | [`Timer`] |
//! | `ticker` | [`Ticker`] |

mod after_func;
mod instant;
mod system_time;
mod ticker;
mod timer;
mod timespec;

pub use core::time::{Duration, TryFromFloatSecsError};

pub use after_func::after_func;
pub use instant::Instant;
pub use system_time::{SystemTime, SystemTimeError, UNIX_EPOCH};
pub use ticker::Ticker;
pub use timer::Timer;
