//! Makes `libgort.a`, which other languages and other Rust programs can link.
//!
//! rustc's own static library cannot be it: it brings `core`, a panic handler
//! and compiler-builtins with global names, which collide with those of any
//! other Rust program. So:
//!
//! ```text
//!   cargo rustc --crate-type staticlib     gort and its crates, optimised as one
//!     ar x                                 its objects
//!       ld -r                              one object, of still small sections
//!         objcopy --keep-global-symbols    all names local but the public ones
//!           ar rcs                         libgort.a
//! ```
//!
//! Local names remain for the debugger; the sections remain apart, so that the
//! final link with `--gc-sections` takes only what the program uses.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::run;

/// The public names that no header declares: the entry, the hook for a libc,
/// and what compilers call unasked. All but the first are weak.
const UNDECLARED: &[&str] = &[
    "_rt0_amd64_linux",
    "_cgo_init",
    "memcpy",
    "memmove",
    "memset",
    "memcmp",
    "bcmp",
    "strlen",
    "rust_eh_personality",
    "__stack_chk_fail",
];

/// What a program or the linker script defines, and the archive must leave open.
const OPEN: &[&str] = &["main_main", "_GLOBAL_OFFSET_TABLE_"];

/// What is for debuggers alone: numbers that the linker puts into the descriptions of the
/// runtime's types. They are hidden, and end in no program's dynamic symbols; but GNU ld (2.40)
/// crashes over references to absolute symbols that are local.
const DEBUGGERS: &str = "layout.*";

/// Makes the archive for what `header` declares, and returns its path.
/// With `trace` it listens to GODEBUG, and its deaths show files and lines.
pub(crate) fn make(header: &Path, trace: bool) -> Outcome<PathBuf> {
    let scratch = scratch();
    let public = public_names(header)?;
    let staticlib = compile(&scratch, trace)?;
    let object = combine(&staticlib, &public, &scratch)?;
    check(&object, &public)?;

    let library = scratch.join("libgort.a");
    remove(&library)?;
    // Deterministic: the same sources make the same bytes.
    run::succeed(run::quiet("ar").arg("rcsD").arg(&library).arg(&object))?;
    Ok(library)
}

/// Returns the directory for what is only needed on the way. Cargo puts files
/// of its own into `target/dist`, as that is the profile's name, too: here it
/// has a target directory where that does not matter.
pub(crate) fn scratch() -> PathBuf {
    run::target().join("archive")
}

/// Lists the functions and variables that may be global in the archive.
fn public_names(header: &Path) -> Outcome<BTreeSet<String>> {
    let text =
        fs::read_to_string(header).map_err(|error| format!("{}: {error}", header.display()))?;
    let mut names = declared(&text);
    if names.is_empty() {
        return Err(format!("{} declares nothing", header.display()).into());
    }
    names.extend(UNDECLARED.iter().map(ToString::to_string));
    Ok(names)
}

/// Finds the functions that a header declares: `gort_…` before a parenthesis.
fn declared(header: &str) -> BTreeSet<String> {
    let code = without_comments(header);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = code.split_inclusive(|c| !is_name(c));
    let called = words.filter_map(|word| word.strip_suffix('('));
    called
        .filter(|name| name.starts_with("gort_"))
        .map(String::from)
        .collect()
}

/// Removes a header's comments, which name functions, too.
fn without_comments(header: &str) -> String {
    let mut parts = header.split("/*");
    let mut code = parts.next().unwrap_or_default().to_string();
    for part in parts {
        code += part.split_once("*/").map_or("", |(_, after)| after);
    }
    let lines = code.lines().filter_map(|line| line.split("//").next());
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// How the static library is built.
const COMPILE: &str = "rustc --quiet --lib --crate-type staticlib --profile dist \
    --no-default-features --features";

/// Has rustc make a static library of gort and all that it needs.
fn compile(scratch: &Path, trace: bool) -> Outcome<PathBuf> {
    // Panic messages and debug lines name source files: not this machine's.
    let root = run::root();
    let remap = |from: &Path, to| format!("\"--remap-path-prefix={}={to}\"", from.display());
    let mut flags = vec![remap(&root, "gort")];
    flags.extend(
        registry_sources()
            .iter()
            .map(|source| remap(source, "crates")),
    );
    // Cargo appends these to the flags in .cargo/config.toml.
    let flags = format!("target.{}.rustflags=[{}]", run::TARGET, flags.join(","));
    let assembler_flags = format!("-fdebug-prefix-map={}=gort", root.display());

    let mut cargo = run::cargo();
    cargo
        .arg("--config")
        .arg(flags)
        .env("CFLAGS", assembler_flags);
    cargo
        .args(COMPILE.split_whitespace())
        .arg(if trace {
            "archive,backtrace,signals,trace"
        } else {
            "archive"
        })
        .args(["--target", run::TARGET]);
    run::succeed(cargo.arg("--target-dir").arg(scratch))?;
    Ok(scratch.join(run::TARGET).join("dist/libgort.a"))
}

/// Lists where cargo keeps the sources of the crates: a directory for each
/// registry.
fn registry_sources() -> Vec<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cargo")));
    let sources = home.and_then(|home| fs::read_dir(home.join("registry/src")).ok());
    sources
        .into_iter()
        .flatten()
        .flatten()
        .map(|source| source.path())
        .collect()
}

