//! What the runtime needs from below, and nothing else does: the one place that
//! knows the operating system.
//!
//! The functions are those that a machine without one could offer as well:
//! write, exit, tell the time, map memory, start an M, put it to sleep and wake
//! it, set its TLS. Nothing above this module names a system call.
//!
//! Public is some of what std has at that path: the system's strings, [`unix::ffi`], C's
//! types, [`raw`], and the descriptors of the standard streams, [`fd`].

pub mod fd;
mod linux;
pub mod os_str;
pub mod unix;

/// C's types. [`ffi`](crate::ffi) has them, too.
pub mod raw {
    pub use core::ffi::{
        c_char, c_double, c_float, c_int, c_long, c_longlong, c_schar, c_short, c_uchar, c_uint,
        c_ulong, c_ulonglong, c_ushort, c_void,
    };
}

pub(crate) use linux::*;
