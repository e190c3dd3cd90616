//! The heap's pages: arenas from the system, and spans cut out of them.
//!
//! Go's counterparts: `runtime/mheap.go`, and `sysAlloc` with the arena hints in
//! `runtime/malloc.go`. Arenas are 64 MiB, aligned to that, from 0x00c000000000
//! on as in Go: a heap pointer is known at sight in a debugger, and its first
//! bytes are no valid UTF-8. An arena is mapped whole; where the system refuses
//! that (a limit on address space, strict overcommit) it grows by the megabyte.
//!
//! Which pages are free is [`Pages`]'s to know, which span is where the map of
//! [`arenas`](super::arenas)'s. One lock is over all of it, but for the map. A
//! span that is being made or freed is in one hand.

use core::alloc::Layout;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};

use super::arenas::{ARENA_SIZE, HeapArena, new_arena, set_spans};
use super::boot_heap::{metadata_alloc, metadata_free};
use super::mspan::MSpan;
use super::pages::{MAX_ARENAS, Pages, Run, Slot};
use super::scavenge;
use super::sizeclasses::{PAGE_SHIFT, PAGE_SIZE};
use crate::debug::fatal::throw;
use crate::debug::lock::{Guard, Mutex, rank};
use crate::os;

/// What the heap grows by where no arena can be had.
const SMALL_GROWTH: usize = 1 << 20;

/// Where arenas shall be: Go's hints, a tebibyte apart.
const FIRST_HINT: usize = 0x00c0_0000_0000;
const HINT_STEP: usize = 1 << 40;
const HINTS: usize = 0x7f;

/// How many MSpans are made at a time.
const SPAN_BLOCK: usize = 32;

/// What the lock protects.
pub(super) struct MHeap {
    /// Which pages are free.
    pub(super) pages: Pages,
    /// MSpans that are not in use, linked.
    free_spans: Option<&'static MSpan>,
    /// The address behind the last page that was mapped, 0 before the first.
    end: usize,
    /// Up to where memory was got for more than was wanted.
    ahead: usize,
    /// How many hints have been tried.
    hint: usize,
    /// The scavenger knows what it goes by.
    pub(super) prepared: bool,
    /// Bytes mapped.
    pub(super) mapped: usize,
    /// Bytes of MSpans made and in use.
    pub(super) mspan_sys: usize,
    pub(super) mspan_inuse: usize,
    /// Large objects given out and taken back, and their bytes.
    pub(super) large: LargeStats,
}

/// What has been counted of large objects.
#[derive(Clone, Copy)]
pub(super) struct LargeStats {
    pub(super) allocs: u64,
    pub(super) frees: u64,
    pub(super) alloc_bytes: u64,
    pub(super) free_bytes: u64,
}

#[unsafe(export_name = "runtime.mheap_")]
#[unsafe(link_section = ".bss.large.mheap")] // a page that a program without a heap need not touch
static MHEAP: Mutex<MHeap, { rank::HEAP }> = Mutex::new(MHeap {
    pages: Pages::new(),
    free_spans: None,
    end: 0,
    ahead: 0,
    hint: 0,
    prepared: false,
    mapped: 0,
    mspan_sys: 0,
    mspan_inuse: 0,
    large: LargeStats {
        allocs: 0,
        frees: 0,
        alloc_bytes: 0,
        free_bytes: 0,
    },
});

/// The right to use the heap, until this is dropped.
pub(super) type Locked = Guard<'static, MHeap, { rank::HEAP }>;

/// Takes the heap's lock.
pub(super) fn lock() -> Locked {
    MHEAP.lock()
}

/// Takes a run of pages that begins at a multiple of `align` pages, and makes a
/// span for objects of a class out of it, or with class 0 for one large object.
/// None if the system has no memory. From any stack, with no lock of the heap's
/// held.
#[unsafe(export_name = "runtime.mheap.alloc")]
#[inline(never)]
pub(super) fn alloc_span(npages: usize, align: usize, class: usize) -> Option<&'static MSpan> {
    let mut heap = lock();
    let span = heap.new_span()?;
    let Some(run) = heap.alloc_pages(npages, align) else {
        heap.drop_span(span);
        return None;
    };
    heap.mspan_inuse += size_of::<MSpan>();
    if class == 0 {
        heap.large.allocs += 1;
        heap.large.alloc_bytes += (npages * PAGE_SIZE) as u64;
    }
    if !heap.prepared {
        scavenge::prepare(&mut heap);
    }
    let start = run.page << PAGE_SHIFT;
    let ahead = if run.fresh && class != 0 {
        heap.pages_ahead(start, npages * PAGE_SIZE)
    } else {
        0
    };
    scavenge::took(heap, run.newly_backed);
    if ahead > 0 {
        // SAFETY: mapped for the heap, and what is there stays what it is.
        unsafe { os::populate(ptr::with_exposed_provenance_mut(start), ahead) };
    }
    span.init(run.page << PAGE_SHIFT, npages, class, !run.fresh);
    set_spans(span, npages, ptr::from_ref(span).cast_mut());
    Some(span)
}

