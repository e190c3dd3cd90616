//! What `cargo xtask dist` ships: which files, which names, how heavy.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use gort_host_tests::ensure;
use libtest_mimic::{Failed, Trial};

use crate::programs::{documented, link};
use crate::scratch::{Scratch, dist, say, succeed};

/// The global names that gort.h does not declare: the entry, the hook for a
/// libc, and what compilers call unasked.
const UNDECLARED: &[&str] = &[
    "_cgo_init",
    "_rt0_amd64_linux",
    "bcmp",
    "memcmp",
    "memcpy",
    "memmove",
    "memset",
    "rust_eh_personality",
    "__stack_chk_fail",
    "strlen",
];

/// What an archive may weigh, and an empty program linked from it, stripped.
const ARCHIVE_LIMIT: u64 = 2_000_000;
const EMPTY_LIMIT: u64 = 16 << 10;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("archive::files", files),
        Trial::test("archive::only_public_names_are_global", names),
        Trial::test("archive::size", size),
        Trial::test("archive::size_of_an_empty_program", empty),
        Trial::test("archive::names_no_directory_of_its_maker", no_paths),
    ]
}

fn files() -> Result<(), Failed> {
    for name in [
        "libgort.a",
        "include/gort.h",
        "linker.ld",
        "hosted.ld",
        "gort-gdb.py",
        "gort/__init__.py",
        "gort/goroutines.py",
        "gort-gdb",
    ] {
        let path = dist()?.join(name);
        ensure!(path.is_file(), "{} is missing", path.display());
    }
    Ok(())
}

/// The global names are the functions that gort.h declares, and a few more.
fn names() -> Result<(), Failed> {
    let header = dist()?.join("include/gort.h");
    let header = say("cannot read", &header, fs::read_to_string(&header))?;
    let mut expected = declarations(&header);
    ensure!(
        expected.contains("gort_go"),
        "gort.h declares no gort_go, only {expected:?}"
    );
    expected.extend(UNDECLARED.iter().map(ToString::to_string));

    let library = dist()?.join("libgort.a");
    let mut nm = Command::new("nm");
    let text = succeed(
        nm.args(["--extern-only", "--defined-only", "--format=posix"])
            .arg(library),
    )?;
    let names = text.lines().filter_map(|line| line.split_once(' '));
    let global: BTreeSet<String> = names.map(|(name, _)| name.to_string()).collect();
    let missing: Vec<_> = expected.difference(&global).collect();
    // `libgort.a[gort.o]:` is nm's heading. And debuggers have names of their own.
    let more: Vec<_> = global
        .difference(&expected)
        .filter(|name| !name.starts_with('/') && !name.starts_with("layout."))
        .collect();
    ensure!(
        missing.is_empty() && more.is_empty(),
        "missing: {missing:?}; global, but not declared: {more:?}"
    );
    Ok(())
}

/// Finds the functions that gort.h declares: on a line of code, `gort_…` before
/// the first parenthesis.
fn declarations(header: &str) -> BTreeSet<String> {
    let mut comment = false;
    let mut names = BTreeSet::new();
    for line in header.lines() {
        comment |= line.starts_with("/*");
        if !comment
            && let Some((before, _)) = line.split_once('(')
            && let Some(name) = before.rsplit([' ', '*']).next()
            && name.starts_with("gort_")
        {
            names.insert(name.to_string());
        }
        comment &= !line.contains("*/");
    }
    names
}

fn size() -> Result<(), Failed> {
    let library = dist()?.join("libgort.a");
    let size = say("cannot read", &library, library.metadata())?.len();
    ensure!(
        size < ARCHIVE_LIMIT,
        "{size} bytes, expected less than {ARCHIVE_LIMIT}"
    );
    Ok(())
}

fn empty() -> Result<(), Failed> {
    let scratch = Scratch::new("empty")?;
    let program = link(&scratch, "tests/link-c/empty.c", &documented("hello.c")?)?;
    succeed(scratch.command("strip").arg(&program))?;
    let size = say("cannot read", &program, program.metadata())?.len();
    ensure!(
        size < EMPTY_LIMIT,
        "{size} bytes, expected less than {EMPTY_LIMIT}"
    );
    Ok(())
}

/// Panic messages and debug lines name sources as `gort/…` and `crates/…`.
fn no_paths() -> Result<(), Failed> {
    let library = dist()?.join("libgort.a");
    let bytes = say("cannot read", &library, fs::read(&library))?;
    let home = std::env::var("HOME").unwrap_or_default();
    let repository = crate::scratch::repository();
    for place in [&*repository.to_string_lossy(), &format!("{home}/.cargo")] {
        let found = bytes
            .windows(place.len())
            .any(|window| window == place.as_bytes());
        ensure!(!found, "the archive names {place}");
    }
    Ok(())
}
