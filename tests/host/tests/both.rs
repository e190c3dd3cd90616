//! The programs of `tests/both`, which are compiled with the real std and with gort in its
//! place: what they print and how they end is the same.
//!
//! `GORT_PROFILE` and `GORT_RUNNER` say which build is tried, and under what. Both sides
//! are built here: gort's in that profile, std's always as a debug build. What it prints
//! there is what is wanted in release builds, too, and to optimize it takes as long as
//! gort's side does.

use std::env;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gort_host_tests::ensure;
use gort_host_tests::programs::{Outcome, command, excerpt, native, profile, release, run, runner};
use libtest_mimic::{Arguments, Failed, Trial};

/// How many programs there are at least.
const PROGRAMS: usize = 40;

/// What gort's programs are built for.
const TARGET: &str = "x86_64-unknown-linux-gnu";

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = match names() {
        Ok(names) => names.into_iter().map(trial).collect(),
        Err(error) => vec![Trial::test("programs", move || Err(error.into()))],
    };
    trials.push(Trial::test("there_are_enough", there_are_enough));
    if !arguments.list
        && let Err(error) = build()
    {
        trials.push(Trial::test("build", move || Err(error.into())));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// Returns the directory of the package.
fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../both")
}

/// Lists the programs.
fn names() -> Result<Vec<String>, String> {
    let directory = package().join("programs");
    let entries =
        fs::read_dir(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut names: Vec<String> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_string()))
        .collect();
    names.sort();
    Ok(names)
}

fn there_are_enough() -> Result<(), Failed> {
    let count = names()?.len();
    ensure!(count >= PROGRAMS, "{count} programs, not {PROGRAMS}");
    Ok(())
}

/// Returns cargo's directory, the one that this test is in: TARGET/PROFILE/deps/NAME.
fn target() -> Result<PathBuf, String> {
    let own = env::current_exe().map_err(|error| format!("current_exe: {error}"))?;
    let target = own.ancestors().nth(4);
    Ok(target
        .ok_or("this test is not in cargo's target directory")?
        .to_path_buf())
}

/// The two sides.
const ON_STD: &str = "both-on-std";
const ON_GORT: &str = "both-on-gort";

/// Builds both sides, at first with what is on this machine: there may be no network.
fn build() -> Result<(), String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = target()?;
    let run = |more: &[&str]| {
        let mut command = Command::new(&cargo);
        command
            .args(["build", "--quiet", "--target", TARGET])
            .args(more)
            .current_dir(package())
            .env("CARGO_TARGET_DIR", &target)
            // As the tests on gort are built in release builds, so that most of the crates that
            // gort uses are there already. And what two parts of the program would each
            // instantiate and optimize is there once.
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
            .stdin(Stdio::null());
        // Those that are about the package of this test.
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("CARGO_PKG_") {
                command.env_remove(&name);
            }
        }
        let output = command
            .output()
            .map_err(|error| format!("cargo: {error}"))?;
        match output.status.success() {
            true => Ok(()),
            false => Err(format!(
                "{command:?}: {}\n{}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            )),
        }
    };
    let sides: &[&[&str]] = match release() {
        // The first is there already where debug builds have been tried.
        true => &[&["--bin", ON_STD], &["--release", "--bin", ON_GORT]],
        false => &[&["--bins"]],
    };
    sides.iter().try_for_each(|side| {
        let offline = [side, &["--offline"][..]].concat();
        run(&offline).or_else(|_| run(side))
    })
}

/// What a program's head says of it.
#[derive(Default)]
struct Head {
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    status: i32,
    signal: Option<i32>,
}

impl Head {
    /// Reads it.
    fn of(name: &str) -> Result<Self, Failed> {
        let mut head = Self::default();
        let text = fs::read_to_string(package().join("programs").join(name).with_extension("rs"))?;
        for line in text.lines().filter_map(|line| line.strip_prefix("//@ ")) {
            match line.split_once(": ") {
                Some(("args", arguments)) => {
                    head.arguments = arguments.split(' ').map(String::from).collect();
                }
                Some(("env", variable)) => {
                    let (name, value) = variable.split_once('=').ok_or("env: NAME=VALUE")?;
                    head.variables.push((name.into(), value.into()));
                }
                Some(("status", status)) => head.status = status.parse()?,
                Some(("signal", signal)) => head.signal = Some(signal.parse()?),
                _ => return Err(format!("{name}.rs says `//@ {line}`").into()),
            }
        }
        Ok(head)
    }

    /// Runs the program on one side.
    fn run(&self, name: &str, mut side: Command) -> Result<Outcome, Failed> {
        side.env("PROGRAM", name)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .args(&self.arguments);
        let stdin = package()
            .join("programs")
            .join(name)
            .with_extension("stdin");
        if stdin.is_file() {
            side.stdin(File::open(stdin)?);
        }
        Ok(run(&mut side)?)
    }
}

/// Makes the trial that runs a program on both sides and compares.
fn trial(name: String) -> Trial {
    Trial::test(name.clone(), move || {
        let head = Head::of(&name)?;
        let built = target()?.join(TARGET);
        let mut on_std = Command::new(built.join("debug").join(ON_STD));
        on_std.env_clear().stdin(Stdio::null());
        let wanted = head.run(&name, on_std)?;
        // What is the same on both sides, but wrong, is no proof of anything.
        let ended = (wanted.status.code(), wanted.status.signal());
        let right = match head.signal {
            Some(signal) => (None, Some(signal)),
            None => (Some(head.status), None),
        };
        ensure!(
            ended == right && !wanted.stdout.is_empty(),
            "on std: {}, stdout {}, stderr {}",
            wanted.status,
            excerpt(&wanted.stdout),
            excerpt(&wanted.stderr)
        );

        let mut got = head.run(&name, command(&built.join(profile()).join(ON_GORT)))?;
        if head.signal.is_some() && !native() {
            // The emulator says that, too.
            let line = got
                .stderr
                .iter()
                .rev()
                .skip(1)
                .position(|&byte| byte == b'\n');
            let line = got.stderr.len() - line.map_or(got.stderr.len(), |length| length + 1);
            if got.stderr[line..].starts_with(b"qemu: uncaught target signal") {
                got.stderr.truncate(line);
            }
        }
        let ended = (got.status.code(), got.status.signal());
        ensure!(
            ended == right && got.stdout == wanted.stdout && got.stderr == wanted.stderr,
            "on gort {}: {}, on std {}\nstdout {}\n       {}\nstderr {}\n       {}",
            runner().join(" "),
            got.status,
            wanted.status,
            excerpt(&got.stdout),
            excerpt(&wanted.stdout),
            excerpt(&got.stderr),
            excerpt(&wanted.stderr)
        );
        Ok(())
    })
}
