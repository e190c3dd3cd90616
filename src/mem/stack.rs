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

use crate::debug::fatal::throw;
use crate::os;

/// The addresses below a stack that fault when touched. One page is enough
/// for Rust: functions with larger frames touch each page on their way down.
pub(crate) const GUARD: usize = 4096;

/// The size of a goroutine's stack, the G on it included.
pub(crate) const DEFAULT_STACK: usize = 256 << 10;

/// Checks what the layout above relies on. On g0, during boot.
#[unsafe(export_name = "runtime.stackinit")]
#[inline(never)]
pub(crate) extern "C" fn stackinit() {
    let page = super::PHYS_PAGE_SIZE.load(core::sync::atomic::Ordering::Relaxed); // set at boot
    if page != 0 && (!GUARD.is_multiple_of(page) || !DEFAULT_STACK.is_multiple_of(page)) {
        throw("stack size must be a multiple of page size");
    }
}

/// Maps a stack of `size` bytes above a guard; returns lo and hi.
pub(crate) fn stackalloc(size: usize) -> Option<(usize, usize)> {
    let guard = os::map_stack(GUARD, size)?;
    let lo = guard.expose_provenance() + GUARD;
    Some((lo, lo + size))
}
