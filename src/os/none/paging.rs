//! The page tables: what each address is, and the memory behind it.
//!
//! They are all that is known of an address range: there is no second list. An entry of a
//! table stands for 4 KiB, 2 MiB or 1 GiB, by the table's level, and is one of
//!
//! | state | bits | |
//! | --- | --- | --- |
//! | free | all 0 | nobody's: a touch is a fault |
//! | reserved | [`RESERVED`] | somebody's: a touch gets a page of zeros |
//! | reserved, backed | and [`BACKED`] | the same, and there is a frame left for it |
//! | guard | [`GUARD`] | somebody's, of the smallest size: a touch is a fault |
//! | a page | present | memory; with [`BACKED`], it came of such an entry |
//! | a table | present | of the level below |
//!
//! So a range costs nothing but its entries until it is touched, guards split nothing, and
//! how many ranges there are is no concern. Where a part of a large entry becomes something
//! else, a table takes its place in which all entries are what that was.
//!
//! ```text
//!   0            the program, at its physical addresses; .bss.large
//!   heap, stacks what `memory` reserves
//!   1 << 47      nothing: no address at all, up to
//!   DIRECT       all memory, at its physical address plus DIRECT
//! ```
//!
//! All of it is behind the lock of `memory`. Tables are reached through the direct map. What
//! gives memory back, or asks, goes through the entries by [`entries`](super::entries).

use core::arch::asm;
use core::{hint, ptr};

use x86_64::PhysAddr;
use x86_64::structures::paging::page_table::PageTableEntry;
use x86_64::structures::paging::{PageTable, PageTableFlags as Flags};

use super::frames::{Batch, Frames};

/// Where all memory is, too.
pub(super) const DIRECT: usize = 0xffff_8000_0000_0000;

/// Bits that the CPU leaves to the system.
pub(super) const BACKED: Flags = Flags::BIT_9;
pub(super) const RESERVED: Flags = Flags::BIT_10;
pub(super) const GUARD: Flags = Flags::BIT_11;

/// Which bit [`Flags::HUGE_PAGE`] is; [`Flags::PRESENT`] is the first.
const HUGE_BIT: u32 = Flags::HUGE_PAGE.bits().trailing_zeros();

/// The size of a page.
pub(super) const PAGE: usize = 4096;

/// As far as the entry's own tables go.
pub(super) const ENTRYS: u64 = 1 << 30;

/// The level of the table that all begins with.
pub(super) const TOP: u32 = 4;

/// What a page of the program's data is.
pub(super) const DATA: Flags = Flags::PRESENT
    .union(Flags::WRITABLE)
    .union(Flags::NO_EXECUTE);

/// There are no more frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoFrame;

/// How a touch of an address ends.
pub(super) enum Touch {
    /// There is a page now.
    Page,
    /// It is a fault.
    Fault,
    /// There is no memory for it.
    NoFrame,
}

/// The tables, and the frames that they are made of.
pub(super) struct Tables {
    /// Where the first table is.
    pub(super) root: u64,
    /// What to add to a physical address: 0 until the tables are in use.
    pub(super) offset: usize,
    pub(super) frames: Frames,
    /// How many entries are backed that have no page yet.
    pub(super) promised: usize,
}

impl Tables {
    /// Makes one without memory.
    pub(super) const fn new() -> Self {
        Self {
            root: 0,
            offset: 0,
            frames: Frames::new(),
            promised: 0,
        }
    }

    /// Makes the first table.
    pub(super) fn init(&mut self) -> Result<(), NoFrame> {
        let offset = self.offset;
        self.root = zeroed(&mut self.frames, offset).ok_or(NoFrame)?;
        Ok(())
    }

    /// Tells how many frames are neither handed out nor promised.
    pub(super) fn unpromised(&self) -> usize {
        self.frames.free().saturating_sub(self.promised)
    }

    /// Maps what is at a physical address, with the largest pages that fit, up to those of a table
    /// of the level `largest`. Pages that are there stay as they are.
    pub(super) fn map(
        &mut self,
        address: usize,
        physical: u64,
        size: usize,
        flags: Flags,
        largest: u32,
    ) -> Result<(), NoFrame> {
        let _ = self.fill(address, size, largest, Flags::empty(), (physical, flags))?;
        Ok(())
    }

