//! The memory of the timers' heaps: the runtime's, whatever allocator the program has.

use crate::debug::fatal::throw;
use crate::mem;

/// Allocates some pages of any contents; throws where there are none. With a timers
/// lock held.
pub(super) fn alloc(size: usize) -> *mut u8 {
    let memory = mem::large_alloc(size, size_of::<usize>(), false);
    if memory.is_null() {
        throw("out of memory (timers)");
    }
    memory
}

/// Gives it back.
///
/// # Safety
///
/// It must come from [`alloc()`] with this size, and be free of uses.
pub(super) unsafe fn free(memory: *mut u8, size: usize) {
    // SAFETY: the caller's promise.
    unsafe { mem::large_free(memory, size) };
}
