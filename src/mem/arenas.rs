//! The map of arenas: from an address to the span that it belongs to.
//!
//! Go's counterparts: `heapArena`, `arenaIdx`, `spanOf` in `runtime/mheap.go`.
//! For each page that begins an object or holds small ones, the record of its
//! arena says which span it is part of. Reading that takes no lock. Invariants:
//!
//! 1. An entry is written by whoever has the span in hand, before an object of
//!    it is given out, and cleared after the last one has come back: who holds
//!    an object may look up its span.
//! 2. Arenas and their records are never unmapped.

use core::alloc::Layout;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::boot_heap::metadata_alloc;
use super::mspan::MSpan;
use super::page_bits::{ARENA_PAGES, ArenaPages};
use super::sizeclasses::{PAGE_SHIFT, PAGE_SIZE};
use crate::os;

/// The size of an arena, 64 MiB.
pub(super) const ARENA_SHIFT: u32 = 26;
pub(super) const ARENA_SIZE: usize = 1 << ARENA_SHIFT;

/// A program's addresses have 47 bits; the map of arenas has two levels.
const ADDRESS_BITS: u32 = 47;
const L2_BITS: u32 = 10;
const L2_SIZE: usize = 1 << L2_BITS;
const L1_SIZE: usize = 1 << (ADDRESS_BITS - ARENA_SHIFT - L2_BITS);

/// What is known of an arena. All zeros are one without spans.
#[repr(C)]
pub(super) struct HeapArena {
    pages: ArenaPages,
    spans: Spans,
}

/// For each page of an arena the span that it is part of, or null.
type Spans = [AtomicPtr<MSpan>; ARENA_PAGES];

/// The lower level of the map of arenas.
type ArenaMap = [AtomicPtr<HeapArena>; L2_SIZE];

#[unsafe(link_section = ".bss.large.arenas")]
static ARENAS: [AtomicPtr<ArenaMap>; L1_SIZE] =
    [const { AtomicPtr::new(ptr::null_mut()) }; L1_SIZE];

/// Returns the span that an address belongs to: for any object of a small size
/// class, and for the first page of a large one. From anywhere, without a lock.
pub(super) fn span_of(address: usize) -> Option<&'static MSpan> {
    let entry = &spans_of(address)?[page_in_arena(address)];
    // SAFETY: an MSpan is never freed. Acquire pairs with set_spans: whoever
    // finds a span finds it set up.
    unsafe { entry.load(Ordering::Acquire).as_ref() }
}

/// Returns the entries of the arena at an address.
fn spans_of(address: usize) -> Option<&'static Spans> {
    let number = address >> ARENA_SHIFT;
    let map = ARENAS.get(number >> L2_BITS)?.load(Ordering::Acquire); // pairs with map_of
    // SAFETY: a map of arenas is never freed.
    let map = unsafe { map.as_ref() }?;
    let arena = map[number % L2_SIZE].load(Ordering::Acquire); // pairs with new_arena
    if arena.is_null() {
        return None;
    }
    // SAFETY: an arena's record is never unmapped.
    let spans = unsafe { &raw const (*arena).spans };
    // SAFETY: as above. Of the record's other part, which is the mheap's, this
    // takes no reference.
    Some(unsafe { &*spans })
}

/// Returns which page of its arena an address is in.
fn page_in_arena(address: usize) -> usize {
    address >> PAGE_SHIFT & (ARENA_PAGES - 1)
}

/// Writes the entries of a span's pages: of each where small objects are, of the
/// first for a large one.
pub(super) fn set_spans(span: &MSpan, npages: usize, entry: *mut MSpan) {
    let base = span.base.get();
    let count = if span.class.get() == 0 { 1 } else { npages };
    for page in 0..count {
        let address = base + page * PAGE_SIZE;
        if let Some(spans) = spans_of(address) {
            // Release pairs with span_of.
            spans[page_in_arena(address)].store(entry, Ordering::Release);
        }
    }
}

/// Makes the record of the arena at an address, and enters it into the map.
/// None if the system has no memory. The heap's lock is held.
pub(super) fn new_arena(start: usize) -> Option<&'static mut ArenaPages> {
    let number = start >> ARENA_SHIFT;
    let map = map_of(number)?;
    let record = os::map_backed(0, size_of::<HeapArena>())?.cast::<HeapArena>();
    // Release pairs with spans_of.
    map[number % L2_SIZE].store(record, Ordering::Release);
    // SAFETY: fresh zeroed memory of that size.
    let pages = unsafe { &raw mut (*record).pages };
    // SAFETY: never unmapped, and nobody else gets a reference to this part.
    Some(unsafe { &mut *pages })
}

/// Returns the lower level of the map for an arena, and makes it if need be.
fn map_of(number: usize) -> Option<&'static ArenaMap> {
    let entry = ARENAS.get(number >> L2_BITS)?;
    // Relaxed: the heap's lock is held, and whoever holds it alone writes here.
    let mut map = entry.load(Ordering::Relaxed);
    if map.is_null() {
        map = metadata_alloc(Layout::new::<ArenaMap>())?.as_ptr().cast();
        // SAFETY: fresh memory of that size; zeros are no arenas.
        unsafe { map.write_bytes(0, 1) };
        entry.store(map, Ordering::Release); // pairs with spans_of
    }
    // SAFETY: never freed.
    Some(unsafe { &*map })
}