    /// Makes a range that is nobody's somebody's. Without memory for that, it stays nobody's.
    pub(super) fn reserve(
        &mut self,
        address: usize,
        size: usize,
        backed: bool,
    ) -> Result<(), NoFrame> {
        let flags = if backed { RESERVED | BACKED } else { RESERVED };
        if self
            .fill(address, size, TOP - 1, Flags::empty(), (0, flags))
            .is_err()
        {
            // As far as it came, and no page of it has been touched.
            let promised = self.promised;
            self.promised += size / PAGE;
            let mut tables = Batch::new();
            let _ = self.release(address, size, &mut tables);
            self.give_back(&tables);
            self.promised = promised;
            return Err(NoFrame);
        }
        if backed {
            self.promised += size / PAGE;
        }
        Ok(())
    }

    /// Makes a guard of a range that was just reserved, and is not backed. False if there is
    /// something else, or no memory for the tables: then a part of it may be one.
    pub(super) fn guard_reserved(&mut self, address: usize, size: usize) -> bool {
        let filled = self.fill(address, size, 1, RESERVED, (0, GUARD));
        filled.is_ok_and(|all| all)
    }

    /// Makes those entries of a range that are `before` something else, as large ones as fit, up
    /// to those of a table of the level `largest`: these flags, and with them, where they say
    /// that it is present, the address, from `physical` on. Tells whether they were all that.
    ///
    /// All that the boot does to the tables is done by this: an emulator translates it once, and
    /// each branch is a piece by itself.
    #[inline(never)]
    fn fill(
        &mut self,
        mut address: usize,
        mut size: usize,
        largest: u32,
        before: Flags,
        (mut physical, flags): (u64, Flags),
    ) -> Result<bool, NoFrame> {
        let present = flags.bits() & 1;
        let mut all = true;
        while size > 0 {
            let bits = address | physical as usize;
            let (table, level) = self.down(address, bits, size, largest).ok_or(NoFrame)?;
            // The next one of the larger ones may be a table.
            let most = if level > 1 { 1 } else { size / PAGE };
            let (_, entries) = table.split_at_mut(index(address, level));
            let count = entries.len().min(most);
            let huge = (present & u64::from(level > 1)) << HUGE_BIT;
            let mut value = physical | flags.bits() | huge;
            for entry in entries.iter_mut().take(count) {
                // Of what is neither mapped nor a table the flags are all that there is.
                let right = *entry == before.bits();
                *entry = if right { value } else { *entry };
                all &= right;
                value += present << shift(level);
                hint::black_box(()); // no vectors: an emulator translates each instruction
            }
            let done = count << shift(level);
            debug_assert!(done <= size, "no whole pages");
            address = address.wrapping_add(done);
            size -= done;
            physical += done as u64 * present;
        }
        Ok(all)
    }

    /// Goes down to the entry of an address, and makes the tables that are missing: returns the
    /// table and its level, which is `largest` at most, and where an entry of it is no more than
    /// `size` bytes and begins where `bits` say. For a `size` of 0 what is free stays so, and all
    /// else goes down to the smallest. None if there is no memory for a table.
    #[inline(never)] // an emulator translates each copy
    fn down(
        &mut self,
        address: usize,
        bits: usize,
        size: usize,
        largest: u32,
    ) -> Option<(&mut [u64; 512], u32)> {
        let mut table = self.root;
        let mut level = hint::black_box(TOP); // one loop, and not a copy for each level
        loop {
            let words = pointer::<[u64; 512]>(table, self.offset);
            if level == 1 {
                // SAFETY: as below.
                return Some((unsafe { &mut *words }, level));
            }
            // SAFETY: a table is a frame that is that alone, and the lock of `memory` is held.
            let entries = unsafe { &mut *words.cast::<PageTable>() };
            let entry = &mut entries[index(address, level)];
            if !is_table(entry, level) {
                let span = span(level);
                let fits = (level <= largest) & (bits & (span - 1) == 0) & (span <= size);
                if fits | (entry.is_unused() & (size == 0)) {
                    // SAFETY: as above.
                    return Some((unsafe { &mut *words }, level));
                }
                split(&mut self.frames, entry, level, self.offset).ok()?;
            }
            table = entry.addr().as_u64();
            level -= 1;
        }
    }

    /// Gives a range memory that was just reserved, in one piece. False if there is no such piece:
    /// then its pages come as they are touched.
    #[inline(never)] // as above
    pub(super) fn populate(&mut self, address: usize, size: usize, backed: bool) -> bool {
        let Some(first) = self.frames.take_run(size / PAGE) else {
            return false;
        };
        // SAFETY: frames of our own, one behind the other.
        unsafe { clear(pointer(first, self.offset), size) };
        let backed = if backed { BACKED } else { Flags::empty() };
        let value = (first, DATA | backed);
        let filled = self.fill(address, size, 1, RESERVED | backed, value);
        self.promised -= if backed.is_empty() { 0 } else { size / PAGE };
        debug_assert!(filled.is_ok_and(|all| all), "no reserved range");
        true
    }

