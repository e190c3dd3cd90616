//! Finds runs of free pages, for mheap.
//!
//! Go's counterpart: `pageAlloc` in `runtime/mpagealloc.go`.
//!
//! Memory comes in arenas of 64 MiB, at multiples of 64 MiB. Each has a slot, in
//! the order of their addresses, so that the first fit is the one at the lowest
//! address, and the scavenger begins at the highest. Above the slots stands a
//! binary tree of summaries, how long the free runs below each node are:
//!
//! ```text
//! node 1                  all slots
//! nodes 2, 3              0 ..= 3               4 ..= 7
//! nodes 4 to 7        0, 1      2, 3        4, 5      6, 7
//! nodes 8 to 15      0    1    2    3      4    5    6    7
//! ```
//!
//! Go's tree covers all addresses there are, eight to a node, in mappings reserved
//! for that; here it covers the arenas that there are, and doubles with them: a
//! heap of one arena has a tree of a few lines. Runs cross from slot to slot where
//! the arenas are neighbours in memory too.
//! A change to an arena is carried up as far as it changes anything. There is no
//! hint where to search, Go's `searchAddr`: from the root, ten steps lead to the
//! first fit among a thousand arenas, however full they are.
//!
//! An arena may start with fewer usable pages than it has, from its beginning,
//! and be extended. What keeps the heap's lock owns this. Pages are numbered by
//! address: `address >> 13`. Nothing here touches the pages themselves.
//!
//! Invariants: a slot below `count` has an arena, the others none; the leaf of
//! each slot is the summary of its arena, each node above joins its two; the
//! counters are what the bitmaps say.

#[path = "page_tree.rs"]
mod tree;

use core::mem;

use super::page_bits::{ARENA_PAGES, ArenaPages, Summary};

/// The most arenas, 16 TiB of them: so pages can be counted in 32 bits.
pub(crate) const MAX_ARENAS: usize = 1 << 18;

/// The slots to begin with.
const FIRST_SLOTS: usize = 16;

/// Why there is an arena where one is looked for.
const HAS_ARENA: &str = "a slot below the count has an arena";

/// A run of pages that has just been allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// Its first page.
    pub(crate) page: usize,
    /// Whether none of it was backed: it reads as zeros.
    pub(crate) fresh: bool,
    /// How many of its pages were not backed, and are now.
    pub(crate) newly_backed: usize,
}

/// One arena, in its slot.
#[derive(Debug, Default)]
#[repr(C)]
struct Arena {
    pages: Option<&'static mut ArenaPages>,
    /// Its first page.
    base: usize,
    /// How many of its pages are usable.
    usable: usize,
    /// How many are free and backed.
    releasable: usize,
}

/// Storage for one arena: its slot, and two nodes of the tree. All zeros is an
/// empty one.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Slot {
    arena: Arena,
    nodes: [Summary; 2],
}

/// The pages of the heap. All zeros is one without arenas.
#[derive(Debug)]
pub(crate) struct Pages {
    /// A power of two of them, if any.
    slots: Option<&'static mut [Slot]>,
    count: usize,
    usable: usize,
    free: usize,
    free_backed: usize,
}

impl Pages {
    /// Makes one without arenas.
    pub(crate) const fn new() -> Self {
        Self {
            slots: None,
            count: 0,
            usable: 0,
            free: 0,
            free_backed: 0,
        }
    }

    /// Counts the free pages.
    pub(crate) fn free_pages(&self) -> usize {
        self.free
    }

    /// Counts the free pages that are backed: what the scavenger can give back.
    pub(crate) fn free_backed_pages(&self) -> usize {
        self.free_backed
    }

    /// Counts the pages that are in use, or being given back.
    pub(crate) fn in_use_pages(&self) -> usize {
        self.usable - self.free
    }

    /// Counts the pages that take memory, as far as we know: those that are in use,
    /// and the free ones that are backed.
    pub(crate) fn resident_pages(&self) -> usize {
        self.in_use_pages() + self.free_backed
    }

    /// Tells how many slots [`replace_storage`](Self::replace_storage) must be
    /// given before the next arena is added; `None` if there is one left.
    pub(crate) fn needs_storage(&self) -> Option<usize> {
        let slots = self.slots().len();
        (self.count == slots).then(|| (2 * slots).max(FIRST_SLOTS))
    }

