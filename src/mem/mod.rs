//! Memory: the boot heap, goroutines' stacks, and the heap of the program.
//!
//! Go's counterparts: `runtime/malloc.go` and what it names, `stack.go`. From the
//! program down to the system:
//!
//! | file | what it holds |
//! | --- | --- |
//! | `mcache` | the objects that a P has at hand, no lock |
//! | `mcentral` | the spans of each size class, a lock each |
//! | `large` | objects of more than 32 KiB |
//! | `mheap` | arenas and spans, one lock |
//! | `arenas` | from an address to its span |
//! | `pages`, `page_bits` | which pages of the arenas are free |
//! | `sizeclasses`, `span_set`, `mspan` | what those are made of |
//! | `scavenge` | gives free pages back to the system |
//! | `mstats` | what memory is used for |
//! | `checks` | double frees, wild frees, clobberfree |
//! | `boot_heap` | the runtime's own metadata |
//! | `stack` | goroutines' stacks |
//! | `segment` | pieces of stack for who asks for more |
//!
//! `mallocgc` itself, which looks for the current P's mcache, is the layer above
//! the scheduler's.

mod arenas;
mod boot_heap;
pub(crate) mod checks;
mod large;
mod mcache;
mod mcentral;
mod mheap;
mod mspan;
mod mstats;
mod page_bits;
#[allow(dead_code, reason = "whole as it is; the tests use all of it")]
mod pages;
mod scavenge;
mod segment;
mod sizeclasses;
#[allow(dead_code, reason = "as above")]
mod span_set;
mod stack;

use core::sync::atomic::{AtomicUsize, Ordering};

pub use core::mem::*; // what std has under this name

pub(crate) use boot_heap::persistentalloc;
pub(crate) use large::{large_alloc, large_free, large_resize};
pub(crate) use mcache::MCache;
pub(crate) use mcentral::{alloc_one, free_one};
pub(crate) use mstats::read_mem_stats;
pub use mstats::{BySize, MemStats};
pub(crate) use scavenge::set_limit as set_memory_limit;
pub(crate) use scavenge::{excess, reclaim, scavenge, take_reclaim, tick, wants_scavenger};
pub(crate) use segment::{Segment, segment_alloc, segment_free};
pub(crate) use sizeclasses::class_of;
pub(crate) use stack::{
    DEFAULT_STACK, GUARD, GoStack, LINE, MOST_STACKS, Slab, canary_is_whole, first_stack,
    for_each_top, gostack, guard_page, hint, retire, some_stacks, stack_stats, stackalloc,
    stackfree, stackinit,
};

use crate::debug::fatal::throw;
use crate::debug::print::say;

/// The size of a page of memory, in bytes; from the auxiliary vector.
#[unsafe(export_name = "runtime.physPageSize")]
pub(crate) static PHYS_PAGE_SIZE: AtomicUsize = AtomicUsize::new(0);

/// The size of a transparent huge page, 0 where there are none.
#[unsafe(export_name = "runtime.physHugePageSize")]
pub(crate) static PHYS_HUGE_PAGE_SIZE: AtomicUsize = AtomicUsize::new(0);

/// The page size of every amd64 system: Go's minPhysPageSize and maxPhysPageSize
/// in one.
pub(crate) const PAGE_SIZE: usize = 4096;

/// What of a transparent huge page is too large to be of use.
const MAX_PHYS_HUGE_PAGE_SIZE: usize = 4 << 20;

/// Checks what the heap relies on. On g0, during boot. The heap itself needs no
/// preparation: all zeros are one without memory.
#[unsafe(export_name = "runtime.mallocinit")]
#[inline(never)]
pub(crate) extern "C" fn mallocinit() {
    let page = PHYS_PAGE_SIZE.load(Ordering::Relaxed); // set at boot, by this thread
    if page != PAGE_SIZE {
        bad_page_size(page);
    }
}

/// Ends the program, with Go's texts, where pages are of another size.
#[cold]
fn bad_page_size(page: usize) -> ! {
    let wrong: &[u8] = if page < PAGE_SIZE {
        b"smaller than minimum"
    } else {
        b"larger than maximum"
    };
    say(
        "system page size (%d) is %s page size (4096)",
        &[page as u64],
        &[wrong],
    );
    throw("bad system page size");
}

/// Checks the size of a huge page. What Go's mallocinit does as well is done here
/// when the first arena is mapped: a program without a heap need not have it.
fn check_huge_page_size() {
    let huge = PHYS_HUGE_PAGE_SIZE.load(Ordering::Relaxed); // set at boot
    if huge & huge.wrapping_sub(1) != 0 {
        say(
            "system huge page size (%d) must be a power of 2",
            &[huge as u64],
            &[],
        );
        throw("bad system huge page size");
    }
    if huge > MAX_PHYS_HUGE_PAGE_SIZE {
        PHYS_HUGE_PAGE_SIZE.store(0, Ordering::Relaxed); // all who do this store the same
    }
}

/// Gives all free memory back to the system.
pub(crate) fn free_os_memory() {
    mcentral::flush();
    scavenge(usize::MAX);
}

/// Tells how many bytes of the boot heap are taken, and how many of address space
/// the heap and the stacks have.
pub(crate) fn boot_stats() -> (usize, usize, usize) {
    (boot_heap::used(), mheap::mapped(), stack_stats().0)
}

/// Returns the size of a class's objects.
#[inline(always)]
pub(crate) fn class_size(class: usize) -> usize {
    sizeclasses::CLASS_TO_SIZE[class] as usize
}