    /// Gives the page of an address memory, if the address is somebody's.
    pub(super) fn touch(&mut self, address: usize) -> Touch {
        let offset = self.offset;
        let Some((table, level)) = self.down(address, 0, 0, 0) else {
            return Touch::NoFrame;
        };
        let entry = ptr::from_mut(&mut table[index(address, level)]).cast::<PageTableEntry>();
        // SAFETY: the tables' own, behind the lock, as in `down`.
        let flags = unsafe { &*entry }.flags();
        if flags.contains(Flags::PRESENT) {
            return Touch::Page; // another CPU was there first
        }
        if !flags.contains(RESERVED) {
            return Touch::Fault;
        }
        let Some(frame) = zeroed(&mut self.frames, offset) else {
            return Touch::NoFrame;
        };
        let backed = flags & BACKED;
        // SAFETY: as above.
        unsafe { &mut *entry }.set_addr(PhysAddr::new_truncate(frame), DATA | backed);
        self.promised -= usize::from(!backed.is_empty());
        Touch::Page
    }

    /// Takes frames back that no CPU knows any more.
    pub(super) fn give_back(&mut self, batch: &Batch) {
        for &frame in batch.frames.get(..batch.count).unwrap_or_default() {
            let offset = self.offset;
            self.frames.give(frame, |frame, word| {
                // SAFETY: a frame that nobody has, in the direct map.
                unsafe { pointer::<u64>(frame, offset).write(word) };
            });
        }
    }
}

/// Puts a table of the level below in an entry's place, all entries of which are what that is.
#[inline(never)] // an emulator translates each copy
pub(super) fn split(
    frames: &mut Frames,
    entry: &mut PageTableEntry,
    level: u32,
    offset: usize,
) -> Result<(), NoFrame> {
    let frame = zeroed(frames, offset).ok_or(NoFrame)?;
    if !entry.is_unused() {
        let (mut flags, mut physical) = (entry.flags(), entry.addr());
        let mut step = 0;
        if flags.contains(Flags::PRESENT) {
            flags.set(Flags::HUGE_PAGE, level > 2);
            step = span(level - 1) as u64;
        }
        // SAFETY: a frame of our own, zeros: 512 entries that are free.
        let table = unsafe { &mut *pointer::<PageTable>(frame, offset) };
        for part in table.iter_mut() {
            part.set_addr(physical, flags);
            physical += step;
        }
    }
    entry.set_addr(
        PhysAddr::new_truncate(frame),
        Flags::PRESENT | Flags::WRITABLE,
    );
    Ok(())
}

/// By how many bits an address goes on from one entry of a table of that level to the next.
fn shift(level: u32) -> u32 {
    3 + 9 * level
}

/// How many bytes an entry of a table of that level stands for.
pub(super) fn span(level: u32) -> usize {
    1 << shift(level)
}

/// Which entry of a table of that level an address has.
pub(super) fn index(address: usize, level: u32) -> usize {
    address >> shift(level) & 511
}

/// Tells whether an entry of a table of that level leads to a table.
pub(super) fn is_table(entry: &PageTableEntry, level: u32) -> bool {
    let kind = entry.flags() & (Flags::PRESENT | Flags::HUGE_PAGE);
    level > 1 && kind == Flags::PRESENT
}

/// Takes a frame and fills it with zeros.
#[inline(never)] // an emulator translates each copy
fn zeroed(frames: &mut Frames, offset: usize) -> Option<u64> {
    // SAFETY: a frame that came back, in which `give` has put a word.
    let frame = frames.take(|frame| unsafe { pointer::<u64>(frame, offset).read() })?;
    if frame > (ENTRYS - 1) | offset as u64 {
        return None; // nobody can get there yet
    }
    // SAFETY: it is ours now.
    unsafe { clear(pointer(frame, offset), PAGE) };
    Some(frame)
}

/// Fills whole pages with zeros, eight bytes at a time: to an emulator each step of such an
/// instruction is one of its own, and the bytes that memset would have it store are 4096.
///
/// # Safety
///
/// The pages must be the caller's.
unsafe fn clear(page: *mut u64, size: usize) {
    // SAFETY: the caller's promise; the direction flag is clear in all of Rust.
    unsafe {
        asm!(
            "rep stosq",
            inout("rcx") size / size_of::<u64>() => _,
            inout("rdi") page => _,
            in("rax") 0,
            options(nostack, preserves_flags),
        );
    }
}

/// Returns where a frame is.
pub(super) fn pointer<T>(frame: u64, offset: usize) -> *mut T {
    ptr::with_exposed_provenance_mut(frame as usize + offset)
}
