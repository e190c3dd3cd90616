//! Tests of `debug::vdso`: with this machine's own vDSO, if it has one (QEMU user
//! mode has none), and with small ones made here, of the older kind with DT_HASH
//! and of the newer with DT_GNU_HASH only.

use std::fs;
use std::num::NonZero;
use std::os::unix::fs::FileExt;

use gort_host_tests::{Random, ensure};
use libtest_mimic::{Failed, Trial};

use crate::vdso::Vdso;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test(
            "vdso::agrees_with_goblin_on_the_real_one",
            agrees_with_goblin_on_the_real_one,
        ),
        Trial::test(
            "vdso::finds_symbols_by_either_hash",
            finds_symbols_by_either_hash,
        ),
        Trial::test(
            "vdso::takes_only_what_may_be_called",
            takes_only_what_may_be_called,
        ),
        Trial::test("vdso::minds_the_version", minds_the_version),
        Trial::test("vdso::measures_the_image", measures_the_image),
        Trial::test("vdso::damaged_images", damaged_images),
    ]
}

const NAMES: [&[u8]; 2] = [b"__vdso_clock_gettime", b"__vdso_getcpu"];

/// Measures an image by its first page.
fn image_size(header_page: &[u8]) -> Option<usize> {
    Some(Vdso::new(header_page)?.size)
}

/// Looks for functions in an image, whose first page says how long it should be:
/// a damaged one may be shorter.
fn find<const N: usize>(image: &[u8], names: [&[u8]; N]) -> [Option<usize>; N] {
    names.map(|name| {
        let name = [name, b"\0"].concat();
        Vdso::new(image)?.find(&name).map(NonZero::get)
    })
}

/// Memory for an image, aligned as the kernel's.
#[repr(C, align(4096))]
struct Memory([u8; 1 << 15]);

/// Copies an image to aligned memory.
fn aligned(bytes: &[u8]) -> Box<Memory> {
    let mut memory = Box::new(Memory([0; 1 << 15]));
    memory.0[..bytes.len()].copy_from_slice(bytes);
    memory
}

/// Reads the vDSO of this process.
fn real() -> Option<Vec<u8>> {
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let line = maps.lines().find(|line| line.ends_with("[vdso]"))?;
    let (start, rest) = line.split_once('-')?;
    let (end, _) = rest.split_once(' ')?;
    let [start, end] = [start, end].map(|number| u64::from_str_radix(number, 16));
    let (start, end) = (start.ok()?, end.ok()?);
    let mut bytes = vec![0; (end - start) as usize];
    fs::File::open("/proc/self/mem")
        .ok()?
        .read_exact_at(&mut bytes, start)
        .ok()?;
    Some(bytes)
}

fn agrees_with_goblin_on_the_real_one() -> Result<(), Failed> {
    let Some(bytes) = real() else { return Ok(()) };
    let memory = aligned(&bytes);
    let size = image_size(&memory.0[..4096]).ok_or("no size")?;
    ensure!(
        size <= bytes.len() && size + 4096 > bytes.len(),
        "{size} of {}",
        bytes.len()
    );
    let offsets = find(&memory.0[..size], NAMES);

    let elf = goblin::elf::Elf::parse(&bytes).map_err(|error| error.to_string())?;
    for (name, offset) in NAMES.iter().zip(offsets) {
        let symbol = elf
            .dynsyms
            .iter()
            .find(|symbol| elf.dynstrtab.get_at(symbol.st_name).map(str::as_bytes) == Some(name));
        let want = symbol.ok_or("not in goblin's table")?.st_value as usize;
        ensure!(offset == Some(want), "{offset:x?}, not {want:x}");
    }
    Ok(())
}

/// A small vDSO.
#[derive(Clone, Copy)]
struct Small {
    base: u64,
    gnu_hash: bool,
    versions: bool,
    info: u8,
    section: u16,
    value: u64,
}

/// What the tests change.
const SMALL: Small = Small {
    base: 0,
    gnu_hash: true,
    versions: true,
    info: 0x12,
    section: 9,
    value: 0xc00,
};

/// Where the parts of a small vDSO are.
const DYNAMIC: usize = 0x100;
const SYMBOLS: usize = 0x200;
const STRINGS: usize = 0x300;
const HASH: usize = 0x400;
const VERSIONS: usize = 0x500;
const DEFINITIONS: usize = 0x520;
const SIZE: usize = 0x1000;

