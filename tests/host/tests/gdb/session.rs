//! A gdb to talk to: commands go in one by one, and what each prints comes back.

use std::env;
use std::io::{PipeReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use gort_host_tests::programs;

pub(crate) use crate::document::root;

/// How long a command may take. None takes a tenth of it: gdb hangs then, or
/// the program does.
const PATIENCE: Duration = Duration::from_secs(120);

/// What gdb prints when it waits for a command; nothing else prints that.
const PROMPT: &str = "\u{2}gdb\u{3}";

/// Has the program run one goroutine at a time: where one is stopped, those that it has
/// readied wait.
pub(crate) const ONE_P: &str = "set environment GOMAXPROCS 1";

/// Has backtraces of goroutines that wait begin with the switch.
pub(crate) const RUNTIME_FRAMES: &str = "set gort runtime-frames on";

/// Which gdb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// As it is installed.
    Plain,
    /// With gort's script, by the wrapper.
    Gort,
}

/// A running gdb.
pub(crate) struct Gdb {
    child: Child,
    stdin: Option<ChildStdin>,
    output: Receiver<Vec<u8>>,
    read: Vec<u8>,
}

impl Gdb {
    /// Starts gdb on a program, which does not run yet.
    pub(crate) fn start(kind: Kind, program: &Path) -> Result<Self, String> {
        let mut command = command(kind)?;
        let (reader, writer) = std::io::pipe().map_err(|error| format!("pipe: {error}"))?;
        let errors = writer
            .try_clone()
            .map_err(|error| format!("pipe: {error}"))?;
        command
            .arg(program)
            .stdin(std::process::Stdio::piped())
            .stdout(writer)
            .stderr(errors);
        let mut child = programs::spawn(&mut command)?;
        drop(command); // our ends of the pipe: the reader shall see gdb's end
        let mut gdb = Self {
            stdin: child.stdin.take(),
            child,
            output: follow(reader),
            read: Vec::new(),
        };
        let greeting = gdb.answer()?;
        if greeting.contains("No such file") {
            return Err(format!("gdb says: {greeting}"));
        }
        Ok(gdb)
    }

    /// Gives a command and returns what gdb and the program print until the next
    /// prompt.
    pub(crate) fn command(&mut self, line: &str) -> Result<String, String> {
        let stdin = self.stdin.as_mut().ok_or("gdb is closed")?;
        stdin
            .write_all(format!("{line}\n").as_bytes())
            .map_err(|error| format!("to gdb, {line}: {error}"))?;
        self.answer().map_err(|error| format!("{line}: {error}"))
    }

    /// The same, for commands whose answers do not matter.
    pub(crate) fn commands(&mut self, lines: &[&str]) -> Result<(), String> {
        lines
            .iter()
            .try_for_each(|line| self.command(line).map(drop))
    }

    /// Reads up to the next prompt.
    fn answer(&mut self) -> Result<String, String> {
        let end = Instant::now() + PATIENCE;
        let mut searched = 0; // an answer may be long, and comes in small pieces
        loop {
            let rest = self.read.get(searched..).unwrap_or_default();
            let found = rest
                .windows(PROMPT.len())
                .position(|bytes| bytes == PROMPT.as_bytes());
            if let Some(end) = found.map(|at| searched + at) {
                let answer =
                    String::from_utf8_lossy(self.read.get(..end).unwrap_or_default()).into_owned();
                self.read.drain(..end + PROMPT.len());
                return Ok(answer);
            }
            searched = self.read.len().saturating_sub(PROMPT.len());
            let left = end.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.read.extend(bytes),
                Err(why) => {
                    return Err(format!(
                        "gdb: {why}, after {}",
                        programs::excerpt(&self.read)
                    ));
                }
            }
        }
    }
}

impl Drop for Gdb {
    fn drop(&mut self) {
        self.stdin = None; // gdb takes that for quit, and ends the program with it
        let _ = programs::wait(&mut self.child);
    }
}

/// Makes the command that starts gdb in the repository, without the developer's
/// own settings.
pub(crate) fn command(kind: Kind) -> Result<Command, String> {
    let plain = env::var("GORT_GDB").unwrap_or_else(|_| "gdb".into());
    if programs::find_tool(&plain).is_none() {
        return Err(format!(
            "missing: {plain}; install with apt-get install gdb"
        ));
    }
    let mut command = match kind {
        Kind::Plain => Command::new(plain),
        Kind::Gort => Command::new(root().join("gdb/gort-gdb")),
    };
    command
        .current_dir(root())
        .env_remove("DEBUGINFOD_URLS")
        // gdb 13 loses a step where a signal comes whose handler goes on elsewhere.
        .env("GODEBUG", "asyncpreemptoff=1")
        .args(["-q", "-nx"]);
    for setting in [
        &format!("prompt {PROMPT}"),
        "width 0",
        "height 0",
        "confirm off",
        "style enabled off",
        "startup-with-shell off",
        "disable-randomization off", // containers forbid it
    ] {
        command.arg("-iex").arg(format!("set {setting}"));
    }
    Ok(command)
}

/// Reads a pipe on a thread of its own.
fn follow(mut reader: PipeReader) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = reader.read(&mut buffer) {
            if sender
                .send(buffer.get(..length).unwrap_or_default().to_vec())
                .is_err()
            {
                return;
            }
        }
    });
    receiver
}
