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
//! All of it is behind the lock of `memory`. Tables are reached through the direct map.

use core::arch::asm;

use x86_64::PhysAddr;
use x86_64::structures::paging::page_table::PageTableEntry;
use x86_64::structures::paging::{PageTable, PageTableFlags as Flags};

use super::frames::{Batch, Frames};

/// Where all memory is, too.
pub(super) const DIRECT: usize = 0xffff_8000_0000_0000;

/// Bits that the CPU leaves to the system.
pub(super) const BACKED: Flags = Flags::BIT_9;
const RESERVED: Flags = Flags::BIT_10;
const GUARD: Flags = Flags::BIT_11;

/// The size of a page.
pub(super) const PAGE: usize = 4096;

/// As far as the entry's own tables go.
pub(super) const ENTRYS: u64 = 1 << 30;

/// The level of the table that all begins with.
const TOP: u32 = 4;

/// What a page of the program's data is.
pub(super) const DATA: Flags = Flags::PRESENT
    .union(Flags::WRITABLE)
    .union(Flags::NO_EXECUTE);

/// There are no more frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoFrame;

/// What to do about an entry.
enum Next {
    /// It is done.
    Over,
    /// Look at each of its parts.
    Down,
    /// The same, and then take the table off: nothing is left in it.
    DownAndOff,
}

/// How a walk ends early.
enum Stop {
    NoFrame,
    /// What was looked for is known, or there is no room to note more.
    Enough(usize),
}

/// What looks at entries: at each that has a part of the range, with its level, its first
/// address, and whether all of it is in the range.
type Visit<'a> = dyn FnMut(&mut Frames, &mut PageTableEntry, Place) -> Result<Next, Stop> + 'a;

