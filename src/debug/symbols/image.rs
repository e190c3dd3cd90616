//! The program's own file: its sections, as far as they help to explain an address.
//!
//! Invariants:
//! 1. The file is this program's: its headers are those in memory. Somebody may have
//!    put another one in its place, or cut it short.
//! 2. Nothing else of it is trusted: every access is bounds-checked, and no contents
//!    make this panic.

use goblin::elf::section_header::{SHF_COMPRESSED, SHT_NOBITS};
use goblin::elf64::section_header::{SIZEOF_SHDR, SectionHeader};

use super::names::Bytes;
use crate::debug::elf;

/// The sections that are of use.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sections {
    pub(crate) symtab: Bytes,
    pub(crate) strtab: Bytes,
    pub(crate) eh_frame: Bytes,
    /// Where that is in memory.
    pub(crate) eh_frame_address: u64,
    pub(crate) debug_frame: Bytes,
    pub(crate) debug_aranges: Bytes,
    pub(crate) debug_info: Bytes,
    pub(crate) debug_abbrev: Bytes,
    pub(crate) debug_line: Bytes,
    pub(crate) debug_str: Bytes,
    pub(crate) debug_line_str: Bytes,
    pub(crate) debug_str_offsets: Bytes,
    pub(crate) debug_addr: Bytes,
    pub(crate) debug_ranges: Bytes,
    pub(crate) debug_rnglists: Bytes,
}

/// Finds the sections of `file`, if it is the one whose first bytes, with all headers,
/// are `headers` in memory.
pub(crate) fn sections(file: Bytes, headers: &[u8]) -> Option<Sections> {
    if file.get(..headers.len())? != headers {
        return None;
    }
    let header = elf::header(file)?;
    if usize::from(header.e_shentsize) != SIZEOF_SHDR {
        return None;
    }
    let table = file.get(usize::try_from(header.e_shoff).ok()?..)?;
    let table = table.get(..usize::from(header.e_shnum) * SIZEOF_SHDR)?;
    let section = |index: usize| -> Option<SectionHeader> {
        let bytes = table.get(index * SIZEOF_SHDR..)?;
        let mut section = SectionHeader::default();
        plain::copy_from_bytes(&mut section, bytes).ok()?;
        Some(section)
    };
    let bytes = |section: &SectionHeader| -> Option<Bytes> {
        if section.sh_type == SHT_NOBITS || section.sh_flags & u64::from(SHF_COMPRESSED) != 0 {
            return None;
        }
        let start = usize::try_from(section.sh_offset).ok()?;
        file.get(start..)?
            .get(..usize::try_from(section.sh_size).ok()?)
    };
    let names = bytes(&section(header.e_shstrndx.into())?)?;
    let mut found = Sections::default();
    for index in 0..usize::from(header.e_shnum) {
        let Some(section) = section(index) else { break };
        let name = names.get(section.sh_name as usize..).unwrap_or_default();
        let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
        let slot = match name {
            b".symtab" => &mut found.symtab,
            b".strtab" => &mut found.strtab,
            b".eh_frame" => {
                found.eh_frame_address = section.sh_addr;
                &mut found.eh_frame
            }
            b".debug_frame" => &mut found.debug_frame,
            b".debug_aranges" => &mut found.debug_aranges,
            b".debug_info" => &mut found.debug_info,
            b".debug_abbrev" => &mut found.debug_abbrev,
            b".debug_line" => &mut found.debug_line,
            b".debug_str" => &mut found.debug_str,
            b".debug_line_str" => &mut found.debug_line_str,
            b".debug_str_offsets" => &mut found.debug_str_offsets,
            b".debug_addr" => &mut found.debug_addr,
            b".debug_ranges" => &mut found.debug_ranges,
            b".debug_rnglists" => &mut found.debug_rnglists,
            _ => continue,
        };
        *slot = bytes(&section).unwrap_or_default();
    }
    Some(found)
}
