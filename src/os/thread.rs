//! What a new thread starts with, whoever makes it.

use core::ffi::c_void;

/// A thread that is to be made.
pub(crate) struct Thread {
    /// The address behind its stack.
    pub(crate) stack_hi: usize,
    /// Its M.
    pub(crate) mp: *const c_void,
    /// Its g0.
    pub(crate) g0: *const c_void,
    /// What it runs; when that returns, the thread ends.
    pub(crate) start: extern "C" fn(),
    /// Where FS points.
    pub(crate) tls: usize,
}
