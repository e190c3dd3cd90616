//! DWARF's units and entries, read where they lie: nothing is allocated.
//!
//! gimli reads units and lines only where there is a heap, which whoever is dying must
//! not use. Its constants, its numbers, its lists of ranges and its call frames do
//! without one; the two tables between are here and in [`super::lines`].
//! Versions 2 to 5, of 64-bit programs.

use gimli::constants as c;
use gimli::{
    DebugAddr, DebugAddrBase, DebugRanges, DebugRngLists, Encoding, EndianSlice, Format,
    LittleEndian, RangeLists, RangeListsOffset, Reader as _,
};

use super::image::Sections;
use super::names::Bytes;

/// Bytes that are being read.
pub(super) type Cursor = EndianSlice<'static, LittleEndian>;

/// Begins to read a section at an offset.
pub(super) fn at(section: Bytes, offset: usize) -> Option<Cursor> {
    Some(EndianSlice::new(section.get(offset..)?, LittleEndian))
}

/// Reads a string of a section.
pub(super) fn text(section: Bytes, offset: usize) -> Option<Bytes> {
    let text = at(section, offset)?.read_null_terminated_slice().ok()?;
    Some(text.slice())
}

/// A compilation unit.
#[derive(Clone, Copy, Default)]
pub(super) struct Unit {
    /// Where it lies in `.debug_info`.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Where its entries begin.
    entries: usize,
    pub(super) version: u16,
    /// Offsets have eight bytes, not four.
    wide: bool,
    pub(super) abbrevs: usize,
    str_offsets_base: usize,
    addr_base: usize,
    rnglists_base: usize,
    low_pc: u64,
    /// Where its line program is.
    pub(super) lines: Option<usize>,
    pub(super) comp_dir: Bytes,
}

/// What an attribute says.
#[derive(Clone, Copy)]
enum Value {
    Nothing,
    /// A number, or an offset in some section.
    Number(u64),
    Address(u64),
    AddressIndex(u64),
    Text(Bytes),
    /// The same, by its offset in `.debug_str` or `.debug_line_str`.
    TextAt(usize),
    LineTextAt(usize),
    TextIndex(u64),
    /// An offset in `.debug_info`.
    Reference(usize),
    RangesIndex(u64),
}

/// An entry, with those attributes that are of use.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) tag: c::DwTag,
    pub(super) has_children: bool,
    low_pc: Value,
    high_pc: Value,
    ranges: Value,
    /// What it is a copy of.
    pub(super) origin: Option<usize>,
    linkage_name: Value,
    name: Value,
    pub(super) call_file: u64,
    pub(super) call_line: u64,
    lines: Value,
    comp_dir: Value,
    str_offsets_base: Value,
    addr_base: Value,
    rnglists_base: Value,
}

impl Entry {
    const fn new() -> Self {
        Self {
            tag: c::DW_TAG_null,
            has_children: false,
            low_pc: Value::Nothing,
            high_pc: Value::Nothing,
            ranges: Value::Nothing,
            origin: None,
            linkage_name: Value::Nothing,
            name: Value::Nothing,
            call_file: 0,
            call_line: 0,
            lines: Value::Nothing,
            comp_dir: Value::Nothing,
            str_offsets_base: Value::Nothing,
            addr_base: Value::Nothing,
            rnglists_base: Value::Nothing,
        }
    }
}

/// Where the abbreviations of one unit are, by their numbers: so that they need not be
/// looked for with each entry.
pub(super) struct Abbrevs {
    /// The table's offset and one: 0 is none.
    table: usize,
    offsets: [u32; 4096],
}

impl Abbrevs {
    /// Finds an abbreviation: its place in `.debug_abbrev`, behind its number.
    fn find(&mut self, sections: &Sections, table: usize, code: u64) -> Option<Cursor> {
        let mut cursor = if self.table == table + 1 {
            at(sections.debug_abbrev, table)?
        } else {
            self.read(sections, table)?
        };
        if let Some(&offset) = self.offsets.get(usize::try_from(code).ok()?) {
            return at(
                sections.debug_abbrev,
                usize::try_from(offset).ok()?.checked_sub(1)?,
            );
        }
        // Far more than any compiler has: one by one.
        loop {
            let found = cursor.read_uleb128().ok()?;
            if found == 0 {
                return None;
            }
            if found == code {
                return Some(cursor);
            }
            skip_abbrev(&mut cursor)?;
        }
    }

    /// Notes where each abbreviation of a table is.
    fn read(&mut self, sections: &Sections, table: usize) -> Option<Cursor> {
        self.table = 0;
        self.offsets.fill(0);
        let start = at(sections.debug_abbrev, table)?;
        let mut cursor = start;
        loop {
            let code = cursor.read_uleb128().ok()?;
            if code == 0 {
                break;
            }
            let offset = sections.debug_abbrev.len() - cursor.len() + 1;
            if let Some(slot) = self.offsets.get_mut(usize::try_from(code).ok()?) {
                *slot = u32::try_from(offset).ok()?;
            }
            skip_abbrev(&mut cursor)?;
        }
        self.table = table + 1;
        Some(start)
    }
}

