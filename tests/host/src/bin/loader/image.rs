//! A static program's file, and the way of its segments into memory.

use std::ptr;

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect};

const PAGE: usize = 4096;

/// A static program's file.
pub(crate) struct Image {
    pub(crate) file: Vec<u8>,
}

/// A part of the file that goes to memory.
pub(crate) struct Segment {
    flags: usize,
    offset: usize,
    address: usize,
    file_size: usize,
    size: usize,
}

impl Image {
    /// Reads a number of `SIZE` bytes; 0 behind the end.
    fn number<const SIZE: usize>(&self, offset: usize) -> usize {
        let bytes = self.file.get(offset..offset + SIZE).unwrap_or_default();
        bytes
            .iter()
            .rev()
            .fold(0, |number, &byte| number << 8 | usize::from(byte))
    }

    /// Returns the address of the first instruction.
    pub(crate) fn entry(&self) -> usize {
        self.number::<8>(24)
    }

    /// Returns the program headers, PT_LOAD and others.
    pub(crate) fn segments(&self) -> impl Iterator<Item = (usize, Segment)> {
        let (table, count) = (self.number::<8>(32), self.number::<2>(56));
        (0..count).map(move |index| {
            let at = table + index * 56;
            let segment = Segment {
                flags: self.number::<4>(at + 4),
                offset: self.number::<8>(at + 8),
                address: self.number::<8>(at + 16),
                file_size: self.number::<8>(at + 32),
                size: self.number::<8>(at + 40),
            };
            (self.number::<4>(at), segment)
        })
    }

    /// Returns what is to be mapped.
    fn loaded(&self) -> impl Iterator<Item = Segment> {
        const PT_LOAD: usize = 1;
        self.segments()
            .filter(|(kind, _)| *kind == PT_LOAD)
            .map(|(_, segment)| segment)
    }

    /// Returns where the program headers are in memory.
    pub(crate) fn headers(&self) -> usize {
        let base = self.loaded().find(|segment| segment.offset == 0);
        base.map_or(0, |segment| segment.address + self.number::<8>(32))
    }

    /// Maps the program to its addresses, with some bytes changed: each in the
    /// segments that hold that part of the file.
    pub(crate) fn map(&self, damage: &[(usize, usize)]) -> Result<(), String> {
        for segment in self.loaded() {
            let start = segment.address / PAGE * PAGE;
            let length = (segment.address + segment.size - start).next_multiple_of(PAGE);
            map(start, length)?;
            // SAFETY: mapped for us alone, with room for the whole segment.
            let memory = unsafe {
                std::slice::from_raw_parts_mut(
                    ptr::with_exposed_provenance_mut(segment.address),
                    segment.file_size,
                )
            };
            let bytes = self
                .file
                .get(segment.offset..segment.offset + segment.file_size)
                .ok_or("the file is cut short")?;
            memory.copy_from_slice(bytes);
            for &(offset, value) in damage {
                if let Some(byte) = offset
                    .checked_sub(segment.offset)
                    .and_then(|at| memory.get_mut(at))
                {
                    *byte = value as u8;
                }
            }
            let rights = MprotectFlags::from_bits_truncate(protection(segment.flags));
            // SAFETY: our own mapping, which is not written to any more.
            unsafe { mprotect(ptr::with_exposed_provenance_mut(start), length, rights) }
                .map_err(|error| format!("mprotect: {error}"))?;
        }
        Ok(())
    }
}

/// Turns a segment's flags into a mapping's: the same three bits in another order.
fn protection(flags: usize) -> u32 {
    let bit = |from: usize, to: MprotectFlags| if flags & from != 0 { to.bits() } else { 0 };
    bit(4, MprotectFlags::READ) | bit(2, MprotectFlags::WRITE) | bit(1, MprotectFlags::EXEC)
}

/// Maps zeroed memory at an address, or anywhere if that is 0.
pub(crate) fn map(address: usize, length: usize) -> Result<usize, String> {
    let fixed = if address == 0 {
        MapFlags::empty()
    } else {
        MapFlags::FIXED
    };
    let rights = ProtFlags::READ | ProtFlags::WRITE;
    let place = ptr::with_exposed_provenance_mut(address);
    // SAFETY: a fixed address is one of the program's, far from our own.
    let memory = unsafe { mmap_anonymous(place, length, rights, MapFlags::PRIVATE | fixed) };
    memory
        .map(<*mut _>::expose_provenance)
        .map_err(|error| format!("mmap at {address:#x}: {error}"))
}
