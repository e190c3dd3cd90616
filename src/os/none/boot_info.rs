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
//! 2. Regions are those of usable memory alone, none of them empty, in any order.
//!    What there is no room for in the list is counted, and not used.
//!
//! The file stands alone, so that a test on the host can feed it any memory.

/// How many regions of memory there may be.
pub(super) const MAX_REGIONS: usize = 64;

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

/// What was told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BootInfo<'a> {
    regions: [Region; MAX_REGIONS],
    count: usize,
    /// How many regions are not in the list.
    pub(super) left_out: usize,
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
    /// Nothing told.
    const fn new() -> Self {
        Self {
            regions: [Region { start: 0, end: 0 }; MAX_REGIONS],
            count: 0,
            left_out: 0,
            command_line: &[],
            command_line_at: 0,
            rsdp: 0,
            file: Region { start: 0, end: 0 },
        }
    }

    /// Reads PVH's struct, `hvm_start_info`, at `address`.
    pub(super) fn from_pvh(memory: &impl Physical<'a>, address: u64) -> Result<Self, Wrong> {
        const MAGIC: u32 = 0x336e_c578;
        const SIZE: usize = 56;
        const ENTRY: u64 = 24;
        const MODULE: usize = 32;
        let info = memory.at(address, SIZE);
        if word32(info, 0) != MAGIC {
            return Err(Wrong::NoMagic);
        }
        if word32(info, 4) < 1 {
            return Err(Wrong::NoMemoryMap);
        }
        let mut told = Self::new();
        let (map, entries) = (word64(info, 40), word32(info, 48));
        told.read_map(memory, map, entries.into(), ENTRY);
        told.read_command_line(memory, word64(info, 24));
        told.rsdp = word64(info, 32);
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
        const ENTRY: u64 = 20;
        const TABLE: u64 = 0x2d0;
        let params = memory.at(address, SIZE);
        if word32(params, 0x1fe) & 0xffff != BOOT_FLAG || word32(params, 0x202) != MAGIC {
            return Err(Wrong::NoMagic);
        }
        let entries = word32(params, 0x1e8) & 0xff;
        if entries == 0 {
            return Err(Wrong::NoMemoryMap);
        }
        let mut told = Self::new();
        told.read_map(memory, address + TABLE, entries.into(), ENTRY);
        // The upper halves are further up, in what Linux calls ext_.
        let wide = |low: usize, high: usize| {
            u64::from(word32(params, low)) | u64::from(word32(params, high)) << 32
        };
        told.read_command_line(memory, wide(0x228, 0xc8));
        told.rsdp = word64(params, 0x70);
        told.set_file(wide(0x218, 0xc0), wide(0x21c, 0xc4));
        Ok(told)
    }

    /// Returns the regions of usable memory.
    pub(super) fn regions(&self) -> &[Region] {
        self.regions.get(..self.count).unwrap_or_default()
    }

    /// Reads the map of memory, the entries of which begin with an address, a size and a
    /// type.
    fn read_map(&mut self, memory: &impl Physical<'a>, map: u64, entries: u64, size: u64) {
        for usable in [true, false] {
            for entry in 0..entries {
                let at = map.wrapping_add(entry.wrapping_mul(size));
                let bytes = memory.at(at, size as usize);
                if bytes.len() < 20 {
                    break; // the map ends where memory does
                }
                let (start, length) = (word64(bytes, 0), word64(bytes, 8));
                // QEMU's firmware ends its map with an entry of zeros that it counts.
                if (word32(bytes, 16) == RAM) != usable || length == 0 {
                    continue;
                }
                let region = Region {
                    start,
                    end: start.saturating_add(length),
                };
                match usable {
                    true => self.add(region),
                    false => self.take_out(region),
                }
            }
        }
    }

    /// Adds a region of usable memory.
    fn add(&mut self, region: Region) {
        match self.regions.get_mut(self.count) {
            Some(slot) => {
                *slot = region;
                self.count += 1;
            }
            None => self.left_out += 1,
        }
    }

    /// Takes out what the map says is something else, too: that is what counts, as in Linux's
    /// kernel.
    fn take_out(&mut self, hole: Region) {
        let overlaps = |region: &Region| region.start < hole.end && hole.start < region.end;
        if !self.regions().iter().any(overlaps) {
            return; // as nearly always
        }
        let mut at = 0;
        while let Some(&Region { start, end }) = self.regions().get(at) {
            let parts = [
                Region {
                    start,
                    end: end.min(hole.start),
                },
                Region {
                    start: start.max(hole.end),
                    end,
                },
            ];
            let mut parts = parts.into_iter().filter(|part| part.start < part.end);
            match (parts.next(), self.regions.get_mut(at)) {
                (Some(first), Some(slot)) => {
                    *slot = first;
                    at += 1;
                    // Behind the hole, in which case it is behind all of it.
                    if let Some(second) = parts.next() {
                        self.add(second);
                    }
                }
                _ => {
                    self.count -= 1;
                    self.regions.copy_within(at + 1..=self.count, at);
                }
            }
        }
    }

    /// Reads the command line, up to its NUL.
    fn read_command_line(&mut self, memory: &impl Physical<'a>, address: u64) {
        if address == 0 {
            return;
        }
        let text = memory.at(address, LONGEST);
        let length = text.iter().position(|&byte| byte == 0);
        self.command_line = text.get(..length.unwrap_or(text.len())).unwrap_or_default();
        self.command_line_at = address;
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
fn word32(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..).and_then(|rest| rest.first_chunk());
    word.map_or(0, |word| u32::from_le_bytes(*word))
}

/// The same of eight bytes.
fn word64(bytes: &[u8], at: usize) -> u64 {
    let word = bytes.get(at..).and_then(|rest| rest.first_chunk());
    word.map_or(0, |word| u64::from_le_bytes(*word))
}
