//! What the timers' heap gets its memory from here.

use std::alloc::{Layout, alloc as std_alloc, dealloc};
use std::cell::Cell;

thread_local! {
    /// How many bytes this thread has allocated, and how often it did.
    static ALLOCATED: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// Returns how many bytes this thread has, and how often it has allocated some.
pub(crate) fn allocated() -> (usize, usize) {
    ALLOCATED.get()
}

/// Pages of that size.
fn pages(size: usize) -> Layout {
    Layout::from_size_align(size, 4096).expect("a size")
}

/// Allocates some.
pub(crate) fn alloc(size: usize) -> *mut u8 {
    let (bytes, calls) = ALLOCATED.get();
    ALLOCATED.set((bytes + size, calls + 1));
    // SAFETY: it has a size.
    unsafe { std_alloc(pages(size)) }
}

/// Frees them.
///
/// # Safety
///
/// They must come from `alloc`, and be free of uses.
pub(crate) unsafe fn free(memory: *mut u8, size: usize) {
    let (bytes, calls) = ALLOCATED.get();
    ALLOCATED.set((bytes - size, calls));
    // SAFETY: the caller's promise.
    unsafe { dealloc(memory, pages(size)) };
}
