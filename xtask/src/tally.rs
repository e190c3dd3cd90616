//! Runs a test command and counts what passed, by the lines in libtest's format
//! that it prints.

use std::io::{self, BufReader, Write as _};
use std::ops::AddAssign;
use std::process::{Command, Stdio};

use crate::Outcome;

/// How many tests passed, and how many did not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) ignored: usize,
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

    /// Runs a command, passing on what it prints, and counts.
    ///
    /// A command that fails without a failed test (it did not build, or a test
    /// program died) counts as one.
    pub(crate) fn of(command: &mut Command) -> Outcome<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut tally = Self::default();
        if let Some(stdout) = child.stdout.take() {
            tally.read(BufReader::new(stdout))?;
        }
        let status = child.wait()?;
        if !status.success() && tally.failed == 0 {
            println!("the command itself failed: {status}");
            tally.failed = 1;
        }
        Ok(tally)
    }

    /// Counts the lines of a stream, and passes them on.
    fn read(&mut self, mut stream: impl io::BufRead) -> Outcome {
        let mut line = Vec::new();
        while stream.read_until(b'\n', &mut line)? > 0 {
            io::stdout().write_all(&line)?;
            if let Some(tally) = Self::parse(&String::from_utf8_lossy(&line)) {
                *self += tally;
            }
            line.clear();
        }
        Ok(io::stdout().flush()?)
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