/// Links rustc's library into one object that has only public names.
fn combine(staticlib: &Path, public: &BTreeSet<String>, scratch: &Path) -> Outcome<PathBuf> {
    // The precompiled crates carry LLVM's bitcode beside the machine code, at
    // which the linker's plugins take offence. And nothing here unwinds: gdb
    // walks the frame pointers, and .eh_frame would be a sixth of a program.
    let clean = scratch.join("machine-code.a");
    run::succeed(
        run::quiet("objcopy")
            .args(["-R", ".llvmbc", "-R", ".llvmcmd", "-R", ".eh_frame"])
            .arg(staticlib)
            .arg(&clean),
    )?;
    let objects = extract(&clean, &scratch.join("objects"))?;

    let object = scratch.join("gort.o");
    // Nothing is collected yet: of the debugger's part, the linker would see
    // that nobody refers to it. Of compiler-builtins only what the others call.
    run::succeed(
        run::quiet("ld")
            .arg("-r")
            .arg("-o")
            .arg(&object)
            .args(objects)
            .arg(&clean),
    )?;

    let list = scratch.join("public-names");
    fs::write(
        &list,
        public
            .iter()
            .map(String::as_str)
            .chain([DEBUGGERS])
            .map(|name| format!("{name}\n"))
            .collect::<String>(),
    )?;
    run::succeed(
        run::quiet("objcopy")
            .arg("--wildcard")
            .arg(format!("--keep-global-symbols={}", list.display()))
            .arg(&object),
    )?;
    Ok(object)
}

/// Extracts the objects that are gort's: all but those of compiler-builtins,
/// which stand in the archive in rustc's way and in that of C. Returns them in
/// the archive's order, which is the order of the sections: the entry first.
fn extract(library: &Path, directory: &Path) -> Outcome<Vec<PathBuf>> {
    run::clean_dir(directory)?;
    let members = run::output(run::quiet("ar").arg("t").arg(library))?;
    let gort: Vec<&str> = members
        .lines()
        .filter(|name| name.starts_with("gort-") || name.ends_with("_amd64.o"))
        .collect();
    if gort.len() < 2 {
        return Err(format!(
            "{}: its objects are not named as expected",
            library.display()
        )
        .into());
    }
    run::succeed(
        run::quiet("ar")
            .current_dir(directory)
            .arg("x")
            .arg(library)
            .args(&gort),
    )?;
    Ok(gort.into_iter().map(|name| directory.join(name)).collect())
}

/// Makes sure that the object defines all public names and no other, and needs
/// nothing but what is provided.
fn check(object: &Path, public: &BTreeSet<String>) -> Outcome {
    let symbols = |kind: &str| -> Outcome<BTreeSet<String>> {
        let text = run::output(
            run::quiet("nm")
                .args(["--extern-only", "--format=posix", kind])
                .arg(object),
        )?;
        Ok(text
            .lines()
            .filter_map(|line| line.split(' ').next())
            .filter(|name| !name.starts_with(DEBUGGERS.trim_end_matches('*')))
            .map(String::from)
            .collect())
    };
    let defined = symbols("--defined-only")?;
    if let Some(name) = public.difference(&defined).next() {
        return Err(format!("{name} is declared as public, but gort does not define it").into());
    }
    if let Some(name) = defined.difference(public).next() {
        return Err(format!("{name} is global in the archive, but not declared").into());
    }
    let open = symbols("--undefined-only")?;
    if let Some(name) = open
        .iter()
        .find(|name| !OPEN.contains(&name.as_str()) && !name.starts_with("runtime."))
    {
        return Err(format!("{name} is needed by gort and defined nowhere").into());
    }
    undeclared(object, public)
}

/// Refuses a function for C that the header does not declare: it has become
/// local, and nobody could call it.
fn undeclared(object: &Path, public: &BTreeSet<String>) -> Outcome {
    let all = run::output(
        run::quiet("nm")
            .args(["--defined-only", "--format=posix"])
            .arg(object),
    )?;
    let forgotten = all
        .lines()
        .filter_map(|line| line.split(' ').next())
        .find(|name| name.starts_with("gort_") && !public.contains(*name));
    forgotten.map_or(Ok(()), |name| {
        Err(format!("{name} is not declared in include/gort.h").into())
    })
}

/// Removes a file, if it is there.
fn remove(file: &Path) -> Outcome {
    if file.exists() {
        fs::remove_file(file)?;
    }
    Ok(())
}