    /// Moves to a larger storage, of empty slots, and gives the old one back.
    /// Of the new one, a power of two of slots is used.
    pub(crate) fn replace_storage(
        &mut self,
        storage: &'static mut [Slot],
    ) -> Option<&'static mut [Slot]> {
        let used = storage.len().checked_ilog2().map_or(0, |log| 1 << log);
        let new = storage.split_at_mut(used).0;
        if new.len() < self.count {
            return None;
        }
        for (slot, new) in self.slots_mut().iter_mut().zip(new.iter_mut()) {
            new.arena = mem::take(&mut slot.arena);
        }
        let old = self.slots.replace(new);
        self.rebuild();
        old
    }

    /// Adds an arena that begins at page `base` and whose first `usable` pages
    /// can be used: they are free and not backed. `pages` must be all zeros. False,
    /// and nothing done, if there is no slot left, or another arena is there, or
    /// the numbers are no arena's.
    #[must_use]
    pub(crate) fn add_arena(
        &mut self,
        pages: &'static mut ArenaPages,
        base: usize,
        usable: usize,
    ) -> bool {
        let at = self.slot_from(base);
        if self.count == self.slots().len().min(MAX_ARENAS)
            || !base.is_multiple_of(ARENA_PAGES)
            || base.checked_add(ARENA_PAGES).is_none()
            || usable > ARENA_PAGES
            || at < self.count && self.slots()[at].arena.base == base
        {
            return false;
        }
        let count = self.count;
        let slots = self.slots_mut();
        for slot in (at..count).rev() {
            slots[slot + 1].arena = mem::take(&mut slots[slot].arena);
        }
        slots[at].arena = Arena {
            pages: Some(pages),
            base,
            usable: 0,
            releasable: 0,
        };
        self.count += 1;
        if at < count {
            self.rebuild();
        }
        // Whether the one before is a neighbour may be new: so all the way up.
        self.make_usable(at, usable);
        self.update(at, true);
        true
    }

    /// Makes the first `usable` pages of the arena at `base` usable. False, and
    /// nothing done, if there is no such arena or it has more already.
    #[must_use]
    pub(crate) fn extend(&mut self, base: usize, usable: usize) -> bool {
        let Some(slot) = self.slot_of(base) else {
            return false;
        };
        let arena = &self.slots()[slot].arena;
        if arena.base != base || usable > ARENA_PAGES || usable < arena.usable {
            return false;
        }
        self.make_usable(slot, usable);
        self.update(slot, false);
        true
    }

    /// Allocates the run of `pages` pages at the lowest page that is a multiple
    /// of `align`, a power of two.
    ///
    /// Logarithmic time, and as much again for each free run of that length that
    /// begins at no such multiple and must be passed over.
    pub(crate) fn alloc(&mut self, pages: usize, align: usize) -> Option<Run> {
        if pages == 0 || pages > self.free || !align.is_power_of_two() {
            return None;
        }
        let mut page = self.find_first(pages)?;
        while page & (align - 1) != 0 {
            let aligned = page.checked_next_multiple_of(align)?;
            page = self.find_from(aligned, pages)?;
        }
        Some(self.take(page, pages))
    }

    /// Allocates `pages` pages from `page` on, if all are free.
    pub(crate) fn alloc_at(&mut self, page: usize, pages: usize) -> Option<Run> {
        self.all(page, pages, ArenaPages::all_free)
            .then(|| self.take(page, pages))
    }

    /// Frees `pages` pages from `page` on, whatever runs they were allocated in.
    /// False, and nothing done, if one of them is free or no page of the heap.
    ///
    /// Also ends what [`take_releasable`](Self::take_releasable) began, where the
    /// system would not take the pages.
    #[must_use]
    pub(crate) fn free(&mut self, page: usize, pages: usize) -> bool {
        let in_use = self.all(page, pages, ArenaPages::none_free);
        if in_use {
            self.free += pages;
            self.free_backed += self.change(page, pages, |bits, first, length| {
                bits.set_free(first, length, true);
                (0, bits.backed(first, length))
            });
        }
        in_use
    }

    /// Finds what to give back to the system: the highest run that is free and
    /// backed, at most `pages` of it, in one arena.
    ///
    /// With `whole`, the pages of a huge page, a power of two, only whole huge
    /// pages that are free and partly backed at least: at most `pages`, but one
    /// huge page at least. Without, `whole` is 0.
    pub(crate) fn find_releasable(&self, pages: usize, whole: usize) -> Option<(usize, usize)> {
        if pages == 0 || self.free_backed == 0 || whole > ARENA_PAGES {
            return None;
        }
        if whole != 0 && !whole.is_power_of_two() {
            return None;
        }
        for slot in (0..self.count).rev() {
            let arena = &self.slots()[slot].arena;
            let longest = self.node(self.leaf(slot)).max as usize;
            if arena.releasable == 0 || longest < whole {
                continue;
            }
            let bits = arena.pages.as_deref().expect(HAS_ARENA);
            let found = match whole {
                0 => bits.find_releasable(pages),
                _ => bits.find_releasable_whole(pages, whole),
            };
            if let Some((first, length)) = found {
                return Some((arena.base + first, length));
            }
        }
        None
    }

    /// Says that `pages` free pages from `page` on have been given back: they read
    /// as zeros. False, and nothing done, if one of them is not free.
    #[must_use]
    pub(crate) fn release(&mut self, page: usize, pages: usize) -> bool {
        let free = self.all(page, pages, ArenaPages::all_free);
        if free {
            self.free_backed -= self.change(page, pages, |bits, first, length| {
                let backed = bits.backed(first, length);
                bits.set_backed(first, length, false);
                (backed, 0)
            });
        }
        free
    }

    /// Does what [`find_releasable`](Self::find_releasable) does, and marks the
    /// run as in use, so that the lock can be given up while the system is told.
    pub(crate) fn take_releasable(&mut self, pages: usize, whole: usize) -> Option<(usize, usize)> {
        let (page, length) = self.find_releasable(pages, whole)?;
        self.free -= length;
        self.free_backed -= self.change(page, length, |bits, first, length| {
            bits.set_free(first, length, false);
            (bits.backed(first, length), 0)
        });
        Some((page, length))
    }

    /// Frees what [`take_releasable`](Self::take_releasable) took and the system
    /// has now. False, and nothing done, if one of the pages is free.
    #[must_use]
    pub(crate) fn put_released(&mut self, page: usize, pages: usize) -> bool {
        let taken = self.all(page, pages, ArenaPages::none_free);
        if taken {
            self.free += pages;
            self.change(page, pages, |bits, first, length| {
                bits.set_backed(first, length, false);
                bits.set_free(first, length, true);
                (0, 0)
            });
        }
        taken
    }

    /// Marks free pages as in use and backed.
    fn take(&mut self, page: usize, pages: usize) -> Run {
        let backed = self.change(page, pages, |bits, first, length| {
            let backed = bits.backed(first, length);
            bits.set_free(first, length, false);
            bits.set_backed(first, length, true);
            (backed, 0)
        });
        self.free -= pages;
        self.free_backed -= backed;
        Run {
            page,
            fresh: backed == 0,
            newly_backed: pages - backed,
        }
    }

    /// Tells whether all of `pages` pages from `page` on are usable, and `holds`
    /// of them in each arena they lie in. There is at least one.
    fn all(
        &self,
        mut page: usize,
        mut pages: usize,
        holds: fn(&ArenaPages, usize, usize) -> bool,
    ) -> bool {
        let Some(slot) = self.slot_of(page).filter(|_| pages > 0) else {
            return false;
        };
        for Slot { arena, .. } in &self.slots()[slot..self.count] {
            let first = page.wrapping_sub(arena.base); // no neighbour: beyond any
            if first >= arena.usable {
                return false;
            }
            let length = pages.min(ARENA_PAGES - first);
            let bits = arena.pages.as_deref().expect(HAS_ARENA);
            if length > arena.usable - first || !holds(bits, first, length) {
                return false;
            }
            page += length;
            pages -= length;
            if pages == 0 {
                return true;
            }
        }
        false
    }

    /// Changes `pages` pages from `page` on, arena by arena, which must be there.
    /// `change` tells how many pages it made unreleasable and how many releasable;
    /// the result is how many there were in all, of either.
    fn change(
        &mut self,
        mut page: usize,
        mut pages: usize,
        mut change: impl FnMut(&mut ArenaPages, usize, usize) -> (usize, usize),
    ) -> usize {
        let mut changed = 0;
        let mut slot = self.slot_from(page);
        while pages > 0 {
            let arena = &mut self.slots_mut()[slot].arena;
            let first = page - arena.base;
            let length = pages.min(ARENA_PAGES - first);
            let bits = arena.pages.as_deref_mut().expect(HAS_ARENA);
            let (less, more) = change(bits, first, length);
            arena.releasable = arena.releasable + more - less;
            changed += less + more;
            self.update(slot, false);
            page += length;
            pages -= length;
            slot += 1;
        }
        changed
    }

    /// Makes the first pages of an arena usable, up to `usable`. The tree does not
    /// know yet.
    fn make_usable(&mut self, slot: usize, usable: usize) {
        let arena = &mut self.slots_mut()[slot].arena;
        let more = usable - arena.usable;
        if more > 0 {
            let bits = arena.pages.as_deref_mut().expect(HAS_ARENA);
            bits.set_free(arena.usable, more, true);
            arena.usable = usable;
            self.usable += more;
            self.free += more;
        }
    }

    /// Finds the slot of the arena that `page` lies in.
    fn slot_of(&self, page: usize) -> Option<usize> {
        let slot = self.slot_from(page);
        (slot < self.count && self.slots()[slot].arena.base <= page).then_some(slot)
    }

    /// Finds the first slot whose arena does not end before `page`; the count, if
    /// all do. Where all arenas are neighbours, a division finds it.
    fn slot_from(&self, page: usize) -> usize {
        let slots = &self.slots()[..self.count];
        let base = page & !(ARENA_PAGES - 1);
        let first = slots.first().map_or(0, |slot| slot.arena.base);
        let guess = base.wrapping_sub(first) / ARENA_PAGES;
        match slots.get(guess) {
            Some(slot) if slot.arena.base == base => guess,
            _ => slots.partition_point(|slot| slot.arena.base < base),
        }
    }

    /// The slots there are, used or not.
    fn slots(&self) -> &[Slot] {
        self.slots.as_deref().unwrap_or_default()
    }

    /// The same, to change.
    fn slots_mut(&mut self) -> &mut [Slot] {
        self.slots.as_deref_mut().unwrap_or_default()
    }
}
