//! The vDSO: the kernel's shared object in every process, whose functions read
//! the clock without a system call.
//!
//! Go's counterpart: `runtime/vdso_linux.go` (`vdsoInitFromSysinfoEhdr`,
//! `vdsoFindVersion`, `vdsoParseSymbols`).
//!
//! ```text
//!   AT_SYSINFO_EHDR -> ELF header
//!                      PT_LOAD     all of it, mapped as it is in the file
//!                      PT_DYNAMIC -> DT_SYMTAB, DT_STRTAB, DT_STRSZ
//!                                    DT_HASH or DT_GNU_HASH: how many symbols
//!                                    DT_VERSYM, DT_VERDEF: which version each has
//! ```
//!
//! There are about a dozen symbols and we look for two, once: every symbol is
//! compared with every name, and the hash tables serve only to count them. A
//! kernel may give either kind of them, or both.
//!
//! Invariants:
//! 1. All that is read lies inside the slice that the caller gave: a damaged
//!    image hides symbols, and does nothing else.
//! 2. An offset that [`find`] returns is below the slice's length.

use goblin::elf::program_header::{PT_DYNAMIC, PT_LOAD};
use goblin::elf::sym::{STB_GLOBAL, STB_WEAK, STT_FUNC, st_bind, st_type};
use goblin::elf64::dynamic::{
    DT_GNU_HASH, DT_HASH, DT_NULL, DT_STRSZ, DT_STRTAB, DT_SYMTAB, DT_VERDEF, DT_VERSYM, Dyn,
};
use goblin::elf64::sym::Sym;
use plain::Plain;

use super::elf::{header, program_headers};

/// The address of what an image does not have: outside of every image.
const MISSING: u64 = u64::MAX;

/// More than any vDSO takes: they have two pages, later ones some more.
const MAX_SIZE: u64 = 1 << 20;

/// The version that x86_64 gives all of its vDSO's symbols.
const VERSION: &[u8] = b"LINUX_2.6";

/// The flag in `vd_flags` of the version that only names the file itself.
const VER_FLG_BASE: u32 = 1;

/// The bits of a DT_VERSYM entry that say the version; the top one hides it.
const VERSYM_VERSION: u16 = 0x7fff;

/// The entries of the dynamic section that we need, in the order in which
/// [`search`] takes them apart.
const TAGS: [u64; 7] = [
    DT_SYMTAB,
    DT_STRTAB,
    DT_STRSZ,
    DT_HASH,
    DT_GNU_HASH,
    DT_VERSYM,
    DT_VERDEF,
];

/// Finds how long the vDSO is in memory, from its first page.
///
/// `sysargs` calls this to make the slice for [`find`].
pub(crate) fn image_size(header_page: &[u8]) -> Option<usize> {
    Some(layout(header_page)?.size)
}

/// Finds functions by their names: for each its offset in `image`.
pub(crate) fn find<const N: usize>(image: &[u8], names: [&[u8]; N]) -> [Option<usize>; N] {
    let mut offsets = [None; N];
    // None is damage met on the way: what was found before it stands.
    let _ = search(image, &names, &mut offsets);
    offsets
}

/// Fills in `offsets` for `names`, as far as the image is sound.
fn search(image: &[u8], names: &[&[u8]], offsets: &mut [Option<usize>]) -> Option<()> {
    let Layout { base, dynamic, .. } = layout(image)?;

    let mut values = [MISSING; TAGS.len()];
    for entry in table::<Dyn>(image, base, dynamic)? {
        if entry.d_tag == DT_NULL {
            break;
        }
        for (value, tag) in values.iter_mut().zip(TAGS) {
            if tag == entry.d_tag {
                *value = entry.d_val;
            }
        }
    }
    let [
        symbols,
        strings,
        strings_size,
        hash,
        gnu_hash,
        versions,
        definitions,
    ] = values;

    let symbols = table::<Sym>(image, base, symbols)?;
    let strings = table::<u8>(image, base, strings)?.get(..strings_size as usize)?;
    let count = match table::<u32>(image, base, hash) {
        Some([_buckets, count, ..]) => *count as usize,
        _ => gnu_count(table(image, base, gnu_hash)?)?,
    };
    // An image without versions has one of each symbol.
    let version = match (
        table(image, base, versions),
        table(image, base, definitions),
    ) {
        (Some(versions), Some(definitions)) => {
            Some((versions, version_index(definitions, strings)?))
        }
        _ => None,
    };

    for (index, symbol) in symbols.iter().enumerate().take(count) {
        let offset = symbol.st_value.wrapping_sub(base) as usize;
        let callable = st_type(symbol.st_info) == STT_FUNC
            && matches!(st_bind(symbol.st_info), STB_GLOBAL | STB_WEAK)
            && symbol.st_shndx != 0 // SHN_UNDEF
            && offset < image.len();
        let wanted = version.is_none_or(|(versions, wanted)| {
            versions
                .get(index)
                .is_some_and(|entry| entry & VERSYM_VERSION == wanted)
        });
        if !(callable && wanted) {
            continue;
        }
        for (found, name) in offsets.iter_mut().zip(names) {
            if is_named(strings, symbol.st_name, name) {
                *found = Some(offset);
            }
        }
    }
    Some(())
}

