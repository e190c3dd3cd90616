//! The spans of each size class: where caches get their objects, and where they
//! go when a cache has too many.
//!
//! Go's counterpart: `runtime/mcentral.go`. Each class has a lock, a set of
//! spans with room in them (partial) and one of those without (full), and some
//! batches of free objects as caches gave them, chained and not looked at. Those
//! are the fast way from one P's frees to another P's allocations. When there
//! are too many, the one that came first is taken apart: each object goes back
//! to its span, and a span whose objects are all back returns to the mheap.
//!
//! The lock of a class is never held while the mheap's is taken: a span is made
//! and freed with neither held but in one hand.

use core::cell::Cell;
use core::ptr;

use super::mcache::{Object, Refill};
use super::mspan::{Free, MSpan};
use super::sizeclasses::{CLASS_TO_BATCH, CLASS_TO_PAGES, CLASS_TO_SIZE, NUM_CLASSES};
use super::span_set::SpanSet;
use super::{arenas, mheap};
use crate::debug::fatal::throw;
use crate::debug::lock::{Mutex, rank};

/// How many batches a class keeps, at most, and how many bytes in them.
const MAX_BATCHES: usize = 4;
const MAX_BATCH_BYTES: usize = 128 << 10;

/// What a class has, behind its lock.
struct MCentral {
    partial: SpanSet<MSpan>,
    full: SpanSet<MSpan>,
    /// Full batches, the oldest first.
    batches: [*mut Free; MAX_BATCHES],
    nbatches: usize,
    /// Nobody has taken a batch since the last look; see [`age`].
    idle: bool,
    /// How many objects are given out: with the program or in a cache.
    out: u64,
    /// How many the program has taken past all caches, since it began.
    uncached: u64,
}

// SAFETY: spans live for ever, and the objects in a batch are nobody else's.
unsafe impl Send for MCentral {}

impl MCentral {
    const fn new() -> Self {
        Self {
            partial: SpanSet::new(),
            full: SpanSet::new(),
            batches: [ptr::null_mut(); MAX_BATCHES],
            nbatches: 0,
            idle: false,
            out: 0,
            uncached: 0,
        }
    }

    /// Takes the newest batch: its memory is still at hand.
    fn pop_batch(&mut self, class: usize) -> Option<*mut Free> {
        let last = self.nbatches.checked_sub(1)?;
        self.nbatches = last;
        self.out += u64::from(CLASS_TO_BATCH[class]);
        Some(self.batches[last])
    }

    /// Takes objects from the first span that has any.
    fn take(&mut self, class: usize) -> Option<Refill> {
        let span = self.partial.first()?;
        let batch = u32::from(CLASS_TO_BATCH[class]);
        let (fresh, allocated) = (span.fresh.get(), span.allocated.get());
        let back = fresh - allocated;
        let (refill, taken) = if back > 0 {
            let taken = back.min(batch);
            (Refill::List(cut(&span.free, taken), taken), taken)
        } else {
            let taken = (span.nelems.get() - fresh).min(batch);
            let start = span.object(fresh as usize);
            let end = span.object((fresh + taken) as usize);
            span.fresh.set(fresh + taken);
            (Refill::Fresh(start, end, !span.needzero.get()), taken)
        };
        span.allocated.set(allocated + taken);
        self.out += u64::from(taken);
        if span.allocated.get() == span.nelems.get() {
            self.partial.remove(span);
            self.full.push_front(span);
            span.is_full.set(true);
        }
        Some(refill)
    }