/// Which entry it is.
#[derive(Clone, Copy)]
struct Place {
    level: u32,
    address: usize,
    whole: bool,
    /// All its parts have been looked at.
    seen: bool,
}

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
    promised: usize,
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

    /// Maps what is at a physical address, with the largest pages that fit; a page of
    /// 1 GiB only where `giant` says that the CPU has those. Pages that are there stay as they
    /// are.
    #[inline(never)] // an emulator translates each copy: at boot that is what takes time
    pub(super) fn map(
        &mut self,
        address: usize,
        physical: u64,
        size: usize,
        flags: Flags,
        giant: bool,
    ) -> Result<(), NoFrame> {
        let largest = if giant { 3 } else { 2 };
        let result = self.walk(address, size, &mut |_, entry, place| {
            if is_page(entry, place) {
                return Ok(Next::Over);
            }
            if place.whole && place.level <= largest {
                let physical = physical + (place.address - address) as u64;
                if physical.is_multiple_of(span(place.level) as u64) {
                    let huge = place.level > 1;
                    let size = if huge {
                        Flags::HUGE_PAGE
                    } else {
                        Flags::empty()
                    };
                    entry.set_addr(PhysAddr::new_truncate(physical), flags | size);
                    return Ok(Next::Over);
                }
            }
            Ok(Next::Down)
        });
        result.map_err(|_| NoFrame)
    }

    /// Tells whether a range is nobody's.
    pub(super) fn is_free(&mut self, address: usize, size: usize) -> bool {
        let result = self.walk(address, size, &mut |_, entry, place| {
            if entry.is_unused() {
                Ok(Next::Over)
            } else if is_table(entry, place) {
                Ok(Next::Down)
            } else {
                Err(Stop::Enough(0))
            }
        });
        result.is_ok()
    }

    /// Makes a range that is nobody's somebody's. Without memory for that, it stays nobody's.
    pub(super) fn reserve(
        &mut self,
        address: usize,
        size: usize,
        backed: bool,
    ) -> Result<(), NoFrame> {
        let flags = if backed { RESERVED | BACKED } else { RESERVED };
        let result = self.mark(address, size, (Flags::empty(), flags), TOP - 1);
        match result {
            Ok(()) if backed => self.promised += size / PAGE,
            Ok(()) => {}
            Err(_) => {
                // As far as it came, and no page of it has been touched.
                let promised = self.promised;
                self.promised += size / PAGE;
                let mut tables = Batch::new();
                let _ = self.release(address, size, &mut tables);
                self.give_back(&tables);
                self.promised = promised;
                return Err(NoFrame);
            }
        }
        Ok(())
    }

    /// Makes a guard of a range that was just reserved. False if there is something else, or no
    /// memory for the tables: then a part of it may be one.
    pub(super) fn guard_reserved(&mut self, address: usize, size: usize) -> bool {
        self.mark(address, size, (RESERVED, GUARD), 1).is_ok()
    }

    /// Makes the entries of a range something else, those of tables of `largest` and below.
    /// Ends where one is not what it is to be before, nor can be taken apart.
    fn mark(
        &mut self,
        address: usize,
        size: usize,
        (before, behind): (Flags, Flags),
        largest: u32,
    ) -> Result<(), Stop> {
        self.walk(address, size, &mut |_, entry, place| {
            if place.whole && place.level <= largest && entry.flags() == before {
                entry.set_flags(behind);
                Ok(Next::Over)
            } else if place.level == 1 {
                Err(Stop::Enough(place.address))
            } else {
                Ok(Next::Down)
            }
        })
    }

    /// Makes a range nobody's, as far as the batch has room for its frames: returns where to
    /// go on.
    pub(super) fn release(
        &mut self,
        address: usize,
        size: usize,
        batch: &mut Batch,
    ) -> Result<Option<usize>, NoFrame> {
        let mut kept = 0;
        let result = self.walk(address, size, &mut |_, entry, place| {
            if entry.is_unused() {
                return Ok(Next::Over);
            }
            if place.whole && is_table(entry, place) && !place.seen {
                return Ok(Next::DownAndOff);
            }
            if !place.whole {
                return Ok(Next::Down);
            }
            take_off(entry, place, batch)?;
            if entry.flags() == RESERVED | BACKED {
                kept += span(place.level) / PAGE;
            }
            entry.set_unused();
            Ok(Next::Over)
        });
        self.promised -= kept;
        on(result)
    }

    /// Makes a range of somebody's a guard, as far as the batch has room for its frames:
    /// returns where to go on.
    pub(super) fn guard(
        &mut self,
        address: usize,
        size: usize,
        batch: &mut Batch,
    ) -> Result<Option<usize>, NoFrame> {
        let mut kept = 0;
        let result = self.walk(address, size, &mut |_, entry, place| {
            if entry.is_unused() {
                return Ok(Next::Over);
            }
            if place.level > 1 {
                return Ok(Next::Down);
            }
            take_off(entry, place, batch)?;
            kept += usize::from(entry.flags() == RESERVED | BACKED);
            entry.set_flags(GUARD);
            Ok(Next::Over)
        });
        self.promised -= kept;
        on(result)
    }

    /// Takes the memory of a range off, as far as the batch has room for it: returns where
    /// to go on. A touch gets a page of zeros.
    pub(super) fn discard(
        &mut self,
        address: usize,
        size: usize,
        batch: &mut Batch,
    ) -> Result<Option<usize>, NoFrame> {
        let mut kept = 0;
        let result = self.walk(address, size, &mut |_, entry, place| {
            if is_table(entry, place) {
                return Ok(Next::Down);
            }
            if entry.flags().contains(Flags::PRESENT) {
                let backed = entry.flags() & BACKED;
                take_off(entry, place, batch)?;
                entry.set_addr(PhysAddr::zero(), RESERVED | backed);
                kept += usize::from(!backed.is_empty());
            }
            Ok(Next::Over)
        });
        self.promised += kept;
        on(result)
    }

    /// Counts the pages of a range that have memory.
    pub(super) fn resident(&mut self, address: usize, size: usize) -> usize {
        let mut pages = 0;
        let _ = self.walk(address, size, &mut |_, entry, place| {
            if is_table(entry, place) {
                return Ok(Next::Down);
            }
            pages += usize::from(entry.flags().contains(Flags::PRESENT));
            Ok(Next::Over)
        });
        pages
    }

    /// Gives the page of an address memory, if the address is somebody's.
    pub(super) fn touch(&mut self, address: usize) -> Touch {
        let offset = self.offset;
        let mut touch = Touch::Fault;
        let mut kept = 0;
        let result = self.walk(address & !(PAGE - 1), PAGE, &mut |frames, entry, place| {
            let flags = entry.flags();
            if place.level > 1 && (is_table(entry, place) || flags.contains(RESERVED)) {
                return Ok(Next::Down);
            }
            if flags.contains(Flags::PRESENT) {
                touch = Touch::Page; // another CPU was there first
            } else if flags.contains(RESERVED) {
                let frame = zeroed(frames, offset).ok_or(Stop::NoFrame)?;
                let backed = flags & BACKED;
                entry.set_addr(PhysAddr::new_truncate(frame), DATA | backed);
                kept = usize::from(!backed.is_empty());
                touch = Touch::Page;
            }
            Ok(Next::Over)
        });
        self.promised -= kept;
        match result {
            Err(Stop::NoFrame) => Touch::NoFrame,
            _ => touch,
        }
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

    /// Goes through all entries that have a part of a range.
    fn walk(&mut self, address: usize, size: usize, visit: &mut Visit<'_>) -> Result<(), Stop> {
        let (root, offset) = (self.root, self.offset);
        // The last address: what is behind it may be none.
        let last = address + (size - 1);
        visit_table(&mut self.frames, root, offset, TOP, (address, last), visit)
    }
}

