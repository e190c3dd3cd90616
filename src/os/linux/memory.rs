//! Address space.

use core::ptr;

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags};

/// Maps zeroed memory, readable and writable, at `hint` if that is free and
/// anywhere else if not. The pages appear when they are touched.
pub(crate) fn map(hint: usize, size: usize) -> Option<*mut u8> {
    // SAFETY: without MAP_FIXED the kernel takes a range that nobody uses.
    let memory = unsafe {
        rustix::mm::mmap_anonymous(
            ptr::without_provenance_mut(hint),
            size,
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::PRIVATE | MapFlags::NORESERVE,
        )
    };
    memory.ok().map(<*mut _>::cast)
}

/// Maps a stack of `size` bytes with `guard` bytes below it that fault when
/// they are touched; returns the guard's address.
pub(crate) fn map_stack(guard: usize, size: usize) -> Option<*mut u8> {
    // SAFETY: as in `map`.
    let memory = unsafe {
        rustix::mm::mmap_anonymous(
            ptr::null_mut(),
            guard + size,
            ProtFlags::empty(),
            MapFlags::PRIVATE | MapFlags::NORESERVE,
        )
    };
    let memory: *mut u8 = memory.ok()?.cast();
    // SAFETY: guard < guard + size, inside of the mapping.
    let stack = unsafe { memory.add(guard) };
    // SAFETY: the range is the upper part of the mapping that we just made.
    let opened = unsafe { rustix::mm::mprotect(stack.cast(), size, MprotectFlags::READ | MprotectFlags::WRITE) };
    if opened.is_err() {
        // SAFETY: the mapping is ours, and nobody has its address.
        unsafe { unmap(memory, guard + size) };
        return None;
    }
    Some(memory)
}

/// Gives a mapping back.
///
/// # Safety
///
/// The range must come from `map` or `map_stack`, and nothing may use it.
pub(crate) unsafe fn unmap(memory: *mut u8, size: usize) {
    // SAFETY: the caller's promise. It can fail only for a range that is none.
    let _ = unsafe { rustix::mm::munmap(memory.cast(), size) };
}
