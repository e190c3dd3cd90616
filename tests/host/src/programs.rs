//! Starts gort's programs as a shell would, and says how they ended.
//!
//! Which build is tried, and under what, comes from the environment:
//!
//! | variable | meaning |
//! | --- | --- |
//! | `GORT_PROFILE` | `debug` (the default) or `release` |
//! | `GORT_RUNNER` | what to put before a program, `qemu-x86_64` say; nothing by default |
//! | `GORT_EXAMPLES` | the directory of the examples, if it is not cargo's |
//!
//! The programs must have been built: `cargo build --examples`, with `--release`
//! for the other profile. Each starts with an empty environment, so that no
//! setting of the developer's gets in.

mod install;
mod outcome;

use std::env;
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::processes;

pub use install::install;
pub use outcome::{Outcome, excerpt, like};

/// How long a program may take. None takes a quarter of it, under an emulator and
/// on a busy machine; whatever is still there then hangs.
const PATIENCE: Duration = Duration::from_secs(240);

/// How long anything may live that was started here: a build, a session of gdb. Who
/// reads what it prints without a limit of his own comes to the end of that then.
const LIFETIME: Duration = Duration::from_secs(400);

/// How often a program is looked at while it runs.
const GLANCE: Duration = Duration::from_millis(1);

/// Returns the path of a built example.
///
/// # Errors
///
/// A message if it is not there.
pub fn path(name: &str) -> Result<PathBuf, String> {
    let profile = profile();
    let flag = match profile.as_str() {
        "debug" => "",
        "release" => " --release",
        other => return Err(format!("GORT_PROFILE={other}: expected debug or release")),
    };
    // This program is TARGET/PROFILE/deps/NAME.
    let own = env::current_exe().map_err(|error| format!("current_exe: {error}"))?;
    let target = own
        .ancestors()
        .nth(3)
        .ok_or("this test is not in cargo's target directory")?;
    let examples = env::var_os("GORT_EXAMPLES").map(PathBuf::from);
    let path = examples
        .unwrap_or_else(|| target.join(profile).join("examples"))
        .join(name);
    if path.is_file() {
        Ok(path)
    } else {
        Err(format!(
            "{} is not there: cargo build{flag} --example {name}",
            path.display()
        ))
    }
}

/// A program that is killed when the test is over.
#[derive(Debug)]
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill(); // it may have ended by itself
        let _ = self.0.wait();
    }
}

/// Returns where what is built for bare machines is, in this profile: see `xtask run --none`.
///
/// # Errors
///
/// A message if this is not in cargo's target directory.
pub fn built_for_none() -> Result<PathBuf, String> {
    let profile = profile();
    // This program is TARGET/TRIPLE/PROFILE/deps/NAME.
    let own = env::current_exe().map_err(|error| format!("current_exe: {error}"))?;
    let mut above = own.ancestors().skip(3);
    let triple = above.next().and_then(Path::file_name);
    let (Some(triple), Some(target)) = (triple, above.next()) else {
        return Err("this test is not in cargo's target directory".into());
    };
    Ok(target.join("none").join(triple).join(profile))
}

/// Returns what to put before a program; empty natively.
pub fn runner() -> Vec<String> {
    let runner = env::var("GORT_RUNNER").unwrap_or_default();
    let mut words: Vec<String> = runner.split_whitespace().map(String::from).collect();
    if let Some(first) = words.first_mut()
        && let Some(found) = find_tool(first)
    {
        *first = found.to_string_lossy().into_owned();
    }
    words
}

/// Tells whether programs run on this machine itself, not on an emulated one.
pub fn native() -> bool {
    runner().is_empty()
}

/// Returns the profile's name.
#[must_use]
pub fn profile() -> String {
    env::var("GORT_PROFILE").unwrap_or_else(|_| "debug".into())
}

/// Tells whether the programs are release builds.
#[must_use]
pub fn release() -> bool {
    profile() == "release"
}

/// Finds strace.
///
/// # Errors
///
/// A message if it is not there.
pub fn strace() -> Result<PathBuf, String> {
    find_tool("strace").ok_or_else(|| "strace is not there: apt-get install strace".into())
}

/// Looks a tool up in PATH.
pub fn find_tool(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(name.into());
    }
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|file| file.is_file())
}

