//! Places and tools: directories that a stranger could have, the archive, and
//! the commands that must succeed there.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};

use gort_host_tests::programs::{excerpt, spawn};

/// A directory of a test's own, outside of the repository; gone when it is
/// dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes it.
    pub(crate) fn new(name: &str) -> Result<Self, String> {
        let path = env::temp_dir().join(format!("gort-link-{}-{name}", process::id()));
        say("cannot make", &path, fs::create_dir(&path))?;
        Ok(Self(path))
    }

    /// Returns the path of something in it.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Copies a file or directory of the repository into it, under its name, but
    /// not what cargo has built there.
    pub(crate) fn bring(&self, from: &str) -> Result<PathBuf, String> {
        let from = repository().join(from);
        let to = self.0.join(from.file_name().unwrap_or_default());
        say("cannot copy", &from, copy(&from, &to))?;
        Ok(to)
    }

    /// Prepares a command that runs in it, without what cargo has told this
    /// test of the repository.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            let ours = [
                "CARGO_BUILD_",
                "CARGO_TARGET_",
                "CARGO_PROFILE_",
                "CARGO_ENCODED_",
                "GORT_",
            ];
            if text.ends_with("RUSTFLAGS") || ours.iter().any(|start| text.starts_with(start)) {
                command.env_remove(&name);
            }
        }
        command.current_dir(&self.0).stdin(Stdio::null());
        command
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0); // it lies where the system cleans up
    }
}

/// Returns the repository's root.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap_or_default()
}

/// Returns the directory that `cargo xtask dist` has made.
pub(crate) fn dist() -> Result<PathBuf, String> {
    let dist = repository().join("target/dist");
    if dist.join("libgort.a").is_file() {
        Ok(dist)
    } else {
        Err(format!(
            "{} has no libgort.a: cargo xtask dist",
            dist.display()
        ))
    }
}

/// Runs a command that must succeed, and returns what it prints.
pub(crate) fn succeed(command: &mut Command) -> Result<String, String> {
    let child = spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let output = child
        .wait_with_output()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let (stdout, stderr) = (excerpt(&output.stdout), excerpt(&output.stderr));
    Err(format!(
        "{command:?}: {}\nstdout: {stdout}\nstderr: {stderr}",
        output.status
    ))
}

/// Runs cargo, at first with what is on this machine, since there may be no
/// network; if that fails, with what it can get. GORT_DIST is for
/// `tests/link-rust`.
pub(crate) fn cargo(
    scratch: &Scratch,
    directory: &Path,
    arguments: &[&str],
) -> Result<String, String> {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let dist = dist()?;
    let run = |more: &[&str]| {
        let mut command = scratch.command(&cargo);
        succeed(
            command
                .current_dir(directory)
                .env("GORT_DIST", &dist)
                .args(arguments)
                .args(more),
        )
    };
    run(&["--offline"]).or_else(|_| run(&[]))
}

/// Copies a file, or a directory with what is in it, `target` excepted.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        if name != "target" {
            copy(&from.join(&name), &to.join(&name))?;
        }
    }
    Ok(())
}

/// Names the file in an error's message.
pub(crate) fn say<T>(what: &str, path: &Path, result: io::Result<T>) -> Result<T, String> {
    result.map_err(|error| format!("{what} {}: {error}", path.display()))
}
