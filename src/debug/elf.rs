//! The program's own ELF headers, verified at start.
//!
//! Go's counterpart: `moduledataverify1` in `runtime/symtab.go`. Go checks the
//! tables that its linker wrote; here the linker's tables are the ELF headers
//! themselves, which the runtime trusts from then on: for the bounds of the
//! text, the data and the TLS image, and for a stack and segments that are never
//! both writable and executable.
//!
//! ```text
//!   image   load_base                                              max
//!           | ELF header | program headers | … text … | … data | bss |
//!           min                              text       data     bss
//! ```
//!
//! Invariants:
//! 1. Nothing here trusts what it reads: every access is bounds-checked, every
//!    sum is of numbers known to lie below [`USER_END`], and no input panics.
//! 2. A [`Module`] exists only if every check held. Its ranges are ordered
//!    (`start <= end`), lie between `min` and `max`, and `max <= USER_END`.
//!
//! The file stands alone, so that a test on the host can feed it damaged images;
//! [`super::vdso`] reads the vDSO through the same helpers.

use goblin::elf::header::{ELFCLASS64, ELFDATA2LSB, ELFMAG, EM_X86_64, ET_EXEC, EV_CURRENT};
use goblin::elf::program_header::{PF_W, PF_X, PT_GNU_STACK, PT_LOAD, PT_TLS};
use goblin::elf64::header::Header;
use goblin::elf64::program_header::{ProgramHeader, SIZEOF_PHDR};

/// The size of a page: what the kernel maps segments by.
const PAGE: u64 = 4096;

/// How every image starts: the magic, the class, the byte order, the version. The
/// eighth byte names a system, and no one reads it.
const IDENT: u64 = {
    let [m0, m1, m2, m3] = *ELFMAG;
    u64::from_be_bytes([0, EV_CURRENT, ELFDATA2LSB, ELFCLASS64, m3, m2, m1, m0])
};

/// What follows it in a program: e_type, e_machine and e_version.
const KIND: u64 = ET_EXEC as u64 | (EM_X86_64 as u64) << 16 | (EV_CURRENT as u64) << 32;

/// The first address past the lower half, where user memory ends.
const USER_END: u64 = 1 << 47;

/// What the runtime knows of the program without its headers.
pub(crate) struct Expected {
    /// The address of `_rt0_amd64_linux`, if the program starts there.
    pub entry: Option<usize>,
    /// The address of `runtime.text`.
    pub text: usize,
    /// The address of `runtime.etext`.
    pub etext: usize,
    /// The address of the ELF header in memory.
    pub load_base: usize,
    /// The kernel's AT_PHDR, if it gave one.
    pub phdr: Option<usize>,
    /// The kernel's AT_PHNUM, if it gave one.
    pub phnum: Option<usize>,
    /// The kernel's AT_PHENT, if it gave one.
    pub phent: Option<usize>,
}

/// Where the parts of the program are: pairs of start and end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Module<'a> {
    /// The bytes of the executable segment.
    pub text: (usize, usize),
    /// What the file gives of the writable segments; empty if there are none.
    pub data: (usize, usize),
    /// The zeroed memory that ends the last writable segment.
    pub bss: (usize, usize),
    /// The lowest address of any segment: the ELF header's.
    pub min: usize,
    /// The end of the highest segment.
    pub max: usize,
    /// PT_TLS, if there is one: what a new thread's TLS block starts as.
    pub tls: Option<&'a ProgramHeader>,
}

/// A check that failed: printed as `moduledataverify: <what>: got 0x<value>`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ElfError {
    /// What is wrong, by the name that the ELF specification gives it.
    pub what: &'static str,
    /// The value found, or the address of the segment that is wrong.
    pub value: u64,
}

/// What was seen: a stack that is not executable, and the text. A stack that is,
/// is another bit.
const STACK: u32 = 1;
const CODE: u32 = 4;