/// Makes the command that starts an example, with an empty environment.
///
/// # Errors
///
/// A message if it is not there.
pub fn program(name: &str) -> Result<Command, String> {
    Ok(command(&path(name)?))
}

/// The same for a program of any path.
pub fn command(path: &Path) -> Command {
    let mut words = runner().into_iter();
    let mut command = match words.next() {
        Some(first) => Command::new(first),
        None => return clear(Command::new(path)),
    };
    command.args(words).arg(path);
    clear(command)
}

/// Makes the command that has a shell carry out `script` and then become the
/// example: for what only a shell can set, limits and closed descriptors.
///
/// # Errors
///
/// A message if the example is not there.
pub fn in_shell(script: &str, name: &str) -> Result<Command, String> {
    let mut command = Command::new("/bin/sh");
    command
        .arg("-c")
        .arg(format!("{script}\nexec \"$@\""))
        .arg("sh")
        .args(runner())
        .arg(path(name)?);
    Ok(clear(command))
}

/// Takes the environment and the terminal away.
fn clear(mut command: Command) -> Command {
    command.env_clear().stdin(Stdio::null());
    command
}

/// Runs a command to its end.
///
/// # Errors
///
/// A message if it cannot be started, or if it hangs: then it has been killed.
pub fn run(command: &mut Command) -> Result<Outcome, String> {
    run_beside(command, |_| Ok(()))
}

/// The same, with something done meanwhile to what was started.
///
/// # Errors
///
/// As there, or what `meanwhile` says when the program has ended.
pub fn run_beside(
    command: &mut Command,
    meanwhile: impl FnOnce(&mut Child) -> Result<(), String>,
) -> Result<Outcome, String> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = spawn(command)?;
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let done = meanwhile(&mut child);
    let status = wait(&mut child);
    let gather = |thread: JoinHandle<Vec<u8>>| thread.join().unwrap_or_default();
    let (stdout, stderr) = (gather(stdout), gather(stderr));
    match done.and(status) {
        Ok(status) => Ok(Outcome {
            stdout,
            stderr,
            status,
        }),
        Err(why) => Err(format!(
            "{why}\nstdout: {}\nstderr: {}",
            excerpt(&stdout),
            excerpt(&stderr)
        )),
    }
}

/// Starts a command, which is ended with all that it has started when it has lived for
/// too long.
///
/// # Errors
///
/// A message if that fails.
pub fn spawn(command: &mut Command) -> Result<Child, String> {
    let child = command
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", command.get_program().display()))?;
    end_in_time(child.id());
    Ok(child)
}

/// Ends a child, which nobody has waited for yet, when it has lived for too long.
fn end_in_time(child: u32) {
    let pid = i32::try_from(child).ok().and_then(Pid::from_raw);
    // Readable when it has ended, and never another process's.
    let Some(handle) = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else {
        return;
    };
    thread::spawn(move || {
        let lifetime = Timespec {
            tv_sec: LIFETIME.as_secs() as i64,
            tv_nsec: 0,
        };
        let ended = poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&lifetime));
        if ended == Ok(0) {
            processes::end(child);
        }
    });
}

/// Waits for a child's end.
///
/// # Errors
///
/// A message if it hangs: then it has been killed.
pub fn wait(child: &mut Child) -> Result<ExitStatus, String> {
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if start.elapsed() < PATIENCE => thread::sleep(GLANCE),
            Ok(None) => {
                processes::end(child.id());
                let _ = child.wait(); // it has ended, one way or the other
                return Err(format!("still running after {} s", PATIENCE.as_secs()));
            }
            Err(error) => return Err(format!("wait: {error}")),
        }
    }
}

/// Reads all that a child prints, beside it, so that no pipe fills up.
fn collect(from: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            let _ = from.read_to_end(&mut bytes); // what was read so far is kept
        }
        bytes
    })
}

/// Adds arguments and runs: the usual case.
///
/// # Errors
///
/// As for [`program`] and [`run`].
pub fn run_with<A: AsRef<OsStr>>(
    name: &str,
    arguments: impl IntoIterator<Item = A>,
) -> Result<Outcome, String> {
    run(program(name)?.args(arguments))
}
