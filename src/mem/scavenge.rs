//! The scavenger: what gives free pages back to the system.
//!
//! Go's counterpart: `runtime/mgcscavenge.go`. A page that was used and is free
//! keeps its memory, since it will soon be used again, until one of four comes:
//!
//! - the background scavenger, a goroutine (`sched/bgscavenge.rs`), which takes
//!   its time, until what the heap retains is a tenth more, or 4 MiB, than what has
//!   been in use of late (Go's tenth is of what its next collection aims at);
//! - the heap is about to grow: as much as it grows by, and has too much of, goes;
//! - the memory limit (`GOMEMLIMIT`, `debug::set_memory_limit`): whoever takes
//!   pages that push the total over it first gives others back;
//! - `debug::free_os_memory`, which gives all of them back at once.
//!
//! Pages go from the highest address down, since the heap is filled from the
//! lowest up. Whole huge pages go first: to take a piece out of one that is in
//! use costs its user the rest of it. A run is marked as in use while the system
//! is told, so that nobody gets it meanwhile, and no lock is held over the call.

use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::PHYS_HUGE_PAGE_SIZE;
use super::mheap::{self, Locked, MHeap};
use super::sizeclasses::{PAGE_SHIFT, PAGE_SIZE};
use crate::os;

/// What the heap may retain beyond what is in use: Go's retainExtraPercent.
const RETAIN_EXTRA_PERCENT: usize = 10;

/// What it may retain in any case: less than this is not worth a goroutine.
const RETAIN_MIN: usize = 4 << 20;

/// The most that is given back in one call of the system.
const MAX_RUN: usize = 2 << 20;

/// No limit: Go's math.MaxInt64.
const UNLIMITED: u64 = i64::MAX as u64;

/// The memory limit in bytes, less one, so that zero is none.
static LIMIT: AtomicU64 = AtomicU64::new(0);

/// Returns the memory limit; i64::MAX is none.
fn limit() -> u64 {
    match LIMIT.load(Ordering::Relaxed) {
        0 => UNLIMITED, // a setting
        limit => limit - 1,
    }
}

/// Sets the memory limit, and gives back what is over it; returns the one before.
/// With None only asks. From any stack, with no lock of the heap's held.
pub(crate) fn set_limit(bytes: Option<u64>) -> u64 {
    let mut heap = mheap::lock();
    if !heap.prepared {
        prepare(&mut heap); // or the first span would undo what is set here
    }
    let before = limit();
    if let Some(bytes) = bytes {
        store_limit(bytes);
    }
    drop(heap);
    if bytes.is_some() && is_limited() {
        enforce_limit();
    }
    before
}

/// Finds out what the scavenger goes by: the size of huge pages, and the limit that
/// GOMEMLIMIT sets. Once, by whoever needs to know first, with the heap's lock held.
#[cold]
#[inline(never)]
pub(super) fn prepare(heap: &mut MHeap) {
    heap.prepared = true;
    super::check_huge_page_size();
    store_limit(crate::boot::read_gomemlimit());
}

/// Writes the limit down. With the heap's lock held.
fn store_limit(bytes: u64) {
    let limit = if bytes < UNLIMITED { bytes + 1 } else { 0 };
    LIMIT.store(limit, Ordering::Relaxed); // a setting
}

/// How many pages are in use, and how many are free and take memory, as of the last
/// change. Hints, written with the heap's lock held.
static IN_USE: AtomicUsize = AtomicUsize::new(0);
static BACKED: AtomicUsize = AtomicUsize::new(0);

/// The most pages that were in use in this quarter of a second, and in the one
/// before: what a program has used so lately it will soon use again. Hints.
static PEAK: AtomicUsize = AtomicUsize::new(0);
static LAST_PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system does not take memory back.
static UNABLE: AtomicBool = AtomicBool::new(false);

/// Notes how many pages are what. With the heap's lock held, after each change.
pub(super) fn note(heap: &MHeap) {
    let in_use = heap.pages.in_use_pages();
    // Relaxed: hints, all of them.
    IN_USE.store(in_use, Ordering::Relaxed);
    BACKED.store(heap.pages.free_backed_pages(), Ordering::Relaxed);
    PEAK.fetch_max(in_use, Ordering::Relaxed);
}

/// Begins another quarter of a second. By sysmon.
pub(crate) fn tick() {
    let peak = PEAK.swap(IN_USE.load(Ordering::Relaxed), Ordering::Relaxed); // hints
    LAST_PEAK.store(peak, Ordering::Relaxed); // as above
}

/// Tells how many bytes the heap retains beyond what it may when so many pages are
/// in use.
fn beyond(in_use: usize) -> usize {
    if UNABLE.load(Ordering::Relaxed) {
        return 0; // a hint
    }
    let backed = BACKED.load(Ordering::Relaxed); // as above
    let pages = IN_USE.load(Ordering::Relaxed) + backed; // as above
    let goal = in_use + (in_use * RETAIN_EXTRA_PERCENT / 100).max(RETAIN_MIN >> PAGE_SHIFT);
    pages.saturating_sub(goal).min(backed) * PAGE_SIZE
}

