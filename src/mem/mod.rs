//! Memory: the boot heap, goroutines' stacks, and the heap of the program.
//!
//! Go's counterparts: `runtime/malloc.go`, `mheap.go`, `stack.go`. Of the tiers
//! that Go has for the heap (mcache, mcentral, mheap) there is one so far: one heap
//! behind one lock. What is above uses Rust's allocator, and will not notice when
//! the tiers come.

mod boot_heap;
mod heap;
mod stack;

use core::sync::atomic::{AtomicUsize, Ordering};

pub(crate) use boot_heap::persistentalloc;
pub(crate) use stack::{
    DEFAULT_STACK, GUARD, GoStack, LINE, Slab, canary_is_whole, first_stack, for_each_top, gostack,
    hint, retire, stack_stats, stackalloc, stackfree, stackinit,
};

use crate::debug::fatal::refuse;

/// The size of a page of memory, in bytes; from the auxiliary vector.
#[unsafe(export_name = "runtime.physPageSize")]
pub(crate) static PHYS_PAGE_SIZE: AtomicUsize = AtomicUsize::new(0);

/// The size of a transparent huge page, 0 where there are none.
#[unsafe(export_name = "runtime.physHugePageSize")]
pub(crate) static PHYS_HUGE_PAGE_SIZE: AtomicUsize = AtomicUsize::new(0);

/// The page size of every amd64 system.
pub(crate) const PAGE_SIZE: usize = 4096;

/// Prepares the program's heap. On g0, during boot.
#[unsafe(export_name = "runtime.mallocinit")]
#[inline(never)]
pub(crate) extern "C" fn mallocinit() {
    crate::arch::named_nothing!("mallocinit"); // it is, where nobody allocates
    heap::init();
}

/// Ends the program where pages are not of the size that stacks and arenas are
/// laid out for.
fn check_page_size() {
    let page = PHYS_PAGE_SIZE.load(Ordering::Relaxed); // set at boot, by this thread
    if page != PAGE_SIZE {
        refuse(
            "fatal error: bad system page size: %d, expected %d",
            &[page as u64, PAGE_SIZE as u64],
            &[],
        );
    }
}
