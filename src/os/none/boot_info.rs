//! What a virtual machine monitor tells the program that it boots: the memory, the command
//! line, where ACPI's tables begin, a file beside the program.
//!
//! It does so in one of two structs, in physical memory:
//!
//! - **PVH**: Xen's `hvm_start_info` (xen/include/public/arch-x86/hvm/start_info.h), from
//!   version 1 on, which has a memory map. Its list of modules has that file, `-initrd`.
//! - **Linux's 64-bit boot protocol**: `boot_params`, the "zero page"
//!   (Documentation/arch/x86/zero-page.rst), with the memory map called e820.
//!
//! Invariants:
//! 1. Nothing here trusts what it reads: all of it comes through [`Physical`], which knows
//!    what can be read, and no input panics.
//! 2. [`Regions`] are those of usable memory alone, whole pages, none of them empty, by their
//!    addresses, and none has a part of another. What there is no room for in the list is
//!    counted, and not used.
//!
//! The file stands alone, so that a test on the host can feed it any memory.

use core::hint;

/// How many regions of memory there may be.
pub(super) const MAX_REGIONS: usize = 64;

/// How many are to be left as they are.
pub(super) const KEPT: usize = 4;

/// The size of a frame: what memory is handed out by.
pub(super) const FRAME: u64 = 4096;

/// Below it nothing is used: it is the firmware's, and the other CPUs' first code's.
const LOW: u64 = 1 << 20;

/// Nor above this, 64 TiB: what the CPU's addresses have room for beside the program's.
const HIGH: u64 = 1 << 46;

/// The type of usable memory in both maps.
const RAM: u32 = 1;

/// A range of physical addresses, the end not included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Region {
    /// The first address.
    pub(super) start: u64,
    /// The one behind the last.
    pub(super) end: u64,
}

/// What reads physical memory: at most so many bytes at an address, fewer if what can be
/// read ends before, none at all at a wild address.
pub(super) trait Physical<'a> {
    /// Returns the bytes at `address`, `length` of them or fewer.
    fn at(&self, address: u64, length: usize) -> &'a [u8];
}

/// Pages of memory that can be used, by their addresses.
pub(super) struct Regions {
    /// What is to be left as it is, and behind it the list.
    all: [Region; KEPT + MAX_REGIONS],
    /// How many of them there are.
    count: usize,
    /// How many pages there are in the list.
    pub(super) pages: usize,
    /// How many regions are not in the list.
    pub(super) left_out: usize,
}

impl Regions {
    /// Makes an empty list.
    pub(super) const fn new() -> Self {
        Self {
            all: [Region { start: 0, end: 0 }; KEPT + MAX_REGIONS],
            count: KEPT,
            pages: 0,
            left_out: 0,
        }
    }

    /// Returns the regions.
    pub(super) fn list(&self) -> &[Region] {
        self.all.get(KEPT..self.count).unwrap_or_default()
    }

    /// Returns what [`keep`](Self::keep) was told, and the regions behind that.
    pub(super) fn all(&self) -> &[Region] {
        self.all.get(..self.count).unwrap_or_default()
    }

    /// Takes out what is to be left as it is.
    pub(super) fn keep(&mut self, kept: [Region; KEPT]) {
        for (at, region) in kept.into_iter().enumerate() {
            self.all[at] = region;
        }
        // Hidden, or there would be a copy for each.
        for at in 0..hint::black_box(KEPT).min(KEPT) {
            self.take_out(self.all[at]);
        }
    }

    /// Adds the pages that lie in a region with all their bytes. The list has none of it.
    fn add(&mut self, region: Region) {
        let start = (region.start.clamp(LOW, HIGH) + (FRAME - 1)) & !(FRAME - 1);
        let end = region.end.min(HIGH) & !(FRAME - 1);
        if start < end {
            self.insert(Region { start, end });
        }
    }

    /// Adds whole pages that the list has none of, where they belong.
    fn insert(&mut self, region: Region) {
        let Some(slot) = self.all.get_mut(self.count) else {
            self.left_out += 1;
            return;
        };
        *slot = region;
        let mut at = self.count;
        while at > KEPT && self.all[at - 1].start > region.start {
            self.all.swap(at - 1, at);
            at -= 1;
        }
        self.count += 1;
        self.pages += region.frames();
    }

    /// Takes out all pages that a region has a part of.
    #[inline(never)] // an emulator translates each copy
    pub(super) fn take_out(&mut self, hole: Region) {
        if hole.start >= hole.end {
            return;
        }
        let hole = hole.pages();
        let mut at = KEPT;
        while at < self.count
            && let Some(slot) = self.all.get_mut(at)
        {
            let region = *slot;
            at += 1;
            if region.end <= hole.start || hole.end <= region.start {
                continue; // as nearly always
            }
            self.pages -= region.frames();
            let [before, behind] = [
                Region {
                    start: region.start,
                    end: hole.start,
                },
                Region {
                    start: hole.end,
                    end: region.end,
                },
            ];
            if before.start < before.end {
                *slot = before;
                self.pages += before.frames();
                if behind.start < behind.end {
                    self.insert(behind); // which is looked at once more
                }
            } else if behind.start < behind.end {
                *slot = behind;
                self.pages += behind.frames();
            } else {
                at -= 1;
                self.count -= 1;
                self.all.copy_within(at + 1..=self.count, at);
            }
        }
    }
}

impl Region {
    /// Counts the frames of whole pages.
    fn frames(self) -> usize {
        ((self.end - self.start) / FRAME) as usize
    }

    /// Returns the pages that this has a part of.
    pub(super) fn pages(self) -> Self {
        Self {
            start: self.start & !(FRAME - 1),
            end: self.end.saturating_add(FRAME - 1) & !(FRAME - 1),
        }
    }
}

