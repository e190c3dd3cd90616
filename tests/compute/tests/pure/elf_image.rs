//! An ELF image as gort's linker script makes it, and a second opinion on it: the
//! rules of `moduledataverify` once more, in arithmetic that cannot overflow.

use crate::elf::Expected;

/// Where the image is in memory.
pub(crate) const BASE: u64 = 0x40_0000;
/// How long the ELF header and the six program headers are.
pub(crate) const LENGTH: usize = 64 + 6 * 56;

/// Memory that is aligned as a mapped file is.
#[repr(C, align(4096))]
#[derive(Clone)]
pub(crate) struct Page(pub(crate) [u8; 4096]);

/// The offset of a field of the ELF header.
pub(crate) mod ehdr {
    pub(crate) const MAGIC: usize = 0;
    pub(crate) const CLASS: usize = 4;
    pub(crate) const DATA: usize = 5;
    pub(crate) const IDENT_VERSION: usize = 6;
    pub(crate) const TYPE: usize = 16;
    pub(crate) const MACHINE: usize = 18;
    pub(crate) const VERSION: usize = 20;
    pub(crate) const ENTRY: usize = 24;
    pub(crate) const PHOFF: usize = 32;
    pub(crate) const PHENTSIZE: usize = 54;
    pub(crate) const PHNUM: usize = 56;
}

/// The offset of a field of a program header.
pub(crate) mod phdr {
    pub(crate) const TYPE: usize = 0;
    pub(crate) const FLAGS: usize = 4;
    pub(crate) const OFFSET: usize = 8;
    pub(crate) const VADDR: usize = 16;
    pub(crate) const FILESZ: usize = 32;
    pub(crate) const MEMSZ: usize = 40;
    pub(crate) const ALIGN: usize = 48;
}

/// The segments of the image, in the order of their program headers.
pub(crate) mod segment {
    pub(crate) const HEADERS: usize = 0;
    pub(crate) const TEXT: usize = 1;
    pub(crate) const RODATA: usize = 2;
    pub(crate) const DATA: usize = 3;
    pub(crate) const TLS: usize = 4;
    pub(crate) const STACK: usize = 5;
}

/// The offset of a program header's field in the image.
pub(crate) const fn at(segment: usize, field: usize) -> usize {
    64 + segment * 56 + field
}

/// Type, flags, offset, address, size in the file, size in memory, alignment.
const SEGMENTS: [[u64; 7]; 6] = [
    [1, 4, 0x0, BASE, 0x1d0, 0x1d0, 0x1000],
    [1, 5, 0x1000, BASE + 0x1000, 0x2345, 0x2345, 0x1000],
    [1, 4, 0x3345, BASE + 0x4345, 0x800, 0x800, 0x1000],
    [1, 6, 0x3b48, BASE + 0x5b48, 0x118, 0x9000, 0x1000],
    [7, 4, 0x3b48, BASE + 0x5b48, 0x10, 0x18, 8],
    [0x6474_e551, 6, 0, 0, 0, 0, 16],
];

/// Makes the image, whole and right.
pub(crate) fn image() -> Page {
    let mut page = Page([0; 4096]);
    let mut put = |offset: usize, bytes: &[u8]| {
        page.0[offset..offset + bytes.len()].copy_from_slice(bytes);
    };
    put(0, b"\x7fELF\x02\x01\x01");
    put(ehdr::TYPE, &2u16.to_le_bytes());
    put(ehdr::MACHINE, &62u16.to_le_bytes());
    put(ehdr::VERSION, &1u32.to_le_bytes());
    put(ehdr::ENTRY, &(BASE + 0x1000).to_le_bytes());
    put(ehdr::PHOFF, &64u64.to_le_bytes());
    put(52, &64u16.to_le_bytes());
    put(ehdr::PHENTSIZE, &56u16.to_le_bytes());
    put(ehdr::PHNUM, &6u16.to_le_bytes());
    for (index, [kind, flags, offset, vaddr, filesz, memsz, align]) in
        SEGMENTS.into_iter().enumerate()
    {
        put(at(index, phdr::TYPE), &(kind as u32).to_le_bytes());
        put(at(index, phdr::FLAGS), &(flags as u32).to_le_bytes());
        put(at(index, phdr::OFFSET), &offset.to_le_bytes());
        put(at(index, phdr::VADDR), &vaddr.to_le_bytes());
        put(at(index, phdr::VADDR + 8), &vaddr.to_le_bytes());
        put(at(index, phdr::FILESZ), &filesz.to_le_bytes());
        put(at(index, phdr::MEMSZ), &memsz.to_le_bytes());
        put(at(index, phdr::ALIGN), &align.to_le_bytes());
    }
    page
}

