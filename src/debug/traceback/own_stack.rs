//! A stack for who reports a death: there may be little left of the goroutine's, of g0's
//! and of the signal's.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;

use crate::arch;

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
pub(crate) fn on_own_stack<F: FnOnce()>(f: F) {
    extern "C" fn call<F: FnOnce()>(arg: *mut u8) {
        // SAFETY: the address of the Option below, which lives until this returns.
        let f = unsafe { &mut *arg.cast::<Option<F>>() };
        if let Some(f) = f.take() {
            f();
        }
    }
    let mut f = Some(f);
    let top = STACK.0.get().addr() + SIZE;
    // SAFETY: nobody else uses it, as said above, and `call` takes what it is given.
    unsafe { arch::call_on(top, call::<F>, (&raw mut f).cast()) };
}
