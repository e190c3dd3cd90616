//! What the runtime needs from below, and nothing else does: the one place that
//! knows the operating system, or that there is none.
//!
//! The functions are those that a machine without one offers as well:
//! write, exit, tell the time, map memory, start an M, put it to sleep and wake
//! it, set its TLS. Nothing above this module names a system call.
//!
//! | module | what it is |
//! | --- | --- |
//! | `linux` | those functions by Linux's system calls |
//! | `none` | the same by the machine itself, with the feature `none` |
//! | `auxv`, `fault`, `signal_table`, `thread` | what is the same on both: Linux's words for the start, and for what interrupts a program; what an M starts with |
//!
//! Public is some of what std has at that path: the system's strings, [`unix::ffi`], C's
//! types, [`raw`], and the descriptors of the standard streams, [`fd`].

mod auxv;
mod fault;
pub mod fd;
#[cfg(not(feature = "none"))]
mod linux;
#[cfg(feature = "none")]
mod none;
pub mod os_str;
mod signal_table;
mod thread;
pub mod unix;

/// C's types. [`ffi`](crate::ffi) has them, too.
pub mod raw {
    pub use core::ffi::{
        c_char, c_double, c_float, c_int, c_long, c_longlong, c_schar, c_short, c_uchar, c_uint,
        c_ulong, c_ulonglong, c_ushort, c_void,
    };
}

pub(crate) use auxv::Auxv;
pub(crate) use fault::{Died, fault};
#[cfg(not(feature = "none"))]
pub(crate) use linux::*;
#[cfg(feature = "none")]
pub(crate) use none::*;
pub(crate) use signal_table::{
    LAST_SIGNAL, SIGABRT, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGSTKFLT, SIGSYS, SIGTERM, SIGTRAP,
    SignalClass, signal_bit, signal_class,
};
pub(crate) use thread::{Thread, light_barrier};
