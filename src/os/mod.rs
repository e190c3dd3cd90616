//! What the runtime needs from below, and nothing else does: the one place that
//! knows the operating system.
//!
//! The functions are those that a machine without one could offer as well:
//! write, exit, tell the time, map memory, start an M, put it to sleep and wake
//! it, set its TLS. Nothing above this module names a system call.
//!
//! Public are the system's strings alone, at std's path: [`unix::ffi`].

mod linux;
pub mod os_str;
pub mod unix;

pub(crate) use linux::*;
