//! The program's heap: what `Box` and `Vec` allocate from.
//!
//! Go's counterparts: `mallocgc` and the arena hints in `runtime/malloc.go`.
//! For now a first-fit list behind one lock, in arenas that start at Go's
//! address, 0x00c000000000: a heap pointer is known at sight in a debugger, and
//! its first bytes are no valid UTF-8.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::debug::lock::{Mutex, rank};
use crate::os;
use linked_list_allocator::Heap;

/// Where the first arena shall be.
const ARENA_HINT: usize = 0x00c0_0000_0000;

/// The size of an arena, and the least to try where address space is short.
const ARENA_SIZE: usize = 64 << 20;
const SMALL_ARENA_SIZE: usize = 1 << 20;

/// How many separate runs of arenas there can be. A run grows in place as long
/// as the system gives the addresses behind it, so that one is the rule.
const MAX_RUNS: usize = 64;

/// A run of arenas that follow each other.
struct Run {
    heap: Heap,
    end: usize,
}

/// All runs, in the order in which they came.
struct MHeap {
    runs: [Option<Run>; MAX_RUNS],
}

#[unsafe(export_name = "runtime.mheap_")]
#[unsafe(link_section = ".bss.large.mheap")] // a page that a program without a heap need not touch
static MHEAP: Mutex<MHeap, { rank::HEAP }> = Mutex::new(MHeap {
    runs: [const { None }; MAX_RUNS],
});

/// Where the next arena shall be, when there is none yet.
static HINT: AtomicUsize = AtomicUsize::new(0);

/// Says where the first arena shall be; it is mapped at the first allocation.
pub(super) fn init() {
    HINT.store(ARENA_HINT, Ordering::Relaxed); // still one thread
}

/// Allocates memory for the program; null when there is none. From any
/// goroutine or thread.
pub(crate) fn mallocgc(layout: Layout) -> *mut u8 {
    let mut heap = MHEAP.lock();
    let memory = heap.allocate(layout).or_else(|| {
        heap.grow(layout)?;
        heap.allocate(layout)
    });
    memory.map_or(ptr::null_mut(), NonNull::as_ptr)
}

/// Frees memory.
///
/// # Safety
///
/// `memory` must come from [`mallocgc`] with this layout, and be free of uses.
pub(crate) unsafe fn mfree(memory: *mut u8, layout: Layout) {
    let mut heap = MHEAP.lock();
    let owner = heap.runs.iter_mut().flatten().find(|run| {
        let bottom = run.heap.bottom().addr();
        (bottom..run.end).contains(&memory.addr())
    });
    match (owner, NonNull::new(memory)) {
        // SAFETY: the caller's promise; and the address is in this run.
        (Some(run), Some(memory)) => unsafe { run.heap.deallocate(memory, layout) },
        _ => crate::debug::fatal::throw("free of a pointer that is not in the heap"),
    }
}

impl MHeap {
    /// Takes memory from the first run that has it.
    fn allocate(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        self.runs
            .iter_mut()
            .flatten()
            .find_map(|run| run.heap.allocate_first_fit(layout).ok())
    }

    /// Maps at least enough for `layout`, at the end of the last run if the
    /// system has that free.
    fn grow(&mut self, layout: Layout) -> Option<()> {
        // Twice the header, and what alignment may cost.
        let need = layout.size().checked_add(layout.align())?.checked_add(64)?;
        let last = self.runs.iter_mut().flatten().last();
        let hint = last
            .as_ref()
            .map_or(HINT.load(Ordering::Relaxed), |run| run.end);
        let (memory, size) = [ARENA_SIZE, SMALL_ARENA_SIZE].iter().find_map(|&unit| {
            let size = need.checked_next_multiple_of(unit)?;
            Some((os::map(hint, size)?, size))
        })?;
        if let Some(run) = last
            && memory.addr() == run.end
        {
            // SAFETY: the new mapping lies right behind the run, and is ours.
            unsafe { run.heap.extend(size) };
            run.end += size;
            return Some(());
        }
        let Some(slot) = self.runs.iter_mut().find(|run| run.is_none()) else {
            // SAFETY: mapped above, and nobody has the address.
            unsafe { os::unmap(memory, size) };
            return None;
        };
        let mut heap = Heap::empty();
        // SAFETY: a fresh mapping of that size, ours for good.
        unsafe { heap.init(memory, size) };
        *slot = Some(Run {
            heap,
            end: memory.addr() + size,
        });
        Some(())
    }
}

/// gort's heap as Rust's global allocator.
pub(crate) struct Allocator;

// SAFETY: mallocgc gives memory that fits the layout and that nobody else has,
// until mfree gets it back.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        mallocgc(layout)
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller of dealloc promises the same.
        unsafe { mfree(memory, layout) };
    }
}

#[cfg(feature = "global-allocator")]
#[global_allocator]
static GLOBAL: Allocator = Allocator;
