//! The tree above the slots of [`Pages`]: finds the first fit, and is kept up to
//! date.
//!
//! Go's counterparts: `pageAlloc.find` and `update` in `runtime/mpagealloc.go`.
//!
//! Node 1 is the root, and node n has nodes 2n and 2n + 1 below it; the leaf of
//! slot n is node `slots + n`. Storage holds nodes 2n and 2n + 1 in slot n, which
//! has no meaning but that there is room for two.

use super::{ARENA_PAGES, ArenaPages, HAS_ARENA, Pages, Summary};

impl Pages {
    /// The node of a slot.
    pub(super) fn leaf(&self, slot: usize) -> usize {
        self.slots().len() + slot
    }

    /// Reads a node.
    pub(super) fn node(&self, node: usize) -> Summary {
        self.slots()[node / 2].nodes[node % 2]
    }

    /// The first slot below a node that stands `height` above the leaves.
    fn first_slot(&self, node: usize, height: u32) -> usize {
        (node << height) - self.slots().len()
    }

    /// Tells whether a slot follows the one before it in memory as well.
    fn joined(&self, slot: usize) -> bool {
        let slots = self.slots();
        slot < self.count && slots[slot - 1].arena.base + ARENA_PAGES == slots[slot].arena.base
    }

    /// Finds the first run of `pages` free pages.
    pub(super) fn find_first(&self, pages: usize) -> Option<usize> {
        let slots = self.slots().len();
        (slots > 0 && self.node(1).max as usize >= pages)
            .then(|| self.find_below(1, slots.ilog2(), pages))
    }

    /// Finds the first run of `pages` free pages below a node that has one.
    fn find_below(&self, mut node: usize, mut height: u32, pages: usize) -> usize {
        while height > 0 {
            node *= 2;
            height -= 1;
            let left = self.node(node);
            if left.max as usize >= pages {
                continue;
            }
            let slot = self.first_slot(node + 1, height);
            let across = (left.end + self.node(node + 1).start) as usize;
            if across >= pages && self.joined(slot) {
                return self.slots()[slot].arena.base - left.end as usize;
            }
            node += 1;
        }
        let arena = &self.slots()[self.first_slot(node, 0)].arena;
        let bits = arena.pages.as_deref().expect(HAS_ARENA);
        let first = bits.find(0, pages).expect("the summary says so");
        arena.base + first
    }

    /// Finds the first run of `pages` free pages at `page` or later.
    pub(super) fn find_from(&self, page: usize, pages: usize) -> Option<usize> {
        let slot = self.slot_from(page);
        let arena = &self.slots()[..self.count].get(slot)?.arena;
        let bits = arena.pages.as_deref().expect(HAS_ARENA);
        // How long the run is that ends where the next node begins.
        let mut run = match bits.find(page.saturating_sub(arena.base), pages) {
            Ok(first) => return Some(arena.base + first),
            Err(run) => run,
        };
        let (mut node, mut height) = (self.leaf(slot), 0);
        while node > 1 {
            if node % 2 == 0 {
                node += 1;
                let slot = self.first_slot(node, height);
                if !self.joined(slot) {
                    run = 0;
                }
                let next = self.node(node);
                if run + next.start as usize >= pages {
                    return Some(self.slots()[slot].arena.base - run);
                }
                if next.max as usize >= pages {
                    return Some(self.find_below(node, height, pages));
                }
                if next.start as usize == ARENA_PAGES << height {
                    run += next.start as usize;
                } else {
                    run = next.end as usize;
                }
            }
            node /= 2;
            height += 1;
        }
        None
    }

    /// Makes the leaf of a slot and the nodes above it anew, as far up as that
    /// changes anything; `wholly`, to the root.
    pub(super) fn update(&mut self, slot: usize, wholly: bool) {
        let arena = &self.slots()[slot].arena;
        let pages = arena.pages.as_deref();
        let mut summary = pages.map(ArenaPages::summary).unwrap_or_default();
        let (mut node, mut height) = (self.leaf(slot), 0);
        while self.node(node) != summary || wholly {
            self.slots_mut()[node / 2].nodes[node % 2] = summary;
            if node == 1 {
                break;
            }
            node /= 2;
            height += 1;
            summary = self.join(node, height);
        }
    }

    /// Makes the whole tree anew.
    pub(super) fn rebuild(&mut self) {
        for slot in 0..self.slots().len() {
            self.update(slot, true);
        }
    }

    /// Joins the two nodes below one.
    fn join(&self, node: usize, height: u32) -> Summary {
        let pages = (ARENA_PAGES as u32) << (height - 1);
        let joined = self.joined(self.first_slot(2 * node + 1, height - 1));
        let next = self.node(2 * node + 1);
        self.node(2 * node).join(pages, next, pages, joined)
    }
}
