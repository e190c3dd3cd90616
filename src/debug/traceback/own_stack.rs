//! A stack for who reports a death: there may be little left of the goroutine's, of g0's
//! and of the signal's. And one for who only asks.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;

use crate::{arch, sched};

/// Its size. Builds that are not optimized have large frames.
const SIZE: usize = if cfg!(debug_assertions) {
    128 << 10
} else {
    32 << 10
};

/// The stack.
#[repr(C, align(16))]
struct Memory(UnsafeCell<MaybeUninit<[u8; SIZE]>>);

// SAFETY: one thread reports a death; see fatal.rs. What it does in there twice, it does
// for the last time: the first one is not gone back to.
unsafe impl Sync for Memory {}

static STACK: Memory = Memory(UnsafeCell::new(MaybeUninit::zeroed()));

/// Calls `f` on that stack. By who reports a death.
pub(crate) fn on_own_stack(mut f: impl FnMut()) {
    // SAFETY: nobody else uses it, as said above.
    unsafe { call_on(STACK.0.get().addr() + SIZE, &mut f) };
}

/// Calls `f` on another piece of the goroutine's stack: a death meanwhile shows how it came to
/// be there. It must not give way, and is not called if there is no memory.
pub(crate) fn on_segment(mut f: &mut dyn FnMut()) {
    // Where that fails it has not been called.
    let _ = sched::newstack(SIZE, call, (&raw mut f).cast());
}

/// Calls `f` on the stack that ends at `top`.
///
/// # Safety
///
/// Nobody else may use it.
unsafe fn call_on(top: usize, mut f: &mut dyn FnMut()) {
    // SAFETY: the caller's promise; `call` takes what it is given, and SIZE will do.
    unsafe { arch::call_on(top, call, (&raw mut f).cast()) };
}

/// Calls what the reference at that address leads to.
extern "C" fn call(arg: *mut u8) {
    // SAFETY: the address of a reference of our callers', which wait for this to return.
    let f = unsafe { &mut *arg.cast::<&mut dyn FnMut()>() };
    f();
}