/// What the program headers say.
struct Layout {
    /// The address for which the image was linked, at its ELF header.
    base: u64,
    /// The length in memory, above 0 and at most [`MAX_SIZE`].
    size: usize,
    /// The address of PT_DYNAMIC, or [`MISSING`].
    dynamic: u64,
}

/// Reads the program headers. The first PT_LOAD is the lowest.
fn layout(image: &[u8]) -> Option<Layout> {
    let header = header(image).ok()?;
    let mut base = MISSING;
    let mut size = 0;
    let mut dynamic = MISSING;
    for segment in program_headers(image, header).ok()? {
        match segment.p_type {
            PT_LOAD => {
                if base == MISSING {
                    base = segment.p_vaddr.wrapping_sub(segment.p_offset);
                }
                // Below the base this wraps and is far above the limit.
                let start = segment.p_vaddr.wrapping_sub(base);
                if start > MAX_SIZE || segment.p_memsz > MAX_SIZE - start {
                    return None;
                }
                size = size.max(start + segment.p_memsz);
            }
            PT_DYNAMIC => dynamic = segment.p_vaddr,
            _ => {}
        }
    }
    (size != 0).then_some(Layout {
        base,
        size: size as usize,
        dynamic,
    })
}

/// Views the image from a virtual address on as a table of `T`, up to the
/// image's end; `None` if it is not inside or not aligned.
fn table<T: Plain>(image: &[u8], base: u64, address: u64) -> Option<&[T]> {
    let bytes = image.get(address.wrapping_sub(base) as usize..)?;
    plain::slice_from_bytes(bytes).ok()
}

/// Counts the symbols by DT_GNU_HASH, which does not say: the last symbol of all
/// is the one that ends the chain which starts last.
///
/// ```text
///   u32 buckets, first symbol, bloom words, bloom shift
///   u64 bloom[]   u32 bucket[]: where each chain starts   u32 chain[]: bit 0 ends it
/// ```
fn gnu_count(table: &[u32]) -> Option<usize> {
    let [buckets, first, bloom, _shift, table @ ..] = table else {
        return None;
    };
    let table = table.get(*bloom as usize * 2..)?;
    let (starts, chains) = table.split_at_checked(*buckets as usize)?;
    let last = starts.iter().fold(0, |last, start| last.max(*start));
    let Some(skipped) = last.checked_sub(*first) else {
        return Some(*first as usize); // every chain is empty
    };
    let chain = chains.get(skipped as usize..)?;
    Some(last as usize + chain.iter().position(|link| link & 1 != 0)? + 1)
}

/// Finds the number that DT_VERSYM has for [`VERSION`] in the list of versions,
/// of which each says how far off its name and the next version are.
fn version_index(mut definition: &[u32], strings: &[u8]) -> Option<u16> {
    loop {
        let [flags, index, _hash, name, next, ..] = definition else {
            return None;
        };
        let name = definition.get(*name as usize / 4)?;
        if flags >> 16 & VER_FLG_BASE == 0 && is_named(strings, *name, VERSION) {
            return Some(*index as u16 & VERSYM_VERSION);
        }
        if *next < 4 {
            return None;
        }
        definition = definition.get(*next as usize / 4..)?; // shorter each time
    }
}

/// Whether the string at `offset` of the string table is `name`.
fn is_named(strings: &[u8], offset: u32, name: &[u8]) -> bool {
    let rest = strings
        .get(offset as usize..)
        .and_then(|text| text.strip_prefix(name));
    rest.and_then(<[u8]>::first) == Some(&0)
}
