//! C objects with thread-local variables, linked from the archive by both linkers.

use std::path::Path;
use std::process::Command;

use gort_host_tests::ensure;
use gort_host_tests::programs::{command, run};
use libtest_mimic::{Failed, Trial};

use crate::programs::{documented, link};
use crate::scratch::{Scratch, succeed};

/// What the program prints.
const EXPECTED: &str = "\
    at the start: right\nof a goroutine: right\nbehind a switch: right\n\
    on another thread: right\nand here: right\nits canary: right\n";

/// Every way in which the compiler gets at a thread-local variable.
const WAYS: &[&str] = &[
    "-O2 -fstack-protector-strong",
    "-O0 -fstack-protector-strong -fcommon",
    "-O2 -fPIC",
    "-O1 -fPIC -mtls-dialect=gnu2",
];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("thread_local::by_the_linker_of_gcc", || {
            every_way("bfd", "")
        }),
        Trial::test("thread_local::by_the_linker_of_rust", || {
            every_way("lld", &format!("-fuse-ld=lld -B{}", rust_linker()?))
        }),
    ]
}

/// Builds the program from two objects in every way, and runs it.
fn every_way(name: &str, linker: &str) -> Result<(), Failed> {
    for (number, flags) in WAYS.iter().enumerate() {
        let scratch = Scratch::new(&format!("tls-{name}-{number}"))?;
        scratch.bring("tests/link-c/tls.h")?;
        scratch.bring("tests/link-c/tls_more.c")?;
        let mut gcc = scratch.command("gcc");
        gcc.args(flags.split(' ')).args(["-c", "tls_more.c"]);
        succeed(&mut gcc)?;

        let recipe = documented("hello.c")?;
        let recipe = recipe.replace("-Os", &format!("{flags} {linker}"));
        let recipe = recipe.replace("dist/libgort.a", "tls_more.o dist/libgort.a");
        let program = link(&scratch, "tests/link-c/tls.c", &recipe)?;
        alone(&program)?;
        // On one P all goroutines are on main's thread, and sysmon on the other.
        run(command(&program).env("GOMAXPROCS", "1"))?
            .expect(3, EXPECTED, "")
            .map_err(|error| format!("{flags}: {error}"))?;
    }
    Ok(())
}

/// Checks that nothing else lies where m0's block is, up to the end of .bss: what
/// is large there may be touched late, or never.
fn alone(program: &Path) -> Result<(), Failed> {
    let mut nm = Command::new("nm");
    let text = succeed(nm.args(["--format=posix", "--defined-only"]).arg(program))?;
    // Name, kind, address, and the size of what has one.
    let symbol = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next()?.to_string();
        let mut number = |skip| usize::from_str_radix(words.nth(skip)?, 16).ok();
        Some((name, number(1)?, number(0).unwrap_or(0)))
    };
    let symbols: Vec<_> = text.lines().filter_map(symbol).collect();
    let find = |name| symbols.iter().find(|symbol| symbol.0 == name);
    let block = find("runtime.tlsblock").ok_or("no runtime.tlsblock")?.1;
    let end = find("runtime.ebss").ok_or("no runtime.ebss")?.1;
    ensure!(block != 0, "no block for m0");
    let within = symbols
        .iter()
        .find(|(_, start, size)| *size > 0 && start + size > block && *start < end);
    ensure!(within.is_none(), "in m0's block: {within:x?}");
    Ok(())
}

/// Returns the directory in which gcc finds Rust's lld.
fn rust_linker() -> Result<String, Failed> {
    let sysroot = succeed(Command::new("rustc").args(["--print", "sysroot"]))?;
    let directory = "lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld";
    let directory = Path::new(sysroot.trim()).join(directory);
    ensure!(
        directory.join("ld.lld").is_file(),
        "no ld.lld in {}",
        directory.display()
    );
    Ok(directory.to_string_lossy().into_owned())
}
