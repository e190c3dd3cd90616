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

/// How every image starts: the magic, the class, the byte order, the version.
const IDENT: u64 = {
    let [m0, m1, m2, m3] = *ELFMAG;
    u64::from_le_bytes([m0, m1, m2, m3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT, 0])
};

/// The first address past the lower half, where user memory ends.
const USER_END: u64 = 1 << 47;

/// What the runtime knows of the program without its headers.
pub(crate) struct Expected {
    /// The address of `_rt0_amd64_linux`.
    pub entry: usize,
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
pub(crate) struct Module {
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
    /// What a new thread's TLS block starts as; none if it would be empty.
    pub tls: Option<TlsImage>,
}

/// The PT_TLS segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TlsImage {
    /// Where the initial bytes are.
    pub vaddr: usize,
    /// How many initial bytes there are.
    pub filesz: usize,
    /// The block's size: the rest of it is zero.
    pub memsz: usize,
    /// The block's alignment, a power of two.
    pub align: usize,
}

/// A check that failed: printed as `moduledataverify: <what>: got 0x<value>`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ElfError {
    /// What is wrong, by the name that the ELF specification gives it.
    pub what: &'static str,
    /// The value found, or the address of the segment that is wrong.
    pub value: u64,
}

/// Verifies the headers in `image`, the memory at `expected.load_base`.
///
/// `schedinit` calls this on g0; `image` may end anywhere, and what it must hold
/// is the ELF header and the program headers.
pub(crate) fn verify(image: &[u8], expected: &Expected) -> Result<Module, ElfError> {
    let header = header(image)?;
    let (kind, entry) = (header.e_type, header.e_entry);
    require(kind == ET_EXEC, "e_type is not EXEC", kind.into())?;
    let ours = entry == expected.entry as u64;
    require(ours, "e_entry is not _rt0_amd64_linux", entry)?;

    let segments = program_headers(image, header)?;
    let table = (expected.load_base as u64).wrapping_add(header.e_phoff);
    let (count, size) = (header.e_phnum.into(), header.e_phentsize.into());
    agree(expected.phdr, table, "AT_PHDR is not at e_phoff")?;
    agree(expected.phnum, count, "AT_PHNUM is not e_phnum")?;
    agree(expected.phent, size, "AT_PHENT is not e_phentsize")?;

    let mut module = Module {
        min: expected.load_base,
        ..Module::default()
    };
    let mut stack = false;
    let mut tls = None;
    for segment in segments {
        let (start, flags) = (segment.p_vaddr, segment.p_flags);
        match segment.p_type {
            PT_LOAD => module.add(segment)?,
            PT_GNU_STACK => {
                require(
                    flags & PF_X == 0,
                    "PT_GNU_STACK is executable",
                    flags.into(),
                )?;
                stack = true;
            }
            PT_TLS => {
                require(tls.is_none(), "second PT_TLS", start)?;
                tls = Some(segment);
            }
            _ => {}
        }
    }
    require(stack, "PT_GNU_STACK is missing", 0)?;
    let (start, end) = module.text;
    let (from, to) = (expected.text, expected.etext);
    let around = start <= from && from <= to && to <= end;
    require(
        around,
        "executable PT_LOAD is not around runtime.text",
        start as u64,
    )?;
    let inside = start <= expected.entry && expected.entry < end;
    require(inside, "e_entry is not in the text", entry)?;
    if let Some(tls) = tls {
        module.tls = tls_image(tls, segments)?;
    }
    Ok(module)
}

impl Module {
    /// Checks the next PT_LOAD, which must come after those before it, and takes
    /// note of it.
    fn add(&mut self, segment: &ProgramHeader) -> Result<(), ElfError> {
        let start = segment.p_vaddr;
        let end = sized(segment)?;
        let fits = (segment.p_offset ^ start).is_multiple_of(PAGE);
        require(fits, "PT_LOAD has another p_offset in the page", start)?;
        if start == end {
            return Ok(()); // the kernel maps nothing for it
        }
        if self.max == 0 {
            let base = start == self.min as u64 && segment.p_offset == 0;
            require(base, "first PT_LOAD is not at the ELF header", start)?;
        }
        // By whole pages: two segments in one page would take its permissions
        // and its contents from each other.
        let free = self.max as u64 <= start / PAGE * PAGE;
        require(free, "PT_LOAD overlaps the one before", start)?;
        self.max = end as usize;

        let file_end = (start + segment.p_filesz) as usize;
        let writable = segment.p_flags & PF_W != 0;
        if segment.p_flags & PF_X != 0 {
            require(!writable, "PT_LOAD is writable and executable", start)?;
            require(self.text.1 == 0, "second executable PT_LOAD", start)?;
            self.text = (start as usize, file_end);
        } else if writable {
            if self.data.1 == 0 {
                self.data.0 = start as usize;
            }
            self.data.1 = file_end;
            self.bss = (file_end, end as usize);
        }
        Ok(())
    }
}

