//! The line of an address: DWARF's line programs, run for one address at a time.
//!
//! Go's counterpart: `funcline` in `runtime/symtab.go`.

use gimli::Reader as _;
use gimli::constants as c;

use super::dwarf::{Cursor, Unit, at, text};
use super::image::Sections;
use super::names::Bytes;

/// A file's name, in its parts.
#[derive(Clone, Copy, Default)]
pub(crate) struct File {
    /// Where the compiler was started.
    pub(crate) comp_dir: Bytes,
    /// From there, unless it begins with a slash.
    pub(crate) dir: Bytes,
    /// From there, unless …
    pub(crate) name: Bytes,
}

impl File {
    /// Tells whether it is the one that is called `path`, from wherever the compiler was
    /// started.
    pub(super) fn ends_with(&self, path: &[u8]) -> bool {
        let mut rest = Some(path);
        for part in [self.name, self.dir, self.comp_dir] {
            let Some(path) = rest.filter(|path| !path.is_empty()) else {
                break;
            };
            let path = path.strip_suffix(b"/").unwrap_or(path);
            rest = if part.is_empty() {
                Some(path)
            } else if part.ends_with(path) {
                Some(&[])
            } else {
                path.strip_suffix(part)
            };
        }
        rest.is_some_and(<[u8]>::is_empty)
    }
}

/// A unit's line program.
pub(super) struct Lines {
    version: u16,
    wide: bool,
    min_instruction: u64,
    line_base: i8,
    line_range: u8,
    opcode_base: u8,
    /// The lengths of the standard opcodes.
    lengths: Cursor,
    /// The tables of directories and files, with what follows.
    tables: Cursor,
    program: Cursor,
    comp_dir: Bytes,
}

impl Lines {
    /// Finds a unit's.
    pub(super) fn of(sections: &Sections, unit: &Unit) -> Option<Self> {
        let mut cursor = at(sections.debug_line, unit.lines?)?;
        let (length, format) = cursor.read_initial_length().ok()?;
        let mut cursor = cursor.split(length).ok()?;
        let version = cursor.read_u16().ok()?;
        if !(2..=5).contains(&version) {
            return None;
        }
        if version == 5 {
            cursor.skip(2).ok()?; // the sizes of addresses and segments
        }
        let length = cursor.read_length(format).ok()?;
        let mut head = cursor.split(length).ok()?;
        let min_instruction = head.read_u8().ok()?.into();
        if version >= 4 {
            head.read_u8().ok()?; // operations of an instruction: not with this CPU
        }
        head.read_u8().ok()?; // whether a row is a statement
        let line_base = head.read_i8().ok()?;
        let line_range = head.read_u8().ok()?;
        let opcode_base = head.read_u8().ok()?;
        let lengths = head.split(usize::from(opcode_base).checked_sub(1)?).ok()?;
        Some(Self {
            version,
            wide: format == gimli::Format::Dwarf64,
            min_instruction,
            line_base,
            line_range: if line_range == 0 {
                return None;
            } else {
                line_range
            },
            opcode_base,
            lengths,
            tables: head,
            program: cursor,
            comp_dir: unit.comp_dir,
        })
    }

    /// Tells whether a file of that name may be in the tables: in version 5, whose names are
    /// elsewhere, any may.
    pub(super) fn may_name(&self, path: &[u8]) -> bool {
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        let tables = self.tables.slice();
        self.version == 5 || tables.windows(name.len()).any(|text| text == name)
    }

    /// Finds the file and the line of an instruction.
    pub(super) fn find(&self, pc: u64) -> Option<(u64, u64)> {
        let mut found = None;
        self.run(&mut |row, end| {
            let covers = (row.address..end).contains(&pc);
            if covers {
                found = Some((row.file, row.line));
            }
            !covers
        });
        found
    }

