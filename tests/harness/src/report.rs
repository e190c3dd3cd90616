//! What is printed: libtest's words, in libtest's places.
//!
//! Pure: it prints into a [`Sink`].

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::case::Test;
use crate::select::Selected;
use crate::verdict::Verdict;

/// What takes the text.
pub(crate) trait Sink {
    /// Takes some of it, and shows it at once.
    fn write(&mut self, text: &[u8]);
}

/// How it shall look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// A character for each test instead of a line.
    pub(crate) terse: bool,
    /// With colours.
    pub(crate) color: bool,
    /// Several tests run at a time: a test's name waits for its result.
    pub(crate) concurrent: bool,
    /// Show what tests have written that passed, too.
    pub(crate) show_output: bool,
}

/// The report of one run.
pub(crate) struct Report<S> {
    sink: S,
    style: Style,
    total: usize,
    ignored: usize,
    passed: Vec<Written>,
    failed: Vec<Written>,
    /// How many characters stand on the line, if terse.
    column: usize,
}

/// What a test has written.
struct Written {
    name: &'static str,
    output: Vec<u8>,
}

/// After so many characters there is a new line.
const TERSE_WIDTH: usize = 88;

const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

/// Prints the tests' names, for `--list`.
pub(crate) fn list(sink: &mut impl Sink, selected: &[Selected], terse: bool) {
    let mut text = String::new();
    for Selected { test, .. } in selected {
        text += &format!("{}: test\n", test.name());
    }
    if !terse {
        text += if selected.is_empty() { "" } else { "\n" };
        text += &format!("{}, 0 benchmarks\n", plural(selected.len(), "test"));
    }
    sink.write(text.as_bytes());
}

impl<S: Sink> Report<S> {
    /// Begins the report of `total` tests.
    pub(crate) fn start(sink: S, style: Style, total: usize) -> Self {
        let (passed, failed) = (Vec::new(), Vec::new());
        let mut report = Self {
            sink,
            style,
            total,
            ignored: 0,
            passed,
            failed,
            column: 0,
        };
        report.plain(&format!("\nrunning {}\n", plural(total, "test")));
        report
    }

    /// A test begins.
    pub(crate) fn started(&mut self, test: &Test) {
        // One at a time: its name says which one hangs, if it does.
        if !self.style.terse && !self.style.concurrent {
            self.name(test);
        }
    }

    /// A test has been running for a while.
    pub(crate) fn slow(&mut self, test: &Test, seconds: u64) {
        self.plain(&format!(
            "test {} has been running for over {seconds} seconds\n",
            test.name()
        ));
    }

    /// A test that is only counted.
    pub(crate) fn ignored(&mut self, test: &Test, reason: &str) {
        self.ignored += 1;
        match (self.style.terse, reason) {
            (true, _) => self.character("i", YELLOW),
            (false, "") => self.result(test, "ignored", YELLOW),
            (false, reason) => self.result(test, &format!("ignored, {reason}"), YELLOW),
        }
    }

    /// A test has ended, with this output.
    pub(crate) fn ended(&mut self, test: &Test, verdict: Verdict, mut output: Vec<u8>) {
        let name = test.name();
        match verdict {
            Verdict::Passed => {
                self.passed.push(Written { name, output });
                match self.style.terse {
                    true => self.character(".", GREEN),
                    false => self.result(test, "ok", GREEN),
                }
            }
            Verdict::Failed(note) => {
                if let Some(note) = note {
                    if !output.is_empty() && !output.ends_with(b"\n") {
                        output.push(b'\n');
                    }
                    output.extend_from_slice(format!("note: {note}").as_bytes());
                }
                self.failed.push(Written { name, output });
                match self.style.terse {
                    true => self.terse_failure(name),
                    false => self.result(test, "FAILED", RED),
                }
            }
        }
    }

    /// Ends the report; true if no test has failed.
    pub(crate) fn finish(mut self, filtered_out: usize, nanoseconds: u64) -> bool {
        if self.style.show_output {
            let passed = core::mem::take(&mut self.passed);
            self.outputs("successes", &passed);
            self.passed = passed;
        }
        let success = self.failed.is_empty();
        if !success {
            let failed = core::mem::take(&mut self.failed);
            self.outputs("failures", &failed);
            self.failed = failed;
        }
        self.plain("\ntest result: ");
        match success {
            true => self.colored("ok", GREEN),
            false => self.colored("FAILED", RED),
        }
        let hundredths = nanoseconds.saturating_add(5_000_000) / 10_000_000;
        self.plain(&format!(
            ". {} passed; {} failed; {} ignored; 0 measured; {filtered_out} filtered out; finished in {}.{:02}s\n\n",
            self.passed.len(),
            self.failed.len(),
            self.ignored,
            hundredths / 100,
            hundredths % 100,
        ));
        success
    }

    /// Prints a test's result, a line of its own.
    fn result(&mut self, test: &Test, word: &str, color: &str) {
        if self.style.concurrent {
            self.name(test);
        }
        self.colored(word, color);
        self.plain("\n");
    }

    /// Prints a test's name, which its result will follow.
    fn name(&mut self, test: &Test) {
        let mode = test.expected_panic().map_or("", |_| " - should panic");
        self.plain(&format!("test {}{mode} ... ", test.name()));
    }

    /// Prints a test's result, a character.
    fn character(&mut self, character: &str, color: &str) {
        self.colored(character, color);
        self.column += 1;
        if self.column == TERSE_WIDTH {
            self.terse_progress(self.done());
        }
    }

    /// Prints a failure, a line of its own even then.
    fn terse_failure(&mut self, name: &str) {
        if self.column != 0 {
            self.terse_progress(self.done() - 1); // without this one
        }
        self.plain(&format!("{name} --- "));
        self.colored("FAILED", RED);
        self.plain("\n");
    }

    /// Ends a line of characters.
    fn terse_progress(&mut self, done: usize) {
        self.column = 0;
        self.plain(&format!(" {done}/{}\n", self.total));
    }

    /// Counts the tests that have ended.
    fn done(&self) -> usize {
        self.passed.len() + self.failed.len() + self.ignored
    }

    /// Prints what tests have written, and their names.
    fn outputs(&mut self, title: &str, tests: &[Written]) {
        self.plain(&format!("\n{title}:\n"));
        let with_output = tests.iter().filter(|test| !test.output.is_empty());
        for (index, test) in with_output.enumerate() {
            if index == 0 {
                self.plain("\n");
            }
            let output: Cow<'_, str> = String::from_utf8_lossy(&test.output);
            self.plain(&format!("---- {} stdout ----\n{output}\n", test.name));
        }
        let mut names: Vec<_> = tests.iter().map(|test| test.name).collect();
        names.sort_unstable();
        self.plain(&format!("\n{title}:\n"));
        for name in names {
            self.plain(&format!("    {name}\n"));
        }
    }

    /// Prints a word in colour, if there shall be colours.
    fn colored(&mut self, word: &str, color: &str) {
        match self.style.color {
            true => self.plain(&format!("{color}{word}{PLAIN}")),
            false => self.plain(word),
        }
    }

    /// Prints text.
    fn plain(&mut self, text: &str) {
        self.sink.write(text.as_bytes());
    }
}

/// `1 test`, `2 tests`.
fn plural(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}
