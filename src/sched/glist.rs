//! The global queue, and lists of goroutines.
//!
//! Go's counterparts: `gQueue`, `gList` in `runtime/proc.go`. Go links goroutines through
//! themselves. So does [`GList`]; but the next one of such a list is known only when this
//! one's memory has come. Where there are a hundred thousand that have waited for long,
//! each with a page of its own, they are found one by one, at the price of the slowest
//! load that there is. So what overflows a P's ring stays an array, a [`Batch`]: nobody
//! touches the goroutines to move them, and who is next is known in time. See `gpack` for
//! the dead ones.
//!
//! **Whose turn it is.** Of the batches the newest comes first: what was made last has its
//! memory near, and where goroutines make goroutines, as in a tree, this ends one branch
//! after the other, instead of having all of them at once. The oldest, as a whole, comes
//! once in a millisecond, so that nobody waits for ever (`globrunqget_in_turn`). Who came
//! alone, since it gave way or was readied where there was no P, waits as long as if all
//! were first in, first out: until so many have been taken as there were when it came.

use core::cell::Cell;
use core::ptr;

use super::runq::RUNQ_SIZE;
use super::runtime2::G;

/// How many goroutines a batch has at most: half of a ring, and one.
pub(super) const BATCH: usize = RUNQ_SIZE / 2 + 1;

/// Goroutines that came to the global queue together.
#[repr(C)]
pub(super) struct Batch {
    /// The one that came after this, or, of an unused one, another.
    newer: *mut Batch,
    /// The one that came before this.
    pub(super) older: *mut Batch,
    /// Those at `begin..end` are still there.
    pub(super) begin: usize,
    pub(super) end: usize,
    pub(super) gs: [*mut G; BATCH],
}

/// The global queue. All zeros are an empty one.
pub(super) struct GQueue {
    /// Those that came one by one, linked through `schedlink`.
    pub(super) head: *mut G,
    tail: *mut G,
    /// Those that came together.
    oldest: *mut Batch,
    pub(super) newest: *mut Batch,
    /// Batches without goroutines, for the next ones.
    unused: *mut Batch,
    /// How many have been taken, ever.
    taken: usize,
    /// How many there are.
    pub(super) size: usize,
}

impl GQueue {
    /// Makes an empty queue.
    pub(super) const fn new() -> Self {
        Self {
            head: ptr::null_mut(),
            tail: ptr::null_mut(),
            oldest: ptr::null_mut(),
            newest: ptr::null_mut(),
            unused: ptr::null_mut(),
            taken: 0,
            size: 0,
        }
    }

    /// Tells how many are in it.
    pub(super) fn len(&self) -> usize {
        self.size
    }

    /// Tells how many are left of the oldest batch.
    pub(super) fn oldest_len(&self) -> usize {
        // SAFETY: null, or one of the batches, which are ours.
        unsafe { self.oldest.as_ref() }.map_or(0, |batch| batch.end - batch.begin)
    }

    /// Adds one, behind all that are there.
    pub(super) fn push_back(&mut self, gp: &'static G) {
        gp.turn.set(self.taken.wrapping_add(self.size));
        gp.schedlink.set(ptr::null_mut());
        let new = ptr::from_ref(gp).cast_mut();
        // SAFETY: what is in the queue are Gs, which are never freed.
        match unsafe { self.tail.as_ref() } {
            Some(last) => last.schedlink.set(new),
            None => self.head = new,
        }
        self.tail = new;
        self.size += 1;
    }