/// Gives a span's pages back to the heap. From any stack, with no lock of the
/// heap's held; nobody else may have the span.
#[unsafe(export_name = "runtime.mheap.free")]
#[inline(never)]
pub(super) fn free_span(span: &'static MSpan) {
    let npages = span.npages.get();
    set_spans(span, npages, ptr::null_mut());
    let mut heap = lock();
    heap.free_pages(span.base.get() >> PAGE_SHIFT, npages);
    if span.class.get() == 0 {
        heap.large.frees += 1;
        heap.large.free_bytes += (npages * PAGE_SIZE) as u64;
    }
    span.npages.set(0);
    heap.mspan_inuse -= size_of::<MSpan>();
    heap.drop_span(span);
}

/// Makes a large object longer or shorter where it is; false if what lies behind
/// it is not free. Whoever owns the object may call this, with no lock of the
/// heap's held.
pub(super) fn resize_span(span: &'static MSpan, npages: usize) -> bool {
    let old = span.npages.get();
    let end = (span.base.get() >> PAGE_SHIFT) + old;
    let mut newly_backed = 0;
    let mut heap = lock();
    if npages > old {
        let Some(run) = heap.pages.alloc_at(end, npages - old) else {
            return false;
        };
        scavenge::note(&heap);
        newly_backed = run.newly_backed;
        heap.large.alloc_bytes += ((npages - old) * PAGE_SIZE) as u64;
    } else if npages < old {
        heap.free_pages(end - (old - npages), old - npages);
        heap.large.free_bytes += ((old - npages) * PAGE_SIZE) as u64;
    }
    span.npages.set(npages);
    scavenge::took(heap, newly_backed);
    true
}

impl MHeap {
    /// Finds pages, if need be in a new arena.
    fn alloc_pages(&mut self, npages: usize, align: usize) -> Option<Run> {
        let mut run = self.pages.alloc(npages, align);
        if run.is_none() {
            // Enough for the run wherever it has to begin.
            let pages = npages.checked_add(align - 1)?;
            self.grow(pages.checked_mul(PAGE_SIZE)?)?;
            run = self.pages.alloc(npages, align);
        }
        scavenge::note(self);
        run
    }

    /// Maps at least `bytes` in one piece, behind what there is if possible.
    #[cold]
    fn grow(&mut self, bytes: usize) -> Option<()> {
        // Before the first arena is mapped: each takes two pages for its record.
        if bytes > MAX_ARENAS * ARENA_SIZE - self.mapped {
            return None;
        }
        // To the end of an arena, or else as little as will do.
        for whole in [true, false] {
            let size = |end: usize| {
                if whole {
                    (end + bytes).next_multiple_of(ARENA_SIZE) - end
                } else {
                    bytes.next_multiple_of(SMALL_GROWTH)
                }
            };
            while self.hint <= HINTS {
                if self.end == 0 {
                    self.end = FIRST_HINT + self.hint * HINT_STEP;
                }
                let size = size(self.end);
                let Some(memory) = os::map_backed(self.end, size) else {
                    break; // no room: a smaller piece may fit
                };
                if memory.addr() == self.end {
                    if self.add(size).is_some() {
                        return Some(());
                    }
                    break; // no room for the records: as above
                }
                // Somebody else is there.
                // SAFETY: mapped above, and nobody has the address.
                unsafe { os::unmap(memory, size) };
                self.hint += 1;
                self.end = 0;
            }
        }
        if self.hint > HINTS {
            return self.grow_anywhere(bytes);
        }
        None
    }

    /// Maps an arena where the system has room: all hints are taken.
    #[cold]
    fn grow_anywhere(&mut self, bytes: usize) -> Option<()> {
        let size = bytes.next_multiple_of(ARENA_SIZE);
        let memory = os::map_backed(0, size + ARENA_SIZE)?;
        let start = memory.addr().next_multiple_of(ARENA_SIZE);
        let before = start - memory.addr();
        let behind = memory.wrapping_add(before + size);
        if before > 0 {
            // SAFETY: mapped above, and nobody has it.
            unsafe { os::unmap(memory, before) };
        }
        if before < ARENA_SIZE {
            // SAFETY: as above.
            unsafe { os::unmap(behind, ARENA_SIZE - before) };
        }
        self.end = start;
        self.add(size)
    }

