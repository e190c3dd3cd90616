//! A P's cache of objects: what most allocations and frees never leave.
//!
//! Go's counterpart: `runtime/mcache.go`. Go's mcache holds a span of each class
//! and takes objects from it; nothing comes back but through the collector. Here
//! the program frees, on whichever P, so that a cache holds objects instead, in
//! magazines as Bonwick's (Vmem, USENIX 2001), one of each size class:
//!
//! ```text
//!   head -> o -> o -> o          at most a batch: malloc pops, free pushes
//!   spare -> o -> o -> ... -> o  a full batch, or none
//!   fresh .. fresh_end           objects that have never been used
//! ```
//!
//! When free has filled `head` it becomes the spare, and the spare before it goes
//! to the mcentral as it is: no object of it is looked at. When malloc finds
//! nothing it takes such a batch from there. So one in a batch of operations
//! takes a lock, at worst, whatever the program does, and objects that one P
//! allocates and another frees travel by the batch.
//!
//! Invariants:
//! 1. A cache belongs to its P: only the M that holds the P touches it, and that
//!    with `g.locks` up, or from the section `.text.runtime.malloc` (see
//!    `malloc.rs`), so that no other goroutine gets the P meanwhile. Others read
//!    the counters, which are atomics for that reason alone.
//! 2. `room` is the batch less the length of `head`, and at least 1 between calls.

use core::alloc::Layout;
use core::cell::Cell;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use super::boot_heap::metadata_alloc;
use super::mcentral;
use super::mspan::Free;
use super::sizeclasses::{CLASS_TO_BATCH, CLASS_TO_SIZE, NUM_CLASSES};

/// How many steps on the slow way there are between two looks at what is of no use.
const AGE_STEPS: u32 = 1024;

/// The objects of one size class: a cache line.
#[repr(align(64))]
pub(super) struct Magazine {
    /// Those to give out next.
    head: Cell<*mut Free>,
    /// How many more fit on that list.
    room: AtomicU32,
    /// The fresh ones have never been written to.
    zero: Cell<bool>,
    /// The first fresh one's address.
    fresh: AtomicUsize,
    /// The address behind the last fresh one.
    fresh_end: AtomicUsize,
    /// A full batch, or null.
    spare: Cell<*mut Free>,
    /// How many spares there are, for those who count.
    spares: AtomicU32,
    /// How many objects the program has taken.
    nmalloc: AtomicU64,
    /// How many those were at the last look; see [`MCache::age`].
    seen: Cell<u64>,
}

/// A cache: a magazine for each size class.
pub(crate) struct MCache {
    magazines: [Magazine; NUM_CLASSES],
    /// How often the usual way did not do.
    slow: Cell<u32>,
    /// The next in the list of all.
    alllink: AtomicPtr<MCache>,
}

/// All caches, linked; none is ever freed.
static ALL: AtomicPtr<MCache> = AtomicPtr::new(ptr::null_mut());

// SAFETY: invariant 1.
unsafe impl Sync for MCache {}

/// What a mcentral hands to a cache.
pub(super) enum Refill {
    /// A list of so many objects.
    List(*mut Free, u32),
    /// Objects that have never been given out: their addresses, and whether
    /// their memory is all zeros.
    Fresh(usize, usize, bool),
}

/// An object for the program, and whether it is known to be all zeros.
pub(crate) type Object = (*mut u8, bool);

