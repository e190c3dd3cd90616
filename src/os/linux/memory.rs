//! Address space.

use core::ptr;

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags};

use super::syscall::{nr, syscall4, syscall6};

/// Memory that is nobody's file; rustix adds it by itself.
const MAP_ANONYMOUS: usize = 0x20;

/// Maps zeroed memory, readable and writable, at `hint` if that is free and
/// anywhere else if not. The pages appear when they are touched. What the system
/// cannot have, more than its memory and swap space, say, it refuses here: so the
/// program gets a null, and is not killed when it touches what it was promised.
pub(crate) fn map(hint: usize, size: usize) -> Option<*mut u8> {
    // SAFETY: without MAP_FIXED the kernel takes a range that nobody uses.
    let memory = unsafe {
        rustix::mm::mmap_anonymous(
            ptr::without_provenance_mut(hint),
            size,
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::PRIVATE,
        )
    };
    memory.ok().map(<*mut _>::cast)
}

/// Reserves addresses that fault when they are touched. By a bare system call,
/// as is what follows: they are on the boot's way.
pub(crate) fn reserve(size: usize) -> Option<*mut u8> {
    const FLAGS: usize =
        (MapFlags::PRIVATE.bits() | MapFlags::NORESERVE.bits()) as usize | MAP_ANONYMOUS;
    // SAFETY: without MAP_FIXED the kernel takes a range that nobody uses.
    let memory = unsafe { syscall6(nr::MMAP, [0, size, 0, FLAGS, usize::MAX, 0]) };
    // An errno is negative, and an address never is.
    let address = usize::try_from(memory).ok()?;
    Some(ptr::with_exposed_provenance_mut(address))
}

/// Makes a part of a reservation zeroed memory, readable and writable; false if
/// the system has no room for it.
///
/// # Safety
///
/// The range must come from [`reserve`], and nobody else may use it.
pub(crate) unsafe fn open_up(memory: *mut u8, size: usize) -> bool {
    let rights = (MprotectFlags::READ | MprotectFlags::WRITE).bits() as usize;
    // SAFETY: the caller's promise.
    unsafe { syscall4(nr::MPROTECT, [memory.expose_provenance(), size, rights, 0]) == 0 }
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

/// Gives the memory behind a range back: it reads as zeros from then on. False if
/// this system does not.
///
/// # Safety
///
/// The range must be mapped, and nobody may need what is in it.
pub(crate) unsafe fn discard(memory: *mut u8, size: usize) -> bool {
    const MADV_DONTNEED: usize = 4;
    // SAFETY: the caller's promise.
    unsafe { syscall4(nr::MADVISE, [memory.addr(), size, MADV_DONTNEED, 0]) == 0 }
}
