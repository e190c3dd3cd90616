//! Runs a test command and counts what passed, by the lines in libtest's format
//! that it prints. A command that hangs is ended, with all that it has started.

use std::io::{self, BufRead as _, BufReader, PipeReader, Write as _};
use std::ops::AddAssign;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::processes;

/// How many tests passed, and how many did not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) ignored: usize,
}

/// Where what commands print goes, and what is said of them.
pub(crate) enum Output {
    /// To our own standard output, as it comes; errors go where ours go.
    Through,
    /// Here, errors among the rest, until somebody prints it.
    Kept(Vec<u8>),
}

impl Output {
    /// Adds to it.
    pub(crate) fn write(&mut self, text: &[u8]) -> io::Result<()> {
        match self {
            Self::Through => {
                io::stdout().write_all(text)?;
                io::stdout().flush()
            }
            Self::Kept(kept) => {
                kept.extend_from_slice(text);
                Ok(())
            }
        }
    }

    /// Adds a line.
    pub(crate) fn say(&mut self, line: &str) -> io::Result<()> {
        self.write(format!("{line}\n").as_bytes())
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

impl Tally {
    /// The tally of a stage that broke before it could count.
    pub(crate) const BROKEN: Self = Self {
        passed: 0,
        failed: 1,
        ignored: 0,
    };

    /// Runs a command, passing on what it prints, and counts. After the time `limit`
    /// it is ended.
    ///
    /// A command that fails without a failed test (it did not build, a test program
    /// died, or it hung) counts as one.
    pub(crate) fn of(command: &mut Command, limit: Duration, output: &mut Output) -> Outcome<Self> {
        let end = Instant::now() + limit;
        let (sender, lines) = mpsc::channel();
        let (reader, writer) = io::pipe()?;
        follow(reader, sender.clone());
        if let Output::Kept(_) = output {
            // A pipe of its own: what is written to one does not break the other's lines.
            let (reader, writer) = io::pipe()?;
            follow(reader, sender);
            command.stderr(writer);
        } else {
            drop(sender); // the end is seen when nobody has one any more
        }
        let mut child = command.stdout(writer).spawn()?;
        // The pipe's end is seen when nobody has the other end any more.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut tally = Self::default();
        loop {
            match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    output.write(&line)?;
                    tally.count(&line);
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    output.say(&format!(
                        "ended after {} s: something hangs",
                        limit.as_secs()
                    ))?;
                    processes::end(child.id());
                    child.wait()?;
                    tally.failed += 1;
                    return Ok(tally);
                }
            }
        }
        let status = child.wait()?;
        if !status.success() && tally.failed == 0 {
            output.say(&format!("the command itself failed: {status}"))?;
            tally.failed = 1;
        }
        Ok(tally)
    }

    /// Counts what a line says.
    fn count(&mut self, line: &[u8]) {
        if let Some(tally) = Self::parse(&String::from_utf8_lossy(line)) {
            *self += tally;
        }
    }

    /// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    fn parse(line: &str) -> Option<Self> {
        let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let count = |what: &str| {
            counts
                .split(';')
                .find_map(|part| part.trim().strip_suffix(what)?.trim().parse().ok())
                .unwrap_or(0)
        };
        Some(Self {
            passed: count("passed"),
            failed: count("failed"),
            ignored: count("ignored"),
        })
    }
}

/// Reads lines on a thread of its own: what a command has started may keep the pipe
/// open for longer than anybody waits.
fn follow(pipe: PipeReader, sender: Sender<Vec<u8>>) {
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        loop {
            let mut line = Vec::new();
            match pipe.read_until(b'\n', &mut line) {
                Ok(1..) if sender.send(line).is_ok() => {}
                _ => return,
            }
        }
    });
}