    /// Takes an object back into its span. Returns the span if that is empty now,
    /// and out of the sets.
    fn put(&mut self, span: &'static MSpan, object: *mut Free) -> Option<&'static MSpan> {
        // SAFETY: the object is free, and came with the batch that we own.
        unsafe { (*object).next = span.free.get() };
        span.free.set(object);
        let allocated = span.allocated.get() - 1;
        span.allocated.set(allocated);
        self.out -= 1;
        if span.is_full.get() {
            span.is_full.set(false);
            self.full.remove(span);
            self.partial.push_front(span);
        }
        (allocated == 0).then(|| {
            self.partial.remove(span);
            span
        })
    }
}

/// Makes a list of a class's fresh objects from `start` to `end`: their first words
/// are written.
///
/// # Safety
///
/// There must be such objects, and nobody else may have them.
pub(super) unsafe fn list(class: usize, start: usize, end: usize) -> *mut Free {
    let mut list: *mut Free = ptr::null_mut();
    for address in (start..end).step_by(CLASS_TO_SIZE[class] as usize) {
        let object: *mut Free = ptr::with_exposed_provenance_mut(address);
        // SAFETY: the caller's promise.
        unsafe { (*object).next = list };
        list = object;
    }
    list
}

/// Cuts so many objects off the front of a list that has at least as many.
fn cut(list: &Cell<*mut Free>, count: u32) -> *mut Free {
    let head = list.get();
    let mut last = head;
    for _ in 1..count {
        // SAFETY: the caller's count says that there is another object.
        last = unsafe { (*last).next };
    }
    // SAFETY: as above: the last one that is cut off.
    list.set(unsafe { (*last).next });
    // SAFETY: as above; the objects are ours now.
    unsafe { (*last).next = ptr::null_mut() };
    head
}

#[unsafe(export_name = "runtime.mcentral")]
#[unsafe(link_section = ".bss.large.mcentral")]
static CENTRAL: [Mutex<MCentral, { rank::CENTRAL }>; NUM_CLASSES] =
    [const { Mutex::new(MCentral::new()) }; NUM_CLASSES];

/// Gets objects for a cache that has none: a batch, if there is one, else some of
/// a span's, else those of a new span. None if the system has no memory.
pub(super) fn refill(class: usize) -> Option<Refill> {
    let mut central = CENTRAL[class].lock();
    if let Some(batch) = central.pop_batch(class) {
        central.idle = false;
        return Some(Refill::List(batch, u32::from(CLASS_TO_BATCH[class])));
    }
    if let Some(refill) = central.take(class) {
        return Some(refill);
    }
    drop(central);
    let span = mheap::alloc_span(usize::from(CLASS_TO_PAGES[class]), 1, class)?;
    let mut central = CENTRAL[class].lock();
    central.partial.push_front(span);
    central.take(class)
}

/// Takes a full batch from a cache.
pub(super) fn take_batch(class: usize, batch: *mut Free) {
    let size = usize::from(CLASS_TO_BATCH[class]) * CLASS_TO_SIZE[class] as usize;
    let limit = (MAX_BATCH_BYTES / size).clamp(1, MAX_BATCHES);
    let mut central = CENTRAL[class].lock();
    central.out -= u64::from(CLASS_TO_BATCH[class]);
    if central.nbatches < limit {
        let at = central.nbatches;
        central.batches[at] = batch;
        central.nbatches = at + 1;
        return;
    }
    // The newest is the one whose memory is still at hand.
    let oldest = central.batches[0];
    central.batches.copy_within(1..limit, 0);
    central.batches[limit - 1] = batch;
    central.out += u64::from(CLASS_TO_BATCH[class]);
    drop(central);
    give_back(class, oldest);
}

/// Gives a list of objects back to their spans.
pub(super) fn give_back(class: usize, list: *mut Free) {
    let mut next = list;
    while !next.is_null() {
        // Spans that became empty, linked through `free`: nobody else has them.
        let mut empty: Option<&'static MSpan> = None;
        let mut central = CENTRAL[class].lock();
        // Not all at once: others wait for the lock.
        for _ in 0..CLASS_TO_BATCH[class] {
            let Some(object) = ptr::NonNull::new(next) else {
                break;
            };
            // SAFETY: a free object of a list that is ours.
            next = unsafe { (*object.as_ptr()).next };
            let span = arenas::span_of(object.as_ptr().addr());
            let Some(span) = span.filter(|span| usize::from(span.class.get()) == class) else {
                throw("free of memory that is not in the heap");
            };
            if let Some(span) = central.put(span, object.as_ptr()) {
                empty = span.chain(empty);
            }
        }
        drop(central);
        while let Some(span) = empty {
            empty = span.unchain();
            mheap::free_span(span);
        }
    }
}

/// Takes one object, for an M without a P. None if the system has no memory.
pub(crate) fn alloc_one(class: usize) -> Option<Object> {
    let refill = refill(class)?;
    CENTRAL[class].lock().uncached += 1;
    match refill {
        Refill::List(head, _) => {
            // SAFETY: a list of one object at least, which is ours.
            let rest = unsafe { (*head).next };
            give_back(class, rest);
            Some((head.cast(), false))
        }
        Refill::Fresh(start, end, zero) => {
            // SAFETY: fresh objects that are ours.
            let rest = unsafe { list(class, start + CLASS_TO_SIZE[class] as usize, end) };
            give_back(class, rest);
            Some((ptr::with_exposed_provenance_mut(start), zero))
        }
    }
}

/// Takes one object back, from an M without a P.
///
/// # Safety
///
/// It must be of that class, and nobody may use it any more.
pub(crate) unsafe fn free_one(class: usize, object: *mut u8) {
    let object: *mut Free = object.cast();
    // SAFETY: the caller's promise.
    unsafe { (*object).next = ptr::null_mut() };
    give_back(class, object);
}

/// Takes all batches apart, so that empty spans return to the mheap.
pub(crate) fn flush() {
    (1..NUM_CLASSES).for_each(flush_class);
}

/// Takes the batches apart of which none has been of use since the last time.
pub(super) fn age() {
    for (class, central) in CENTRAL.iter().enumerate().skip(1) {
        let mut central = central.lock();
        let was_idle = core::mem::replace(&mut central.idle, true);
        if was_idle && central.nbatches > 0 {
            drop(central);
            flush_class(class);
        }
    }
}

/// Takes a class's batches apart.
fn flush_class(class: usize) {
    loop {
        let batch = CENTRAL[class].lock().pop_batch(class);
        let Some(batch) = batch else { return };
        give_back(class, batch);
    }
}

/// Counts the objects of a class that are with the program or in a cache, and
/// those that the program has taken past all caches.
pub(super) fn count(class: usize) -> (u64, u64) {
    let central = CENTRAL[class].lock();
    (central.out, central.uncached)
}
