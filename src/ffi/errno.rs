//! The errors that C is told, as Linux numbers them in `errno.h`; functions return them
//! negated.

use core::ffi::c_int;

/// It would have to wait.
pub(super) const EAGAIN: c_int = 11;
/// There is no memory for it.
pub(super) const ENOMEM: c_int = 12;
/// Somebody else has it.
pub(super) const EBUSY: c_int = 16;
/// An argument is none that is allowed.
pub(super) const EINVAL: c_int = 22;
/// The channel is closed.
pub(super) const EPIPE: c_int = 32;
/// The time is over.
pub(super) const ETIMEDOUT: c_int = 110;
/// That has been done before.
pub(super) const EALREADY: c_int = 114;