impl MCache {
    /// Makes an empty cache. None if the system has no memory.
    pub(crate) fn new() -> Option<&'static Self> {
        let memory = metadata_alloc(Layout::new::<Self>())?.cast::<Self>();
        // SAFETY: fresh memory of that size.
        unsafe { memory.write_bytes(0, 1) };
        // SAFETY: all zeros but for what init writes are an empty cache; never freed.
        let cache = unsafe { memory.as_ref() };
        cache.init();
        Some(cache)
    }

    /// Makes an empty cache out of zeroed memory, and enters it into the list.
    fn init(&'static self) {
        for (magazine, batch) in self.magazines.iter().zip(CLASS_TO_BATCH) {
            set(&magazine.room, u32::from(batch));
        }
        let this = ptr::from_ref(self).cast_mut();
        let mut head = ALL.load(Ordering::Relaxed); // the exchange below is what counts
        loop {
            self.alllink.store(head, Ordering::Relaxed); // published below
            // Release pairs with `all`.
            match ALL.compare_exchange_weak(head, this, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Takes an object, if one is at hand. Owner only.
    #[inline(always)]
    pub(crate) fn pop(&self, class: usize) -> Option<NonNull<u8>> {
        let magazine = self.magazine(class);
        let head = NonNull::new(magazine.head.get())?;
        magazine.pop(head.as_ptr());
        Some(head.cast())
    }

    /// Takes an object back, if there is room for it and for one more; else does
    /// nothing and says false. Owner only.
    ///
    /// # Safety
    ///
    /// It must be of that class, and nobody may use it any more.
    #[inline(always)]
    pub(crate) unsafe fn push(&self, class: usize, object: *mut u8) -> bool {
        let magazine = self.magazine(class);
        let room = get(&magazine.room) - 1;
        if room == 0 {
            return false;
        }
        set(&magazine.room, room);
        // SAFETY: the caller's promise.
        unsafe { magazine.link(object.cast()) };
        true
    }

    /// Takes an object, wherever there is one; None if the system has no memory.
    /// Owner only.
    pub(crate) fn alloc(&self, class: usize) -> Option<Object> {
        match self.pop(class) {
            Some(object) => Some((object.as_ptr(), false)),
            None => self.magazine(class).alloc_slow(class),
        }
    }

    /// Takes an object back, and makes room if there is none. Owner only.
    ///
    /// # Safety
    ///
    /// As for [`MCache::push`].
    pub(crate) unsafe fn free(&self, class: usize, object: *mut u8) {
        // SAFETY: the caller's promise.
        if !unsafe { self.push(class, object) } {
            let magazine = self.magazine(class);
            // SAFETY: as above.
            unsafe { magazine.link(object.cast()) };
            magazine.rotate(class);
        }
    }

    /// Gives back what lies in here for no use: the objects of classes from which
    /// the program has taken none since the last time. Each of them keeps a span
    /// from being free, and once it has been said how many of them there are, the
    /// program's next phase may need their memory. Owner only; on the slow way, of
    /// which each thousandth step does it.
    pub(crate) fn age(&self) {
        self.slow.set(self.slow.get().wrapping_add(1));
        if !self.slow.get().is_multiple_of(AGE_STEPS) {
            return;
        }
        for (class, magazine) in self.magazines.iter().enumerate().skip(1) {
            let taken = magazine.nmalloc.load(Ordering::Relaxed); // only the owner writes it
            if magazine.seen.replace(taken) == taken {
                magazine.flush(class);
            }
        }
        mcentral::age();
    }

    /// Returns the magazine of a class.
    #[inline(always)]
    fn magazine(&self, class: usize) -> &Magazine {
        debug_assert!(class < NUM_CLASSES);
        // SAFETY: what is called a class comes from class_of, which knows no others.
        unsafe { self.magazines.get_unchecked(class) }
    }

    /// Gives everything back to the mcentrals. Owner only.
    pub(crate) fn flush(&self) {
        for (class, magazine) in self.magazines.iter().enumerate().skip(1) {
            magazine.flush(class);
        }
    }

    /// Counts the objects in here and those that the program has taken in all, of
    /// a class. Exact when the owner rests.
    pub(super) fn count(&self, class: usize) -> (u64, u64) {
        let magazine = &self.magazines[class];
        let batch = u64::from(CLASS_TO_BATCH[class]);
        let size = u64::from(CLASS_TO_SIZE[class]);
        let fresh = load(&magazine.fresh_end).saturating_sub(load(&magazine.fresh)) as u64;
        let cached = batch.saturating_sub(u64::from(get(&magazine.room)))
            + batch * u64::from(get(&magazine.spares))
            + fresh / size;
        (cached, magazine.nmalloc.load(Ordering::Relaxed)) // a counter
    }
}

/// Goes through all caches.
pub(super) fn all() -> impl Iterator<Item = &'static MCache> {
    let mut next = ALL.load(Ordering::Acquire); // pairs with MCache::init
    core::iter::from_fn(move || {
        // SAFETY: a cache is never freed, and was linked before it was published.
        let cache = unsafe { next.as_ref() }?;
        next = cache.alllink.load(Ordering::Relaxed); // published with the cache
        Some(cache)
    })
}

impl Magazine {
    /// Puts an object in front of the list.
    ///
    /// # Safety
    ///
    /// As for [`MCache::push`].
    #[inline(always)]
    unsafe fn link(&self, object: *mut Free) {
        // SAFETY: the caller's promise; each object has room for a link.
        unsafe { (*object).next = self.head.get() };
        self.head.set(object);
    }

    /// Takes the first of the list.
    #[inline(always)]
    fn pop(&self, head: *mut Free) {
        // SAFETY: what is on the list are free objects, whose first word is a
        // link that `free` or a mcentral wrote.
        let next = unsafe { (*head).next };
        #[cfg(debug_assertions)]
        super::checks::linked(head.cast(), next.cast());
        self.head.set(next);
        set(&self.room, get(&self.room) + 1);
        self.count_one();
    }

    /// Counts an object that goes to the program.
    #[inline(always)]
    fn count_one(&self) {
        let count = self.nmalloc.load(Ordering::Relaxed) + 1; // only the owner writes it
        self.nmalloc.store(count, Ordering::Relaxed); // as above
    }

    /// Finds an object elsewhere than on the list, which is empty.
    fn alloc_slow(&self, class: usize) -> Option<Object> {
        let spare = self.spare.replace(ptr::null_mut());
        if !spare.is_null() {
            set(&self.spares, 0);
            set(&self.room, 0);
            self.head.set(spare);
            self.pop(spare);
            return Some((spare.cast(), false));
        }
        if load(&self.fresh) == load(&self.fresh_end) {
            match mcentral::refill(class)? {
                Refill::List(head, length) => {
                    set(&self.room, u32::from(CLASS_TO_BATCH[class]) - length);
                    self.head.set(head);
                    self.pop(head);
                    return Some((head.cast(), false));
                }
                Refill::Fresh(start, end, zero) => {
                    self.fresh.store(start, Ordering::Relaxed); // others only count
                    self.fresh_end.store(end, Ordering::Relaxed); // as above
                    self.zero.set(zero);
                }
            }
        }
        let object = load(&self.fresh);
        let next = object + CLASS_TO_SIZE[class] as usize;
        self.fresh.store(next, Ordering::Relaxed); // others only count
        self.count_one();
        Some((ptr::with_exposed_provenance_mut(object), self.zero.get()))
    }

    /// The list is a full batch: it becomes the spare, and what was that goes to
    /// the mcentral.
    fn rotate(&self, class: usize) {
        let spare = self.spare.replace(self.head.replace(ptr::null_mut()));
        set(&self.room, u32::from(CLASS_TO_BATCH[class]));
        set(&self.spares, 1);
        if !spare.is_null() {
            mcentral::take_batch(class, spare);
        }
    }

    /// Gives everything back.
    fn flush(&self, class: usize) {
        let head = self.head.replace(ptr::null_mut());
        set(&self.room, u32::from(CLASS_TO_BATCH[class]));
        mcentral::give_back(class, head);
        set(&self.spares, 0);
        mcentral::give_back(class, self.spare.replace(ptr::null_mut()));
        let end = load(&self.fresh_end);
        // SAFETY: a fresh object is nobody's but this cache's.
        let list = unsafe { mcentral::list(class, load(&self.fresh), end) };
        self.fresh.store(end, Ordering::Relaxed); // others only count
        mcentral::give_back(class, list);
    }
}

// Relaxed throughout: only the owner writes, and reads its own; others count.

/// Reads a counter.
#[inline(always)]
fn get(counter: &AtomicU32) -> u32 {
    counter.load(Ordering::Relaxed)
}

/// Writes a counter.
#[inline(always)]
fn set(counter: &AtomicU32, value: u32) {
    counter.store(value, Ordering::Relaxed);
}

/// Reads an address.
fn load(address: &AtomicUsize) -> usize {
    address.load(Ordering::Relaxed)
}
