//! Starts a machine by `xtask boot`, and says what came of it.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use gort_host_tests::programs::{Outcome, built_for_none, excerpt, run};
use libtest_mimic::Failed;

/// How many seconds a machine may run: several times what any does on a busy host.
const LIMIT: &str = "100";

/// A machine: QEMU's name for it, and how many CPUs it has.
#[derive(Clone, Copy)]
pub(crate) struct Machine {
    pub(crate) name: &'static str,
    pub(crate) cpus: u32,
}

/// Those that everything is tried on.
pub(crate) const MACHINES: &[Machine] = &[
    Machine::new("microvm", 1),
    Machine::new("microvm", 2),
    Machine::new("q35", 1),
    Machine::new("q35", 4),
];

impl Machine {
    pub(crate) const fn new(name: &'static str, cpus: u32) -> Self {
        Self { name, cpus }
    }

    /// Returns its name in our messages.
    pub(crate) fn title(self) -> String {
        format!("{}_{}", self.name, self.cpus)
    }

    /// Makes the command that boots a program on it, with `options` for `xtask boot`.
    pub(crate) fn command(self, options: &[&str], program: PathBuf) -> Result<Command, Failed> {
        let xtask = directory()?.join("debug/xtask");
        if !xtask.is_file() {
            return Err(format!("{} is not there: cargo build -p xtask", xtask.display()).into());
        }
        let mut command = Command::new(xtask);
        command
            .arg("boot")
            .args(["--machine", self.name, "--cpus", &self.cpus.to_string()])
            .args(["--timeout", LIMIT])
            .args(options)
            .arg(program)
            .stdin(Stdio::null());
        for (name, _) in env::vars().filter(|(name, _)| name.starts_with("GO")) {
            command.env_remove(name);
        }
        Ok(command)
    }

    /// Boots an example and waits for its end.
    pub(crate) fn boot(
        self,
        options: &[&str],
        example: &str,
        arguments: &[&str],
    ) -> Result<Said, Failed> {
        let program = built_for_none()?.join("examples").join(example);
        Said::by(self.command(options, program)?.args(arguments))
    }
}

/// What a machine has said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) status: Option<i32>,
}

impl Said {
    /// Waits for a machine's end.
    pub(crate) fn by(command: &mut Command) -> Result<Self, Failed> {
        let Outcome {
            stdout,
            stderr,
            status,
        } = run(command)?;
        let stderr = String::from_utf8_lossy(&stderr);
        if stderr.contains("xtask: ") {
            return Err(format!("{stderr}; it has said {}", excerpt(&stdout)).into());
        }
        let mut text = String::from_utf8_lossy(&stdout).into_owned();
        // That line is the machine's, not the program's.
        if let Some(code) = status.code().filter(|&code| code >= 127) {
            let line = format!("exit status {code}\n");
            text.truncate(text.strip_suffix(&line).map_or(text.len(), str::len));
        }
        Ok(Self {
            text,
            status: status.code(),
        })
    }

    /// Compares it.
    pub(crate) fn expect(&self, status: i32, text: &str) -> Result<(), Failed> {
        if self.status == Some(status) && self.text == text {
            return Ok(());
        }
        Err(format!(
            "expected status {status} and\n{text}\ngot {:?} and\n{}",
            self.status, self.text
        )
        .into())
    }
}

/// Returns where what is built for Linux is, all profiles.
pub(crate) fn directory() -> Result<PathBuf, Failed> {
    // This program is TARGET/PROFILE/deps/NAME.
    let own = env::current_exe()?;
    let directory = own.ancestors().nth(3);
    Ok(directory
        .ok_or("this test is not in cargo's target directory")?
        .to_path_buf())
}