/// Goes to the end of an abbreviation.
fn skip_abbrev(cursor: &mut Cursor) -> Option<()> {
    cursor.read_uleb128().ok()?;
    cursor.read_u8().ok()?;
    while attribute(cursor)?.0 != c::DwAt(0) {}
    Some(())
}

/// Reads an attribute's name, its form, and its value if that stands here.
fn attribute(cursor: &mut Cursor) -> Option<(c::DwAt, c::DwForm, i64)> {
    let name = c::DwAt(cursor.read_uleb128_u16().ok()?);
    let form = c::DwForm(cursor.read_uleb128_u16().ok()?);
    let implicit = match form {
        c::DW_FORM_implicit_const => cursor.read_sleb128().ok()?,
        _ => 0,
    };
    Some((name, form, implicit))
}

impl Unit {
    /// Reads the head of the unit at an offset of `.debug_info`.
    pub(super) fn head(sections: &Sections, start: usize) -> Option<Self> {
        let mut cursor = at(sections.debug_info, start)?;
        let (length, format) = cursor.read_initial_length().ok()?;
        let mut unit = Self {
            start,
            end: (sections.debug_info.len() - cursor.len()).checked_add(length)?,
            wide: format == Format::Dwarf64,
            version: cursor.read_u16().ok()?,
            ..Self::default()
        };
        let kind = match unit.version {
            2..=4 => {
                unit.abbrevs = unit.offset(&mut cursor)?;
                cursor.read_u8().ok()?;
                c::DW_UT_compile
            }
            5 => {
                let kind = c::DwUt(cursor.read_u8().ok()?);
                cursor.read_u8().ok()?;
                unit.abbrevs = unit.offset(&mut cursor)?;
                kind
            }
            _ => c::DwUt(0),
        };
        if kind == c::DW_UT_compile || kind == c::DW_UT_partial {
            unit.entries = sections.debug_info.len() - cursor.len();
        }
        Some(unit)
    }

    /// Reads the rest of what all entries need: what the first of them says. None if
    /// it has none that we know.
    pub(super) fn open(
        mut self,
        sections: &Sections,
        abbrevs: &mut Abbrevs,
    ) -> Option<(Self, Entry)> {
        let root = self.entry(sections, abbrevs, &mut self.cursor(sections)?)?;
        let number = |value| match value {
            Value::Number(number) => usize::try_from(number).ok(),
            _ => None,
        };
        self.str_offsets_base = number(root.str_offsets_base).unwrap_or(0);
        self.addr_base = number(root.addr_base).unwrap_or(0);
        self.rnglists_base = number(root.rnglists_base).unwrap_or(0);
        self.lines = number(root.lines);
        self.low_pc = self.address(sections, root.low_pc).unwrap_or(0);
        self.comp_dir = self.text(sections, root.comp_dir).unwrap_or_default();
        Some((self, root))
    }

    /// Begins to read its entries.
    pub(super) fn cursor(&self, sections: &Sections) -> Option<Cursor> {
        if self.entries == 0 {
            return None;
        }
        let entries = sections.debug_info.get(self.entries..self.end)?;
        Some(EndianSlice::new(entries, LittleEndian))
    }

    /// Reads an entry; one with the tag 0 ends a list of children.
    pub(super) fn entry(
        &self,
        sections: &Sections,
        abbrevs: &mut Abbrevs,
        cursor: &mut Cursor,
    ) -> Option<Entry> {
        let mut entry = Entry::new();
        let code = cursor.read_uleb128().ok()?;
        if code == 0 {
            return Some(entry);
        }
        let mut abbrev = abbrevs.find(sections, self.abbrevs, code)?;
        entry.tag = c::DwTag(abbrev.read_uleb128_u16().ok()?);
        entry.has_children = abbrev.read_u8().ok()? != 0;
        loop {
            let (name, form, implicit) = attribute(&mut abbrev)?;
            if name == c::DwAt(0) {
                return Some(entry);
            }
            let value = self.value(sections, cursor, form, implicit)?;
            match name {
                c::DW_AT_low_pc => entry.low_pc = value,
                c::DW_AT_high_pc => entry.high_pc = value,
                c::DW_AT_ranges => entry.ranges = value,
                c::DW_AT_abstract_origin | c::DW_AT_specification => {
                    if let Value::Reference(to) = value {
                        entry.origin = Some(to);
                    }
                }
                c::DW_AT_linkage_name | c::DW_AT_MIPS_linkage_name => entry.linkage_name = value,
                c::DW_AT_name => entry.name = value,
                c::DW_AT_call_file | c::DW_AT_call_line => {
                    if let Value::Number(number) = value {
                        match name {
                            c::DW_AT_call_file => entry.call_file = number,
                            _ => entry.call_line = number,
                        }
                    }
                }
                c::DW_AT_stmt_list => entry.lines = value,
                c::DW_AT_comp_dir => entry.comp_dir = value,
                c::DW_AT_str_offsets_base => entry.str_offsets_base = value,
                c::DW_AT_addr_base | c::DW_AT_GNU_addr_base => entry.addr_base = value,
                c::DW_AT_rnglists_base => entry.rnglists_base = value,
                _ => {}
            }
        }
    }

