//! How a program ended, compared with how it should have.

use std::fmt::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

/// How a program ended, and what it printed.
#[derive(Debug)]
pub struct Outcome {
    /// All of its standard output.
    pub stdout: Vec<u8>,
    /// All of its standard error.
    pub stderr: Vec<u8>,
    /// How it ended.
    pub status: ExitStatus,
}

impl Outcome {
    /// Checks the exit status and both streams; `*` in a pattern stands for
    /// anything within a line, and `**` for anything at all.
    ///
    /// # Errors
    ///
    /// What was expected and what there was.
    pub fn expect(&self, code: i32, stdout: &str, stderr: &str) -> Result<&Self, String> {
        let mut wrong = String::new();
        if self.status.code() != Some(code) {
            let _ = writeln!(wrong, "expected exit status {code}, got {}", self.status);
        }
        for (name, pattern, got) in [
            ("stdout", stdout, &self.stdout),
            ("stderr", stderr, &self.stderr),
        ] {
            if !like(got, pattern.as_bytes()) {
                let _ = writeln!(wrong, "expected on {name} {}", excerpt(pattern.as_bytes()));
                let _ = writeln!(wrong, "     got on {name} {}", excerpt(got));
            }
        }
        if wrong.is_empty() {
            return Ok(self);
        }
        if !wrong.contains("on stderr") {
            let _ = writeln!(wrong, "stderr was {}", excerpt(&self.stderr));
        }
        Err(wrong)
    }

    /// Checks that a signal ended the program.
    ///
    /// # Errors
    ///
    /// How it ended instead.
    pub fn expect_signal(&self, signal: i32) -> Result<&Self, String> {
        if self.status.signal() == Some(signal) {
            return Ok(self);
        }
        let got = self.status;
        Err(format!(
            "expected an end by signal {signal}, got {got}; stderr was {}",
            excerpt(&self.stderr)
        ))
    }
}

/// Tells whether a text is what a pattern says; `*` stands for any run of
/// characters within a line, and `**` for any run of characters.
pub fn like(text: &[u8], pattern: &[u8]) -> bool {
    let Some((start, rest)) = pattern
        .iter()
        .position(|&byte| byte == b'*')
        .map(|star| pattern.split_at(star))
    else {
        return text == pattern;
    };
    let Some(text) = text.strip_prefix(start) else {
        return false;
    };
    let (line, rest) = match rest.strip_prefix(b"**") {
        Some(rest) => (None, rest),
        None => (
            text.iter().position(|&byte| byte == b'\n'),
            rest.get(1..).unwrap_or_default(),
        ),
    };
    let line = line.unwrap_or(text.len());
    (0..=line).any(|skip| like(text.get(skip..).unwrap_or_default(), rest))
}

/// Makes bytes readable, and short enough for a message.
pub fn excerpt(bytes: &[u8]) -> String {
    const LIMIT: usize = 2000;
    let text = String::from_utf8_lossy(bytes.get(..LIMIT).unwrap_or(bytes));
    let more = if bytes.len() > LIMIT {
        format!(" … ({} bytes)", bytes.len())
    } else {
        String::new()
    };
    format!("{text:?}{more}")
}
