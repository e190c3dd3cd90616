//! The array under a P's timers: a four-ary heap of times.
//!
//! Go's counterparts: `timers.heap`, `siftUp`, `siftDown`, `initHeap` in
//! `runtime/time.go`, over a slice, which is copied whole when it grows.
//!
//! An entry is the time and the timer's address, so that to compare two of them
//! touches no timer. The array is made of blocks of 1024 entries and a directory of
//! those: it grows by a block, which copies nothing and takes as long for the
//! millionth entry as for the thousandth, and it shrinks by one. It begins at
//! place 3, so that the four children of a place are one line of the cache:
//!
//! ```text
//!   place    3 | 4  5  6  7 | 8  9 10 11 | 12 13 14 15 | ...
//!   parent     |     3      |     4      |      5      |
//! ```
//!
//! Invariants:
//! 1. No entry's time is before that of its parent, but between `set_when` or
//!    `swap_remove` and `rebuild`.
//! 2. There are blocks for all places that are in use; beside them, and beside that of
//!    the next place, there is one more at most.
//!
//! The file stands alone: whoever includes it says where memory comes from, in
//! `super::timer_memory`.

use core::ptr;

use super::timer_memory::{alloc, free};

/// What a place holds.
pub(crate) struct Entry<T> {
    /// When the timer is due, in nanoseconds, as far as the heap knows.
    pub(crate) when: i64,
    /// The timer.
    pub(crate) timer: *const T,
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Entry<T> {}

/// How many entries a block has.
const BLOCK: usize = 1024;

/// The size of a block, in bytes.
const BLOCK_SIZE: usize = BLOCK * 16;

/// For how many blocks the first directory has room: a page of the heap.
const DIRECTORY: usize = 1024;

/// The first place.
const ROOT: usize = 3;

/// The heap. All zeros are an empty one.
pub(crate) struct TimerHeap<T> {
    /// The blocks, or null before the first.
    directory: *mut *mut Entry<T>,
    /// For how many there is room in the directory.
    room: usize,
    /// How many there are.
    blocks: usize,
    /// How many entries there are.
    len: usize,
}

// SAFETY: the memory is the heap's own, and the timers are looked at by nobody here.
unsafe impl<T> Send for TimerHeap<T> {}

impl<T> TimerHeap<T> {
    /// Makes an empty one, which has no memory.
    pub(crate) const fn new() -> Self {
        const { assert!(size_of::<Entry<T>>() * BLOCK == BLOCK_SIZE) };
        Self {
            directory: ptr::null_mut(),
            room: 0,
            blocks: 0,
            len: 0,
        }
    }

    /// Returns how many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the first entry: none is earlier.
    pub(crate) fn first(&self) -> Option<Entry<T>> {
        self.get(0)
    }

    /// Returns the entry of that index: they are 0 to `len - 1`, in no order.
    pub(crate) fn get(&self, index: usize) -> Option<Entry<T>> {
        (index < self.len).then(|| self.read(ROOT + index))
    }

    /// Adds an entry. Throws where there is no memory, unless `reserve` was called
    /// just before.
    pub(crate) fn push(&mut self, entry: Entry<T>) {
        self.reserve();
        self.len += 1;
        self.sift_up(ROOT + self.len - 1, entry);
    }

    /// Sees to it that there is room for one more.
    pub(crate) fn reserve(&mut self) {
        if (ROOT + self.len) / BLOCK < self.blocks {
            return;
        }
        if self.blocks == self.room {
            let room = (self.room * 2).max(DIRECTORY);
            let directory: *mut *mut Entry<T> = alloc(room * 8).cast();
            if self.room > 0 {
                // SAFETY: the new one is larger, and lies apart.
                unsafe { directory.copy_from_nonoverlapping(self.directory, self.blocks) };
                // SAFETY: it came from alloc, with that size; nobody uses it now.
                unsafe { free(self.directory.cast(), self.room * 8) };
            }
            self.directory = directory;
            self.room = room;
        }
        let block: *mut Entry<T> = alloc(BLOCK_SIZE).cast();
        // SAFETY: there is room for that many.
        unsafe { self.directory.wrapping_add(self.blocks).write(block) };
        self.blocks += 1;
    }

    /// Removes the first entry.
    pub(crate) fn remove_first(&mut self) {
        let Some(last) = self.remove_last() else {
            return;
        };
        if self.len > 0 {
            self.sift_down(ROOT, last);
        }
    }

