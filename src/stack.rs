//! A goroutine's stack: how much of it is left, and more of it.
//!
//! Go's counterpart: `runtime.morestack`, which each function's prologue calls
//! when the stack comes to an end. Rust's functions have no such prologue, and
//! what is on a stack cannot be moved. So a goroutine has one of a fixed size
//! (see [`go`](crate::go)), and code that does not know how deep it will go says
//! so, at each level or every few levels, with [`grow`]. A parser, for instance,
//! takes as many parentheses as there is memory for:
//!
//! ```
//! # #![no_std]
//! # #![no_main]
//! # gort::main!(main);
//! # extern crate alloc;
//! # use alloc::string::String;
//! /// expression = number | "(" expression ")" | "-" expression
//! fn expression(text: &mut &[u8]) -> Option<i64> {
//!     match text.split_off_first()? {
//!         b'(' => {
//!             let value = gort::stack::grow(1 << 20, || expression(text))?;
//!             (text.split_off_first()? == &b')').then_some(value)
//!         }
//!         b'-' => Some(-gort::stack::grow(1 << 20, || expression(text))?),
//!         digit => char::from(*digit).to_digit(10).map(i64::from),
//!     }
//! }
//!
//! # fn main() {
//! gort::go(|| {
//!     let text: String = ["(".repeat(100_000), "-7".into(), ")".repeat(100_000)].concat();
//!     assert_eq!(expression(&mut text.as_bytes()), Some(-7));
//! });
//! # while gort::runtime::num_goroutine() > 1 {
//! gort::runtime::gosched();
//! # }
//! # }
//! ```

use core::mem::{ManuallyDrop, MaybeUninit};

use crate::debug::fatal::throw;
use crate::{arch, sched};

/// The bytes that [`grow`] leaves to the function that it calls, at the least:
/// 64 KiB. So much may all be used that a level of a recursion needs besides going
/// deeper, from one `grow` to the next: its own frames, and the deepest call
/// that does not itself grow.
pub const MARGIN: usize = 64 << 10;

/// The largest size to ask [`grow`] for.
const LARGEST: usize = 1 << 30;

/// How much more than it was asked for a segment has: what a recursion uses of it
/// before it needs the next one.
const STEP: usize = 3 * MARGIN;

/// Returns how many bytes are left of the current piece of stack, down to its
/// guard: of the goroutine's own stack, or of the segment that [`grow`] took. On
/// a stack that is no goroutine's, a signal handler's say, it is 0. From anywhere.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::stack;
///
/// let left = stack::remaining();
/// assert!(left > 200 << 10 && left < 256 << 10);
/// assert!(stack::grow(1 << 20, stack::remaining) > 1 << 20);
/// # }
/// ```
#[inline]
pub fn remaining() -> usize {
    let (sp, stack) = (arch::getsp(), &sched::getg().stack);
    if (stack.lo.get()..stack.hi.get()).contains(&sp) {
        sp - stack.lo.get()
    } else {
        0
    }
}

/// Calls `f` where it has at least `size` bytes of stack, and never fewer than
/// [`MARGIN`]: right here if that much is left, else on a segment, a fresh and
/// larger piece of stack, on which it has `size` bytes and nearly 192 KiB more, at
/// the least. Returns what `f` returns. From any goroutine.
///
/// Where nothing needs to be done this is a comparison and a call. To take a
/// segment and to give it back costs as little as memory from an allocator:
/// segments are kept for the next time. A segment has a size of 256 KiB or that
/// doubled and doubled again, and costs memory for what was ever touched of it. So
/// be generous: a small `size`, 0 even, makes segments of 256 KiB, a new one every
/// 192 KiB, and with a larger one they are fewer. At most 1 GiB can be asked for
/// at a time.
///
/// What `f` borrows stays where it is. `f` itself and its result take room on the
/// stack that `grow` is called on; let it borrow what is large.
///
/// `f` runs on the same goroutine, and may do there what it may do elsewhere:
/// give way, start goroutines, grow again. If it goes past the end of its
/// segment, the program dies of the overflow, and the report shows the segment's
/// bounds. A debugger's backtrace, and whoever follows the frame pointers, goes
/// on to who called `grow`. If it ends the goroutine, by
/// [`goexit`](crate::runtime::goexit), its segments are nobody's from then on,
/// like the stack. Code that runs on no goroutine's stack, as a signal handler
/// does, gets `f` called right there, whatever is left.
///
/// # Panics
///
/// Ends the program with `fatal error: out of memory (stack allocation)` where
/// the system has no room for another segment, or if it should be larger than
/// 1 GiB.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// /// Adds the numbers up to `n`, the simple way.
/// fn sum(n: u64) -> u64 {
///     if n == 0 {
///         return 0;
///     }
///     n + gort::stack::grow(16 << 20, || sum(n - 1))
/// }
/// assert_eq!(sum(1_000_000), 500_000_500_000);
/// # }
/// ```
#[inline]
pub fn grow<R, F: FnOnce() -> R>(size: usize, f: F) -> R {
    // On a stack that is not the goroutine's the difference means nothing;
    // newstack then finds out, if we get there.
    let left = arch::getsp().wrapping_sub(sched::getg().stack.lo.get());
    if left >= size.max(MARGIN) {
        frame_of_its_own(f)
    } else {
        on_a_segment(size, f)
    }
}

/// Calls `f`. Inlined, the locals of `f` would be in the frame of whoever calls
/// `grow`: on the stack that there is too little of, whichever way it goes.
#[inline(never)]
fn frame_of_its_own<R, F: FnOnce() -> R>(f: F) -> R {
    f()
}

/// Calls `f` on a segment with at least `size` bytes.
#[cold]
#[inline(never)]
fn on_a_segment<R, F: FnOnce() -> R>(size: usize, f: F) -> R {
    /// What goes over the seam, and comes back.
    struct Call<R, F> {
        f: ManuallyDrop<F>,
        result: MaybeUninit<R>,
    }
    extern "C" fn call<R, F: FnOnce() -> R>(arg: *mut u8) {
        let arg = arg.cast::<Call<R, F>>();
        // SAFETY: newstack passes the address of the Call below, which nobody
        // else touches until this returns.
        let arg = unsafe { &mut *arg };
        // SAFETY: this is called once, and nobody uses `f` afterwards.
        let f = unsafe { ManuallyDrop::take(&mut arg.f) };
        arg.result.write(frame_of_its_own(f));
    }
    let mut this = Call {
        f: ManuallyDrop::new(f),
        result: MaybeUninit::uninit(),
    };
    let size = match size {
        ..=LARGEST => size.max(MARGIN) + STEP,
        _ => usize::MAX,
    };
    if !sched::newstack(size, call::<R, F>, (&raw mut this).cast()) {
        throw("out of memory (stack allocation)");
    }
    // SAFETY: newstack has returned, so `call` has, and that wrote the result.
    unsafe { this.result.assume_init() }
}
