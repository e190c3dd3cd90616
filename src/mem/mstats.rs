//! What the runtime's memory is used for.
//!
//! Go's counterpart: `runtime/mstats.go`. The numbers come from where they are
//! kept anyway: each cache counts what the program takes from it, each mcentral
//! what it has given out, the mheap its pages. Nobody is stopped while they are
//! added up: exact when nobody allocates meanwhile, near the truth otherwise.

use super::mcache;
use super::sizeclasses::{CLASS_TO_SIZE, NUM_CLASSES, PAGE_SIZE};
use super::{boot_heap, mcentral, mheap};

/// What [`read_mem_stats`](crate::runtime::read_mem_stats) returns: Go's
/// `runtime.MemStats`, as far as it applies where nothing is collected. Sizes are
/// in bytes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MemStats {
    /// What the program has allocated and not freed, each object counted with
    /// its whole size class. The same as `heap_alloc`.
    pub alloc: u64,
    /// What the program has allocated since it began, in the same way.
    pub total_alloc: u64,
    /// The address space that was obtained from the system, all of the `sys` below.
    pub sys: u64,
    /// How many objects the program has allocated since it began.
    pub mallocs: u64,
    /// How many it has freed.
    pub frees: u64,
    /// What the program has allocated and not freed.
    pub heap_alloc: u64,
    /// Address space for the heap. Only what has been used takes memory.
    pub heap_sys: u64,
    /// The heap's pages that hold no object.
    pub heap_idle: u64,
    /// The heap's pages that hold objects.
    pub heap_inuse: u64,
    /// The idle pages that take no memory: never used, or given back to the system.
    pub heap_released: u64,
    /// How many objects the program has.
    pub heap_objects: u64,
    /// Address space for the stacks that goroutines and threads have; a dead
    /// goroutine's, which waits for the next one, is counted, too. Go counts memory.
    pub stack_inuse: u64,
    /// Address space for stacks in all, their guards included.
    pub stack_sys: u64,
    /// Records of spans in use.
    pub mspan_inuse: u64,
    /// Records of spans in all.
    pub mspan_sys: u64,
    /// The caches of the processors.
    pub mcache_inuse: u64,
    /// The same.
    pub mcache_sys: u64,
    /// Other records of the runtime's: of arenas and their pages.
    pub other_sys: u64,
    /// Each size class, the smallest first.
    pub by_size: [BySize; NUM_CLASSES - 1],
}

/// A size class in [`MemStats`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct BySize {
    /// The size of its objects in bytes.
    pub size: u32,
    /// How many the program has allocated since it began.
    pub mallocs: u64,
    /// How many it has freed.
    pub frees: u64,
}

/// Adds everything up. From any stack.
pub(crate) fn read_mem_stats() -> MemStats {
    let mut by_size = [BySize {
        size: 0,
        mallocs: 0,
        frees: 0,
    }; NUM_CLASSES - 1];
    let (mut alloc, mut total_alloc, mut mallocs, mut frees) = (0, 0, 0, 0);
    for (class, entry) in (1..).zip(&mut by_size) {
        let size = u64::from(CLASS_TO_SIZE[class]);
        let (out, mut taken) = mcentral::count(class);
        let mut cached = 0;
        for cache in mcache::all() {
            let (here, from_here) = cache.count(class);
            cached += here;
            taken += from_here;
        }
        let live = out.saturating_sub(cached);
        entry.size = u32::from(CLASS_TO_SIZE[class]);
        entry.mallocs = taken;
        entry.frees = taken.saturating_sub(live);
        alloc += live * size;
        total_alloc += taken * size;
        mallocs += entry.mallocs;
        frees += entry.frees;
    }
    let heap = mheap::lock();
    let large = heap.large;
    let heap_sys = heap.mapped as u64;
    let heap_inuse = (heap.pages.in_use_pages() * PAGE_SIZE) as u64;
    let backed = (heap.pages.free_backed_pages() * PAGE_SIZE) as u64;
    let (mspan_inuse, mspan_sys) = (heap.mspan_inuse as u64, heap.mspan_sys as u64);
    drop(heap);
    alloc += large.alloc_bytes - large.free_bytes;
    let mcache_sys = (mcache::all().count() * size_of::<mcache::MCache>()) as u64;
    let other_sys = metadata() as u64;
    let (stack_inuse, stack_sys) = super::stack_stats();
    MemStats {
        alloc,
        total_alloc: total_alloc + large.alloc_bytes,
        sys: heap_sys + stack_sys as u64 + other_sys,
        mallocs: mallocs + large.allocs,
        frees: frees + large.frees,
        heap_alloc: alloc,
        heap_sys,
        heap_idle: heap_sys - heap_inuse,
        heap_inuse,
        heap_released: heap_sys - heap_inuse - backed,
        heap_objects: (mallocs + large.allocs).saturating_sub(frees + large.frees),
        stack_inuse: stack_inuse as u64,
        stack_sys: stack_sys as u64,
        mspan_inuse,
        mspan_sys,
        mcache_inuse: mcache_sys,
        mcache_sys,
        other_sys: other_sys.saturating_sub(mspan_sys + mcache_sys),
        by_size,
    }
}

/// Bytes of the heap's own records.
fn metadata() -> usize {
    boot_heap::metadata_bytes() + mheap::arena_record_bytes()
}

/// What counts against the memory limit: what takes memory, as far as we know. Of
/// a stack that is the page that its goroutine's G lies in.
pub(super) fn total() -> usize {
    let pages = mheap::lock().pages.resident_pages();
    let (stacks, _) = super::stack_stats();
    let goroutines = stacks / super::DEFAULT_STACK;
    pages * PAGE_SIZE + goroutines * super::PAGE_SIZE + metadata()
}
