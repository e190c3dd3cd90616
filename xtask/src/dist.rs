//! `cargo xtask dist`: what is shipped to those who link gort without cargo.
//!
//! ```text
//!   target/dist/libgort.a       the runtime, with only its public symbols global
//!               include/gort.h  their declarations
//!               linker.ld       the memory image
//!               hosted.ld       the same where a libc hosts gort
//!               gort-gdb.py     gdb's script, and the modules that it loads
//!               gort/*.py
//!               gort-gdb        gdb with that script
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use lexopt::{Arg, Parser};

use crate::Outcome;
use crate::archive;
use crate::run::{self, CC};

/// What the archive may weigh, in bytes.
const ARCHIVE_LIMIT: u64 = 2_000_000;

/// What an empty program may weigh that is linked from it, stripped.
const EMPTY_LIMIT: u64 = 16 << 10;

/// The arguments with which a C program becomes a gort program: those of
/// build.rs, since linker.ld counts on them.
const LINK: &[&str] = &[
    "-ffreestanding",
    "-nostdlib",
    "-nostartfiles",
    "-static",
    "-no-pie",
    "-Wl,-z,max-page-size=4096",
    "-Wl,-z,noexecstack",
    "-Wl,-z,norelro",
    "-Wl,--gc-sections",
    "-Wl,--no-eh-frame-hdr",
    "-Wl,--build-id=none",
];

/// Makes the directory and says what is in it.
pub(crate) fn command(mut arguments: Parser) -> Outcome {
    let mut trace = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("trace") => trace = true,
            other => return Err(other.unexpected().into()),
        }
    }
    make(trace)?;
    weigh(&directory(), trace)
}

/// Makes the directory. With `trace` the archive listens to GODEBUG, and its deaths show
/// files and lines.
pub(crate) fn make(trace: bool) -> Outcome {
    let (root, dist) = (run::root(), directory());
    let header = root.join("include/gort.h");
    // Built first: what was there stays until the new one is whole.
    let library = archive::make(&header, trace)?;

    run::clean_dir(&dist)?;
    run::clean_dir(&dist.join("include"))?;
    run::copy_into(&header, &dist.join("include"))?;
    run::copy_into(&library, &dist)?;
    for file in ["linker.ld", "hosted.ld", "gdb/gort-gdb.py", "gdb/gort-gdb"] {
        run::copy_into(&root.join(file), &dist)?;
    }
    let modules = dist.join("gort");
    run::clean_dir(&modules)?;
    for entry in fs::read_dir(root.join("gdb/gort"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "py") {
            run::copy_into(&path, &modules)?;
        }
    }
    Ok(())
}

/// Returns the directory's path.
pub(crate) fn directory() -> PathBuf {
    run::target().join("dist")
}

/// Links a C program from the archive.
pub(crate) fn link(source: &Path, program: &Path) -> Outcome {
    let dist = directory();
    run::succeed(
        run::quiet(CC)
            .args(["-Os", "-Wall", "-fno-asynchronous-unwind-tables"])
            .args(LINK)
            .arg("-I")
            .arg(dist.join("include"))
            .arg("-T")
            .arg(dist.join("linker.ld"))
            .arg("-o")
            .arg(program)
            .arg(source)
            .arg(dist.join("libgort.a")),
    )
}

/// Prints how heavy the archive is, and an empty program linked from it.
fn weigh(dist: &Path, trace: bool) -> Outcome {
    let library = run::size(&dist.join("libgort.a"))?;
    println!("libgort.a: {library} bytes (at most {ARCHIVE_LIMIT})");

    let scratch = archive::scratch();
    let (source, program) = (scratch.join("empty.c"), scratch.join("empty"));
    fs::write(&source, "int main_main(void) { return 0; }\n")?;
    link(&source, &program)?;
    let size = run::stripped_size(&program)?;
    println!("an empty program: {size} bytes (at most {EMPTY_LIMIT} without --trace)");

    if library > ARCHIVE_LIMIT {
        return Err("libgort.a is too large".into());
    }
    if size > EMPTY_LIMIT && !trace {
        return Err("an empty program is too large".into());
    }
    Ok(())
}