/// Checks PT_TLS against the PT_LOADs among `segments`, all of them verified.
fn tls_image(
    tls: &ProgramHeader,
    segments: &[ProgramHeader],
) -> Result<Option<TlsImage>, ElfError> {
    let start = tls.p_vaddr;
    sized(tls)?;
    let align = tls.p_align.max(1); // 0 and 1 both mean: anywhere
    let right = align.is_power_of_two();
    require(right, "PT_TLS has a p_align not a power of two", align)?;
    let held = tls.p_filesz == 0
        || segments.iter().any(|load| {
            load.p_type == PT_LOAD
                && load.p_vaddr <= start
                && start + tls.p_filesz <= load.p_vaddr + load.p_filesz
        });
    require(held, "PT_TLS is in no PT_LOAD", start)?;
    Ok((tls.p_memsz != 0).then_some(TlsImage {
        vaddr: start as usize,
        filesz: tls.p_filesz as usize,
        memsz: tls.p_memsz as usize,
        align: align as usize,
    }))
}

/// Checks a segment's sizes; gives its end, which is at most [`USER_END`].
#[inline(never)] // for its size: two callers
fn sized(segment: &ProgramHeader) -> Result<u64, ElfError> {
    let (start, size, file) = (segment.p_vaddr, segment.p_memsz, segment.p_filesz);
    require(file <= size, "p_filesz is above p_memsz", file)?;
    let inside = start <= USER_END && size <= USER_END - start;
    require(inside, "p_vaddr + p_memsz is not a user address", start)?;
    Ok(start + size)
}

/// Checks one entry of the auxiliary vector, if the kernel gave it.
fn agree(given: Option<usize>, ours: u64, what: &'static str) -> Result<(), ElfError> {
    let given = given.map_or(ours, |value| value as u64);
    require(given == ours, what, given)
}

/// Makes a condition that does not hold an error.
#[inline]
fn require(holds: bool, what: &'static str, value: u64) -> Result<(), ElfError> {
    if holds {
        Ok(())
    } else {
        Err(ElfError { what, value })
    }
}

/// Views the ELF header and checks all of it that a program and a shared object
/// have in common.
pub(super) fn header(image: &[u8]) -> Result<&Header, ElfError> {
    let header: &Header = plain::from_bytes(image).map_err(|_| ElfError {
        what: "image is no ELF header",
        value: image.len() as u64,
    })?;
    // The first seven bytes; the eighth names a system, and no one reads it.
    let ident = *header.e_ident.first_chunk().unwrap_or(&[0; 8]);
    let ident = u64::from_le_bytes(ident) & !(0xff << 56);
    require(
        ident == IDENT,
        "e_ident is not 64-bit little-endian ELF",
        ident,
    )?;
    let (version, machine) = (header.e_version, header.e_machine);
    let current = version == EV_CURRENT.into();
    require(current, "e_version is not 1", version.into())?;
    let ours = machine == EM_X86_64;
    require(ours, "e_machine is not 0x3e", machine.into())?;
    let size = header.e_phentsize;
    let right = size as usize == SIZEOF_PHDR;
    require(right, "e_phentsize is not 0x38", size.into())?;
    Ok(header)
}

/// Views the program headers, if they are wholly inside `image`, and aligned.
pub(super) fn program_headers<'a>(
    image: &'a [u8],
    header: &Header,
) -> Result<&'a [ProgramHeader], ElfError> {
    let table = image.get(header.e_phoff as usize..).unwrap_or_default();
    plain::slice_from_bytes_len(table, header.e_phnum.into()).map_err(|_| ElfError {
        what: "e_phoff: headers outside the image",
        value: header.e_phoff,
    })
}
