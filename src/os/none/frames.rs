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
//! Not used are the first megabyte, which is the firmware's and the other CPUs' first code,
//! the program itself, and what the virtual machine monitor has told us to keep.

use super::boot_info::{BootInfo, MAX_REGIONS, Region};

/// The size of a frame.
pub(super) const FRAME: u64 = 4096;

/// Below it nothing is used.
const LOW: u64 = 1 << 20;

/// Nor above this, 64 TiB: what the CPU's addresses have room for beside the program's.
const HIGH: u64 = 1 << 46;

/// What holds no frames for anybody, each of these a hole in some region.
pub(super) const MAX_KEPT: usize = 4;

/// The frames that nobody has.
pub(super) struct Frames {
    /// What nobody has had, the regions in use in front of it.
    regions: [Region; MAX_REGIONS + MAX_KEPT],
    count: usize,
    current: usize,
    /// The first frame that came back, or 0.
    freed: u64,
    /// How many frames nobody has, and how many there are.
    free: usize,
    total: usize,
}

impl Frames {
    /// Makes one without memory.
    pub(super) const fn new() -> Self {
        Self {
            regions: [Region { start: 0, end: 0 }; MAX_REGIONS + MAX_KEPT],
            count: 0,
            current: 0,
            freed: 0,
            free: 0,
            total: 0,
        }
    }

    /// Takes over the machine's memory, but for what is to be kept.
    pub(super) fn init(&mut self, info: &BootInfo<'_>, kept: &[Region]) {
        for (at, region) in info.regions().iter().enumerate() {
            let region = Region {
                start: region.start.max(LOW),
                end: region.end.min(HIGH),
            };
            // What two regions have in common is in the first of them.
            self.add(region, kept, info.regions().get(..at).unwrap_or_default());
        }
        self.free = self.total;
    }

    /// Adds what is left of a region when all that is in `kept` and `others` is taken out.
    fn add(&mut self, region: Region, kept: &[Region], others: &[Region]) {
        let (hole, kept, others) = match (kept, others) {
            ([hole, kept @ ..], _) => (hole, kept, others),
            ([], [hole, others @ ..]) => (hole, kept, others),
            ([], []) => return self.add_whole(region),
        };
        if hole.start >= hole.end || hole.end <= region.start || region.end <= hole.start {
            return self.add(region, kept, others);
        }
        let (start, end) = (region.start, region.end);
        if start < hole.start {
            let end = hole.start;
            self.add(Region { start, end }, kept, others);
        }
        if hole.end < end {
            let start = hole.end;
            self.add(Region { start, end }, kept, others);
        }
    }

    /// Adds the frames that lie in a region with all their bytes.
    fn add_whole(&mut self, region: Region) {
        if region.start >= region.end {
            return;
        }
        let start = region.start.next_multiple_of(FRAME);
        let end = region.end & !(FRAME - 1);
        if let Some(slot) = self.regions.get_mut(self.count)
            && start < end
        {
            *slot = Region { start, end };
            self.count += 1;
            self.total += ((end - start) / FRAME) as usize;
        }
    }

    /// Returns the regions, what nobody has had of them; those behind the last are empty.
    pub(super) fn regions_now(&self) -> &[Region; MAX_REGIONS + MAX_KEPT] {
        &self.regions
    }

    /// Hands a frame out: its physical address. `read` reads a word at one.
    pub(super) fn take(&mut self, read: impl FnOnce(u64) -> u64) -> Option<u64> {
        if self.freed != 0 {
            let frame = self.freed;
            self.freed = read(frame);
            self.free -= 1;
            return Some(frame);
        }
        loop {
            let region = self.regions.get_mut(self.current)?;
            if region.start < region.end {
                let frame = region.start;
                region.start += FRAME;
                self.free -= 1;
                return Some(frame);
            }
            self.current += 1;
        }
    }

    /// Takes a frame back. `write` writes a word at its address.
    pub(super) fn give(&mut self, frame: u64, write: impl FnOnce(u64, u64)) {
        write(frame, self.freed);
        self.freed = frame;
        self.free += 1;
    }

    /// Counts the frames that nobody has.
    pub(super) fn free(&self) -> usize {
        self.free
    }

    /// Counts all frames.
    pub(super) fn total(&self) -> usize {
        self.total
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