/// What the runtime of this image would expect.
pub(crate) fn expected() -> Expected {
    Expected {
        entry: Some(BASE as usize + 0x1000),
        text: BASE as usize + 0x1000,
        etext: BASE as usize + 0x3345,
        load_base: BASE as usize,
        phdr: Some(BASE as usize + 64),
        phnum: Some(6),
        phent: Some(56),
    }
}

/// Reads a little-endian number of `size` bytes.
fn number(image: &[u8], offset: u128, size: usize) -> Option<u128> {
    let bytes = image.get(usize::try_from(offset).ok()?..)?.get(..size)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |value, byte| value << 8 | u128::from(*byte)),
    )
}

/// A program header, read on its own.
#[derive(Clone, Copy)]
struct Segment {
    kind: u128,
    flags: u128,
    offset: u128,
    start: u128,
    file: u128,
    memory: u128,
    align: u128,
}

/// The second opinion: whether `verify` must accept `image`. `None` is no.
pub(crate) fn is_sound(image: &[u8], expected: &Expected) -> Option<()> {
    let demand = |holds: bool| holds.then_some(());
    let end_of_user = 1u128 << 47;
    demand(image.len() >= 64 && image.starts_with(b"\x7fELF\x02\x01\x01"))?;
    demand(
        number(image, 16, 2)? == 2 && number(image, 18, 2)? == 62 && number(image, 20, 4)? == 1,
    )?;
    let entry = number(image, 24, 8)?;
    let table = number(image, 32, 8)?;
    let (size, count) = (number(image, 54, 2)?, number(image, 56, 2)?);
    demand(
        expected
            .entry
            .is_none_or(|expected| entry == expected as u128),
    )?;
    demand(size == 56 && table % 8 == 0)?;
    demand(table + 56 * count <= image.len() as u128)?;
    demand(
        expected
            .phdr
            .is_none_or(|phdr| phdr as u128 == expected.load_base as u128 + table),
    )?;
    demand(expected.phnum.is_none_or(|phnum| phnum as u128 == count))?;
    demand(expected.phent.is_none_or(|phent| phent as u128 == size))?;

    let mut segments = Vec::new();
    for index in 0..count {
        let field = |offset, size| number(image, table + 56 * index + offset, size);
        segments.push(Segment {
            kind: field(0, 4)?,
            flags: field(4, 4)?,
            offset: field(8, 8)?,
            start: field(16, 8)?,
            file: field(32, 8)?,
            memory: field(40, 8)?,
            align: field(48, 8)?,
        });
    }
    let of_kind = |kind| {
        segments
            .iter()
            .copied()
            .filter(move |segment| segment.kind == kind)
    };

    for segment in of_kind(1).chain(of_kind(7)) {
        demand(segment.file <= segment.memory && segment.start + segment.memory <= end_of_user)?;
    }
    demand(of_kind(1).all(|load| load.offset % 4096 == load.start % 4096))?;
    let loads: Vec<Segment> = of_kind(1).filter(|load| load.memory != 0).collect();
    demand(loads.first()?.start == expected.load_base as u128 && loads.first()?.offset == 0)?;
    for pair in loads.windows(2) {
        demand((pair[0].start + pair[0].memory).div_ceil(4096) <= pair[1].start / 4096)?;
    }
    demand(loads.iter().all(|load| load.flags & 3 != 3))?;
    let [text] = loads
        .iter()
        .filter(|load| load.flags & 1 != 0)
        .collect::<Vec<_>>()[..]
    else {
        return None;
    };
    let end = text.start + text.file;
    let (from, to) = (expected.text as u128, expected.etext as u128);
    demand(text.start <= from && from <= to && to <= end && text.start <= entry && entry < end)?;

    demand(
        of_kind(0x6474_e551).count() > 0 && of_kind(0x6474_e551).all(|stack| stack.flags & 1 == 0),
    )?;
    demand(of_kind(7).count() <= 1)?;
    for tls in of_kind(7) {
        demand(tls.align == 0 || tls.align.is_power_of_two())?;
        demand(
            tls.file == 0
                || of_kind(1).any(|load| {
                    load.start <= tls.start && tls.start + tls.file <= load.start + load.file
                }),
        )?;
    }
    Some(())
}
