//! What is the same of threads, whoever makes them: what a new one starts with, and the light
//! half of a fence.

use core::ffi::c_void;
use core::sync::atomic::{Ordering, compiler_fence};

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

/// A fence for the compiler alone: the CPU is told by who calls `membarrier`.
#[inline(always)]
pub(crate) fn light_barrier() {
    compiler_fence(Ordering::SeqCst);
}
