//! What `Box` and `Vec` allocate from: the heap behind Rust's `GlobalAlloc`.
//!
//! Go's counterpart: `mallocgc` in `runtime/malloc.go`. Small objects come from
//! the mcache of the current P and go to it, without a lock; large ones are
//! spans of their own.
//!
//! **How a goroutine keeps its P meanwhile.** The usual way, in [`mallocgc`],
//! [`callocgc`] and [`mfree`], takes a dozen instructions, and counting
//! `g.locks` up and down would be as much again. Nothing in there gives way, and
//! the three lie in a section of their own, `.text.runtime.malloc`, with nothing
//! inlined into others: whoever will preempt goroutines at any instruction must
//! leave alone one that is at an instruction of that section, as Go leaves all
//! of its runtime alone. What is not the usual way is called from there, and
//! begins with `acquirem`.
//!
//! In a build that inlines little, even the `get` of a `Cell` is a call out of the
//! section, and an instruction there may be anybody's. Such a build counts, as it
//! has no speed to lose: build.rs says which that is.
//!
//! Go has a tiny allocator that packs objects without pointers into blocks of
//! sixteen bytes, which a collector frees whole. Here each object is freed by
//! itself: the smallest class, of eight bytes, takes its place.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;
use core::sync::atomic::Ordering;

use crate::mem::{self, MCache, class_of, class_size};
use crate::sched::{self, M, getg};

/// Begins the use of [`mcache`], in builds where the section is not enough.
#[inline(always)]
fn begin_mcache() {
    if cfg!(gort_malloc_counts) {
        sched::acquirem();
    }
}

/// Ends it.
#[inline(always)]
fn end_mcache() {
    if cfg!(gort_malloc_counts) {
        sched::releasem();
    }
}

/// Returns the cache of the current M's P, if there is one. Only for code that
/// cannot lose its P.
#[inline(always)]
fn mcache() -> Option<&'static MCache> {
    let mp = getg().m.load(Ordering::Relaxed); // our own thread wrote it
    // SAFETY: who runs has an M, and no M is ever freed.
    let cache = unsafe { (*mp).mcache.get() };
    // SAFETY: nor is a cache, which is this M's as long as its P is.
    unsafe { cache.cast::<MCache>().as_ref() }
}

/// Allocates memory for the program, of any contents; null when there is none.
/// From any goroutine or thread.
#[unsafe(export_name = "runtime.mallocgc")]
#[unsafe(link_section = ".text.runtime.malloc")]
#[inline(never)]
fn mallocgc(size: usize, align: usize) -> *mut u8 {
    allocate(size, align, false)
}

/// The same for memory that is all zeros.
#[unsafe(export_name = "runtime.callocgc")]
#[unsafe(link_section = ".text.runtime.malloc")]
#[inline(never)]
fn callocgc(size: usize, align: usize) -> *mut u8 {
    allocate(size, align, true)
}

/// What the two do: `zero` is a constant in each.
#[inline(always)]
fn allocate(size: usize, align: usize, zero: bool) -> *mut u8 {
    let Some(class) = class_of(size, align) else {
        return malloc_large(size, align, zero);
    };
    let zeros = if zero { size } else { 0 };
    begin_mcache();
    let object = mcache().and_then(|cache| cache.pop(class));
    end_mcache();
    let Some(object) = object else {
        return malloc_slow(class, zeros);
    };
    let object = object.as_ptr();
    #[cfg(debug_assertions)]
    mem::checks::allocated(object);
    // SAFETY: an object of a class that has room for so much.
    unsafe { object.write_bytes(0, zeros) };
    object
}

/// Frees memory.
///
/// # Safety
///
/// `object` must come from [`mallocgc`] with this size and alignment, and be free
/// of uses.
#[unsafe(export_name = "runtime.mfree")]
#[unsafe(link_section = ".text.runtime.malloc")]
#[inline(never)]
unsafe fn mfree(object: *mut u8, size: usize, align: usize) {
    let Some(class) = class_of(size, align) else {
        // SAFETY: the caller's promise.
        return unsafe { free_large(object, size) };
    };
    #[cfg(debug_assertions)]
    mem::checks::freed(object, class, 0);
    begin_mcache();
    // SAFETY: the caller's promise.
    let taken = mcache().is_some_and(|cache| unsafe { cache.push(class, object) });
    end_mcache();
    if taken {
        return;
    }
    // SAFETY: as above.
    unsafe { free_slow(class, object) };
}

/// Allocates an object for which the P's cache has none at hand; of its bytes the
/// first `zero` are zeros.
#[cold]
#[inline(never)]
fn malloc_slow(class: usize, zero: usize) -> *mut u8 {
    let mp = sched::acquirem();
    let cache = cache_of(mp);
    let object = match cache {
        Some(cache) => cache.alloc(class),
        None => mem::alloc_one(class), // sysmon, say, has no P
    };
    reclaim(cache);
    sched::releasem();
    let Some((object, is_zero)) = object else {
        return ptr::null_mut();
    };
    #[cfg(debug_assertions)]
    mem::checks::allocated(object);
    if !is_zero {
        // SAFETY: an object of a class that has room for so much.
        unsafe { object.write_bytes(0, zero) };
    }
    object
}

