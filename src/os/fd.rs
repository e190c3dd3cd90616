//! `std::os::fd`, as far as the standard streams need it.

use crate::alloc::boxed::Box;
use crate::alloc::rc::Rc;
use crate::alloc::sync::Arc;
use core::ffi::c_int;

/// A descriptor's number.
pub type RawFd = c_int;

/// What has a descriptor: the standard streams and their locks.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::io;
/// use gort::os::fd::AsRawFd;
///
/// assert_eq!(io::stdin().as_raw_fd(), 0);
/// assert_eq!(io::stderr().lock().as_raw_fd(), 2);
/// # }
/// ```
pub trait AsRawFd {
    /// Returns its number. Whose it is stays as it is.
    fn as_raw_fd(&self) -> RawFd;
}

impl AsRawFd for RawFd {
    fn as_raw_fd(&self) -> RawFd {
        *self
    }
}

impl<T: AsRawFd> AsRawFd for Arc<T> {
    fn as_raw_fd(&self) -> RawFd {
        (**self).as_raw_fd()
    }
}

impl<T: AsRawFd> AsRawFd for Rc<T> {
    fn as_raw_fd(&self) -> RawFd {
        (**self).as_raw_fd()
    }
}

impl<T: AsRawFd> AsRawFd for Box<T> {
    fn as_raw_fd(&self) -> RawFd {
        (**self).as_raw_fd()
    }
}
