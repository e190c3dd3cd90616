//! Frames: the machine's memory, 4 KiB at a time.
//!
//! ```text
//!   regions    |#####......|   |##########|   |..........|
//!                    ^ fresh: nobody has had what is behind it, in the map's order
//!   freed      a list, through the first word of each frame that came back
//! ```
//!
//! Nothing is touched that nobody has had: a machine with much memory boots as fast as one
//! with little. What is handed out is anything, not zeros.
//!
//! Not used are the first megabyte, the program itself, and what the virtual machine monitor has
//! told us to keep: the list of regions has none of it.

use super::boot_info::{FRAME, Regions};

/// The frames that nobody has.
pub(super) struct Frames {
    /// The memory of the machine, but for what is kept. It stays as it is once a frame was taken.
    pub(super) regions: Regions,
    /// How many of them are handed out, or are being, and what is left of that one.
    begun: usize,
    next: u64,
    end: u64,
    /// The first frame that came back, or 0.
    freed: u64,
    /// How many frames somebody has.
    taken: usize,
}

impl Frames {
    /// Makes one without memory.
    pub(super) const fn new() -> Self {
        Self {
            regions: Regions::new(),
            begun: 0,
            next: 0,
            end: 0,
            freed: 0,
            taken: 0,
        }
    }

    /// Hands a frame out: its physical address. `read` reads a word at one.
    pub(super) fn take(&mut self, read: impl FnOnce(u64) -> u64) -> Option<u64> {
        if self.freed != 0 {
            let frame = self.freed;
            self.freed = read(frame);
            self.taken += 1;
            return Some(frame);
        }
        if self.next == self.end {
            // None of them is empty.
            let region = *self.regions.list().get(self.begun)?;
            (self.next, self.end) = (region.start, region.end);
            self.begun += 1;
        }
        let frame = self.next;
        self.next += FRAME;
        self.taken += 1;
        Some(frame)
    }

    /// Hands out so many frames, one behind the other, that nobody has had. None if there are not
    /// so many where the next one would be from.
    pub(super) fn take_run(&mut self, count: usize) -> Option<u64> {
        let first = self.next;
        let behind = first + count as u64 * FRAME;
        (behind <= self.end).then(|| {
            self.next = behind;
            self.taken += count;
            first
        })
    }

    /// Takes a frame back. `write` writes a word at its address.
    pub(super) fn give(&mut self, frame: u64, write: impl FnOnce(u64, u64)) {
        write(frame, self.freed);
        self.freed = frame;
        self.taken -= 1;
    }

    /// Counts the frames that nobody has.
    pub(super) fn free(&self) -> usize {
        self.total() - self.taken
    }

    /// Counts all frames.
    pub(super) fn total(&self) -> usize {
        self.regions.pages
    }
}

/// How many frames are taken off at a time: until the CPUs know nothing of them any more
/// they are nobody's.
pub(super) const BATCH: usize = 64;

/// Frames that were taken off.
pub(super) struct Batch {
    pub(super) frames: [u64; BATCH],
    pub(super) count: usize,
}

impl Batch {
    /// Makes an empty one.
    pub(super) const fn new() -> Self {
        Self {
            frames: [0; BATCH],
            count: 0,
        }
    }

    /// Notes the frame of a page; false if there is no room.
    pub(super) fn add(&mut self, frame: u64) -> bool {
        let slot = self.frames.get_mut(self.count);
        slot.is_some_and(|slot| {
            *slot = frame;
            self.count += 1;
            true
        })
    }
}