impl Small {
    /// Writes it: an undefined symbol, getcpu at 0xb00, clock_gettime as `self`
    /// says, and a weak one.
    fn build(self) -> Box<Memory> {
        let mut memory = aligned(&[]);
        let mut put = |offset: usize, bytes: &[u8]| {
            memory.0[offset..offset + bytes.len()].copy_from_slice(bytes);
        };
        put(0, b"\x7fELF\x02\x01\x01");
        put(16, &3u16.to_le_bytes());
        put(18, &62u16.to_le_bytes());
        put(20, &1u32.to_le_bytes());
        put(32, &64u64.to_le_bytes());
        put(54, &56u16.to_le_bytes());
        put(56, &2u16.to_le_bytes());
        let (dynamic, size) = (DYNAMIC as u64, SIZE as u64);
        for (index, [kind, offset, size]) in
            [[1, 0, size], [2, dynamic, 0x80]].into_iter().enumerate()
        {
            let words = [
                kind | 5 << 32,
                offset,
                self.base.wrapping_add(offset),
                0,
                size,
                size,
                8,
            ];
            put(64 + 56 * index, &words.map(u64::to_le_bytes).concat());
        }

        let mut tags = vec![(6, SYMBOLS), (5, STRINGS), (0x6fff_fef5, HASH)];
        if !self.gnu_hash {
            tags[2].0 = 4;
        }
        if self.versions {
            tags.extend([(0x6fff_fff0, VERSIONS), (0x6fff_fffc, DEFINITIONS)]);
        }
        let mut entries: Vec<[u64; 2]> = tags
            .iter()
            .map(|(tag, offset)| [*tag, self.base.wrapping_add(*offset as u64)])
            .collect();
        entries.push([10, 0x100]);
        put(
            DYNAMIC,
            &entries
                .concat()
                .iter()
                .flat_map(|word| word.to_le_bytes())
                .collect::<Vec<_>>(),
        );

        put(
            STRINGS,
            b"\0__vdso_getcpu\0__vdso_clock_gettime\0LINUX_2.6\0linux-vdso.so.1\0x\0",
        );
        let symbols = [
            (1, 0x12, 9, 0xb00),
            (15, self.info, self.section, self.value),
            (62, 0x22, 9, 1),
        ];
        for (index, (name, info, section, value)) in symbols.into_iter().enumerate() {
            let at = SYMBOLS + 24 * (index + 1);
            put(at, &u32::to_le_bytes(name));
            put(at + 4, &[info, 0]);
            put(at + 6, &u16::to_le_bytes(section));
            put(at + 8, &self.base.wrapping_add(value).to_le_bytes());
        }
        // Two buckets; the second has the symbols 2 and 3.
        let hash: &[u32] = if self.gnu_hash {
            &[2, 1, 1, 6, 0, 0, 1, 2, 0x11, 0x20, 0x31]
        } else {
            &[1, 4, 3, 0, 0, 1, 2]
        };
        put(
            HASH,
            &hash
                .iter()
                .flat_map(|word| word.to_le_bytes())
                .collect::<Vec<_>>(),
        );
        put(VERSIONS, &[0, 2, 2, 2].map(u16::to_le_bytes).concat());
        // vd_version and vd_flags, vd_ndx and vd_cnt, vd_hash, vd_aux, vd_next; vda_name, vda_next
        let definitions: [u32; 14] = [
            0x1_0001, 0x1_0001, 0, 20, 28, 46, 0, 0x1, 0x1_0002, 0, 20, 0, 36, 0,
        ];
        put(DEFINITIONS, &definitions.map(u32::to_le_bytes).concat());
        memory
    }

    /// Looks for both functions in it.
    fn find(self) -> [Option<usize>; 2] {
        find(&self.build().0[..SIZE], NAMES)
    }
}

const BOTH: [Option<usize>; 2] = [Some(0xc00), Some(0xb00)];
const GETCPU: [Option<usize>; 2] = [None, Some(0xb00)];

fn finds_symbols_by_either_hash() -> Result<(), Failed> {
    for gnu_hash in [true, false] {
        // Old kernels link the vDSO at the top of the address space.
        for base in [0, 0xffff_ffff_ff70_0000] {
            for versions in [true, false] {
                let found = Small {
                    base,
                    gnu_hash,
                    versions,
                    ..SMALL
                }
                .find();
                ensure!(found == BOTH, "{gnu_hash} {base:x} {versions}: {found:x?}");
            }
        }
    }
    // The symbols end where the strings start, so here there are none.
    let mut other = SMALL.build();
    other.0[DYNAMIC + 8..][..8].copy_from_slice(&(STRINGS as u64).to_le_bytes());
    let found = find(&other.0[..SIZE], NAMES);
    ensure!(found == [None; 2], "symbols behind the strings: {found:x?}");
    let image = SMALL.build();
    let names: [&[u8]; 3] = [b"__vdso_clock", b"", b"__vdso_getcpu_"];
    let found = find(&image.0[..SIZE], names);
    ensure!(found == [None; 3], "parts of names: {found:x?}");
    Ok(())
}

