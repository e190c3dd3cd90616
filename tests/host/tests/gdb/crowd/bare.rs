//! Programs without what rustc leaves for debuggers, and stripped ones.

use std::fs;
use std::process::Command;

use goblin::elf::Elf;
use gort_host_tests::ensure;
use gort_host_tests::programs::{self, install};
use libtest_mimic::{Failed, Trial};

use super::{ALL, Directory, KINDS, STOPS, is_of, start_this};
use crate::listing::rows;
use crate::session::{Gdb, Kind};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("crowd_without_debug_information", without),
        Trial::test("crowd_stripped", stripped),
    ]
}

/// Takes from a file what leads to what rustc says of it: gdb shall look for itself. And
/// empties all units of .debug_info but the one that asm/debug_amd64.S makes, as if rustc had
/// been told `debug = false`: the first entry of each becomes the one that ends a list.
fn empty_units(file: &mut [u8]) -> Result<usize, Failed> {
    /// What the one unit has, and no other.
    const OWN: &[u8] = b"_Grunnable\0";
    let elf = Elf::parse(file).map_err(|error| error.to_string())?;
    let section = elf
        .section_headers
        .iter()
        .find(|section| elf.shdr_strtab.get_at(section.sh_name) == Some(".debug_info"))
        .and_then(goblin::elf::SectionHeader::file_range)
        .ok_or("no .debug_info")?;
    const RANGES: &[u8] = b"\0.debug_aranges\0";
    if let Some(at) = file.windows(RANGES.len()).rposition(|name| name == RANGES) {
        file[at + 1] = b'x';
    }
    let units = file.get_mut(section).ok_or("no .debug_info in the file")?;
    let (mut at, mut emptied) = (0, 0);
    while let Some(header) = units.get(at..at + 12) {
        let length = u32::from_le_bytes([header[0], header[1], header[2], header[3]]) as usize;
        // DWARF 5 has a byte for the unit's kind, which here is that of a plain one.
        let first = match header[4] {
            5 => 12,
            _ => 11,
        };
        let unit = units
            .get_mut(at..at + 4 + length)
            .ok_or("a unit too long")?;
        if !unit.windows(OWN.len()).any(|bytes| bytes == OWN) {
            *unit.get_mut(first).ok_or("a unit too short")? = 0;
            emptied += 1;
        }
        at += 4 + length;
    }
    Ok(emptied)
}

/// Finds the symbol of a Rust function: `_ZN3one3two17h…E`.
fn linkers_name(file: &[u8], name: &str) -> Result<String, Failed> {
    let parts = name.split("::").map(|part| format!("{}{part}", part.len()));
    let start = format!("_ZN{}17h", parts.collect::<String>());
    let elf = Elf::parse(file).map_err(|error| error.to_string())?;
    let mut names = elf
        .syms
        .iter()
        .filter_map(|symbol| elf.strtab.get_at(symbol.st_name));
    let found = names.find(|symbol| symbol.starts_with(&start));
    Ok(found.ok_or_else(|| format!("no {start}"))?.to_string())
}

/// All but variables and lines is there.
fn without() -> Result<(), Failed> {
    let directory = Directory::new("without")?;
    let mut file = fs::read(programs::path("testprog")?)?;
    // Without them a Rust function has the name alone that the linker has.
    let [next, everybody] = STOPS.map(|name| linkers_name(&file, name));
    let (next, everybody) = (next?, everybody?);
    let emptied = empty_units(&mut file)?;
    ensure!(emptied > 1, "{emptied} units");
    let (data, program) = (directory.0.join("data"), directory.0.join("testprog"));
    fs::write(&data, &file)?;
    install(&data, &program)?;

    let mut gdb = start_this(&program, [&next, &everybody])?;
    let list = gdb.command("info goroutines")?;
    ensure!(!list.contains("deepest at "), "there are lines:\n{list}");
    let text = gdb.command("goroutine all bt")?;
    let all: Vec<&str> = text.split("\nGoroutine ").skip(1).collect();
    ensure!(all.len() == ALL, "{} of {ALL}:\n{text}", all.len());
    for goroutine in &all {
        let last = goroutine.trim_end().lines().last().unwrap_or_default();
        ensure!(last.contains(" runtime.goexit ("), "no root in {goroutine}");
    }
    let list = rows(&list)?;
    for (kind, _, levels, _) in KINDS {
        let function = format!(" testprog::crowd::{kind}::middle (");
        let row = list.iter().find(|row| is_of(row, kind)).ok_or("nobody")?;
        let bt = gdb.command(&format!("goroutine {} bt", row.goid))?;
        ensure!(bt.matches(&function).count() == *levels, "{kind}: {bt}");
    }
    for (command, expected) in [
        ("info chans", " of u64: 2 of 2 values of 8 bytes\n"),
        (
            "info chans",
            "waits to receive, in a select, testprog::crowd::",
        ),
        ("info chans", "MUTEX: locked, somebody waits\n"),
        ("info ms", " runtime.sysmon"),
        ("info ps", "p0 running m"),
        ("info sched", "goroutines: 100: "),
        ("p $goid()", "= 1\n"),
        ("p runtime.sched.npidle", "= 0\n"),
        (
            "goroutine 2 p *$getg()",
            "= goroutine 2 [chan send] = {stack = ",
        ),
        ("goroutine 2 up", " testprog::crowd::chan_send::middle::h"),
        (
            "goroutine 2 info locals",
            "No symbol table info available.\n",
        ),
    ] {
        let answer = gdb.command(command)?;
        ensure!(answer.contains(expected), "{command}: {answer}");
    }
    gdb.command("kill")?;
    Ok(())
}

/// A program without symbols has no script; and with the script from elsewhere there is a
/// line that says why nothing works. So it is where the symbols alone are left.
fn stripped() -> Result<(), Failed> {
    let directory = Directory::new("stripped")?;
    let program = directory.0.join("hello");
    for what in ["--strip-all", "--strip-debug"] {
        let strip = programs::run(
            Command::new("strip")
                .args([what, "-o"])
                .arg(&program)
                .arg(programs::path("hello")?),
        )?;
        ensure!(strip.status.success(), "strip: {}", strip.status);
        let mut gdb = Gdb::start(Kind::Gort, &program)?;
        gdb.command("starti")?;
        for command in [
            "info goroutines",
            "goroutine 1 bt",
            "info chans",
            "info ms",
            "info sched",
        ] {
            let answer = gdb.command(command)?;
            ensure!(
                answer.lines().count() == 1 && answer.contains("or it was stripped"),
                "{what}, {command}: {answer}"
            );
        }
        let answer = gdb.command("p $goid()")?;
        ensure!(answer.contains("= 0"), "{what}: {answer}");
        gdb.command("kill")?;
    }
    Ok(())
}