    /// Removes the entry of the highest index, which changes no other's place, and
    /// returns it.
    pub(crate) fn remove_last(&mut self) -> Option<Entry<T>> {
        let last = self.get(self.len.checked_sub(1)?)?;
        self.len -= 1;
        // One more than is needed stays, so that an entry that comes and goes at a
        // block's edge does not bring a block and take it along each time.
        if (ROOT + self.len) / BLOCK + 2 < self.blocks {
            self.shrink();
        }
        Some(last)
    }

    /// Gives the last block back.
    fn shrink(&mut self) {
        self.blocks -= 1;
        // SAFETY: it is one of them.
        let block = unsafe { self.directory.wrapping_add(self.blocks).read() };
        // SAFETY: it came from alloc, with that size, and no place in it is in use.
        unsafe { free(block.cast(), BLOCK_SIZE) };
    }

    /// Gives the first entry another time, and the place that it then has.
    pub(crate) fn move_first(&mut self, when: i64) {
        if let Some(Entry { timer, .. }) = self.first() {
            self.sift_down(ROOT, Entry { when, timer });
        }
    }

    /// Gives all memory back; the heap must have no entries.
    pub(crate) fn clear(&mut self) {
        debug_assert!(self.len == 0, "timer data corruption");
        while self.blocks > 0 {
            self.shrink();
        }
        if self.room > 0 {
            // SAFETY: it came from alloc, with that size; nobody uses it now.
            unsafe { free(self.directory.cast(), self.room * 8) };
            self.room = 0;
        }
    }

    /// Gives an entry another time. Its place may be wrong until [`rebuild`].
    ///
    /// [`rebuild`]: Self::rebuild
    pub(crate) fn set_when(&mut self, index: usize, when: i64) {
        if let Some(Entry { timer, .. }) = self.get(index) {
            self.write(ROOT + index, Entry { when, timer });
        }
    }

    /// Removes an entry; the last one takes its place, which may be wrong until
    /// [`rebuild`](Self::rebuild).
    pub(crate) fn swap_remove(&mut self, index: usize) {
        if let Some(last) = self.remove_last()
            && index < self.len
        {
            self.write(ROOT + index, last);
        }
    }

    /// Brings all entries to their places: less work than to add each again.
    pub(crate) fn rebuild(&mut self) {
        if self.len > 1 {
            let last_parent = parent(ROOT + self.len - 1);
            for place in (ROOT..=last_parent).rev() {
                let entry = self.read(place);
                self.sift_down(place, entry);
            }
        }
    }

    /// Puts an entry to a free place, or to one above it if it is early.
    fn sift_up(&mut self, mut place: usize, entry: Entry<T>) {
        while place > ROOT {
            let above = parent(place);
            let other = self.read(above);
            if other.when <= entry.when {
                break;
            }
            self.write(place, other);
            place = above;
        }
        self.write(place, entry);
    }

    /// Puts an entry to a free place, or to one below it if it is late.
    fn sift_down(&mut self, mut place: usize, entry: Entry<T>) {
        let end = ROOT + self.len;
        loop {
            let children = first_child(place);
            if children >= end {
                break;
            }
            // They lie in one block, side by side: BLOCK is a multiple of four.
            let line = self.place(children);
            let (mut child, mut earliest) = (0, entry.when);
            let mut found = false;
            for index in 0..(end - children).min(4) {
                // SAFETY: a place in use, in the same block.
                let when = unsafe { (*line.wrapping_add(index)).when };
                if when < earliest {
                    (child, earliest, found) = (index, when, true);
                }
            }
            if !found {
                break;
            }
            // SAFETY: as above.
            let earlier = unsafe { line.wrapping_add(child).read() };
            self.write(place, earlier);
            place = children + child;
        }
        self.write(place, entry);
    }

    /// Returns the address of a place that there is a block for.
    fn place(&self, place: usize) -> *mut Entry<T> {
        debug_assert!(place / BLOCK < self.blocks, "timer data corruption");
        // SAFETY: the directory has that many blocks.
        let block = unsafe { self.directory.wrapping_add(place / BLOCK).read() };
        block.wrapping_add(place % BLOCK)
    }

    /// Reads a place that is in use.
    fn read(&self, place: usize) -> Entry<T> {
        // SAFETY: it is in use, and the heap is ours.
        unsafe { self.place(place).read() }
    }

    /// Writes to a place.
    fn write(&mut self, place: usize, entry: Entry<T>) {
        // SAFETY: there is a block for it, and the heap is ours.
        unsafe { self.place(place).write(entry) };
    }
}

/// Returns the place above one that is not the first.
fn parent(place: usize) -> usize {
    place / 4 + 2
}

/// Returns the first of the four places below one.
fn first_child(place: usize) -> usize {
    (place - 2) * 4
}
