//! The system as src/os has it, as far as the heap needs it.

use std::ptr;

use rustix::mm::{Advice, MapFlags, ProtFlags};

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
    let memory = memory.ok()?.cast::<u8>();
    memory.expose_provenance();
    Some(memory)
}

pub(crate) fn map_backed(hint: usize, size: usize) -> Option<*mut u8> {
    map(hint, size)
}

pub(crate) unsafe fn unmap(memory: *mut u8, size: usize) {
    // SAFETY: the caller's promise.
    let _ = unsafe { rustix::mm::munmap(memory.cast(), size) };
}

pub(crate) unsafe fn populate(memory: *mut u8, size: usize) {
    // SAFETY: the caller's promise. An older system says no, which is no failure.
    let _ = unsafe { rustix::mm::madvise(memory.cast(), size, Advice::LinuxPopulateWrite) };
}

pub(crate) unsafe fn discard(memory: *mut u8, size: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe { rustix::mm::madvise(memory.cast(), size, Advice::LinuxDontNeed).is_ok() }
}
