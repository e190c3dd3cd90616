//! A channel in the heap, and who has a handle on it.
//!
//! ```text
//!   senders  1 .. n -> 0: close, then leave -+    the second of the two that leave frees it
//!   receivers 1 .. n -> 0: close, discard, leave -+
//! ```

use crate::alloc::boxed::Box;
use core::alloc::Layout;
use core::ptr::NonNull;

use super::atomic::{AtomicBool, AtomicUsize, Ordering};
use super::hchan::{Hchan, Side};

/// A channel and its handles.
pub(super) struct Shared {
    pub(super) chan: Hchan,
    pub(super) senders: AtomicUsize,
    pub(super) receivers: AtomicUsize,
    /// All handles of one side are gone, and are done with it.
    left: AtomicBool,
}

impl Shared {
    /// Makes a channel for so many values of a type with that layout and name, with a handle
    /// on either side.
    pub(super) fn new(capacity: usize, value: Layout, elemtype: &'static str) -> NonNull<Self> {
        NonNull::from(Box::leak(Box::new(Self {
            chan: Hchan::new(capacity, value, elemtype),
            senders: AtomicUsize::new(1),
            receivers: AtomicUsize::new(1),
            left: AtomicBool::new(false),
        })))
    }

    fn count(&self, side: Side) -> &AtomicUsize {
        match side {
            Side::Send => &self.senders,
            Side::Recv => &self.receivers,
        }
    }

    /// Counts another handle.
    ///
    /// # Panics
    ///
    /// If so many were forgotten that the count is about to overflow.
    pub(super) fn acquire(&self, side: Side) {
        // Relaxed: who makes one has one.
        let before = self.count(side).fetch_add(1, Ordering::Relaxed);
        assert!(
            before <= isize::MAX as usize,
            "too many handles of a channel"
        );
    }

    /// Gives a handle back. `drop_value` drops a value in its slot.
    ///
    /// # Safety
    ///
    /// The caller has a handle of that side, and uses it no more.
    pub(super) unsafe fn release(this: NonNull<Self>, side: Side, drop_value: fn(*mut u8)) {
        // SAFETY: the caller has a handle on it.
        let shared = unsafe { this.as_ref() };
        // AcqRel: whoever is the last comes after all that the others did with theirs.
        if shared.count(side).fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        shared.chan.close();
        if side == Side::Recv {
            shared.chan.discard(drop_value);
        }
        // AcqRel: who frees it comes after all that the other did with it.
        if shared.left.swap(true, Ordering::AcqRel) {
            // SAFETY: what `new` made, and nobody's any more.
            drop(unsafe { Box::from_raw(this.as_ptr()) });
        }
    }
}