fn takes_only_what_may_be_called() -> Result<(), Failed> {
    let weak = Small {
        info: 0x22,
        ..SMALL
    }
    .find();
    ensure!(weak == BOTH, "weak: {weak:x?}");
    let cases = [
        (
            "local",
            Small {
                info: 0x02,
                ..SMALL
            },
        ),
        (
            "an object",
            Small {
                info: 0x11,
                ..SMALL
            },
        ),
        (
            "undefined",
            Small {
                section: 0,
                ..SMALL
            },
        ),
        (
            "outside",
            Small {
                value: SIZE as u64,
                ..SMALL
            },
        ),
        (
            "far outside",
            Small {
                value: u64::MAX,
                ..SMALL
            },
        ),
    ];
    for (name, small) in cases {
        let found = small.find();
        ensure!(found == GETCPU, "{name}: {found:x?}");
    }
    Ok(())
}

fn minds_the_version() -> Result<(), Failed> {
    let mut other = SMALL.build();
    other.0[VERSIONS + 4] = 1;
    let found = find(&other.0[..SIZE], NAMES);
    ensure!(found == GETCPU, "one of another version: {found:x?}");

    let mut hidden = SMALL.build();
    hidden.0[VERSIONS + 5] = 0x80;
    let found = find(&hidden.0[..SIZE], NAMES);
    ensure!(found == BOTH, "the bit that hides a version: {found:x?}");

    let mut none = SMALL.build();
    none.0[STRINGS + 36] = b'l';
    let found = find(&none.0[..SIZE], NAMES);
    ensure!(found == [None; 2], "no LINUX_2.6: {found:x?}");
    Ok(())
}

fn measures_the_image() -> Result<(), Failed> {
    let size = |offset: usize, value: u64| {
        let mut image = SMALL.build();
        image.0[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
        image_size(&image.0[..4096])
    };
    let memsz = 64 + 40;
    ensure!(size(memsz, SIZE as u64) == Some(SIZE), "one segment");
    ensure!(size(memsz, 1 << 20) == Some(1 << 20), "the longest");
    ensure!(size(memsz, (1 << 20) + 1).is_none(), "longer");
    ensure!(size(memsz, u64::MAX).is_none(), "longer than memory");
    ensure!(size(memsz, 0).is_none(), "empty");
    ensure!(size(64, 0).is_none(), "no segment");
    ensure!(size(32, 4090).is_none(), "headers outside");
    ensure!(image_size(&[]).is_none(), "nothing");
    // A second segment counts, unless it is below the first.
    let mut image = SMALL.build();
    image.0[64 + 56] = 1;
    image.0[64 + 56 + 40..][..8].copy_from_slice(&0x2000u64.to_le_bytes());
    ensure!(image_size(&image.0[..4096]) == Some(0x2100), "two segments");
    image.0[64 + 16..][..8].copy_from_slice(&0x4000u64.to_le_bytes());
    ensure!(
        image_size(&image.0[..4096]).is_none(),
        "the second is below"
    );
    Ok(())
}

fn damaged_images() -> Result<(), Failed> {
    const CASES: usize = 200_000;
    let mut random = Random::new(0x7664_736f);
    let mut sources = vec![
        SMALL.build().0[..SIZE].to_vec(),
        Small {
            gnu_hash: false,
            ..SMALL
        }
        .build()
        .0[..SIZE]
            .to_vec(),
    ];
    sources.extend(real());
    let mut memory = aligned(&[]);
    let mut found = 0;
    for case in 0..CASES {
        // The real one is large: it takes a tenth of the cases.
        let source = &sources[if random.below(10) == 0 {
            sources.len() - 1
        } else {
            random.below(2)
        }];
        memory.0[..source.len()].copy_from_slice(source);
        // The tables are at the front, so most damage is done there.
        let front = random.pick(&[
            64 + 2 * 56,
            DEFINITIONS + 56,
            DEFINITIONS + 56,
            source.len(),
        ]);
        let mut length = source.len();
        for _ in 0..=random.below(3) {
            let left = random.damage(&mut memory.0[..front]);
            if left < front {
                length = length.min(left);
            }
        }
        let header = &memory.0[..length.min(4096)];
        ensure!(
            image_size(header).is_none_or(|size| size - 1 < 1 << 20),
            "case {case}: its size"
        );
        let offsets = find(&memory.0[..length], NAMES);
        ensure!(
            offsets.iter().flatten().all(|offset| *offset < length),
            "case {case}: {offsets:x?}"
        );
        found += usize::from(offsets != [None; 2]);
    }
    ensure!(
        (CASES / 20..CASES).contains(&found),
        "found something in {found} of {CASES}"
    );
    Ok(())
}