    /// Reads the linker's name of what an entry is about.
    pub(super) fn linkage_name(&self, sections: &Sections, entry: &Entry) -> Option<Bytes> {
        self.text(sections, entry.linkage_name)
    }

    /// Reads the plain name of it.
    pub(super) fn plain_name(&self, sections: &Sections, entry: &Entry) -> Option<Bytes> {
        self.text(sections, entry.name)
    }

    /// Tells whether an entry is about the instruction at `pc`.
    pub(super) fn covers(&self, sections: &Sections, entry: &Entry, pc: u64) -> bool {
        if let Some(low) = self.address(sections, entry.low_pc)
            && let Some(high) = match entry.high_pc {
                Value::Number(size) => low.checked_add(size),
                other => self.address(sections, other),
            }
        {
            return (low..high).contains(&pc);
        }
        self.ranges_cover(sections, entry, pc).unwrap_or(false)
    }

    /// The same of one with a list of ranges.
    fn ranges_cover(&self, sections: &Sections, entry: &Entry, pc: u64) -> Option<bool> {
        let lists = RangeLists::new(
            DebugRanges::new(sections.debug_ranges, LittleEndian),
            DebugRngLists::new(sections.debug_rnglists, LittleEndian),
        );
        let offset = match entry.ranges {
            Value::Number(offset) => usize::try_from(offset).ok()?,
            Value::RangesIndex(index) => {
                let size = if self.wide { 8 } else { 4 };
                let slot = usize::try_from(index).ok()?.checked_mul(size)?;
                let slot = slot.checked_add(self.rnglists_base)?;
                let offset = self.offset(&mut at(sections.debug_rnglists, slot)?)?;
                offset.checked_add(self.rnglists_base)?
            }
            _ => return None,
        };
        let encoding = Encoding {
            address_size: 8,
            format: if self.wide {
                Format::Dwarf64
            } else {
                Format::Dwarf32
            },
            version: self.version,
        };
        let addresses = DebugAddr::from(EndianSlice::new(sections.debug_addr, LittleEndian));
        let mut ranges = lists
            .ranges(
                RangeListsOffset(offset),
                encoding,
                self.low_pc,
                &addresses,
                DebugAddrBase(self.addr_base),
            )
            .ok()?;
        while let Some(range) = ranges.next().ok()? {
            if (range.begin..range.end).contains(&pc) {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Reads an offset.
    fn offset(&self, cursor: &mut Cursor) -> Option<usize> {
        if self.wide {
            usize::try_from(cursor.read_u64().ok()?).ok()
        } else {
            usize::try_from(cursor.read_u32().ok()?).ok()
        }
    }

    /// Looks an address up.
    fn address(&self, sections: &Sections, value: Value) -> Option<u64> {
        match value {
            Value::Address(address) => Some(address),
            Value::AddressIndex(index) => {
                let slot = usize::try_from(index).ok()?.checked_mul(8)?;
                let slot = slot.checked_add(self.addr_base)?;
                at(sections.debug_addr, slot)?.read_u64().ok()
            }
            _ => None,
        }
    }

    /// Looks a string up.
    fn text(&self, sections: &Sections, value: Value) -> Option<Bytes> {
        match value {
            Value::Text(bytes) => Some(bytes),
            Value::TextAt(offset) => text(sections.debug_str, offset),
            Value::LineTextAt(offset) => text(sections.debug_line_str, offset),
            Value::TextIndex(index) => {
                let size = if self.wide { 8 } else { 4 };
                let slot = usize::try_from(index).ok()?.checked_mul(size)?;
                let slot = slot.checked_add(self.str_offsets_base)?;
                let offset = self.offset(&mut at(sections.debug_str_offsets, slot)?)?;
                text(sections.debug_str, offset)
            }
            _ => None,
        }
    }

    /// Reads an attribute's value.
    fn value(
        &self,
        sections: &Sections,
        cursor: &mut Cursor,
        form: c::DwForm,
        implicit: i64,
    ) -> Option<Value> {
        let local = |offset: u64| Some(Value::Reference(self.start.checked_add(offset as usize)?));
        let skip = |cursor: &mut Cursor, length: u64| {
            cursor.skip(usize::try_from(length).ok()?).ok()?;
            Some(Value::Nothing)
        };
        Some(match form {
            c::DW_FORM_addr => Value::Address(cursor.read_u64().ok()?),
            c::DW_FORM_data1 | c::DW_FORM_flag => Value::Number(cursor.read_u8().ok()?.into()),
            c::DW_FORM_data2 => Value::Number(cursor.read_u16().ok()?.into()),
            c::DW_FORM_data4 => Value::Number(cursor.read_u32().ok()?.into()),
            c::DW_FORM_data8 => Value::Number(cursor.read_u64().ok()?),
            c::DW_FORM_udata => Value::Number(cursor.read_uleb128().ok()?),
            c::DW_FORM_sdata => Value::Number(cursor.read_sleb128().ok()? as u64),
            c::DW_FORM_implicit_const => Value::Number(implicit as u64),
            c::DW_FORM_flag_present => Value::Number(1),
            c::DW_FORM_sec_offset => Value::Number(self.offset(cursor)? as u64),
            c::DW_FORM_strp => Value::TextAt(self.offset(cursor)?),
            c::DW_FORM_line_strp => Value::LineTextAt(self.offset(cursor)?),
            c::DW_FORM_string => Value::Text(cursor.read_null_terminated_slice().ok()?.slice()),
            c::DW_FORM_strx | c::DW_FORM_GNU_str_index => {
                Value::TextIndex(cursor.read_uleb128().ok()?)
            }
            c::DW_FORM_strx1 => Value::TextIndex(cursor.read_u8().ok()?.into()),
            c::DW_FORM_strx2 => Value::TextIndex(cursor.read_u16().ok()?.into()),
            c::DW_FORM_strx3 => Value::TextIndex(cursor.read_uint(3).ok()?),
            c::DW_FORM_strx4 => Value::TextIndex(cursor.read_u32().ok()?.into()),
            c::DW_FORM_addrx | c::DW_FORM_GNU_addr_index => {
                Value::AddressIndex(cursor.read_uleb128().ok()?)
            }
            c::DW_FORM_addrx1 => Value::AddressIndex(cursor.read_u8().ok()?.into()),
            c::DW_FORM_addrx2 => Value::AddressIndex(cursor.read_u16().ok()?.into()),
            c::DW_FORM_addrx3 => Value::AddressIndex(cursor.read_uint(3).ok()?),
            c::DW_FORM_addrx4 => Value::AddressIndex(cursor.read_u32().ok()?.into()),
            c::DW_FORM_rnglistx => Value::RangesIndex(cursor.read_uleb128().ok()?),
            c::DW_FORM_loclistx => {
                cursor.read_uleb128().ok()?;
                Value::Nothing
            }
            c::DW_FORM_ref1 => local(cursor.read_u8().ok()?.into())?,
            c::DW_FORM_ref2 => local(cursor.read_u16().ok()?.into())?,
            c::DW_FORM_ref4 => local(cursor.read_u32().ok()?.into())?,
            c::DW_FORM_ref8 => local(cursor.read_u64().ok()?)?,
            c::DW_FORM_ref_udata => local(cursor.read_uleb128().ok()?)?,
            c::DW_FORM_ref_addr if self.version == 2 => {
                Value::Reference(usize::try_from(cursor.read_u64().ok()?).ok()?)
            }
            c::DW_FORM_ref_addr => Value::Reference(self.offset(cursor)?),
            c::DW_FORM_GNU_ref_alt | c::DW_FORM_GNU_strp_alt | c::DW_FORM_strp_sup => {
                self.offset(cursor)?;
                Value::Nothing
            }
            c::DW_FORM_ref_sig8 | c::DW_FORM_ref_sup8 => skip(cursor, 8)?,
            c::DW_FORM_ref_sup4 => skip(cursor, 4)?,
            c::DW_FORM_data16 => skip(cursor, 16)?,
            c::DW_FORM_block1 => {
                let length = cursor.read_u8().ok()?;
                skip(cursor, length.into())?
            }
            c::DW_FORM_block2 => {
                let length = cursor.read_u16().ok()?;
                skip(cursor, length.into())?
            }
            c::DW_FORM_block4 => {
                let length = cursor.read_u32().ok()?;
                skip(cursor, length.into())?
            }
            c::DW_FORM_block | c::DW_FORM_exprloc => {
                let length = cursor.read_uleb128().ok()?;
                skip(cursor, length)?
            }
            c::DW_FORM_indirect => {
                let form = c::DwForm(cursor.read_uleb128_u16().ok()?);
                if form == c::DW_FORM_indirect || form == c::DW_FORM_implicit_const {
                    return None;
                }
                return self.value(sections, cursor, form, 0);
            }
            _ => return None,
        })
    }
}
