//! The boot heap: memory for the runtime's own metadata, from the first moment
//! on. Users' memory never comes from it.
//!
//! Go's counterparts: `persistentalloc` and `fixalloc` in `runtime/malloc.go`,
//! `mfixalloc.go`. Two layers:
//!
//! - [`persistentalloc`] gives what lives for ever, as the Ps do: an arena in
//!   .bss, which costs nothing until it is touched, and a mark that goes up. Each
//!   program has it, so that it is no more than that.
//! - [`metadata_alloc`] gives what the heap needs to know of its own memory, and
//!   takes back what was replaced by something larger: linked_list_allocator over
//!   a piece of the arena, and then over mappings of its own. A program that
//!   never allocates does not even have the code.

use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::ptr::NonNull;

use linked_list_allocator::Heap;

use crate::debug::fatal::throw;
use crate::debug::lock::{Mutex, rank};
use crate::os;

/// The arena's size: room for the Ps of the largest GOMAXPROCS, nearly twice.
const ARENA_SIZE: usize = 4 << 20;

/// The arena itself.
#[repr(C, align(64))]
struct Arena(UnsafeCell<[u8; ARENA_SIZE]>);

// SAFETY: whoever gets a piece of it is the only one who does.
unsafe impl Sync for Arena {}

#[unsafe(link_section = ".bss.large.arena")]
static ARENA: Arena = Arena(UnsafeCell::new([0; ARENA_SIZE]));

/// How much of the arena is given away, in bytes.
static USED: Mutex<usize, { rank::BOOT_HEAP }> = Mutex::new(0);

/// What everything in the arena is aligned to: a cache line.
const ALIGN: usize = 64;

/// Allocates memory that is never freed, zeroed, at a multiple of 64. Throws when
/// the arena is used up. From any stack; takes no lock but its own.
#[inline(never)]
pub(crate) fn persistentalloc(size: usize) -> *mut u8 {
    let mut used = USED.lock();
    let start = *used;
    *used = start + size.next_multiple_of(ALIGN);
    if *used > ARENA_SIZE {
        throw("persistentalloc: out of memory");
    }
    ARENA.0.get().cast::<u8>().wrapping_add(start)
}

/// Tells how many bytes of the arena are given away.
pub(super) fn used() -> usize {
    *USED.lock()
}

/// What the heap of metadata starts with, out of the arena.
const FIRST_CHUNK: usize = 128 << 10;

/// What it grows by, at least: Go's persistentChunkSize.
const CHUNK: usize = 256 << 10;

/// The heap of metadata, and how many bytes it has from the system.
struct Metadata {
    /// The last chunk: what was freed in one before it is not used again.
    heap: Heap,
    bytes: usize,
}

#[unsafe(link_section = ".bss.large.metadata")]
static METADATA: Mutex<Metadata, { rank::METADATA }> = Mutex::new(Metadata {
    heap: Heap::empty(),
    bytes: 0,
});

/// Allocates memory for the heap's own use; its contents are anything. None if
/// the system has no more. From any stack.
pub(super) fn metadata_alloc(layout: Layout) -> Option<NonNull<u8>> {
    let mut metadata = METADATA.lock();
    if let Ok(memory) = metadata.heap.allocate_first_fit(layout) {
        return Some(memory);
    }
    // Twice a header, and what alignment may cost.
    let need = layout.size().checked_add(layout.align())?.checked_add(64)?;
    let (chunk, size) = if metadata.bytes == 0 && need <= FIRST_CHUNK {
        (persistentalloc(FIRST_CHUNK), FIRST_CHUNK)
    } else {
        // Near a limit what is needed may be had where a whole chunk may not.
        let map = |multiple| {
            let size = need.checked_next_multiple_of(multiple)?;
            Some((os::map_backed(0, size)?, size))
        };
        map(CHUNK).or_else(|| map(super::PAGE_SIZE))?
    };
    metadata.bytes += size;
    metadata.heap = Heap::empty();
    // SAFETY: fresh memory of that size, ours for good.
    unsafe { metadata.heap.init(chunk, size) };
    metadata.heap.allocate_first_fit(layout).ok()
}

/// Takes memory back.
///
/// # Safety
///
/// It must come from [`metadata_alloc`] with this layout, and be free of uses.
pub(super) unsafe fn metadata_free(memory: NonNull<u8>, layout: Layout) {
    let mut metadata = METADATA.lock();
    let (bottom, top) = (metadata.heap.bottom().addr(), metadata.heap.top().addr());
    // What lies in an older chunk stays as it is: whatever is freed here has
    // been replaced by something twice its size, so that all of it together is
    // less than what is in use.
    if (bottom..top).contains(&memory.addr().get()) {
        // SAFETY: the caller's promise; and it lies in this heap.
        unsafe { metadata.heap.deallocate(memory, layout) };
    }
}

/// Tells how many bytes of metadata came from the system.
pub(super) fn metadata_bytes() -> usize {
    METADATA.lock().bytes
}
