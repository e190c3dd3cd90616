//! Where goroutines are, in Go's format.
//!
//! Go's counterpart: `runtime/traceback.go`.
//!
//! ```text
//! goroutine 1 [running]:                              goroutineheader
//! hello::greet(...)                                   inlined: no frame of its own
//!     /home/gopher/hello.rs:12
//! main.main()
//!     /home/gopher/hello.rs:7 +0x1d
//! created by hello::other in goroutine 2              printcreatedby
//!     /home/gopher/hello.rs:3 +0x50
//! ```
//!
//! | file | what it holds |
//! | --- | --- |
//! | `unwind` | from a frame to its caller's |
//! | `stack`, `code` | what that reads: a goroutine's stack, the program's text |
//! | `frames` | what there is at an address |
//! | `hide` | which functions are the runtime's; their names |
//! | `show` | a goroutine's trace |
//! | `report` | its header; all goroutines |
//! | `out` | where the text goes |
//! | `own_stack` | stacks for all of this |
//! | `ask` | the same for programs that ask, and live on |
//! | `small` | what deaths have instead in release builds without the feature `backtrace` |
//!
//! Nothing here allocates or takes a lock: this is what the last minutes of a program
//! are for, on whatever stack is left. The stacks that are read may be those that have
//! just been smashed: see `unwind`.

mod ask;
mod code;
mod frames;
mod hide;
mod out;
#[cfg_attr(
    not(any(feature = "backtrace", debug_assertions)),
    allow(dead_code, reason = "deaths have `small`")
)]
mod own_stack;
mod report;
mod show;
#[cfg(not(any(feature = "backtrace", debug_assertions)))]
pub(crate) mod small;
mod stack;
pub(crate) mod unwind;

pub(crate) use ask::{count, debug, display, frames, stack};
#[cfg(any(feature = "backtrace", debug_assertions))]
pub(crate) use own_stack::on_own_stack;
#[cfg(any(feature = "backtrace", debug_assertions))]
pub(crate) use report::{Here, What, report};
#[cfg(not(any(feature = "backtrace", debug_assertions)))]
pub(crate) use stack::{is_whole, saved};
