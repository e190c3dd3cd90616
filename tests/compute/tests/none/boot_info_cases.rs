//! Tests of `os::none::boot_info`: what QEMU and Firecracker tell, as they lay it out, and
//! damaged in many ways.

use gort_host_tests::{Random, ensure};
use libtest_mimic::{Failed, Trial};

use crate::boot_info::{BootInfo, MAX_REGIONS, Physical, Region, Regions, Wrong};

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("boot_info::reads_what_qemu_tells", reads_what_qemu_tells),
        Trial::test(
            "boot_info::reads_what_firecracker_tells",
            reads_what_firecracker_tells,
        ),
        Trial::test(
            "boot_info::takes_out_what_is_reserved",
            takes_out_what_is_reserved,
        ),
        Trial::test("boot_info::says_what_is_wrong", says_what_is_wrong),
        Trial::test(
            "boot_info::counts_what_it_has_no_room_for",
            counts_what_it_has_no_room_for,
        ),
        Trial::test("boot_info::survives_any_damage", survives_any_damage),
    ]
}

/// Where things are in the memory that is made up.
const INFO: u64 = 0x1000;
const MAP: u64 = 0x2000;
const MODULE: u64 = 0x3000;
const LINE: u64 = 0x4000;
const SIZE: usize = 0x8000;

/// Physical memory from address 0 on.
pub(crate) struct Memory(pub(crate) Vec<u8>);

impl<'a> Physical<'a> for &'a Memory {
    fn at(&self, address: u64, length: usize) -> &'a [u8] {
        let start = usize::try_from(address).unwrap_or(usize::MAX);
        let rest = self.0.get(start..).unwrap_or_default();
        rest.get(..length).unwrap_or(rest)
    }
}

impl Memory {
    /// Memory that is all zeros.
    fn new() -> Self {
        Self(vec![0; SIZE])
    }

