//! What is in the ELF file of a program for a bare machine. It must have been built:
//! `CARGO_TARGET_DIR=target/none cargo build --features none --example hello`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use goblin::elf::program_header::{PF_R, PF_W, PF_X, PT_GNU_STACK, PT_LOAD, PT_NOTE};
use goblin::elf::{Elf, ProgramHeader};
use gort_host_tests::ensure;
use gort_host_tests::programs::built_for_none;
use libtest_mimic::{Failed, Trial};

/// What a stripped `hello` may weigh, in a release build.
const STRIPPED: u64 = 200 << 10;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    let test = |name, check: fn(&[u8], &Elf<'_>) -> Result<(), Failed>| {
        Trial::test(name, move || {
            let bytes = fs::read(hello()?)?;
            check(&bytes, &Elf::parse(&bytes)?)
        })
    };
    vec![
        test("image::makes_no_system_calls", makes_no_system_calls),
        test("image::is_loaded_where_it_runs", is_loaded_where_it_runs),
        test(
            "image::has_one_permission_a_page",
            has_one_permission_a_page,
        ),
        test("image::names_its_entries", names_its_entries),
        Trial::test("image::is_small", is_small),
    ]
}

/// Returns the program's path.
fn hello() -> Result<PathBuf, Failed> {
    let path = built_for_none()?.join("examples").join("hello");
    if path.is_file() {
        return Ok(path);
    }
    Err(format!(
        "{} is not there: CARGO_TARGET_DIR=target/none cargo build --features none --example hello",
        path.display()
    )
    .into())
}

/// Returns the path of the optimized one: only that is small.
fn optimized() -> Result<PathBuf, Failed> {
    Ok(built_for_none()?
        .with_file_name("release")
        .join("examples/hello"))
}

/// Returns the segments that are loaded.
fn loaded<'a>(elf: &'a Elf<'_>) -> impl Iterator<Item = &'a ProgramHeader> {
    elf.program_headers
        .iter()
        .filter(|header| header.p_type == PT_LOAD)
}

/// As objdump reads it: the two bytes alone may be a part of another instruction.
fn makes_no_system_calls(_: &[u8], _: &Elf<'_>) -> Result<(), Failed> {
    let listing = Command::new("objdump")
        .args(["-d", "--no-show-raw-insn"])
        .arg(hello()?)
        .output()?;
    let listing = String::from_utf8_lossy(&listing.stdout);
    ensure!(listing.lines().count() > 1000, "objdump lists nothing");
    for line in listing.lines() {
        let mut words = line.split_whitespace().skip(1);
        let call = matches!(words.next(), Some("syscall" | "sysenter"));
        ensure!(!call && !line.contains("int    $0x80"), "{line}");
    }
    Ok(())
}

fn is_loaded_where_it_runs(_: &[u8], elf: &Elf<'_>) -> Result<(), Failed> {
    for header in loaded(elf) {
        ensure!(header.p_paddr == header.p_vaddr, "{header:?}");
        ensure!(header.p_vaddr >= 1 << 20, "{header:?}");
        // What is large in .bss is not to be loaded: 8 MiB are a machine.
        ensure!(header.p_vaddr + header.p_memsz <= 6 << 20, "{header:?}");
    }
    Ok(())
}

fn has_one_permission_a_page(_: &[u8], elf: &Elf<'_>) -> Result<(), Failed> {
    let mut end = 0;
    let mut kinds = Vec::new();
    for header in loaded(elf) {
        ensure!(header.p_vaddr >> 12 >= end, "shares a page: {header:?}");
        end = (header.p_vaddr + header.p_memsz).div_ceil(4096);
        kinds.push(header.p_flags);
    }
    let expected = [PF_R, PF_R | PF_X, PF_R | PF_W];
    ensure!(kinds == expected, "the segments are {kinds:?}");
    let stack = elf
        .program_headers
        .iter()
        .find(|header| header.p_type == PT_GNU_STACK);
    ensure!(
        stack.is_some_and(|header| header.p_flags & PF_X == 0),
        "the stack is executable"
    );
    Ok(())
}

/// The note leads to the 32-bit entry, and e_entry to the 64-bit one.
fn names_its_entries(bytes: &[u8], elf: &Elf<'_>) -> Result<(), Failed> {
    const PHYS32_ENTRY: u32 = 18;
    let symbol = |name: &str| {
        let found = elf
            .syms
            .iter()
            .find(|symbol| elf.strtab.get_at(symbol.st_name) == Some(name));
        found
            .map(|symbol| symbol.st_value)
            .ok_or(format!("no {name}"))
    };
    ensure!(elf.entry == symbol("_rt0_amd64_none")?, "{:#x}", elf.entry);
    let note = elf
        .program_headers
        .iter()
        .find(|header| header.p_type == PT_NOTE)
        .ok_or("no note")?;
    let words: Vec<u32> = bytes[note.file_range()]
        .chunks_exact(4)
        .filter_map(|word| Some(u32::from_le_bytes(word.try_into().ok()?)))
        .collect();
    let xen = u32::from_le_bytes(*b"Xen\0");
    let entry = symbol("runtime.pvhStart")? as u32;
    ensure!(
        words == [4, 4, PHYS32_ENTRY, xen, entry],
        "the note: {words:x?}"
    );
    Ok(())
}

fn is_small() -> Result<(), Failed> {
    let hello = optimized()?;
    let stripped = hello.with_extension("stripped");
    let strip = Command::new("strip")
        .arg("-o")
        .arg(&stripped)
        .arg(&hello)
        .status()?;
    ensure!(strip.success(), "strip: {strip}");
    let size = fs::metadata(&stripped)?.len();
    fs::remove_file(&stripped)?;
    ensure!(size <= STRIPPED, "{size} bytes");
    Ok(())
}