    /// Adds `size` bytes at `end`, which have just been mapped, to the free pages.
    /// What there is no room to write down goes back to the system.
    fn add(&mut self, size: usize) -> Option<()> {
        let stop = self.end + size;
        while self.end < stop {
            let start = self.end & !(ARENA_SIZE - 1);
            let end = stop.min(start + ARENA_SIZE);
            if self.add_arena(start, (end - start) >> PAGE_SHIFT).is_none() {
                let rest = ptr::with_exposed_provenance_mut(self.end);
                // SAFETY: mapped by our caller, and nobody has it.
                unsafe { os::unmap(rest, stop - self.end) };
                return None;
            }
            self.mapped += end - self.end;
            self.end = end;
        }
        Some(())
    }

    /// Makes the first `usable` pages of the arena at `start` usable.
    fn add_arena(&mut self, start: usize, usable: usize) -> Option<()> {
        let base = start >> PAGE_SHIFT;
        if self.end > start {
            return self.pages.extend(base, usable).then_some(());
        }
        self.make_room()?;
        let pages = new_arena(start)?;
        self.pages.add_arena(pages, base, usable).then_some(())
    }

    /// Tells how many bytes are to get their memory at once from `start` on, where a span of
    /// small objects begins that nobody has touched; 0 if they have it. In a heap that has
    /// some, the next spans are going to need it too, most likely those behind this one, and a
    /// page fault for each page takes much longer. Those are free still, and count as such
    /// that take no memory: there are few of them, since it goes upwards and never comes back.
    fn pages_ahead(&mut self, start: usize, size: usize) -> usize {
        /// What there is at once, as a part of what is in use, and at most.
        const SHARE: usize = 16;
        const MOST: usize = 64 << 10;
        if start < self.ahead {
            return 0; // it has its memory, or had it once and gets it page by page
        }
        let in_use = self.pages.in_use_pages() * PAGE_SIZE;
        let some = (in_use / SHARE).min(MOST) & !(PAGE_SIZE - 1);
        // To the end of what has been mapped in one piece, and no further.
        let room = self
            .end
            .checked_sub(start)
            .filter(|&room| room <= ARENA_SIZE);
        let bytes = some.min(room.unwrap_or(0));
        if bytes < size {
            return 0;
        }
        self.ahead = start + bytes;
        bytes
    }

    /// Gives pages back.
    pub(super) fn free_pages(&mut self, page: usize, npages: usize) {
        if !self.pages.free(page, npages) {
            throw("mheap.free: a page is free already");
        }
        scavenge::note(self);
    }
}

impl MHeap {
    /// Makes room for another arena in the tables of [`Pages`].
    fn make_room(&mut self) -> Option<()> {
        let Some(slots) = self.pages.needs_storage() else {
            return Some(());
        };
        let layout = Layout::array::<Slot>(slots).ok()?;
        let memory = metadata_alloc(layout)?.cast::<Slot>();
        // SAFETY: fresh memory of that size; zeros are empty slots.
        unsafe { memory.write_bytes(0, slots) };
        // SAFETY: as above; nobody else has it.
        let storage = unsafe { core::slice::from_raw_parts_mut(memory.as_ptr(), slots) };
        if let Some(old) = self.pages.replace_storage(storage)
            && let Ok(layout) = Layout::array::<Slot>(old.len())
        {
            // SAFETY: it came from here, when there were fewer arenas.
            unsafe { metadata_free(NonNull::from(old).cast(), layout) };
        }
        Some(())
    }

    /// Takes a MSpan that is not in use, or makes some.
    fn new_span(&mut self) -> Option<&'static MSpan> {
        if self.free_spans.is_none() {
            let block = Layout::array::<MaybeUninit<MSpan>>(SPAN_BLOCK).ok()?;
            let memory = metadata_alloc(block)?.cast::<MSpan>();
            self.mspan_sys += block.size();
            // SAFETY: fresh memory of that size; zeros are MSpans not in use.
            unsafe { memory.write_bytes(0, SPAN_BLOCK) };
            for index in (0..SPAN_BLOCK).rev() {
                // SAFETY: inside of the block.
                let span = unsafe { memory.add(index) };
                // SAFETY: set to zeros above; the block is never freed.
                self.drop_span(unsafe { span.as_ref() });
            }
        }
        let span = self.free_spans?;
        self.free_spans = span.unchain();
        Some(span)
    }

    /// Keeps a MSpan for another use.
    fn drop_span(&mut self, span: &'static MSpan) {
        self.free_spans = span.chain(self.free_spans);
    }
}

/// Tells how many bytes of address space the heap has.
pub(super) fn mapped() -> usize {
    lock().mapped
}

/// Tells how many bytes the arenas' records have.
pub(super) fn arena_record_bytes() -> usize {
    lock().mapped.div_ceil(ARENA_SIZE) * size_of::<HeapArena>()
}
