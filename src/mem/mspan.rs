//! A span: a run of pages that holds objects of one size, or one large object.
//!
//! Go's counterpart: `mspan` in `runtime/mheap.go`. There a span belongs to a
//! mcache while objects are taken from it; here a mcache owns objects only, and
//! a span stays with its mcentral for as long as it has a size class. Invariants:
//!
//! 1. A span's plain fields belong to whoever holds the lock of its mcentral; a
//!    large one's, and those of one that is being made or freed, to the one
//!    thread that has it in hand.
//! 2. `0 <= allocated <= fresh <= nelems`. Objects from `fresh` on have never
//!    been given out. `fresh - allocated` objects are on the list `free`;
//!    `allocated` are with the program, in a mcache, or in a mcentral's chains.
//! 3. An MSpan is never unmapped: one that is freed is used again as another.

use core::cell::Cell;
use core::ptr;

use super::sizeclasses::{CLASS_TO_SIZE, object_index};
use super::span_set::{Linked, Links};

/// An object that is free: the first word of it leads to the next.
pub(super) struct Free {
    pub(super) next: *mut Free,
}

/// A run of pages. All zeros are one that is not in use.
pub(super) struct MSpan {
    /// The set that this is in.
    links: Links<MSpan>,
    /// The next in a list of spans that are in no set.
    next: Cell<Option<&'static MSpan>>,
    /// The address of its first byte.
    pub(super) base: Cell<usize>,
    /// How many pages it has; 0 if it is not in use.
    pub(super) npages: Cell<usize>,
    /// The size class, or 0 for a large object.
    pub(super) class: Cell<u8>,
    /// Its memory has been used before: whoever wants zeros must write them.
    pub(super) needzero: Cell<bool>,
    /// It is in its mcentral's set of full spans.
    pub(super) is_full: Cell<bool>,
    /// How many objects have room in it.
    pub(super) nelems: Cell<u32>,
    /// How many are given out.
    pub(super) allocated: Cell<u32>,
    /// The index of the first one that never was.
    pub(super) fresh: Cell<u32>,
    /// Those that have come back.
    pub(super) free: Cell<*mut Free>,
    /// Which objects the program has.
    #[cfg(debug_assertions)]
    pub(super) alloc_bits: super::checks::AllocBits,
}

// SAFETY: invariant 1.
unsafe impl Sync for MSpan {}

impl Linked for MSpan {
    fn links(&self) -> &Links<Self> {
        &self.links
    }
}

impl MSpan {
    /// Sets up a span that holds nothing yet. For whoever has it in hand.
    pub(super) fn init(&self, base: usize, npages: usize, class: usize, needzero: bool) {
        let bytes = npages * super::sizeclasses::PAGE_SIZE;
        self.base.set(base);
        self.npages.set(npages);
        self.class.set(class as u8);
        self.needzero.set(needzero);
        self.is_full.set(false);
        let nelems = match class {
            0 => 1,
            _ => bytes / CLASS_TO_SIZE[class] as usize,
        };
        self.nelems.set(nelems as u32);
        self.allocated.set(0);
        self.fresh.set(0);
        self.free.set(ptr::null_mut());
        #[cfg(debug_assertions)]
        self.alloc_bits.clear();
    }

    /// Puts this in front of a list of spans that are in no set. For whoever has
    /// both in hand, as is [`MSpan::unchain`].
    pub(super) fn chain(&'static self, list: Option<&'static MSpan>) -> Option<&'static MSpan> {
        self.next.set(list);
        Some(self)
    }

    /// Takes this off the front of such a list; returns the rest.
    pub(super) fn unchain(&self) -> Option<&'static MSpan> {
        self.next.take()
    }

    /// Returns which object an address inside of the span belongs to.
    #[cfg_attr(
        not(debug_assertions),
        allow(dead_code, reason = "the checks of debug builds ask")
    )]
    pub(super) fn index_of(&self, address: usize) -> usize {
        match self.class.get() {
            0 => 0,
            class => object_index(usize::from(class), address - self.base.get()),
        }
    }

    /// Returns the address of an object.
    pub(super) fn object(&self, index: usize) -> usize {
        self.base.get() + index * CLASS_TO_SIZE[usize::from(self.class.get())] as usize
    }
}
