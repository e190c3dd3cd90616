//! The boot heap: memory for the runtime's own metadata, from the first moment
//! on. Users' memory never comes from it.
//!
//! Go's counterpart: `persistentalloc` in `runtime/malloc.go`. As there, nothing
//! is ever freed, so that a list of holes would have nothing to hold, and would
//! be a kilobyte of the smallest program: an arena in .bss, and a mark that goes
//! up. The arena costs nothing until it is touched.

use core::cell::UnsafeCell;

use crate::debug::fatal::throw;
use crate::debug::lock::{Mutex, rank};

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
