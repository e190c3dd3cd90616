//! What goes through the page tables' entries: what asks of a range what it is, and what takes
//! frames off one. What the boot needs of the tables is in [`paging`](super::paging).

use x86_64::PhysAddr;
use x86_64::structures::paging::page_table::PageTableEntry;
use x86_64::structures::paging::{PageTable, PageTableFlags as Flags};

use super::frames::{Batch, Frames};
use super::paging::{
    BACKED, GUARD, NoFrame, PAGE, RESERVED, TOP, Tables, index, is_table, pointer, span, split,
};

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
    /// There is no memory for a table.
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

impl Tables {
    /// Tells whether a range is nobody's.
    pub(super) fn is_free(&mut self, address: usize, size: usize) -> bool {
        let result = self.walk(address, size, &mut |_, entry, place| {
            if entry.is_unused() {
                Ok(Next::Over)
            } else if is_table(entry, place.level) {
                Ok(Next::Down)
            } else {
                Err(Stop::Enough(0))
            }
        });
        result.is_ok()
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
            if place.whole && is_table(entry, place.level) && !place.seen {
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
            if is_table(entry, place.level) {
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
            if is_table(entry, place.level) {
                return Ok(Next::Down);
            }
            pages += usize::from(entry.flags().contains(Flags::PRESENT));
            Ok(Next::Over)
        });
        pages
    }

    /// Goes through all entries that have a part of a range.
    fn walk(&mut self, address: usize, size: usize, visit: &mut Visit<'_>) -> Result<(), Stop> {
        let (root, offset) = (self.root, self.offset);
        // The last address: what is behind it may be none.
        let last = address + (size - 1);
        visit_table(&mut self.frames, root, offset, TOP, (address, last), visit)
    }
}

impl From<NoFrame> for Stop {
    fn from(_: NoFrame) -> Self {
        Self::NoFrame
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
        let entry = &mut table[index(at, level)];
        let next = visit(frames, entry, place)?;
        if !matches!(next, Next::Over) {
            if !is_table(entry, level) {
                split(frames, entry, level, offset)?;
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
