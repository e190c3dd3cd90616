//! What `Box` and `Vec` allocate from: the heap behind Rust's `GlobalAlloc`.
//!
//! Go's counterpart: `mallocgc` in `runtime/malloc.go`. Small objects come from
//! the mcache of the current P and go to it, without a lock; large ones are
//! spans of their own. A goroutine keeps its P while it is in here: `m.locks`
//! is up, which is all that the usual way costs beside the list itself.
//!
//! Go has a tiny allocator that packs objects without pointers into blocks of
//! sixteen bytes, which a collector frees whole. Here each object is freed by
//! itself: the smallest class, of eight bytes, takes its place.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;
use core::sync::atomic::Ordering;

use crate::mem::{self, MCache, class_of, class_size};
use crate::sched::{self, M};

/// Allocates memory for the program; null when there is none. With `zero` it is
/// all zeros. From any goroutine or thread.
#[inline(always)]
fn mallocgc(layout: Layout, zero: bool) -> *mut u8 {
    let Some(class) = class_of(layout.size(), layout.align()) else {
        return mem::large_alloc(layout, zero);
    };
    let mp = sched::acquirem();
    let object = match mcache(mp) {
        Some(cache) => cache.alloc(class),
        None => alloc_without_cache(mp, class),
    };
    sched::releasem(mp);
    let Some((object, is_zero)) = object else {
        return ptr::null_mut();
    };
    #[cfg(debug_assertions)]
    mem::checks::allocated(object);
    if zero && !is_zero {
        // SAFETY: an object of a class that has room for the layout's size.
        unsafe { object.write_bytes(0, layout.size()) };
    }
    object
}

/// Frees memory.
///
/// # Safety
///
/// `object` must come from [`mallocgc`] with this layout, and be free of uses.
#[inline(always)]
unsafe fn mfree(object: *mut u8, layout: Layout) {
    let Some(class) = class_of(layout.size(), layout.align()) else {
        // SAFETY: the caller's promise.
        unsafe { mem::large_free(object, layout) };
        return ask_for_scavenger();
    };
    #[cfg(debug_assertions)]
    mem::checks::freed(object, class, 0);
    // SAFETY: the object is free, and of that size.
    unsafe { mem::checks::clobber(object, class_size(class)) };
    let mp = sched::acquirem();
    let slow = match mcache(mp) {
        // SAFETY: the caller's promise.
        Some(cache) => unsafe { cache.free(class, object) },
        None => {
            // SAFETY: as above.
            unsafe { mem::free_one(class, object) };
            false
        }
    };
    sched::releasem(mp);
    if slow {
        ask_for_scavenger();
    }
}

/// Starts the background scavenger when the heap has more than it should retain.
/// Behind a free that has given something back to the heap; not with a lock of
/// the runtime's held.
#[cold]
#[inline(never)]
fn ask_for_scavenger() {
    if mem::excess() > 0 && sched::may_go() {
        sched::start_bgscavenge();
    }
}

/// Resizes an allocation, in place if it can stay where it is.
///
/// # Safety
///
/// As for [`GlobalAlloc::realloc`].
#[inline]
unsafe fn reallocate(object: *mut u8, layout: Layout, size: usize) -> *mut u8 {
    // SAFETY: the caller promises that the size, rounded up to the alignment,
    // does not overflow.
    let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
    let before = class_of(layout.size(), layout.align());
    let after = class_of(size, layout.align());
    let stays = match (before, after) {
        (Some(before), Some(after)) => before == after,
        // SAFETY: the caller's promise.
        (None, None) => unsafe { mem::large_resize(object, layout, size) },
        _ => false,
    };
    if stays {
        return object;
    }
    let new = mallocgc(wanted, false);
    if !new.is_null() {
        let common = layout.size().min(size);
        // SAFETY: both have room for that, and lie apart.
        unsafe { new.copy_from_nonoverlapping(object, common) };
        // SAFETY: the caller's promise.
        unsafe { mfree(object, layout) };
    }
    new
}

/// Returns the cache of the M's P, if it has one.
#[inline(always)]
fn mcache(mp: &'static M) -> Option<&'static MCache> {
    // Relaxed: our own thread wrote it.
    // SAFETY: a P is never freed.
    let pp = unsafe { mp.p.load(Ordering::Relaxed).as_ref() }?;
    // SAFETY: nor is its cache, which is this M's as long as the P is.
    unsafe { pp.mcache.get().cast::<MCache>().as_ref() }
}

/// The first allocation on this P, for which it gets its cache; or one by an M
/// that has no P.
#[cold]
#[inline(never)]
fn alloc_without_cache(mp: &'static M, class: usize) -> Option<mem::Object> {
    // SAFETY: a P is never freed. Relaxed: our own thread wrote it.
    let Some(pp) = (unsafe { mp.p.load(Ordering::Relaxed).as_ref() }) else {
        return mem::alloc_one(class);
    };
    let cache = mem::new_mcache()?;
    pp.mcache.set(ptr::from_ref(cache).cast_mut().cast());
    cache.alloc(class)
}

/// Gives what the current P's cache holds back to the heap. From any goroutine.
pub(crate) fn flush_mcache() {
    let mp = sched::acquirem();
    if let Some(cache) = mcache(mp) {
        cache.flush();
    }
    sched::releasem(mp);
}

/// gort's heap as Rust's global allocator.
pub(crate) struct Allocator;

// SAFETY: mallocgc gives memory that fits the layout and that nobody else has,
// until mfree gets it back.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        mallocgc(layout, false)
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        mallocgc(layout, true)
    }

    #[inline]
    unsafe fn dealloc(&self, object: *mut u8, layout: Layout) {
        // SAFETY: the caller of dealloc promises the same.
        unsafe { mfree(object, layout) };
    }

    #[inline]
    unsafe fn realloc(&self, object: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller of realloc promises the same.
        unsafe { reallocate(object, layout, size) }
    }
}

#[cfg(feature = "global-allocator")]
#[global_allocator]
static GLOBAL: Allocator = Allocator;
