//! ACPI's tables, as far as they say which CPUs there are.
//!
//! ```text
//!   RSDP --> XSDT or RSDT --> MADT "APIC" --> a local APIC for each CPU
//! ```
//!
//! Invariant: nothing here trusts what it reads. It comes through [`Physical`], a table
//! whose checksum or length is wrong is none, and no input panics.
//!
//! The file stands alone, so that a test on the host can feed it any tables. ACPI's
//! specification, 5.2.

use super::boot_info::Physical;

/// What stands in front of each table.
const HEADER: usize = 36;

/// A table may not be longer, nor may there be more of them.
const LONGEST: usize = 1 << 20;

/// Where firmware has put the RSDP if nobody says so.
const SEARCHED: core::ops::Range<u64> = 0xe_0000..0x10_0000;

/// Calls `found` with the number of each local APIC whose CPU may be started; false if there
/// are no tables that say so. `rsdp` is where the first table is, or 0.
pub(super) fn local_apics<'a>(
    memory: &impl Physical<'a>,
    rsdp: u64,
    found: &mut dyn FnMut(u8),
) -> bool {
    let Some((root, size)) = root(memory, rsdp) else {
        return false;
    };
    let Some(entries) = table(memory, root).and_then(|table| table.get(HEADER..)) else {
        return false;
    };
    for entry in entries.chunks_exact(size) {
        let mut address = [0; 8];
        address[..size].copy_from_slice(entry);
        if let Some(table) = table(memory, u64::from_le_bytes(address))
            && table.starts_with(b"APIC")
        {
            read_madt(table, found);
            return true;
        }
    }
    false
}

/// Returns the table that lists the others, and how long an address in there is.
fn root<'a>(memory: &impl Physical<'a>, rsdp: u64) -> Option<(u64, usize)> {
    const OLD: usize = 20;
    const NEW: usize = 36;
    let is_rsdp = |bytes: &[u8]| bytes.starts_with(b"RSD PTR ") && adds_up(bytes, OLD);
    let rsdp = match rsdp {
        0 => SEARCHED
            .step_by(16)
            .find(|&at| is_rsdp(memory.at(at, OLD)))?,
        at => at,
    };
    let bytes = memory.at(rsdp, NEW);
    if !is_rsdp(bytes) {
        return None;
    }
    let xsdt = word(bytes, 24, 8);
    if bytes.get(15)? >= &2 && adds_up(bytes, NEW) && xsdt != 0 {
        return Some((xsdt, 8));
    }
    Some((word(bytes, 16, 4), 4))
}

/// Returns a whole table.
fn table<'a>(memory: &impl Physical<'a>, address: u64) -> Option<&'a [u8]> {
    let length = word(memory.at(address, HEADER), 4, 4) as usize;
    if !(HEADER..=LONGEST).contains(&length) {
        return None;
    }
    let bytes = memory.at(address, length);
    adds_up(bytes, length).then_some(bytes)
}

/// Goes through the MADT's entries, which begin with a type and a length.
fn read_madt(madt: &[u8], found: &mut dyn FnMut(u8)) {
    const LOCAL_APIC: u8 = 0;
    const ENABLED: u64 = 1;
    let mut rest = madt.get(HEADER + 8..).unwrap_or_default();
    while let [kind, length, ..] = *rest {
        let Some((entry, tail)) = rest.split_at_checked(length.max(2).into()) else {
            return;
        };
        if let (LOCAL_APIC, &[_, _, _, id, ..]) = (kind, entry)
            && word(entry, 4, 4) & ENABLED != 0
        {
            found(id);
        }
        rest = tail;
    }
}

/// Tells whether the first bytes are there and their sum is 0.
fn adds_up(bytes: &[u8], length: usize) -> bool {
    bytes
        .get(..length)
        .is_some_and(|bytes| bytes.iter().fold(0u8, |sum, &byte| sum.wrapping_add(byte)) == 0)
}

/// Reads a number of so many bytes; 0 if it is not there.
fn word(bytes: &[u8], at: usize, size: usize) -> u64 {
    let mut number = [0; 8];
    if let (Some(from), Some(to)) = (bytes.get(at..at + size), number.get_mut(..size)) {
        to.copy_from_slice(from);
    }
    u64::from_le_bytes(number)
}
