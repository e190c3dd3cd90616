//! An ELF image that was damaged behind the kernel's back: moduledataverify says
//! what is wrong with it. The loader maps the program whole and changes a byte of
//! the headers afterwards, as a bad disk or a bad memory would.

use std::fs;

use gort_host_tests::programs::{excerpt, path, run};
use gort_host_tests::{Random, ensure};
use libtest_mimic::{Failed, Trial};

use super::loaded;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("image::header_fields", header_fields),
        Trial::test("image::program_headers", program_headers),
        Trial::test(
            "image::auxiliary_vector_of_another",
            auxiliary_vector_of_another,
        ),
        Trial::test("image::any_byte_of_the_headers", any_byte_of_the_headers),
    ]
}

/// Starts hello with these bytes changed, and checks that it refuses to go on.
fn refused(options: &[&str], what: &str) -> Result<(), Failed> {
    let outcome = run(&mut loaded(options, "hello")?)?;
    let line = format!("fatal error: moduledataverify: {what}: got 0x*\n");
    outcome
        .expect(2, "", &line)
        .map_err(|error| format!("{options:?}: {error}"))?;
    Ok(())
}

fn header_fields() -> Result<(), Failed> {
    let ident = "e_ident is not 64-bit little-endian ELF";
    refused(&["--damage=0:0"], ident)?; // the magic
    refused(&["--damage=4:1"], ident)?; // 32 bits
    refused(&["--damage=5:2"], ident)?; // big-endian
    refused(&["--damage=16:3"], "*e_type*")?;
    refused(
        &["--damage=24:1", "--damage=25:2"],
        "e_entry is not _rt0_amd64_linux",
    )?;
    refused(&["--damage=18:3"], "*e_machine*")?;
    refused(&["--damage=32:65"], "*e_phoff*")?;
    refused(&["--damage=54:55"], "*e_phentsize*")?;
    refused(&["--damage=56:1"], "*e_phnum*")?;
    Ok(())
}

/// The file offset of a field of the first program header of a kind.
fn field(kind: u32, flags: u32, field: usize) -> Result<usize, Failed> {
    const TABLE: usize = 64;
    const SIZE: usize = 56;
    let file = fs::read(path("hello")?)?;
    let word = |at: usize| {
        file.get(at..at + 4)
            .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
    };
    let mut headers = (0..16).map(|index| TABLE + index * SIZE);
    let found = headers.find(|&at| word(at) == Some(kind) && word(at + 4) == Some(flags));
    found
        .map(|at| at + field)
        .ok_or_else(|| format!("no program header of kind {kind}, flags {flags}").into())
}

fn program_headers() -> Result<(), Failed> {
    const PT_LOAD: u32 = 1;
    const PT_TLS: u32 = 7;
    const PT_GNU_STACK: u32 = 0x6474_e551;
    const FLAGS: usize = 4;
    const VADDR: usize = 16;
    const MEMSZ: usize = 40;
    const ALIGN: usize = 48;
    let executable = field(PT_LOAD, 5, FLAGS)?;
    refused(&[&format!("--damage={executable}:7")], "*writ*")?;
    let stack = field(PT_GNU_STACK, 6, FLAGS)?;
    refused(&[&format!("--damage={stack}:7")], "*PT_GNU_STACK*")?;
    let address = field(PT_LOAD, 6, VADDR)? + 5;
    refused(&[&format!("--damage={address}:255")], "*")?;
    let size = "p_memsz of PT_TLS is not tlssize";
    for (at, value, what) in [
        (MEMSZ, 16, size),
        (ALIGN, 16, size),
        (ALIGN, 24, "PT_TLS is *"),
    ] {
        refused(
            &[&format!("--damage={}:{value}", field(PT_TLS, 4, at)?)],
            what,
        )?;
    }
    Ok(())
}

/// What the kernel says of the headers does not fit them.
fn auxiliary_vector_of_another() -> Result<(), Failed> {
    refused(&["--aux=3:0x400041"], "AT_PHDR*")?;
    refused(&["--aux=5:3"], "*AT_PHNUM*")?;
    refused(&["--aux=4:55"], "*AT_PHENT*")?;
    Ok(())
}

/// Whatever byte it is, and whatever it becomes: hello runs as always, since
/// nothing hangs on that byte, or it says what is wrong. The parser itself has
/// been through a million of these in the tests of the pure modules.
fn any_byte_of_the_headers() -> Result<(), Failed> {
    const HEADERS: usize = 64 + 5 * 56;
    const CASES: usize = 60;
    let mut random = Random::new(2026);
    let mut refusals = 0;
    for _ in 0..CASES {
        let option = format!("--damage={}:{}", random.below(HEADERS), random.below(256));
        let outcome = run(&mut loaded(&[&option], "hello")?)?;
        if outcome.expect(0, "vim-go\n", "").is_ok() {
            continue;
        }
        refusals += 1;
        let text = excerpt(&outcome.stderr);
        let said = outcome.expect(2, "", "fatal error: moduledataverify: *: got 0x*\n");
        ensure!(said.is_ok(), "{option}: {} {text}", outcome.status);
    }
    ensure!(
        refusals > CASES / 4,
        "only {refusals} of {CASES} were refused"
    );
    Ok(())
}
