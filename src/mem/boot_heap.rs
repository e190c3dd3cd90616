//! The boot heap: memory for the runtime's own metadata, from the first moment
//! on. Users' memory never comes from it.
//!
//! Go's counterpart: `persistentalloc` in `runtime/malloc.go`. A first-fit list
//! over an arena in .bss, which costs nothing until it is touched.

use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::ptr::NonNull;

use crate::debug::lock::{Mutex, rank};
use linked_list_allocator::Heap;

/// The arena's size: room for the Ps of the largest GOMAXPROCS, three times.
const ARENA_SIZE: usize = 8 << 20;

/// What the list writes at the start of a hole: its size and the next one.
const LINKS: usize = 2 * size_of::<usize>();

/// The arena itself.
#[repr(C, align(16))]
struct Arena(UnsafeCell<[u8; ARENA_SIZE]>);

// SAFETY: nobody but the heap behind the lock takes memory from it.
unsafe impl Sync for Arena {}

#[unsafe(link_section = ".bss.large.arena")]
static ARENA: Arena = Arena(UnsafeCell::new([0; ARENA_SIZE]));
static BOOT_HEAP: Mutex<Option<Heap>, { rank::BOOT_HEAP }> = Mutex::new(None);

/// Allocates memory that is never freed, zeroed; None when the arena is used
/// up. From any stack; takes no lock but its own.
pub(crate) fn persistentalloc(layout: Layout) -> Option<NonNull<u8>> {
    let mut guard = BOOT_HEAP.lock();
    let heap = guard.get_or_insert_with(|| {
        let mut heap = Heap::empty();
        // SAFETY: the arena is a static, and this closure runs once.
        unsafe { heap.init(ARENA.0.get().cast(), ARENA_SIZE) };
        heap
    });
    let memory = heap.allocate_first_fit(layout).ok()?;
    // The arena began as zeros, and nothing is ever given back: only the list's
    // own links, in the first two words of a hole, can have been written here.
    // SAFETY: `layout.size()` bytes that nobody else has.
    unsafe { memory.write_bytes(0, layout.size().min(LINKS)) };
    Some(memory)
}