/// Tells how many bytes the background scavenger should give back.
pub(crate) fn excess() -> usize {
    // Relaxed: hints.
    let peak = PEAK.load(Ordering::Relaxed);
    beyond(peak.max(LAST_PEAK.load(Ordering::Relaxed)))
}

/// Tells whether there will be something to do for the background scavenger, if
/// nothing changes.
pub(crate) fn wants_scavenger() -> bool {
    beyond(IN_USE.load(Ordering::Relaxed)) > 0 // a hint
}

/// Minds that so many pages have begun to take memory: whoever made them has the
/// heap's lock, which is given back here.
pub(super) fn took(heap: Locked, newly_backed: usize) {
    if newly_backed == 0 {
        return;
    }
    grows(&heap);
    drop(heap);
    if is_limited() {
        enforce_limit();
    }
}

/// How many pages were in use or retained when the heap was last reclaimed.
static RECLAIMED_AT: AtomicUsize = AtomicUsize::new(0);

/// By how many bytes the heap has grown since; see [`take_reclaim`].
static GROWN: AtomicUsize = AtomicUsize::new(0);

/// The heap is about to take more memory than it ever had since it was last
/// reclaimed, by an eighth and [`RETAIN_MIN`]: time to look for what can be used
/// again first. Go sweeps before it grows (`mheap.reclaim`).
fn grows(heap: &MHeap) {
    let pages = heap.pages.resident_pages();
    let last = RECLAIMED_AT.load(Ordering::Relaxed); // under the heap's lock
    if pages > last + last / 8 + (RETAIN_MIN >> PAGE_SHIFT) {
        RECLAIMED_AT.store(pages, Ordering::Relaxed); // as above
        GROWN.store((pages - last) * PAGE_SIZE, Ordering::Relaxed); // a hint
    }
}

/// Tells, once, by how many bytes the heap has grown, if that is so much that
/// whoever made it grow should reclaim what caches keep from being free.
pub(crate) fn take_reclaim() -> usize {
    // Relaxed: hints; the swap is for one to do it and not all.
    match GROWN.load(Ordering::Relaxed) {
        0 => 0,
        _ => GROWN.swap(0, Ordering::Relaxed),
    }
}

/// Has the mcentrals' batches taken apart, since each object in one keeps a span
/// from being free, and gives back what the heap then has too much of, but no more
/// than it has grown by.
#[cold]
#[inline(never)]
pub(crate) fn reclaim(grown: usize) {
    super::mcentral::flush();
    scavenge(beyond(IN_USE.load(Ordering::Relaxed)).min(grown)); // a hint
    let heap = mheap::lock();
    let pages = heap.pages.resident_pages();
    RECLAIMED_AT.store(pages, Ordering::Relaxed); // under the heap's lock
}

/// Gives so many bytes of free pages back, or what there is; returns how many.
/// From any stack, with no lock of the heap's held.
#[unsafe(export_name = "runtime.scavenge")]
#[inline(never)]
pub(crate) fn scavenge(bytes: usize) -> usize {
    let mut released = 0;
    // Relaxed: written at boot.
    let huge = PHYS_HUGE_PAGE_SIZE.load(Ordering::Relaxed) >> PAGE_SHIFT;
    for whole in [huge, 0] {
        while released < bytes {
            // Never less than a huge page where whole ones are looked for.
            let wanted = (bytes - released).clamp(PAGE_SIZE, MAX_RUN);
            let most = wanted.div_ceil(PAGE_SIZE).max(whole);
            match scavenge_one(most, whole) {
                0 => break,
                pages => released += pages * PAGE_SIZE,
            }
        }
        if huge == 0 {
            break;
        }
    }
    released
}

/// Gives one run of pages back; returns how many of them took memory, 0 if there
/// is no run, or if the system does not take memory back.
fn scavenge_one(most: usize, whole: usize) -> usize {
    let mut heap = mheap::lock();
    let backed = heap.pages.free_backed_pages();
    let Some((page, npages)) = heap.pages.take_releasable(most, whole) else {
        return 0;
    };
    let backed = backed - heap.pages.free_backed_pages();
    drop(heap);
    let start = core::ptr::with_exposed_provenance_mut::<u8>(page << PAGE_SHIFT);
    // SAFETY: pages of the heap's that nobody has: they count as in use.
    let gone = unsafe { os::discard(start, npages * PAGE_SIZE) };
    let mut heap = mheap::lock();
    if gone && heap.pages.put_released(page, npages) {
        note(&heap);
        backed
    } else {
        UNABLE.store(true, Ordering::Relaxed); // a hint
        heap.free_pages(page, npages);
        0
    }
}

/// Gives back what is over the memory limit, as far as there are free pages.
#[cold]
#[inline(never)]
fn enforce_limit() {
    let over = super::mstats::total().saturating_sub(limit() as usize);
    if over > 0 {
        scavenge(over);
    }
}

/// Tells whether there is a limit. On the way of each span that is made.
fn is_limited() -> bool {
    LIMIT.load(Ordering::Relaxed) != 0 // a setting
}