    /// Runs the program; `each` gets each row and the address behind it, until it says
    /// false. None if the program is damaged.
    pub(super) fn run(&self, each: &mut dyn FnMut(&Row, u64) -> bool) -> Option<()> {
        let mut program = self.program;
        let mut row = Row::FIRST;
        let mut before: Option<Row> = None;
        while !program.is_empty() {
            let opcode = program.read_u8().ok()?;
            let mut emit = false;
            let mut ends = false;
            if opcode >= self.opcode_base {
                let adjusted = opcode - self.opcode_base;
                row.advance(self, (adjusted / self.line_range).into());
                let lines = i64::from(self.line_base) + i64::from(adjusted % self.line_range);
                row.line = row.line.wrapping_add_signed(lines);
                emit = true;
            } else {
                match c::DwLns(opcode) {
                    c::DwLns(0) => {
                        let length = program.read_uleb128().ok()?;
                        let mut rest = program.split(usize::try_from(length).ok()?).ok()?;
                        if rest.is_empty() {
                            continue;
                        }
                        match c::DwLne(rest.read_u8().ok()?) {
                            c::DW_LNE_end_sequence => {
                                emit = true;
                                ends = true;
                            }
                            c::DW_LNE_set_address => row.address = rest.read_u64().ok()?,
                            _ => {}
                        }
                    }
                    c::DW_LNS_copy => emit = true,
                    c::DW_LNS_advance_pc => row.advance(self, program.read_uleb128().ok()?),
                    c::DW_LNS_advance_line => {
                        row.line = row.line.wrapping_add_signed(program.read_sleb128().ok()?);
                    }
                    c::DW_LNS_set_file => row.file = program.read_uleb128().ok()?,
                    c::DW_LNS_set_column => row.column = program.read_uleb128().ok()?,
                    c::DW_LNS_const_add_pc => {
                        let adjusted = 255 - self.opcode_base;
                        row.advance(self, (adjusted / self.line_range).into());
                    }
                    c::DW_LNS_fixed_advance_pc => {
                        let by: u64 = program.read_u16().ok()?.into();
                        row.address = row.address.wrapping_add(by);
                    }
                    _ => {
                        let mut lengths = self.lengths;
                        lengths.skip(usize::from(opcode) - 1).ok()?;
                        for _ in 0..lengths.read_u8().ok()? {
                            program.read_uleb128().ok()?;
                        }
                    }
                }
            }
            if emit {
                if let Some(before) = before
                    && !each(&before, row.address)
                {
                    return Some(());
                }
                before = (!ends).then_some(row);
                if ends {
                    row = Row::FIRST;
                }
            }
        }
        Some(())
    }

    /// Finds the name of a file.
    pub(super) fn file(&self, sections: &Sections, index: u64) -> Option<File> {
        let (dir, name) = if self.version == 5 {
            self.file_5(sections, index)?
        } else {
            self.file_4(index)?
        };
        Some(File {
            comp_dir: self.comp_dir,
            dir,
            name,
        })
    }

    /// The same up to version 4: strings, counted from 1. Directory 0 is the compiler's.
    fn file_4(&self, index: u64) -> Option<(Bytes, Bytes)> {
        let mut cursor = self.tables;
        let dirs = cursor;
        while !cursor.read_null_terminated_slice().ok()?.is_empty() {}
        let mut number = 1;
        loop {
            let name = cursor.read_null_terminated_slice().ok()?;
            if name.is_empty() {
                return None;
            }
            let dir = cursor.read_uleb128().ok()?;
            cursor.read_uleb128().ok()?;
            cursor.read_uleb128().ok()?;
            if number == index {
                let mut cursor = dirs;
                let mut text = Cursor::default();
                for _ in 0..dir {
                    text = cursor.read_null_terminated_slice().ok()?;
                    if text.is_empty() {
                        break;
                    }
                }
                return Some((text.slice(), name.slice()));
            }
            number += 1;
        }
    }