/// Goes through a table's entries that have a part of a range.
fn visit_table(
    frames: &mut Frames,
    table: u64,
    offset: usize,
    level: u32,
    (first, last): (usize, usize),
    visit: &mut Visit<'_>,
) -> Result<(), Stop> {
    let span = span(level);
    // SAFETY: a table is a frame that is that alone, and the lock of `memory` is held.
    let table = unsafe { &mut *pointer::<PageTable>(table, offset) };
    let mut at = first;
    loop {
        let start = at & !(span - 1);
        let end = start + (span - 1);
        let place = Place {
            level,
            address: start,
            whole: first <= start && end <= last,
            seen: false,
        };
        let entry = &mut table[at / span % 512];
        let next = visit(frames, entry, place)?;
        if !matches!(next, Next::Over) {
            if !is_table(entry, place) {
                split(frames, entry, offset)?;
            }
            let below = entry.addr().as_u64();
            let part = (at, end.min(last));
            visit_table(frames, below, offset, level - 1, part, visit)?;
        }
        if let Next::DownAndOff = next {
            visit(
                frames,
                entry,
                Place {
                    seen: true,
                    ..place
                },
            )?;
        }
        if end >= last {
            return Ok(());
        }
        at = end + 1;
    }
}

/// Puts a table in an entry's place, all entries of which are what that is.
fn split(frames: &mut Frames, entry: &mut PageTableEntry, offset: usize) -> Result<(), Stop> {
    let frame = zeroed(frames, offset).ok_or(Stop::NoFrame)?;
    // SAFETY: a frame of our own, zeros: 512 entries that are free.
    let table = unsafe { &mut *pointer::<PageTable>(frame, offset) };
    let flags = entry.flags();
    if !flags.is_empty() {
        table.iter_mut().for_each(|part| part.set_flags(flags));
    }
    entry.set_addr(
        PhysAddr::new_truncate(frame),
        Flags::PRESENT | Flags::WRITABLE,
    );
    Ok(())
}

/// Takes the page off an entry that has one, if the batch has room for it. What the entry
/// is then is up to the caller.
fn take_off(entry: &mut PageTableEntry, place: Place, batch: &mut Batch) -> Result<(), Stop> {
    if entry.flags().contains(Flags::PRESENT) {
        if !batch.add(entry.addr().as_u64()) {
            return Err(Stop::Enough(place.address));
        }
        entry.set_unused();
    }
    Ok(())
}

/// Says where to go on.
fn on(result: Result<(), Stop>) -> Result<Option<usize>, NoFrame> {
    match result {
        Ok(()) => Ok(None),
        Err(Stop::Enough(address)) => Ok(Some(address)),
        Err(Stop::NoFrame) => Err(NoFrame),
    }
}

/// How many bytes an entry of a table of that level stands for.
fn span(level: u32) -> usize {
    PAGE << (9 * (level - 1))
}

/// Tells whether an entry leads to a table.
fn is_table(entry: &PageTableEntry, place: Place) -> bool {
    place.level > 1
        && entry.flags().contains(Flags::PRESENT)
        && !entry.flags().contains(Flags::HUGE_PAGE)
}

/// Tells whether an entry is a page, of any size.
fn is_page(entry: &PageTableEntry, place: Place) -> bool {
    entry.flags().contains(Flags::PRESENT) && !is_table(entry, place)
}

/// Takes a frame and fills it with zeros.
#[inline(never)] // an emulator translates each copy
fn zeroed(frames: &mut Frames, offset: usize) -> Option<u64> {
    // SAFETY: a frame that came back, in which `give` has put a word.
    let frame = frames.take(|frame| unsafe { pointer::<u64>(frame, offset).read() })?;
    if offset == 0 && frame >= ENTRYS {
        return None;
    }
    // SAFETY: it is ours now.
    unsafe { clear(pointer(frame, offset)) };
    Some(frame)
}

/// Fills a page with zeros, eight bytes at a time: to an emulator each step of such an
/// instruction is one of its own, and the bytes that memset would have it store are 4096.
///
/// # Safety
///
/// The page must be the caller's.
unsafe fn clear(page: *mut u64) {
    // SAFETY: the caller's promise; the direction flag is clear in all of Rust.
    unsafe {
        asm!(
            "rep stosq",
            inout("rcx") PAGE / size_of::<u64>() => _,
            inout("rdi") page => _,
            in("rax") 0,
            options(nostack, preserves_flags),
        );
    }
}

/// Returns where a frame is.
fn pointer<T>(frame: u64, offset: usize) -> *mut T {
    core::ptr::with_exposed_provenance_mut(frame as usize + offset)
}
