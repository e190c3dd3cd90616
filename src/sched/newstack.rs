//! A goroutine goes on with another piece of stack, and comes back.
//!
//! Go's counterparts: `runtime.newstack` and `runtime.oldstack` of Go 1.2, which
//! had stacks in segments. Later ones copy the stack to a larger one instead, for
//! which Rust lacks the maps; here a segment is for the program that asks.
//!
//! ```text
//!   goroutine's own stack      first segment              second segment, in use
//!   hi-> +----------+          hi-> +------------+        hi-> +------------+
//!        | G        |       null <--| link       | <-----------| link       | <- g.stktop
//!        +----------+ <-bounds----- | stack      | <-bounds--- | stack      |
//!        | frames   |               +------------+             +------------+
//!        | newstack |               | frames     |             | frames     |
//!        +----------+               | newstack   |             |            |
//!        | a margin |               +------------+             |            |
//!   lo-> +----------+          lo-> +------------+        lo-> +------------+
//! ```
//!
//! Invariants:
//! 1. `g.stack` and `g.stackguard0` describe the piece that rsp is on: whoever
//!    looks for an overflow needs to know of no other.
//! 2. `g.stktop` leads to the top of the segment in use, and is null on the
//!    goroutine's own stack. The Stktop there has the bounds of the piece before.
//! 3. A segment is given back by whoever took it, when it has been left. One that
//!    a goroutine ended on stays as it is, like that goroutine's stack, and for
//!    the same reason; see [`leave_segments`] for C's.

use core::ptr;
use core::sync::atomic::Ordering;

use super::goexit::goexit0;
use super::runtime2::{G, STACK_GUARD, Stack, Stktop};
use super::{acquirem, getg, releasem};
use crate::arch;
use crate::mem::{self, Segment};

// SAFETY: the routine's contract stands in asm/stack_amd64.S.
unsafe extern "C" {
    #[link_name = "runtime.morestack"]
    fn runtime_morestack(f: extern "C" fn(*mut u8), arg: *mut u8, stack: *const Stack);
}

/// Calls `f` with `arg` on a segment of at least `size` bytes; false if there is
/// none to be had. On a goroutine; on any other stack, g0's or that of a signal,
/// it calls `f` right there.
#[unsafe(export_name = "runtime.newstack")]
#[inline(never)]
pub(crate) fn newstack(size: usize, f: extern "C" fn(*mut u8), arg: *mut u8) -> bool {
    let gp = getg();
    let on_its_stack = (gp.stack.lo.get()..gp.stack.hi.get()).contains(&arch::getsp());
    if gp.goid.get() == 0 || !on_its_stack {
        f(arg);
        return true;
    }
    let Some(segment) = mem::segment_alloc(size) else {
        return false;
    };
    let top = ptr::with_exposed_provenance_mut::<Stktop>(segment.hi - size_of::<Stktop>());
    // SAFETY: in the segment, which is ours alone, and aligned, as `hi` is a page's.
    unsafe {
        top.write(Stktop {
            stack: Stack {
                lo: segment.lo.into(),
                hi: segment.hi.into(),
            },
            link: gp.stktop.get().into(),
        });
    }
    gp.stktop.set(top);
    let call = Call { f, arg };
    acquirem(); // between the bounds and rsp nobody may look: `on_segment` gives it back
    // SAFETY: the bounds of a segment that nobody runs on, at its top; we are on
    // a goroutine, and a Call is what `on_segment` takes.
    unsafe { runtime_morestack(on_segment, (&raw const call).cast_mut().cast(), top.cast()) };
    releasem(); // what `on_segment` took
    // SAFETY: ours until we give it back. Whatever `f` put there has been left.
    let link = unsafe { &*top }.link.get();
    gp.stktop.set(link);
    mem::segment_free(segment);
    true
}

/// What is to be called on a segment.
struct Call {
    f: extern "C" fn(*mut u8),
    arg: *mut u8,
}

/// The first function on a segment.
extern "C" fn on_segment(call: *mut u8) {
    // SAFETY: newstack's, which waits for this to return.
    let call = unsafe { &*call.cast::<Call>() };
    releasem();
    (call.f)(call.arg);
    acquirem();
}

/// Ends a goroutine that is on a segment, and whose frames nobody needs any more:
/// its segments are free again, and its own stack goes back as it was. On g0.
pub(super) extern "C" fn leave_segments(gp: &'static G) -> ! {
    // SAFETY: g.stktop and the links lead to Stktops, in segments that newstack
    // took for this goroutine and that nothing runs on: we are on g0.
    while let Some(top) = unsafe { gp.stktop.get().as_ref() } {
        let segment = Segment {
            lo: gp.stack.lo.get(),
            hi: gp.stack.hi.get(),
        };
        gp.stack.lo.set(top.stack.lo.get());
        gp.stack.hi.set(top.stack.hi.get());
        gp.stktop.set(top.link.get());
        mem::segment_free(segment);
    }
    let lo = gp.stack.lo.get();
    gp.stackguard0.store(lo + STACK_GUARD, Ordering::Relaxed); // nobody runs it
    goexit0(gp)
}