/// Verifies the headers in `image`, the memory at `expected.load_base`.
///
/// `schedinit` calls this on g0; `image` may end anywhere, and what it must hold
/// is the ELF header and the program headers.
pub(crate) fn verify<'a>(image: &'a [u8], expected: &Expected) -> Result<Module<'a>, ElfError> {
    let Some(header) = header(image) else {
        let found = image.first_chunk();
        let found = found.map_or(0, |bytes| u64::from_le_bytes(*bytes));
        return error("e_ident is not 64-bit little-endian ELF", found);
    };
    let kind = u64::from(header.e_type)
        | u64::from(header.e_machine) << 16
        | u64::from(header.e_version) << 32;
    require(
        kind == KIND,
        "e_version, e_machine, e_type are not 1, 0x3e, 2",
        kind,
    )?;
    let entry = header.e_entry as usize;
    let ours = expected.entry.is_none_or(|expected| entry == expected);
    require(ours, "e_entry is not _rt0_amd64_linux", header.e_entry)?;
    let segments = segments(image, header);
    require(
        segments.is_some(),
        "e_phoff, e_phnum, e_phentsize: not in the image",
        header.e_phoff,
    )?;
    let segments = segments.unwrap_or_default();
    let table = expected.load_base.wrapping_add(header.e_phoff as usize);
    let agree = expected.phdr.is_none_or(|phdr| phdr == table)
        && expected.phnum.is_none_or(|phnum| phnum == segments.len())
        && expected.phent.is_none_or(|phent| phent == SIZEOF_PHDR);
    require(
        agree,
        "AT_PHDR, AT_PHNUM, AT_PHENT are not of e_phoff, e_phnum",
        header.e_phoff,
    )?;

    let mut module = Module {
        min: expected.load_base,
        max: expected.load_base,
        ..Module::default()
    };
    let mut seen = 0;
    for segment in segments {
        let (start, kind) = (segment.p_vaddr, segment.p_type);
        if kind == PT_GNU_STACK {
            seen |= STACK << (segment.p_flags & PF_X);
        }
        if kind != PT_LOAD && kind != PT_TLS {
            continue;
        }
        let end = start.checked_add(segment.p_memsz);
        let inside = end.is_some_and(|end| end <= USER_END);
        let sized = inside && segment.p_filesz <= segment.p_memsz;
        require(sized, "segment is above user memory or its p_memsz", start)?;
        if kind == PT_TLS {
            let right = module.tls.is_none() && is_tls_image(segment, segments);
            require(
                right,
                "PT_TLS is a second one, unaligned, or not loaded",
                start,
            )?;
            module.tls = Some(segment);
            continue;
        }
        require(
            module.add(segment),
            "PT_LOAD is not in order from the ELF header on",
            start,
        )?;
        if segment.p_memsz != 0 && segment.p_flags & PF_X != 0 {
            // As distances from the segment's start: what is below it wraps.
            let size = segment.p_filesz as usize;
            let distance = |address: usize| address.wrapping_sub(start as usize);
            let (from, to) = (distance(expected.text), distance(expected.etext));
            let around = from <= to && to <= size && distance(entry) < size;
            let right = around && seen & CODE == 0 && segment.p_flags & PF_W == 0;
            require(
                right,
                "executable PT_LOAD is writable, a second one, or not the text",
                start,
            )?;
            seen |= CODE;
            module.text = (start as usize, (start + segment.p_filesz) as usize);
        }
    }
    require(
        seen == STACK | CODE,
        "PT_GNU_STACK is executable, or no PT_LOAD is",
        seen.into(),
    )?;
    Ok(module)
}

impl Module<'_> {
    /// Takes note of the next PT_LOAD; false if it is not in its place.
    fn add(&mut self, segment: &ProgramHeader) -> bool {
        let (start, offset) = (segment.p_vaddr, segment.p_offset);
        if (offset ^ start) % PAGE != 0 {
            return false;
        }
        if segment.p_memsz == 0 {
            return true; // the kernel maps nothing for it
        }
        // By whole pages: two segments in one page would take its permissions
        // and its contents from each other.
        let first = self.max == self.min;
        if self.max as u64 > start / PAGE * PAGE || first && (start ^ self.min as u64 | offset) != 0
        {
            return false;
        }
        let end = (start + segment.p_memsz) as usize;
        self.max = end;
        if segment.p_flags & (PF_W | PF_X) == PF_W {
            let file_end = (start + segment.p_filesz) as usize;
            if self.data.1 == 0 {
                self.data.0 = start as usize;
            }
            self.data.1 = file_end;
            self.bss = (file_end, end);
        }
        true
    }
}

/// Whether PT_TLS has an alignment, and its bytes are in one of the PT_LOADs.
fn is_tls_image(tls: &ProgramHeader, segments: &[ProgramHeader]) -> bool {
    if tls.p_align & tls.p_align.wrapping_sub(1) != 0 {
        return false; // no power of two; 0 and 1 both mean: anywhere
    }
    let is_around = |load: &ProgramHeader| {
        // Below the load this wraps, and is more than any size that is accepted.
        let before = tls.p_vaddr.wrapping_sub(load.p_vaddr);
        let room = load.p_filesz.checked_sub(before);
        load.p_type == PT_LOAD && room.is_some_and(|room| tls.p_filesz <= room)
    };
    tls.p_filesz == 0 || segments.iter().any(is_around)
}

/// Makes a condition that does not hold an error.
#[inline]
fn require(holds: bool, what: &'static str, value: u64) -> Result<(), ElfError> {
    if holds { Ok(()) } else { error(what, value) }
}

/// Makes an error.
fn error<T>(what: &'static str, value: u64) -> Result<T, ElfError> {
    Err(ElfError { what, value })
}

/// Views the ELF header, if it is one of a program or shared object for 64 bits.
pub(super) fn header(image: &[u8]) -> Option<&Header> {
    let header: &Header = plain::from_bytes(image).ok()?;
    let ident = u64::from_le_bytes(*header.e_ident.first_chunk()?);
    (ident << 8 == IDENT << 8).then_some(header)
}

/// Views the program headers, if they are wholly inside `image`, aligned, and of
/// the size that we know.
#[inline(never)] // for its size: two callers
pub(super) fn segments<'a>(image: &'a [u8], header: &Header) -> Option<&'a [ProgramHeader]> {
    let table = image.get(header.e_phoff as usize..)?;
    let table = table.get(..usize::from(header.e_phnum) * SIZEOF_PHDR)?;
    if header.e_phentsize as usize != SIZEOF_PHDR {
        return None;
    }
    plain::slice_from_bytes(table).ok()
}
