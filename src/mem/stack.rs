//! Goroutines' stacks.
//!
//! Go's counterpart: `runtime/stack.go`. Go copies a stack to a larger one when
//! it is used up; Rust has no maps of what on a stack is a pointer, so here a
//! goroutine gets a range of addresses in which pages appear as it touches them:
//!
//! ```text
//!   lo - GUARD        lo                                            hi
//!   +-----------------+---------------------------------------------+
//!   | guard: a fault  | never touched: no memory  |   used    | G   |
//!   +-----------------+---------------------------------------------+
//! ```
//!
//! Addresses are reserved for sixteen stacks at a time, without rights; a stack
//! that is handed out gets its rights, and what is left between it and the one
//! below is the guard. A stack never goes back to the system: the G on it is
//! used again.

use core::num::NonZeroUsize;
use core::ptr;

use crate::debug::lock::{Mutex, rank};
use crate::os;

/// The addresses below a stack that fault when touched. One page would be enough
/// for Rust, whose functions touch each page of a large frame on their way down.
/// C's do so with -fstack-clash-protection alone; without it, a frame larger than
/// this can step over the guard.
pub(crate) const GUARD: usize = 64 << 10;

/// The size of a goroutine's stack, the G on it included.
pub(crate) const DEFAULT_STACK: usize = 256 << 10;

/// Checks what the layout above relies on. On g0, during boot.
#[unsafe(export_name = "runtime.stackinit")]
#[inline(never)]
pub(crate) extern "C" fn stackinit() {
    const {
        assert!(
            GUARD.is_multiple_of(super::PAGE_SIZE)
                && DEFAULT_STACK.is_multiple_of(super::PAGE_SIZE)
        )
    };
    crate::arch::named_nothing!("stackinit");
}

/// A guard and the stack above it.
const SLOT: usize = GUARD + DEFAULT_STACK;

/// How many stacks are reserved at a time.
const SLAB_STACKS: usize = 16;

/// Addresses that are reserved for stacks and not yet given out.
struct Slab {
    next: usize,
    left: usize,
}

static SLAB: Mutex<Slab, { rank::STACK }> = Mutex::new(Slab { next: 0, left: 0 });

/// Takes a stack of at least `size` bytes above a guard, zeroed; returns lo.
/// None if the system has no room for it. From any stack.
#[inline(never)]
pub(crate) fn stackalloc(size: usize) -> Option<NonZeroUsize> {
    if size > DEFAULT_STACK {
        return large(size);
    }
    let mut slab = SLAB.lock();
    if slab.left == 0 {
        slab.next = os::reserve(SLOT * SLAB_STACKS)?.expose_provenance();
        slab.left = SLAB_STACKS;
    }
    let lo = slab.next + GUARD;
    // SAFETY: the slot was reserved above, and nobody has it.
    if !unsafe { os::open_up(ptr::with_exposed_provenance_mut(lo), DEFAULT_STACK) } {
        return None;
    }
    slab.next += SLOT;
    slab.left -= 1;
    NonZeroUsize::new(lo)
}

/// The same for what is larger than the default: a mapping of its own.
fn large(size: usize) -> Option<NonZeroUsize> {
    let start = os::reserve(GUARD.checked_add(size)?)?.expose_provenance();
    let lo = start + GUARD;
    // SAFETY: reserved above, and nobody has it.
    unsafe { os::open_up(ptr::with_exposed_provenance_mut(lo), size) }
        .then(|| NonZeroUsize::new(lo))?
}

/// Tells how many bytes of stacks are in use, and reserved.
pub(crate) fn stack_stats() -> (usize, usize) {
    (DEFAULT_STACK, DEFAULT_STACK)
}