/// Allocates a large object.
#[cold]
#[inline(never)]
fn malloc_large(size: usize, align: usize, zero: bool) -> *mut u8 {
    let object = mem::large_alloc(size, align, zero);
    let mp = sched::acquirem();
    reclaim(cache_of(mp));
    sched::releasem();
    object
}

/// Gives what caches keep back to the heap: now and then what is of no use there,
/// and all of it if the heap has grown by much.
fn reclaim(cache: Option<&MCache>) {
    if let Some(cache) = cache {
        cache.age();
    }
    let grown = mem::take_reclaim();
    if grown > 0 {
        if let Some(cache) = cache {
            cache.flush();
        }
        mem::reclaim(grown);
    }
}

/// Frees an object for which the P's cache has no room, or which is to be filled.
///
/// # Safety
///
/// As for [`mfree`].
#[cold]
#[inline(never)]
unsafe fn free_slow(class: usize, object: *mut u8) {
    if mem::checks::clobbers() {
        // SAFETY: the object is free, and of that size.
        unsafe { mem::checks::clobber(object, class_size(class)) };
    }
    let mp = sched::acquirem();
    let cache = cache_of(mp);
    match cache {
        // SAFETY: the caller's promise.
        Some(cache) => unsafe { cache.free(class, object) },
        // SAFETY: as above.
        None => unsafe { mem::free_one(class, object) },
    }
    reclaim(cache);
    sched::releasem();
    ask_for_scavenger();
}

/// Frees a large object.
///
/// # Safety
///
/// As for [`mfree`].
#[cold]
#[inline(never)]
unsafe fn free_large(object: *mut u8, size: usize) {
    // SAFETY: the caller's promise.
    unsafe { mem::large_free(object, size) };
    ask_for_scavenger();
}

/// Returns the cache of the M's P, and makes it at the first allocation there.
/// None if the M has no P, or the system no memory.
///
/// From the M it is found at once, on the usual way; but not where what is freed is
/// to be filled, so that every free comes by here.
fn cache_of(mp: &'static M) -> Option<&'static MCache> {
    // SAFETY: a P is never freed. Relaxed: our own thread wrote it.
    let pp = unsafe { mp.p.load(Ordering::Relaxed).as_ref() }?;
    if pp.mcache.get().is_null() {
        pp.mcache
            .set(ptr::from_ref(MCache::new()?).cast_mut().cast());
    }
    if !mem::checks::clobbers() {
        mp.mcache.set(pp.mcache.get());
    }
    // SAFETY: not null, and never freed.
    unsafe { pp.mcache.get().cast::<MCache>().as_ref() }
}

/// Starts the background scavenger when the heap has more than it should retain.
/// Behind a free that may have given something back to the heap; not with a lock
/// of the runtime's held.
fn ask_for_scavenger() {
    if mem::wants_scavenger() && sched::may_go() {
        sched::start_bgscavenge();
    }
}

/// Resizes an allocation, in place if it can stay where it is.
///
/// # Safety
///
/// As for [`GlobalAlloc::realloc`].
unsafe fn reallocate(object: *mut u8, layout: Layout, size: usize) -> *mut u8 {
    let align = layout.align();
    let before = class_of(layout.size(), align);
    let after = class_of(size, align);
    let stays = match (before, after) {
        (Some(before), Some(after)) => before == after,
        // SAFETY: the caller's promise.
        (None, None) => unsafe { mem::large_resize(object, layout.size(), size) },
        _ => false,
    };
    if stays {
        if after.is_none() {
            ask_for_scavenger(); // it may have become shorter
        }
        return object;
    }
    let new = mallocgc(size, align);
    if !new.is_null() {
        let common = layout.size().min(size);
        // SAFETY: both have room for that, and lie apart.
        unsafe { new.copy_from_nonoverlapping(object, common) };
        // SAFETY: the caller's promise.
        unsafe { mfree(object, layout.size(), align) };
    }
    new
}

/// Gives what the current P's cache holds back to the heap. From any goroutine.
pub(crate) fn flush_mcache() {
    let mp = sched::acquirem();
    if let Some(cache) = cache_of(mp) {
        cache.flush();
    }
    sched::releasem();
}

/// gort's heap, by the name that std has for the system's: for who makes an allocator of
/// their own on top of it. That takes gort without its feature `global-allocator`.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::alloc::{GlobalAlloc, Layout, System};
///
/// let layout = Layout::new::<[u64; 100]>();
/// // SAFETY: the layout has a size.
/// let memory = unsafe { System.alloc(layout) };
/// assert!(!memory.is_null());
/// // SAFETY: it came from there, and nobody uses it afterwards.
/// unsafe { System.dealloc(memory, layout) };
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

// SAFETY: mallocgc gives memory that fits the layout and that nobody else has,
// until mfree gets it back.
unsafe impl GlobalAlloc for System {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        mallocgc(layout.size(), layout.align())
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        callocgc(layout.size(), layout.align())
    }

    #[inline]
    unsafe fn dealloc(&self, object: *mut u8, layout: Layout) {
        // SAFETY: the caller of dealloc promises the same.
        unsafe { mfree(object, layout.size(), layout.align()) };
    }

    #[inline]
    unsafe fn realloc(&self, object: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller of realloc promises the same.
        unsafe { reallocate(object, layout, size) }
    }
}

#[cfg(feature = "global-allocator")]
#[global_allocator]
static GLOBAL: System = System;
