//! Segments: the pieces of stack that a goroutine goes on with when its own comes
//! to an end and it says so, by `stack::grow`.
//!
//! Go's counterparts: `stackalloc` and `stackfree` of Go 1.2, whose stacks were
//! in segments. That Go gave them up had a reason, the *hot split*: a loop that
//! calls over a seam takes a segment and gives it back in each round. So what is
//! given back is kept, the hottest first in a list for each size, and taking it
//! again is a lock and two loads. Nothing goes back to the system.
//!
//! ```text
//!   lo - GUARD        lo                                            hi
//!   +-----------------+--------------------------------------+------+
//!   | guard: a fault  | never touched: no memory  |   used   | link |
//!   +-----------------+--------------------------------------+------+
//! ```
//!
//! The link to the next free segment of the size is the topmost word: that page
//! has been touched.

use core::num::NonZeroUsize;
use core::ptr;

use super::stack::{DEFAULT_STACK, stackalloc};
use crate::debug::lock::{Mutex, rank};

/// The smallest segment; the sizes are this one, doubled and doubled again.
const SMALLEST: usize = DEFAULT_STACK;

/// How many sizes there are, up to 2 GiB.
const ORDERS: usize = 14;

const _: () = assert!(SMALLEST.is_power_of_two() && SMALLEST << (ORDERS - 1) == 2 << 30);

/// A segment, the addresses `lo..hi`, that is whoever's has this.
pub(crate) struct Segment {
    /// The lowest address, above the guard.
    pub(crate) lo: usize,
    /// The address behind the highest.
    pub(crate) hi: usize,
}

/// The free segments of each size: where the first one ends, 0 if there is none.
static FREE: Mutex<[usize; ORDERS], { rank::STACK }> = Mutex::new([0; ORDERS]);

/// Takes a segment of at least `size` bytes, above a guard; what is in it is
/// anything. None if the system has no room for it, or if `size` is over 2 GiB.
/// From any stack.
pub(crate) fn segment_alloc(size: usize) -> Option<Segment> {
    let size = size.max(SMALLEST).checked_next_power_of_two()?;
    let mut free = FREE.lock();
    let first = free.get_mut(order(size))?;
    if let Some(hi) = NonZeroUsize::new(*first) {
        let hi = hi.get();
        // SAFETY: segment_free wrote it there, and the lock has made it ours.
        *first = unsafe { link(hi).read() };
        return Some(Segment { lo: hi - size, hi });
    }
    drop(free); // stackalloc takes a lock of the same rank
    let lo = stackalloc(size)?.get();
    Some(Segment { lo, hi: lo + size })
}

/// Keeps a segment for whoever needs one of its size next. Nothing may run on it
/// or point into it.
pub(crate) fn segment_free(segment: Segment) {
    let mut free = FREE.lock();
    if let Some(first) = free.get_mut(order(segment.hi - segment.lo)) {
        // SAFETY: the segment's topmost word, and the segment is ours.
        unsafe { link(segment.hi).write(*first) };
        *first = segment.hi;
    }
}

/// Returns how often [`SMALLEST`] was doubled to get `size`, one of its doubles.
fn order(size: usize) -> usize {
    (size.trailing_zeros() - SMALLEST.trailing_zeros()) as usize
}

/// Returns the word for the link in a segment that ends at `hi`.
fn link(hi: usize) -> *mut usize {
    ptr::with_exposed_provenance_mut::<usize>(hi - size_of::<usize>())
}
