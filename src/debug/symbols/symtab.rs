//! The program's symbols alone, where nothing else of its file is looked at.

use goblin::elf::section_header::SHT_SYMTAB;
use goblin::elf64::section_header::{SIZEOF_SHDR, SectionHeader};

use super::names::Bytes;
use crate::debug::elf;

/// Finds the symbols and their names in `file`, if it is the one whose first bytes, with
/// all headers, are `headers` in memory. Nothing else of it is trusted.
pub(crate) fn symbols(file: Bytes, headers: &[u8]) -> Option<(Bytes, Bytes)> {
    if !file.starts_with(headers) {
        return None;
    }
    let table = file.get(elf::header(headers)?.e_shoff as usize..)?;
    let section = |index: usize| -> Option<(SectionHeader, Bytes)> {
        let mut section = SectionHeader::default();
        plain::copy_from_bytes(&mut section, table.get(index * SIZEOF_SHDR..)?).ok()?;
        let bytes = file.get(section.sh_offset as usize..)?;
        Some((section, bytes.get(..section.sh_size as usize)?))
    };
    for index in 0..usize::from(elf::header(headers)?.e_shnum) {
        if let Some((head, symbols)) = section(index)
            && head.sh_type == SHT_SYMTAB
        {
            return Some((symbols, section(head.sh_link as usize)?.1));
        }
    }
    None
}
