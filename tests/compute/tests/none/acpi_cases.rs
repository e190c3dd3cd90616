//! Tests of `os::none::acpi`: which CPUs its tables list, whole and damaged.

use gort_host_tests::{Random, ensure};
use libtest_mimic::{Failed, Trial};

use crate::acpi::local_apics;
use crate::boot_info_cases::Memory;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("acpi::lists_what_may_be_started", lists_what_may_be_started),
        Trial::test("acpi::finds_the_first_table", finds_the_first_table),
        Trial::test("acpi::believes_no_wrong_sum", believes_no_wrong_sum),
        Trial::test("acpi::survives_any_damage", survives_any_damage),
    ]
}

/// Where things are in the memory that is made up: where firmware puts the first one.
const RSDP: usize = 0xe_1230;
const ROOT: usize = 0x2000;
const OTHER: usize = 0x3000;
const MADT: usize = 0x4000;
const SIZE: usize = 0x10_0000;

/// Makes tables: by the old list, of 4 bytes each, or the new one.
fn tables(new: bool) -> Memory {
    let mut memory = vec![0; SIZE];
    let mut put = |at: usize, bytes: &[u8]| memory[at..at + bytes.len()].copy_from_slice(bytes);
    // An I/O APIC between the CPUs, one that is not there, and one with the flag for later.
    let entries: &[&[u8]] = &[
        &[0, 8, 0, 0, 1, 0, 0, 0],
        &[1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0],
        &[0, 8, 1, 4, 1, 0, 0, 0],
        &[0, 8, 2, 5, 0, 0, 0, 0],
        &[0, 8, 3, 6, 2, 0, 0, 0],
        &[0, 8, 4, 254, 1, 0, 0, 0],
    ];
    put(
        MADT,
        &table(b"APIC", &[&[0; 8], &entries.concat()[..]].concat()),
    );
    put(OTHER, &table(b"FACP", &[0; 80]));
    let list = |size: usize| -> Vec<u8> {
        let word = |at: usize| at.to_le_bytes()[..size].to_vec();
        [word(OTHER), word(MADT)].concat()
    };
    let root = if new {
        table(b"XSDT", &list(8))
    } else {
        table(b"RSDT", &list(4))
    };
    put(ROOT, &root);
    let mut first = [0; 36];
    first[..8].copy_from_slice(b"RSD PTR ");
    first[15] = if new { 2 } else { 0 };
    if new {
        first[20] = 36;
        first[24..32].copy_from_slice(&ROOT.to_le_bytes());
    } else {
        first[16..20].copy_from_slice(&ROOT.to_le_bytes()[..4]);
    }
    first[8] = sum(&first[..20]);
    first[32] = sum(&first);
    put(RSDP, &first);
    Memory(memory)
}

/// Makes a table.
fn table(name: &[u8; 4], contents: &[u8]) -> Vec<u8> {
    let mut table = vec![0; 36];
    table[..4].copy_from_slice(name);
    table.extend_from_slice(contents);
    let length = table.len() as u32;
    table[4..8].copy_from_slice(&length.to_le_bytes());
    table[9] = sum(&table);
    table
}

/// Returns what makes the sum of some bytes 0.
fn sum(bytes: &[u8]) -> u8 {
    bytes
        .iter()
        .fold(0u8, |sum, &byte| sum.wrapping_add(byte))
        .wrapping_neg()
}

/// Lists the CPUs; None if nothing says so.
fn list(memory: &Memory, rsdp: usize) -> Option<Vec<u8>> {
    let mut found = Vec::new();
    local_apics(&memory, rsdp as u64, &mut |id| found.push(id)).then_some(found)
}

fn lists_what_may_be_started() -> Result<(), Failed> {
    for new in [false, true] {
        let found = list(&tables(new), RSDP);
        ensure!(found == Some(vec![0, 4, 254]), "new: {new}: {found:?}");
    }
    Ok(())
}

fn finds_the_first_table() -> Result<(), Failed> {
    let found = list(&tables(true), 0);
    ensure!(found == Some(vec![0, 4, 254]), "{found:?}");
    let empty = Memory(vec![0; SIZE]);
    ensure!(list(&empty, 0).is_none(), "found where nothing is");
    ensure!(list(&empty, usize::MAX).is_none(), "found nowhere");
    Ok(())
}

fn believes_no_wrong_sum() -> Result<(), Failed> {
    for place in [RSDP + 9, ROOT + 10, MADT + 40] {
        let mut memory = tables(true);
        memory.0[place] ^= 1;
        ensure!(list(&memory, RSDP).is_none(), "at {place:#x}");
    }
    Ok(())
}

fn survives_any_damage() -> Result<(), Failed> {
    let mut random = Random::new(7);
    for _ in 0..2000 {
        let mut memory = tables(random.below(2) == 0);
        for (start, length) in [(RSDP, 36), (ROOT, 60), (MADT, 100)] {
            if random.below(2) == 0 {
                random.damage(&mut memory.0[start..start + length]);
            }
            // So that what lies behind the sum is reached.
            if start != RSDP && random.below(4) != 0 {
                let size = u32::from_le_bytes(memory.0[start + 4..start + 8].try_into()?) as usize;
                let end = start.saturating_add(size).min(SIZE);
                memory.0[start + 9] = 0;
                memory.0[start + 9] = sum(&memory.0[start..end]);
            }
        }
        list(&memory, if random.below(2) == 0 { RSDP } else { 0 });
    }
    Ok(())
}
