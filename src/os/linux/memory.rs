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

/// Reserves addresses that fault when they are touched.
pub(crate) fn reserve(size: usize) -> Option<*mut u8> {
    // SAFETY: as in `map`.
    let memory = unsafe {
        rustix::mm::mmap_anonymous(
            ptr::null_mut(),
            size,
            ProtFlags::empty(),
            MapFlags::PRIVATE | MapFlags::NORESERVE,
        )
    };
    memory.ok().map(<*mut _>::cast)
}

/// Makes a part of a reservation zeroed memory, readable and writable; false if
/// the system has no room for it.
///
/// # Safety
///
/// The range must come from [`reserve`], and nobody else may use it.
pub(crate) unsafe fn open_up(memory: *mut u8, size: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        rustix::mm::mprotect(
            memory.cast(),
            size,
            MprotectFlags::READ | MprotectFlags::WRITE,
        )
    }
    .is_ok()
}

/// Gives a mapping back.
///
/// # Safety
///
/// The range must come from `map`, and nothing may use it.
pub(crate) unsafe fn unmap(memory: *mut u8, size: usize) {
    // SAFETY: the caller's promise. It can fail only for a range that is none.
    let _ = unsafe { rustix::mm::munmap(memory.cast(), size) };
}
