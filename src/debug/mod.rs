//! What tells a person about the runtime: its messages, its deaths, its traces,
//! and its view of ELF images. Any module may use this one.
//!
//! For programs: Go's package `runtime/debug`.

pub(crate) mod alone;
pub(crate) mod boottrace;
pub(crate) mod elf;
pub(crate) mod fatal;
mod futex_lock;
#[cfg_attr(
    not(all(feature = "traceback", any(feature = "backtrace", debug_assertions))),
    path = "goroutines_small.rs"
)]
mod goroutines;
pub(crate) mod layout;
pub(crate) mod lock;
mod memory;
pub(crate) mod print;
pub(crate) mod sigquit;
mod stack;
#[cfg(feature = "traceback")]
pub(crate) mod symbols;
mod threads;
pub(crate) mod trace;
#[cfg(feature = "traceback")]
pub(crate) mod traceback;
pub(crate) mod vdso;

use core::sync::atomic;

use crate::os;

pub use memory::{free_os_memory, set_memory_limit};
pub use stack::{print_stack, stack};
pub use threads::set_max_threads;
