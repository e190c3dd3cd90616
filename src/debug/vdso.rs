//! The vDSO: the kernel's shared object in every process, whose functions read
//! the clock without a system call.
//!
//! Go's counterpart: `runtime/vdso_linux.go` (`vdsoInitFromSysinfoEhdr`,
//! `vdsoFindVersion`, `vdsoParseSymbols`).
//!
//! ```text
//!   AT_SYSINFO_EHDR -> ELF header
//!                      PT_LOAD     all of it, mapped as it is in the file
//!                      PT_DYNAMIC -> DT_SYMTAB, and right behind it DT_STRTAB
//!                                    DT_VERSYM, DT_VERDEF: which version each has
//! ```
//!
//! There are about a dozen symbols and we look for two, once: every symbol is
//! compared. So the hash tables are of no use, but to count the symbols; and that
//! is known without them, as the kernel's linker script puts the names right
//! behind the symbols. In an image that does not, nothing is found.
//!
//! Invariants:
//! 1. All that is read lies inside the slice that the caller gave, and what does
//!    not is 0: a damaged image hides symbols, and does nothing else.
//! 2. An offset that [`Vdso::find`] returns is below the slice's length.

use core::num::NonZero;

use goblin::elf::program_header::{PT_DYNAMIC, PT_LOAD};
use goblin::elf::sym::{STB_GLOBAL, STB_WEAK, STT_FUNC};
use goblin::elf64::dynamic::{DT_NULL, DT_STRTAB, DT_SYMTAB, DT_VERDEF, DT_VERSYM, SIZEOF_DYN};
use goblin::elf64::sym::SIZEOF_SYM;

use super::elf::{header, segments};

/// More than any vDSO takes: they have two pages, later ones some more.
const MAX_SIZE: u64 = 1 << 20;

/// Takes a text that ends with two NULs, and returns it with one. Constants with one
/// NUL at their end, and none before, share a section of the program with those of
/// all code, used or not: the linker keeps all of them or none.
pub(crate) const fn text(constant: &[u8]) -> &[u8] {
    constant.split_at(constant.len() - 1).0
}

/// The version that x86_64 gives all of its vDSO's symbols.
const VERSION: &[u8] = text(b"LINUX_2.6\0\0");

/// The bits of a DT_VERSYM entry that say the version; the top one hides it.
const VERSYM_VERSION: u16 = 0x7fff;

/// What may be called.
const GLOBAL: u8 = STB_GLOBAL << 4 | STT_FUNC;
const WEAK: u8 = STB_WEAK << 4 | STT_FUNC;

/// The image, and what its program headers say.
pub(crate) struct Vdso<'a> {
    /// The bytes: the first page, and then all of it.
    pub(crate) image: &'a [u8],
    /// The length in memory, above 0 and at most [`MAX_SIZE`].
    pub(crate) size: usize,
    /// The address for which the image was linked, at its ELF header.
    base: u64,
    /// The offset of PT_DYNAMIC; 0 if there is none.
    dynamic: u32,
}

impl<'a> Vdso<'a> {
    /// Reads the program headers. The first PT_LOAD is the lowest.
    pub(crate) fn new(image: &'a [u8]) -> Option<Self> {
        let (mut base, mut size, mut dynamic) = (0, 0, 0);
        for segment in segments(image, header(image)?)? {
            let start = segment.p_vaddr;
            if segment.p_type == PT_LOAD {
                if size == 0 {
                    base = start.wrapping_sub(segment.p_offset);
                }
                // Below the base this wraps and is far above the limit.
                let end = start.wrapping_sub(base).checked_add(segment.p_memsz)?;
                size = end.max(size);
            }
            if segment.p_type == PT_DYNAMIC {
                dynamic = start.wrapping_sub(base) as u32;
            }
        }
        (1..=MAX_SIZE).contains(&size).then_some(Self {
            image,
            size: size as usize,
            base,
            dynamic,
        })
    }

    /// Finds a function by its name, which ends with a NUL: its offset in the image.
    #[inline(never)] // for its size: two callers
    pub(crate) fn find(&self, name: &[u8]) -> Option<NonZero<usize>> {
        let (mut symbol, mut strings, mut versions, mut definition) = (0, 0, 0, 0);
        let mut entry = self.dynamic;
        loop {
            let value = self.long(entry.wrapping_add(8)); // d_val, behind d_tag
            let offset = value.wrapping_sub(self.base) as u32;
            match self.long(entry) {
                DT_NULL => break,
                DT_SYMTAB => symbol = offset,
                DT_STRTAB => strings = offset,
                DT_VERSYM => versions = offset,
                DT_VERDEF => definition = offset,
                _ => {}
            }
            entry = entry.wrapping_add(SIZEOF_DYN as u32);
        }

        // Which number DT_VERSYM has for our version, in the list of versions: each
        // says how far off its name and the next version are. An image without
        // versions has one of each symbol.
        let mut version = 0;
        if versions != 0 && definition != 0 {
            loop {
                let aux = self.long(definition.wrapping_add(12)) as u32;
                let name = self.long(definition.wrapping_add(aux)) as u32;
                if self.is_text(strings.wrapping_add(name), VERSION) {
                    break;
                }
                let next = self.long(definition.wrapping_add(16)) as u32;
                definition = definition.checked_add(next).filter(|_| next != 0)?;
            }
            version = self.long(definition.wrapping_add(4)) as u16 & VERSYM_VERSION;
        }

        while symbol < strings && (strings as usize) < self.image.len() {
            let first = self.long(symbol); // st_name, st_info, st_other, st_shndx
            let info = (first >> 32) as u8;
            let value = self.long(symbol + 8); // st_value
            let offset = value.wrapping_sub(self.base) as usize;
            let wanted = self.long(versions) as u16 & VERSYM_VERSION;
            if (info == GLOBAL || info == WEAK)
                && first >> 48 != 0 // SHN_UNDEF
                && offset < self.image.len()
                && (version == 0 || wanted == version)
                && self.is_text(strings.wrapping_add(first as u32), name)
            {
                return NonZero::new(offset);
            }
            symbol += SIZEOF_SYM as u32;
            versions = versions.wrapping_add(2);
        }
        None
    }

    /// Reads eight bytes; 0 if they are not inside.
    #[inline(never)] // for its size: many callers
    fn long(&self, offset: u32) -> u64 {
        let bytes = self.image.get(offset as usize..);
        let bytes = bytes.and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    /// Whether the bytes at `offset` are `text`.
    #[inline(never)] // for its size: two callers
    fn is_text(&self, offset: u32, text: &[u8]) -> bool {
        let rest = self.image.get(offset as usize..);
        rest.is_some_and(|rest| rest.starts_with(text))
    }
}
