//! Dead goroutines in packs: those of a P, and those that all Ps share.
//!
//! Go's counterparts: `gfput`, `gfget`, `sched.gFree`, which are lists through the
//! goroutines themselves. Here they are arrays, for the reason that `glist` gives.
//!
//! ```text
//!   P.g_free   [ coldest ............ hottest ]      at most 64
//!                   |                    ^
//!                   v the colder half    | the hottest pack, as a whole
//!   sched.g_free   hottest pack <-> ... <-> coldest pack --> scavenger
//! ```
//!
//! A pack lies on the stack of one of its goroutines, below the G: nobody else has a use
//! for that memory, and who ends a goroutine cannot be told that there is none. A pack is
//! put and taken as a whole, so that this is good while it is there.

use core::cell::Cell;
use core::ptr;

use super::runtime2::{G, GCache, MAX_G_FREE};

/// How many goroutines a pack has at most.
pub(super) const PACK: usize = MAX_G_FREE / 2;

/// What is left free between a pack and the G above it, in bytes: none of it is the G's.
const GAP: usize = 64;

/// Some dead goroutines, the coldest first.
struct Pack {
    hotter: *mut Pack,
    colder: *mut Pack,
    size: usize,
    gs: [*mut G; PACK],
}

/// The packs, from the one that came last, the hottest, to the coldest. All zeros are none.
pub(super) struct GFree {
    hottest: *mut Pack,
    coldest: *mut Pack,
    pub(super) size: usize,
}

impl GFree {
    /// Makes an empty list.
    pub(super) const fn new() -> Self {
        Self {
            hottest: ptr::null_mut(),
            coldest: ptr::null_mut(),
            size: 0,
        }
    }

    /// Tells how many are in it.
    pub(super) fn len(&self) -> usize {
        self.size
    }

    /// Adds some as the hottest: the coldest of them first, [`PACK`] at most. They are dead,
    /// with stacks that nobody else uses.
    pub(super) fn put(&mut self, gs: &[Cell<*mut G>]) {
        let new = self.pack(gs);
        // SAFETY: null, or a pack that `pack` has made, on a stack that is ours.
        let Some(pack) = (unsafe { new.as_mut() }) else {
            return;
        };
        pack.colder = self.hottest;
        // SAFETY: as above.
        match unsafe { self.hottest.as_mut() } {
            Some(old) => old.hotter = new,
            None => self.coldest = new,
        }
        self.hottest = new;
    }

    /// Adds some as the coldest, on the same terms.
    pub(super) fn put_coldest(&mut self, gs: &[Cell<*mut G>]) {
        let new = self.pack(gs);
        // SAFETY: as in put.
        let Some(pack) = (unsafe { new.as_mut() }) else {
            return;
        };
        pack.hotter = self.coldest;
        // SAFETY: as in put.
        match unsafe { self.coldest.as_mut() } {
            Some(old) => old.colder = new,
            None => self.hottest = new,
        }
        self.coldest = new;
    }

    /// Takes the hottest pack: to an empty cache.
    pub(super) fn take(&mut self, cache: &GCache) {
        // SAFETY: as in put.
        let Some(pack) = (unsafe { self.hottest.as_mut() }) else {
            return;
        };
        self.hottest = pack.colder;
        // SAFETY: as in put.
        match unsafe { self.hottest.as_mut() } {
            Some(next) => next.hotter = ptr::null_mut(),
            None => self.coldest = ptr::null_mut(),
        }
        self.unpack(pack, cache);
    }

    /// Takes the coldest pack: to an empty cache.
    pub(super) fn take_coldest(&mut self, cache: &GCache) {
        // SAFETY: as in put.
        let Some(pack) = (unsafe { self.coldest.as_mut() }) else {
            return;
        };
        self.coldest = pack.hotter;
        // SAFETY: as in put.
        match unsafe { self.coldest.as_mut() } {
            Some(next) => next.colder = ptr::null_mut(),
            None => self.hottest = ptr::null_mut(),
        }
        self.unpack(pack, cache);
    }

    /// Makes a pack of those; null if there are none.
    fn pack(&mut self, gs: &[Cell<*mut G>]) -> *mut Pack {
        debug_assert!(gs.len() <= PACK, "gpack: too many");
        let Some(host) = gs.last() else {
            return ptr::null_mut();
        };
        let place = (host.get().addr() - GAP - size_of::<Pack>()) & !63;
        // Of the stack the G is but the top: `mem` exposed it all.
        let pack: *mut Pack = ptr::with_exposed_provenance_mut(place);
        let mut all = [ptr::null_mut(); PACK];
        for (slot, gp) in all.iter_mut().zip(gs) {
            *slot = gp.get();
        }
        let new = Pack {
            hotter: ptr::null_mut(),
            colder: ptr::null_mut(),
            size: gs.len(),
            gs: all,
        };
        // SAFETY: the highest part of a dead goroutine's stack, and the caller's promise.
        unsafe { pack.write(new) };
        self.size += gs.len();
        pack
    }

    /// Moves the goroutines of a pack that has been taken off the list to an empty cache.
    fn unpack(&mut self, pack: &Pack, cache: &GCache) {
        for (slot, gp) in cache.gs.iter().zip(&pack.gs) {
            slot.set(*gp);
        }
        cache.size.set(pack.size as u32);
        self.size -= pack.size;
    }
}

impl GCache {
    /// Makes an empty one.
    pub(super) const fn new() -> Self {
        Self {
            size: Cell::new(0),
            gs: [const { Cell::new(ptr::null_mut()) }; MAX_G_FREE],
        }
    }

    /// Adds one as the hottest; false if there is no room. Its owner only.
    #[must_use]
    pub(super) fn push(&self, gp: &'static G) -> bool {
        let size = self.size.get();
        let Some(slot) = self.gs.get(size as usize) else {
            return false;
        };
        slot.set(ptr::from_ref(gp).cast_mut());
        self.size.set(size + 1);
        true
    }

    /// Takes the hottest. Its owner only.
    pub(super) fn pop(&self) -> Option<&'static G> {
        let size = self.size.get().checked_sub(1)?;
        let gp = self.gs.get(size as usize)?.get();
        self.size.set(size);
        // SAFETY: what is in it are Gs, which are never freed.
        unsafe { gp.as_ref() }
    }

    /// Returns the hottest, and leaves it there. Its owner only.
    pub(super) fn peek(&self) -> Option<*const G> {
        let last = self.size.get().checked_sub(1)?;
        Some(self.gs.get(last as usize)?.get())
    }

    /// Returns them, the coldest first. Its owner only.
    pub(super) fn all(&self) -> &[Cell<*mut G>] {
        self.gs.get(..self.size.get() as usize).unwrap_or_default()
    }

    /// Removes the coldest [`PACK`], of a full one. Its owner only.
    pub(super) fn remove_colder_half(&self) {
        let (colder, hotter) = self.gs.split_at(PACK);
        for (to, from) in colder.iter().zip(hotter) {
            to.set(from.get());
        }
        self.size.set(PACK as u32);
    }
}