    /// Adds those as a batch, [`BATCH`] at most. `alloc` gets memory for batches, which is
    /// never freed, and says for how many, or that there is none.
    pub(super) fn push_batch(&mut self, gs: &[&'static G], alloc: fn() -> (*mut Batch, usize)) {
        if gs.is_empty() {
            return;
        }
        if self.unused.is_null() {
            let (memory, count) = alloc();
            for index in 0..count {
                let batch = memory.wrapping_add(index);
                // SAFETY: the memory is that long, and ours; its words have some value.
                if let Some(unused) = unsafe { batch.as_mut() } {
                    unused.newer = self.unused;
                    self.unused = batch;
                }
            }
        }
        let new = self.unused;
        // SAFETY: null, or a batch that is ours; all of its words have some value.
        let Some(batch) = (unsafe { new.as_mut() }) else {
            gs.iter().for_each(|gp| self.push_back(gp)); // slower, but it needs no memory
            return;
        };
        self.unused = batch.newer;
        batch.newer = ptr::null_mut();
        batch.older = self.newest;
        batch.begin = 0;
        batch.end = 0;
        for (slot, &gp) in batch.gs.iter_mut().zip(gs) {
            *slot = ptr::from_ref(gp).cast_mut();
            batch.end += 1;
        }
        self.size += batch.end;
        // SAFETY: null, or the newest of the batches, which are ours.
        match unsafe { self.newest.as_mut() } {
            Some(newest) => newest.newer = new,
            None => self.oldest = new,
        }
        self.newest = new;
    }

    /// Takes the next one: who came alone and whose turn it is, else one of the newest
    /// batch, or, if `oldest`, of the oldest.
    pub(super) fn pop(&mut self, oldest: bool) -> Option<&'static G> {
        let batch = if oldest { self.oldest } else { self.newest };
        // SAFETY: null, or the first of those that came alone; Gs are never freed.
        let single = unsafe { self.head.as_ref() };
        // SAFETY: null, or one of the batches, which are ours.
        let gp = match (single, unsafe { batch.as_mut() }) {
            (Some(gp), Some(batch)) if self.taken.wrapping_sub(gp.turn.get()).cast_signed() < 0 => {
                self.pop_batch(batch)
            }
            (Some(gp), _) => {
                self.head = gp.schedlink.replace(ptr::null_mut());
                if self.head.is_null() {
                    self.tail = ptr::null_mut();
                }
                gp
            }
            (None, Some(batch)) => self.pop_batch(batch),
            (None, None) => return None,
        };
        self.taken = self.taken.wrapping_add(1);
        self.size -= 1;
        Some(gp)
    }

    /// Takes the first of a batch, which has one at least.
    fn pop_batch(&mut self, batch: &mut Batch) -> &'static G {
        // SAFETY: what is at `begin..end` are Gs, which are never freed.
        let gp = unsafe { &*batch.gs[batch.begin] };
        batch.begin += 1;
        if batch.begin == batch.end {
            // SAFETY: null, or the one before it.
            match unsafe { batch.older.as_mut() } {
                Some(older) => older.newer = batch.newer,
                None => self.oldest = batch.newer,
            }
            // SAFETY: null, or the one behind it.
            match unsafe { batch.newer.as_mut() } {
                Some(newer) => newer.older = batch.older,
                None => self.newest = batch.older,
            }
            batch.newer = self.unused;
            self.unused = batch;
        }
        gp
    }
}

/// A list of dead goroutines, linked through `schedlink`.
pub(super) struct GList {
    /// The first.
    head: Cell<*mut G>,
    /// How many there are.
    size: Cell<u32>,
}

impl GList {
    /// Makes an empty list.
    pub(super) const fn new() -> Self {
        Self {
            head: Cell::new(ptr::null_mut()),
            size: Cell::new(0),
        }
    }

    /// Adds one. Owner of the list only.
    pub(super) fn push(&self, gp: &'static G) {
        gp.schedlink.set(self.head.get());
        self.head.set(ptr::from_ref(gp).cast_mut());
        self.size.set(self.size.get() + 1);
    }

    /// Takes the one that was added last. Owner of the list only.
    pub(super) fn pop(&self) -> Option<&'static G> {
        // SAFETY: what is in the list are Gs, which are never freed.
        let first = unsafe { self.head.get().as_ref() }?;
        self.head.set(first.schedlink.replace(ptr::null_mut()));
        self.size.set(self.size.get() - 1);
        Some(first)
    }
}
