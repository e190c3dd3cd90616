//! Large objects: more than 32 KiB, or aligned to more than a page of the heap.
//! Each is a span of its own.
//!
//! Go's counterpart: `mcache.allocLarge` in `runtime/mcache.go`.

use core::ptr;

use super::mspan::MSpan;
use super::sizeclasses::{PAGE_SHIFT, PAGE_SIZE};
use super::{arenas, mheap};
use crate::debug::fatal::throw;

/// Returns how many pages of the heap an object has.
fn pages(size: usize) -> usize {
    size.div_ceil(PAGE_SIZE).max(1)
}

/// Allocates a large object; null if the system has no memory for it. From any
/// stack.
#[inline(never)]
pub(crate) fn large_alloc(size: usize, align: usize, zero: bool) -> *mut u8 {
    let align = (align >> PAGE_SHIFT).max(1);
    let Some(span) = mheap::alloc_span(pages(size), align, 0) else {
        return ptr::null_mut();
    };
    let object: *mut u8 = ptr::with_exposed_provenance_mut(span.base.get());
    #[cfg(debug_assertions)]
    super::checks::allocated(object);
    if zero && span.needzero.get() {
        // SAFETY: a span that is ours, with that many bytes at least.
        unsafe { object.write_bytes(0, size) };
    }
    object
}

/// Frees a large object.
///
/// # Safety
///
/// `object` must come from [`large_alloc`] with this size, and be free of uses.
#[inline(never)]
pub(crate) unsafe fn large_free(object: *mut u8, size: usize) {
    #[cfg(debug_assertions)]
    super::checks::freed(object, 0, pages(size));
    let span = span(object);
    if super::checks::clobbers() {
        // Not beyond the span, whatever a wrong free says of the size.
        let size = size.min(span.npages.get() * PAGE_SIZE);
        // SAFETY: the caller's promise.
        unsafe { super::checks::clobber(object, size) };
    }
    mheap::free_span(span);
}

/// Resizes a large object in place; false if that can't be done, and nothing has
/// changed. The new size is a large one, too, or the alignment is.
///
/// # Safety
///
/// `object` must come from [`large_alloc`] with this size, and be the caller's.
#[inline(never)]
pub(crate) unsafe fn large_resize(object: *mut u8, old: usize, new: usize) -> bool {
    let (old, new) = (pages(old), pages(new));
    old == new || mheap::resize_span(span(object), new)
}

/// Returns the span of a large object.
fn span(object: *mut u8) -> &'static MSpan {
    let address = object.addr();
    match arenas::span_of(address) {
        Some(span) if span.class.get() == 0 && span.base.get() == address => span,
        _ => throw("free of memory that is not in the heap"),
    }
}
