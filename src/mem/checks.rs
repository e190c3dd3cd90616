//! What debug builds check of each allocation and free: that what is freed was
//! allocated, and with the same size class; that it is not freed twice. And
//! `GODEBUG=clobberfree=1`, in any build: freed memory is filled, so that whoever
//! goes on using it notices.
//!
//! Go's counterparts: `clobberfree` in `runtime/mgcsweep.go`; Go has no frees
//! that could be wrong.

#[cfg(debug_assertions)]
use core::sync::atomic::AtomicU64;
use core::sync::atomic::{AtomicU32, Ordering};

#[cfg(debug_assertions)]
use super::arenas;
#[cfg(debug_assertions)]
use super::mspan::MSpan;
#[cfg(debug_assertions)]
use super::sizeclasses::MAX_OBJECTS;
#[cfg(debug_assertions)]
use crate::debug::fatal::throw;
#[cfg(debug_assertions)]
use crate::debug::print::say;

/// `GODEBUG=clobberfree=1`: fill what is freed.
pub(crate) static CLOBBERFREE: AtomicU32 = AtomicU32::new(0);

/// What freed memory is filled with: Go's pattern.
const CLOBBER: u32 = 0xdead_beef;

/// A bit for each object of a span: the program has it.
#[cfg(debug_assertions)]
pub(super) struct AllocBits([AtomicU64; MAX_OBJECTS / 64]);

#[cfg(debug_assertions)]
impl AllocBits {
    /// Says that the program has none of them.
    pub(super) fn clear(&self) {
        for word in &self.0 {
            word.store(0, Ordering::Relaxed); // whoever makes a span has it alone
        }
    }

    /// Tells whether the program has an object. Relaxed as in `set`.
    fn get(&self, index: usize) -> bool {
        self.0[index / 64].load(Ordering::Relaxed) & 1 << (index % 64) != 0
    }

    /// Says whether the program has an object; returns what was said before.
    ///
    /// Relaxed: an object's bit is changed by who allocates and who frees it, and
    /// the program brings it from the one to the other.
    fn set(&self, index: usize, used: bool) -> bool {
        let (word, bit) = (&self.0[index / 64], 1 << (index % 64));
        let before = if used {
            word.fetch_or(bit, Ordering::Relaxed)
        } else {
            word.fetch_and(!bit, Ordering::Relaxed)
        };
        before & bit != 0
    }
}

/// Notes that the program gets an object.
#[cfg(debug_assertions)]
pub(crate) fn allocated(object: *mut u8) {
    let known = arenas::span_of(object.addr())
        .is_some_and(|span| !span.alloc_bits.set(span.index_of(object.addr()), true));
    if !known {
        say(
            "runtime: allocated 0x%x, which is in use",
            &[object.addr() as u64],
            &[],
        );
        throw("the heap is damaged: freed memory was written to");
    }
}

/// Checks the link that was found in a free object: whoever wrote to the object
/// after its free has most likely spoilt it.
#[cfg(debug_assertions)]
pub(super) fn linked(object: *mut u8, next: *mut u8) {
    let address = next.addr();
    let is_free = |span: &MSpan| {
        let index = span.index_of(address);
        index < span.nelems.get() as usize
            && span.object(index) == address
            && !span.alloc_bits.get(index)
    };
    if !next.is_null() && !arenas::span_of(address).is_some_and(is_free) {
        say(
            "runtime: 0x%x, which is free, should lead to another free object; it leads to 0x%x",
            &[object.addr() as u64, address as u64],
            &[],
        );
        throw("the heap is damaged: freed memory was written to");
    }
}

/// Checks that an object may be freed as one of a class (0: as a large one of so
/// many pages), and notes that it is.
#[cfg(debug_assertions)]
pub(crate) fn freed(object: *mut u8, class: usize, npages: usize) {
    let address = object.addr();
    let number = address as u64;
    // Behind a span's last object may be a rest that is too short for another.
    let span =
        arenas::span_of(address).filter(|span| span.index_of(address) < span.nelems.get() as usize);
    let Some(span) = span else {
        say(
            "runtime: free of 0x%x, which is no object of the heap, or no longer",
            &[number],
            &[],
        );
        throw("invalid free");
    };
    let start = if span.class.get() == 0 {
        span.base.get()
    } else {
        span.object(span.index_of(address))
    };
    if start != address {
        let numbers = [number, start as u64];
        say(
            "runtime: free of 0x%x, which is inside of the object at 0x%x",
            &numbers,
            &[],
        );
        throw("invalid free");
    }
    if !span.alloc_bits.set(span.index_of(address), false) {
        say(
            "runtime: free of 0x%x, which is free already",
            &[number],
            &[],
        );
        throw("double free");
    }
    if usize::from(span.class.get()) != class || class == 0 && span.npages.get() != npages {
        say(
            "runtime: free of 0x%x with another size or alignment than it was allocated with",
            &[number],
            &[],
        );
        throw("invalid free");
    }
}

/// Tells whether GODEBUG asks for freed memory to be filled.
#[inline(always)]
pub(crate) fn clobbers() -> bool {
    CLOBBERFREE.load(Ordering::Relaxed) != 0 // written at boot
}

/// Fills memory that is freed with the pattern.
///
/// # Safety
///
/// Nobody may use those bytes any more; `object` must be aligned to eight.
#[cold]
#[inline(never)]
pub(crate) unsafe fn clobber(object: *mut u8, size: usize) {
    let words = object.cast::<u32>();
    for index in 0..size / size_of::<u32>() {
        // SAFETY: the caller's promise.
        unsafe { words.wrapping_add(index).write(CLOBBER) };
    }
}