/// Where the map of memory is: entries of that size, which begin with an address, a size and a
/// type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Map {
    at: u64,
    entries: u32,
    size: usize,
}

/// What was told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BootInfo<'a> {
    map: Map,
    /// Without the NUL at its end.
    pub(super) command_line: &'a [u8],
    /// Where that was.
    pub(super) command_line_at: u64,
    /// The physical address of ACPI's RSDP, or 0.
    pub(super) rsdp: u64,
    /// The file beside the program; empty if there is none.
    pub(super) file: Region,
}

/// What is wrong with what was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Nothing begins with the magic number.
    NoMagic,
    /// It is too old to have a memory map.
    NoMemoryMap,
}

impl<'a> BootInfo<'a> {
    /// Reads PVH's struct, `hvm_start_info`, at `address`.
    pub(super) fn from_pvh(memory: &impl Physical<'a>, address: u64) -> Result<Self, Wrong> {
        const MAGIC: u32 = 0x336e_c578;
        const SIZE: usize = 56;
        const MODULE: usize = 32;
        let Some(info) = memory.at(address, SIZE).first_chunk::<SIZE>() else {
            return Err(Wrong::NoMagic);
        };
        if word32(info, 0) != MAGIC {
            return Err(Wrong::NoMagic);
        }
        if word32(info, 4) < 1 {
            return Err(Wrong::NoMemoryMap);
        }
        let map = Map {
            at: word64(info, 40),
            entries: word32(info, 48),
            size: 24,
        };
        let mut told = Self::new(memory, map, word64(info, 24), word64(info, 32));
        if word32(info, 12) > 0 {
            let module = memory.at(word64(info, 16), MODULE);
            told.set_file(word64(module, 0), word64(module, 8));
        }
        Ok(told)
    }

    /// Reads Linux's struct, `boot_params`, at `address`.
    pub(super) fn from_linux(memory: &impl Physical<'a>, address: u64) -> Result<Self, Wrong> {
        const SIZE: usize = 4096;
        const BOOT_FLAG: u32 = 0xaa55;
        const MAGIC: u32 = u32::from_le_bytes(*b"HdrS");
        const TABLE: u64 = 0x2d0;
        let params = memory.at(address, SIZE);
        if word32(params, 0x1fe) & 0xffff != BOOT_FLAG || word32(params, 0x202) != MAGIC {
            return Err(Wrong::NoMagic);
        }
        let map = Map {
            at: address + TABLE,
            entries: word32(params, 0x1e8) & 0xff,
            size: 20,
        };
        if map.entries == 0 {
            return Err(Wrong::NoMemoryMap);
        }
        // The upper halves are further up, in what Linux calls ext_.
        let wide = |low: usize, high: usize| {
            u64::from(word32(params, low)) | u64::from(word32(params, high)) << 32
        };
        let mut told = Self::new(memory, map, wide(0x228, 0xc8), word64(params, 0x70));
        told.set_file(wide(0x218, 0xc0), wide(0x21c, 0xc4));
        Ok(told)
    }

    /// Reads the map of memory: adds what is usable to an empty list, and takes out of that what
    /// the map says is something else, too: that is what counts, as in Linux's kernel.
    pub(super) fn read_map(&self, memory: &impl Physical<'a>, regions: &mut Regions) {
        const ENTRY: usize = 20;
        let map = memory.at(self.map.at, self.map.entries as usize * self.map.size);
        // Hidden, or there would be two loops.
        let (mut rest, mut usable) = (map, hint::black_box(true));
        loop {
            let Some(bytes) = rest.first_chunk::<ENTRY>() else {
                if !usable {
                    return;
                }
                (rest, usable) = (map, hint::black_box(false));
                continue;
            };
            rest = rest.get(self.map.size..).unwrap_or_default();
            if (word32(bytes, 16) == RAM) != usable {
                continue;
            }
            let start = word64(bytes, 0);
            // QEMU's firmware ends its map with an entry of zeros that it counts: an empty
            // region.
            let region = Region {
                start,
                end: start.saturating_add(word64(bytes, 8)),
            };
            regions.take_out(region);
            if usable {
                regions.add(region);
            }
        }
    }

    /// Reads the command line, up to its NUL, and notes the rest.
    fn new(memory: &impl Physical<'a>, map: Map, line: u64, rsdp: u64) -> Self {
        let mut text: &[u8] = &[];
        if line != 0 {
            text = memory.at(line, LONGEST);
            let length = text.iter().position(|&byte| byte == 0);
            text = text.get(..length.unwrap_or(text.len())).unwrap_or_default();
        }
        Self {
            map,
            command_line: text,
            command_line_at: line,
            rsdp,
            file: Region { start: 0, end: 0 },
        }
    }

    /// Notes the file beside the program.
    fn set_file(&mut self, start: u64, size: u64) {
        if start != 0 && size != 0 {
            self.file = Region {
                start,
                end: start.saturating_add(size),
            };
        }
    }
}

/// The longest command line that is looked for the end of.
pub(super) const LONGEST: usize = 1 << 20;

/// Reads a little-endian number of four bytes; what is not there is zero.
#[inline(always)] // nothing is missing of an array: an emulator translates each branch
fn word32(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..).and_then(|rest| rest.first_chunk());
    word.map_or(0, |word| u32::from_le_bytes(*word))
}

/// The same of eight bytes.
#[inline(always)] // as above
fn word64(bytes: &[u8], at: usize) -> u64 {
    let word = bytes.get(at..).and_then(|rest| rest.first_chunk());
    word.map_or(0, |word| u64::from_le_bytes(*word))
}
