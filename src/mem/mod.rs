//! Memory: the boot heap, goroutines' stacks, and the heap of the program.
//!
//! Go's counterparts: `runtime/malloc.go`, `mheap.go`, `stack.go`. Of the tiers
//! that Go has (mcache, mcentral, mheap; stackpool, stackLarge) there is one
//! so far: one heap behind one lock, and stacks straight from the system. What
//! is above uses Rust's allocator and [`stackalloc`], and will not notice when
//! the tiers come.

mod boot_heap;
mod heap;
mod stack;

use core::sync::atomic::{AtomicUsize, Ordering};

pub(crate) use boot_heap::persistentalloc;
pub(crate) use stack::{GUARD, stackalloc, stackinit};

use crate::debug::fatal::{refuse, throw};

/// The size of a page of memory, in bytes; from the auxiliary vector.
#[unsafe(export_name = "runtime.physPageSize")]
pub(crate) static PHYS_PAGE_SIZE: AtomicUsize = AtomicUsize::new(0);

/// The size of a transparent huge page, 0 where there are none.
#[unsafe(export_name = "runtime.physHugePageSize")]
pub(crate) static PHYS_HUGE_PAGE_SIZE: AtomicUsize = AtomicUsize::new(0);

/// The smallest page size that any amd64 system has.
const MIN_PHYS_PAGE_SIZE: usize = 4096;

/// The largest that the layout of stacks and arenas allows for.
const MAX_PHYS_PAGE_SIZE: usize = 512 << 10;

/// Checks what the system said of its pages, and prepares the program's heap.
/// On g0, during boot.
#[unsafe(export_name = "runtime.mallocinit")]
#[inline(never)]
pub(crate) extern "C" fn mallocinit() {
    let page = PHYS_PAGE_SIZE.load(Ordering::Relaxed); // set at boot, by this thread
    if page == 0 {
        throw("failed to get system page size");
    }
    if page.count_ones() != 1 || !(MIN_PHYS_PAGE_SIZE..=MAX_PHYS_PAGE_SIZE).contains(&page) {
        let numbers = [page, MIN_PHYS_PAGE_SIZE, MAX_PHYS_PAGE_SIZE].map(|number| number as u64);
        refuse(
            "fatal error: bad system page size: %d, expected a power of 2 from %d to %d",
            &numbers,
            &[],
        );
    }
    let huge = PHYS_HUGE_PAGE_SIZE.load(Ordering::Relaxed); // as above
    if huge & huge.wrapping_sub(1) != 0 {
        refuse(
            "fatal error: bad system huge page size: %d, expected a power of 2",
            &[huge as u64],
            &[],
        );
    }
    heap::init();
}
