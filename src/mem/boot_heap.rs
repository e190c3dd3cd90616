//! The boot heap: memory for the runtime's own metadata, from the first moment
//! on. Users' memory never comes from it.
//!
//! Go's counterpart: `persistentalloc` in `runtime/malloc.go`. A first-fit list
//! over an arena in .bss, which costs nothing until it is touched.

use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::ptr::NonNull;

use linked_list_allocator::Heap;
use crate::debug::lock::{Mutex, Rank};

/// The arena's size: room for the Ps of the largest GOMAXPROCS, three times.
const ARENA_SIZE: usize = 8 << 20;

/// The arena itself.
#[repr(C, align(4096))]
struct Arena(UnsafeCell<[u8; ARENA_SIZE]>);

// SAFETY: nobody but the heap behind the lock takes memory from it.
unsafe impl Sync for Arena {}

static ARENA: Arena = Arena(UnsafeCell::new([0; ARENA_SIZE]));
static BOOT_HEAP: Mutex<Option<Heap>> = Mutex::new(Rank::BootHeap, None);

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
    // SAFETY: `layout.size()` bytes that nobody else has. The list's links may
    // have been in them.
    unsafe { memory.write_bytes(0, layout.size()) };
    Some(memory)
}
