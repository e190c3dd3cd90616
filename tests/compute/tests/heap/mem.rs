//! src/mem without the stacks, each file by its path.

use std::sync::atomic::AtomicUsize;

#[path = "../../../../src/mem/arenas.rs"]
mod arenas;
#[path = "../../../../src/mem/boot_heap.rs"]
mod boot_heap;
#[path = "../../../../src/mem/checks.rs"]
pub(crate) mod checks;
#[path = "../../../../src/mem/large.rs"]
mod large;
#[path = "../../../../src/mem/mcache.rs"]
mod mcache;
#[path = "../../../../src/mem/mcentral.rs"]
mod mcentral;
#[path = "../../../../src/mem/mheap.rs"]
mod mheap;
#[path = "../../../../src/mem/mspan.rs"]
mod mspan;
#[path = "../../../../src/mem/mstats.rs"]
mod mstats;
#[path = "../../../../src/mem/page_bits.rs"]
mod page_bits;
#[path = "../../../../src/mem/pages.rs"]
mod pages;
#[path = "../../../../src/mem/scavenge.rs"]
mod scavenge;
#[path = "../../../../src/mem/sizeclasses.rs"]
mod sizeclasses;
#[path = "../../../../src/mem/span_set.rs"]
mod span_set;

pub(crate) use large::{large_alloc, large_free, large_resize};
pub(crate) use mcache::MCache;
pub(crate) use mcentral::{alloc_one, flush, free_one};
pub(crate) use mstats::read_mem_stats;
pub(crate) use scavenge::{scavenge, set_limit};
pub(crate) use sizeclasses::class_of;

pub(crate) static PHYS_HUGE_PAGE_SIZE: AtomicUsize = AtomicUsize::new(2 << 20);
const DEFAULT_STACK: usize = 256 << 10;
const PAGE_SIZE: usize = 4096;

fn check_huge_page_size() {}

fn stack_stats() -> (usize, usize) {
    (0, 0)
}

/// A thread's cache.
pub(crate) fn new_mcache() -> &'static MCache {
    MCache::new().expect("memory")
}
