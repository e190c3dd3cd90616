//! Running other programs: where the repository is, cargo, and the commands
//! that must succeed.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Outcome;

/// The target that gort's programs are built for.
pub(crate) const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Names the runner of the target's programs to cargo.
pub(crate) const RUNNER: &str = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER";

/// The compiler and linker of C.
pub(crate) const CC: &str = "gcc";

/// How cargo builds a program: its name in our messages, and cargo's name for
/// the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Profile {
    Debug,
    Release,
}

impl Profile {
    /// Returns the name of the directory, which is the one people use, too.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }

    /// Returns cargo's arguments for the profile.
    pub(crate) const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Debug => &[],
            Self::Release => &["--release"],
        }
    }
}

/// Returns the repository's root.
pub(crate) fn root() -> PathBuf {
    // What `cargo run` says; if somebody moved the program, where it was built.
    let manifest = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    manifest
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Returns the directory of all that is built: always the repository's own,
/// whatever the environment says, since the tests look for programs there.
pub(crate) fn target() -> PathBuf {
    root().join("target")
}

/// Returns the directory of gort's examples.
pub(crate) fn examples(profile: Profile) -> PathBuf {
    target().join(TARGET).join(profile.name()).join("examples")
}

/// Prepares a run of cargo in the repository.
pub(crate) fn cargo() -> Command {
    let mut cargo = quiet(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo
        .current_dir(root())
        .env("CARGO_TARGET_DIR", target())
        .env_remove(RUNNER);
    cargo
}

/// Returns what builds all examples; with a runtime that has no tests on the host, this
/// is what the host-side tests run.
pub(crate) fn building_examples(profile: Profile) -> Vec<Command> {
    let build = |what: &[&str]| {
        let mut cargo = cargo();
        cargo.arg("build").args(what).args(profile.arguments());
        cargo
    };
    vec![
        build(&["--examples"]),
        // That one has its own features.
        build(&["--example", "traced", "--features", "sched-trace"]),
    ]
}

/// Prepares a program that has nothing to read on its standard input.
pub(crate) fn quiet(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}

/// Runs a command that must succeed; what it prints, is printed.
pub(crate) fn succeed(command: &mut Command) -> Outcome {
    let status = command
        .status()
        .map_err(|error| format!("{}: {error}", name(command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{} failed: {status}", line(command)).into())
    }
}

/// Runs a command that must succeed, and returns what it prints.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{}: {error}", name(command)))?;
    if !output.status.success() {
        return Err(format!("{} failed: {}", line(command), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Finds the path of what cargo has built in what it says in JSON.
pub(crate) fn executable(said: &str) -> Outcome<PathBuf> {
    let path = said.lines().find_map(|line| {
        let (_, rest) = line.split_once("\"executable\":\"")?;
        rest.split('"').next()
    });
    Ok(path.ok_or("cargo names no executable")?.into())
}

/// Makes a directory anew, without what was in it.
pub(crate) fn clean_dir(path: &Path) -> Outcome {
    if path.exists() {
        fs::remove_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// Copies a file into a directory, under the same name.
pub(crate) fn copy_into(file: &Path, directory: &Path) -> Outcome {
    let name = file
        .file_name()
        .ok_or_else(|| format!("{} has no name", file.display()))?;
    fs::copy(file, directory.join(name)).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(())
}

/// Returns a file's size in bytes.
pub(crate) fn size(file: &Path) -> Outcome<u64> {
    Ok(fs::metadata(file)
        .map_err(|error| format!("{}: {error}", file.display()))?
        .len())
}

/// Returns the size that a program has once `strip` has been at it.
pub(crate) fn stripped_size(program: &Path) -> Outcome<u64> {
    let stripped = program.with_extension("stripped");
    succeed(quiet("strip").arg("-o").arg(&stripped).arg(program))?;
    let size = size(&stripped);
    fs::remove_file(&stripped)?;
    size
}

/// Names a command's program.
fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// Writes a command as one would type it.
fn line(command: &Command) -> String {
    let words = command
        .get_args()
        .map(|word| format!(" {}", word.to_string_lossy()));
    name(command) + &words.collect::<String>()
}
