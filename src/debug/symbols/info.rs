//! Which functions have been inlined around an address.
//!
//! Go's counterpart: `newInlineUnwinder` in `runtime/symtabinl.go`.

use gimli::constants as c;
use gimli::{EndianSlice, LittleEndian, Reader as _};

use super::dwarf::{Abbrevs, Entry, Unit};
use super::image::Sections;
use super::lines::Lines;
use super::names::Bytes;

/// How many functions deep inlining is followed.
pub(crate) const DEEPEST: usize = 32;

/// How many steps an entry may refer to others.
const HOPS: usize = 4;

/// A copy of a function inside of another.
#[derive(Clone, Copy, Default)]
pub(super) struct Inlined {
    /// The function's name, as the linker would have it.
    pub(super) name: Bytes,
    /// Where it was called.
    pub(super) call_file: u64,
    pub(super) call_line: u64,
}

/// Finds the unit that an address's code is from.
pub(super) fn unit_of(sections: &Sections, abbrevs: &mut Abbrevs, pc: u64) -> Option<Unit> {
    let start = by_aranges(sections, pc);
    if let Some(unit) = start.and_then(|start| Unit::head(sections, start)) {
        return Some(unit.open(sections, abbrevs)?.0);
    }
    // Not all compilers write that table.
    let mut start = 0;
    while start < sections.debug_info.len() {
        let head = Unit::head(sections, start)?;
        if let Some((unit, root)) = head.open(sections, abbrevs)
            && unit.covers(sections, &root, pc)
        {
            return Some(unit);
        }
        start = head.end;
    }
    None
}

/// The same by the table of all ranges: a head for each unit, then pairs of words, an
/// address and a length, at multiples of 16 bytes.
fn by_aranges(sections: &Sections, pc: u64) -> Option<usize> {
    const PAIR: usize = 16;
    let mut rest = sections.debug_aranges;
    loop {
        let mut head = EndianSlice::new(rest, LittleEndian);
        let (length, format) = head.read_initial_length().ok()?;
        let end = (rest.len() - head.len()).checked_add(length)?;
        head.read_u16().ok()?; // the version: there is but one
        let unit = head.read_length(format).ok()?;
        let address_size = head.read_u8().ok()?;
        head.read_u8().ok()?; // segments: none
        let start = (rest.len() - head.len()).next_multiple_of(PAIR);
        let (pairs, _) = rest.get(start..end)?.as_chunks::<PAIR>();
        let covers = |pair: &[u8; PAIR]| {
            let (address, length) = pair.split_at(PAIR / 2);
            let word = |bytes: &[u8]| {
                bytes
                    .first_chunk()
                    .map_or(0, |word| u64::from_le_bytes(*word))
            };
            pc.wrapping_sub(word(address)) < word(length)
        };
        if address_size == 8 && pairs.iter().any(covers) {
            return Some(unit);
        }
        rest = rest.get(end..)?;
    }
}

/// Finds what was inlined where `pc` is, the innermost last; returns how many there are.
/// None if there is no function.
pub(super) fn inlined(
    sections: &Sections,
    abbrevs: &mut Abbrevs,
    unit: &Unit,
    pc: u64,
    found: &mut [Inlined; DEEPEST],
) -> Option<usize> {
    let mut cursor = unit.cursor(sections)?;
    let mut depth = 0usize;
    let mut count = 0;
    // How deep the function is in which we are, and the origins of what is in there.
    let mut function: Option<usize> = None;
    let mut origins = [0usize; DEEPEST];
    while let Some(entry) = unit.entry(sections, abbrevs, &mut cursor) {
        if entry.tag == c::DW_TAG_null {
            depth = depth.saturating_sub(1);
            if function.is_some_and(|function| depth <= function) {
                break;
            }
            if depth == 0 {
                break;
            }
            continue;
        }
        if entry.tag == c::DW_TAG_subprogram && unit.covers(sections, &entry, pc) {
            function = Some(depth);
            count = 0;
        } else if entry.tag == c::DW_TAG_inlined_subroutine
            && function.is_some()
            && unit.covers(sections, &entry, pc)
            && let (Some(slot), Some(origin)) = (found.get_mut(count), origins.get_mut(count))
        {
            *slot = Inlined {
                name: &[],
                call_file: entry.call_file,
                call_line: entry.call_line,
            };
            *origin = entry.origin.unwrap_or(0);
            count += 1;
        }
        if entry.has_children {
            depth += 1;
        } else if function == Some(depth) {
            break; // it has nothing in it
        }
    }
    function?;
    for (slot, &origin) in found.iter_mut().zip(&origins).take(count) {
        slot.name = name_of(sections, abbrevs, unit, origin).unwrap_or(b"?");
    }
    Some(count)
}

/// Finds the name of the function that an entry, at that offset of `.debug_info`, is of.
fn name_of(sections: &Sections, abbrevs: &mut Abbrevs, unit: &Unit, at: usize) -> Option<Bytes> {
    let mut at = at;
    let mut plain = None;
    for _ in 0..HOPS {
        let mut other = *unit;
        if !(unit.start..unit.end).contains(&at) {
            other = unit_around(sections, at)?.open(sections, abbrevs)?.0;
        }
        let entry = entry_at(sections, abbrevs, &other, at)?;
        if let Some(name) = other.linkage_name(sections, &entry) {
            return Some(name);
        }
        plain = plain.or_else(|| other.plain_name(sections, &entry));
        match entry.origin {
            Some(origin) => at = origin,
            None => break,
        }
    }
    plain
}

/// Reads the entry at an offset of `.debug_info`.
fn entry_at(sections: &Sections, abbrevs: &mut Abbrevs, unit: &Unit, at: usize) -> Option<Entry> {
    let mut cursor = super::dwarf::at(sections.debug_info, at)?;
    unit.entry(sections, abbrevs, &mut cursor)
}

/// Finds the unit that an offset of `.debug_info` is in.
fn unit_around(sections: &Sections, at: usize) -> Option<Unit> {
    let mut start = 0;
    while start < sections.debug_info.len() {
        let unit = Unit::head(sections, start)?;
        if (unit.start..unit.end).contains(&at) {
            return Some(unit);
        }
        start = unit.end;
    }
    None
}

/// Finds an instruction of a place in a file, whose name the compiler may have shortened: the
/// other way round than all else here, and a walk through all line programs. Where none is
/// of that column, one of the line will do: but a closure on it is another function.
pub(super) fn instruction_of(
    sections: &Sections,
    abbrevs: &mut Abbrevs,
    name: &[u8],
    (line, column): (u64, u64),
) -> Option<u64> {
    let mut of_line = None;
    let mut start = 0;
    while start < sections.debug_info.len() {
        let head = Unit::head(sections, start)?;
        start = head.end;
        let unit = head.open(sections, abbrevs).map(|(unit, _)| unit);
        let Some(lines) = unit.and_then(|unit| Lines::of(sections, &unit)) else {
            continue;
        };
        if !lines.may_name(name) {
            continue;
        }
        let mut found = None;
        lines.run(&mut |row, _| {
            // What the linker has dropped is at 0.
            let here = row.line == line
                && row.address != 0
                && lines
                    .file(sections, row.file)
                    .is_some_and(|file| file.ends_with(name));
            if here {
                of_line = of_line.or(Some(row.address));
                found = (row.column == column).then_some(row.address);
            }
            found.is_none()
        });
        if found.is_some() {
            return found;
        }
    }
    of_line
}