    /// Writes bytes.
    fn put(&mut self, at: u64, bytes: &[u8]) {
        self.0[at as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    /// Makes up what QEMU's firmware tells by PVH.
    fn pvh(regions: &[(u64, u64, u32)]) -> Self {
        let mut memory = Self::new();
        memory.put(INFO, &0x336e_c578u32.to_le_bytes());
        memory.put(INFO + 4, &1u32.to_le_bytes());
        memory.put(INFO + 12, &1u32.to_le_bytes());
        memory.put(INFO + 16, &MODULE.to_le_bytes());
        memory.put(INFO + 24, &LINE.to_le_bytes());
        memory.put(INFO + 32, &0xf_5a90u64.to_le_bytes());
        memory.put(INFO + 40, &MAP.to_le_bytes());
        memory.put(INFO + 48, &(regions.len() as u32).to_le_bytes());
        for (at, (start, size, kind)) in regions.iter().enumerate() {
            let at = MAP + 24 * at as u64;
            memory.put(at, &start.to_le_bytes());
            memory.put(at + 8, &size.to_le_bytes());
            memory.put(at + 16, &kind.to_le_bytes());
        }
        memory.put(MODULE, &0x7f0_0000u64.to_le_bytes());
        memory.put(MODULE + 8, &0x1234u64.to_le_bytes());
        memory.put(LINE, b"A=1 -- b\0not this");
        memory
    }

    /// Makes up a zero page.
    fn linux(regions: &[(u64, u64, u32)]) -> Self {
        let mut memory = Self::new();
        memory.put(INFO + 0x1fe, &[0x55, 0xaa]);
        memory.put(INFO + 0x202, b"HdrS");
        memory.put(INFO + 0x1e8, &[regions.len() as u8]);
        memory.put(INFO + 0x228, &(LINE as u32).to_le_bytes());
        memory.put(INFO + 0x70, &0xe_0000u64.to_le_bytes());
        for (at, (start, size, kind)) in regions.iter().enumerate() {
            let at = INFO + 0x2d0 + 20 * at as u64;
            memory.put(at, &start.to_le_bytes());
            memory.put(at + 8, &size.to_le_bytes());
            memory.put(at + 16, &kind.to_le_bytes());
        }
        memory.put(LINE, b"reboot=k\0");
        memory
    }
}

/// Reads the map that is told of.
fn read_map<'a>(info: &BootInfo<'a>, memory: &'a Memory) -> Regions {
    let mut regions = Regions::new();
    info.read_map(&memory, &mut regions);
    regions
}

fn reads_what_qemu_tells() -> Result<(), Failed> {
    let memory = Memory::pvh(&[
        (0, 0x9_fc00, 1),
        (0xf_0000, 0x1_0000, 2),
        (0x10_0000, 0x7f0_0000, 1),
        (0xfffc_0000, 0x4_0000, 2),
        (0, 0, 0), // the end, which is counted
        (5, 0, 1),
    ]);
    let info = BootInfo::from_pvh(&&memory, INFO).map_err(|wrong| format!("{wrong:?}"))?;
    // Nothing below 1 MiB.
    let expected = [Region {
        start: 0x10_0000,
        end: 0x800_0000,
    }];
    let regions = read_map(&info, &memory);
    ensure!(regions.list() == expected, "regions: {:?}", regions.list());
    ensure!(regions.pages == 0x7f00, "{:#x} pages", regions.pages);
    ensure!(info.command_line == b"A=1 -- b", "{:?}", info.command_line);
    ensure!(info.command_line_at == LINE, "{:#x}", info.command_line_at);
    ensure!(info.rsdp == 0xf_5a90, "rsdp {:#x}", info.rsdp);
    ensure!(
        info.file.start == 0x7f0_0000 && info.file.end == 0x7f0_1234,
        "{:?}",
        info.file
    );
    Ok(())
}

/// What is said to be reserved is not used, whatever else is said of it, and before or behind.
fn takes_out_what_is_reserved() -> Result<(), Failed> {
    let memory = Memory::pvh(&[
        (0x30_0000, 0x1000, 2),
        (0x10_0000, 0x7f0_0000, 1),
        (0x7ff_f000, 0x10_0000, 3),
        (0xf_0000, 0x1_1000, 2),
        (0x900_0000, 0x1000, 1),
        (0x8ff_f000, 0x3000, 2),
        (0xa00_0000, 0x1000, 1),
        (0xa00_1000, u64::MAX, 2),
    ]);
    let info = BootInfo::from_pvh(&&memory, INFO).map_err(|wrong| format!("{wrong:?}"))?;
    let regions = read_map(&info, &memory);
    let regions = regions.list();
    let expected = [
        (0x10_1000, 0x30_0000),
        (0x30_1000, 0x7ff_f000),
        (0xa00_0000, 0xa00_1000),
    ];
    let expected = expected.map(|(start, end)| Region { start, end });
    ensure!(regions == expected, "regions: {regions:?}");
    Ok(())
}

fn reads_what_firecracker_tells() -> Result<(), Failed> {
    let memory = Memory::linux(&[(0, 0x9_fc00, 1), (0x10_0000, 0x7f0_0000, 1)]);
    let info = BootInfo::from_linux(&&memory, INFO).map_err(|wrong| format!("{wrong:?}"))?;
    let regions = read_map(&info, &memory);
    ensure!(regions.list().len() == 1, "{:?}", regions.list());
    ensure!(info.command_line == b"reboot=k", "{:?}", info.command_line);
    ensure!(info.rsdp == 0xe_0000, "rsdp {:#x}", info.rsdp);
    ensure!(info.file == Region::default(), "{:?}", info.file);
    Ok(())
}

fn says_what_is_wrong() -> Result<(), Failed> {
    let empty = Memory::new();
    let mut old = Memory::pvh(&[]);
    old.put(INFO + 4, &0u32.to_le_bytes());
    let none = Memory::linux(&[]);
    for (got, wrong) in [
        (BootInfo::from_pvh(&&empty, INFO), Wrong::NoMagic),
        (BootInfo::from_pvh(&&empty, u64::MAX), Wrong::NoMagic),
        (BootInfo::from_linux(&&empty, INFO), Wrong::NoMagic),
        (BootInfo::from_pvh(&&old, INFO), Wrong::NoMemoryMap),
        (BootInfo::from_linux(&&none, INFO), Wrong::NoMemoryMap),
    ] {
        ensure!(got == Err(wrong), "{got:?} instead of {wrong:?}");
    }
    Ok(())
}

fn counts_what_it_has_no_room_for() -> Result<(), Failed> {
    let many: Vec<_> = (0..MAX_REGIONS as u64 + 5)
        .map(|at| ((at + 1) << 20, 4096, 1))
        .collect();
    let memory = Memory::pvh(&many);
    let info = BootInfo::from_pvh(&&memory, INFO).map_err(|wrong| format!("{wrong:?}"))?;
    let regions = read_map(&info, &memory);
    ensure!(regions.list().len() == MAX_REGIONS, "too few");
    ensure!(regions.left_out == 5, "left out: {}", regions.left_out);
    Ok(())
}

fn survives_any_damage() -> Result<(), Failed> {
    let mut random = Random::new(7);
    let regions = [(0x10_0000, 0x7f0_0000, 1), (1 << 32, 1 << 30, 1)];
    for _ in 0..20_000 {
        for (mut memory, pvh) in [
            (Memory::pvh(&regions), true),
            (Memory::linux(&regions), false),
        ] {
            let length = random.damage(&mut memory.0[INFO as usize..]);
            memory.0.truncate(INFO as usize + length);
            let memory = &memory;
            let info = if pvh {
                BootInfo::from_pvh(&memory, INFO)
            } else {
                BootInfo::from_linux(&memory, INFO)
            };
            let Ok(info) = info else { continue };
            let regions = read_map(&info, memory);
            ensure!(
                regions
                    .list()
                    .iter()
                    .all(|region| region.start < region.end)
                    && regions.list().is_sorted_by(|a, b| a.end <= b.start),
                "an empty region, or not in order: {:?}",
                regions.list()
            );
        }
    }
    Ok(())
}