    /// The same of version 5: tables that say what they have, counted from 0.
    fn file_5(&self, sections: &Sections, index: u64) -> Option<(Bytes, Bytes)> {
        let mut cursor = self.tables;
        let dirs = cursor;
        self.table(sections, &mut cursor, u64::MAX)?;
        let (name, dir) = self.table(sections, &mut cursor, index)??;
        let (dir, _) = self.table(sections, &mut dirs.clone(), dir)??;
        Some((dir, name))
    }

    /// Reads a table to its end; returns the path and the directory's number of one.
    #[expect(clippy::option_option, reason = "damaged, or not there")]
    fn table(
        &self,
        sections: &Sections,
        cursor: &mut Cursor,
        wanted: u64,
    ) -> Option<Option<(Bytes, u64)>> {
        let columns = cursor.read_u8().ok()?;
        let format = *cursor;
        for _ in 0..columns {
            cursor.read_uleb128().ok()?;
            cursor.read_uleb128().ok()?;
        }
        let count = cursor.read_uleb128().ok()?;
        if columns == 0 && count != 0 {
            return None; // rows of nothing: they would never end
        }
        let mut found = None;
        for number in 0..count {
            let mut format = format;
            let (mut path, mut dir): (Bytes, u64) = (&[], 0);
            for _ in 0..columns {
                let content = c::DwLnct(format.read_uleb128_u16().ok()?);
                let form = c::DwForm(format.read_uleb128_u16().ok()?);
                let (bytes, value) = self.value(sections, cursor, form)?;
                match content {
                    c::DW_LNCT_path => path = bytes,
                    c::DW_LNCT_directory_index => dir = value,
                    _ => {}
                }
            }
            if number == wanted {
                found = Some((path, dir));
            }
        }
        Some(found)
    }

    /// Reads a value of a table.
    fn value(
        &self,
        sections: &Sections,
        cursor: &mut Cursor,
        form: c::DwForm,
    ) -> Option<(Bytes, u64)> {
        let offset = |cursor: &mut Cursor| -> Option<usize> {
            if self.wide {
                usize::try_from(cursor.read_u64().ok()?).ok()
            } else {
                usize::try_from(cursor.read_u32().ok()?).ok()
            }
        };
        let none: Bytes = &[];
        Some(match form {
            c::DW_FORM_string => (cursor.read_null_terminated_slice().ok()?.slice(), 0),
            c::DW_FORM_line_strp => (text(sections.debug_line_str, offset(cursor)?)?, 0),
            c::DW_FORM_strp => (text(sections.debug_str, offset(cursor)?)?, 0),
            c::DW_FORM_udata => (none, cursor.read_uleb128().ok()?),
            c::DW_FORM_data1 => (none, cursor.read_u8().ok()?.into()),
            c::DW_FORM_data2 => (none, cursor.read_u16().ok()?.into()),
            c::DW_FORM_data4 => (none, cursor.read_u32().ok()?.into()),
            c::DW_FORM_data8 => (none, cursor.read_u64().ok()?),
            c::DW_FORM_data16 => {
                cursor.skip(16).ok()?;
                (none, 0)
            }
            c::DW_FORM_block => {
                let length = cursor.read_uleb128().ok()?;
                cursor.skip(usize::try_from(length).ok()?).ok()?;
                (none, 0)
            }
            _ => return None,
        })
    }
}

/// A row of the table that a line program stands for.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) address: u64,
    pub(super) file: u64,
    pub(super) line: u64,
    pub(super) column: u64,
}

impl Row {
    /// The state at the start of each sequence.
    const FIRST: Self = Self {
        address: 0,
        file: 1,
        line: 1,
        column: 0,
    };

    /// Goes on by so many instructions.
    fn advance(&mut self, lines: &Lines, by: u64) {
        let by = by.wrapping_mul(lines.min_instruction);
        self.address = self.address.wrapping_add(by);
    }
}
