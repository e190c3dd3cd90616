//! Whether a test has passed, by how its process ended and what it said.
//!
//! Pure.

use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt;

/// How a process ended. Shown as `std` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It exited, with this status.
    Exited(i32),
    /// A signal ended it.
    Killed {
        /// Which one.
        signal: i32,
        /// Whether the kernel has written a core file.
        core_dumped: bool,
    },
}

/// What is known of a test's process after its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End<'a> {
    /// How it ended.
    pub(crate) status: Status,
    /// What it reported: one of the constants below, or nothing.
    pub(crate) report: &'a [u8],
    /// What it wrote, as far as that was captured.
    pub(crate) output: &'a [u8],
    /// After how many seconds the harness killed it, if it did.
    pub(crate) timed_out: Option<u64>,
}

/// The report of a test that returned a success.
pub(crate) const PASSED: &[u8] = b"passed";
/// The report of a test that returned an error, which it has printed.
pub(crate) const FAILED: &[u8] = b"failed";
/// The report of a test that finds itself outside of the emulator.
pub(crate) const ESCAPED: &[u8] = b"escaped";
/// The report of a process that could not become the test; behind it, in four
/// bytes, stands the errno.
pub(crate) const NOT_STARTED: &[u8] = b"errno";

/// The status of a gort program that panics.
const PANIC_STATUS: i32 = 2;
/// The status of a test's process that reported [`FAILED`].
pub(crate) const FAILED_STATUS: u8 = 1;

/// Whether a test has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It has.
    Passed,
    /// It has not; there may be something to say on why.
    Failed(Option<String>),
}

impl Verdict {
    /// A failure that needs an explanation.
    pub(crate) fn failed(note: impl Into<String>) -> Self {
        Self::Failed(Some(note.into()))
    }
}

/// Judges a test by its end. `expected_panic` is what the message of its panic
/// must contain, if it shall panic.
pub(crate) fn judge(end: &End<'_>, expected_panic: Option<&str>) -> Verdict {
    if let Some(seconds) = end.timed_out {
        return Verdict::failed(format!("killed after {seconds} seconds\n{}", end.status));
    }
    if let Some(errno) = end.report.strip_prefix(NOT_STARTED) {
        let errno = errno.try_into().map_or(0, i32::from_ne_bytes);
        return Verdict::failed(not_started(errno));
    }
    if end.report == ESCAPED {
        return Verdict::failed(
            "the test's process has left the emulator that the harness runs under",
        );
    }
    match expected_panic {
        None => judge_return(end),
        Some(expected) => judge_panic(end, expected),
    }
}

/// Says that a process could not be made.
pub(crate) fn not_started(errno: i32) -> String {
    format!("the test's process could not be started: os error {errno}")
}

/// Judges a test that shall return.
fn judge_return(end: &End<'_>) -> Verdict {
    match (end.report, end.status) {
        (PASSED, Status::Exited(0)) => Verdict::Passed,
        (FAILED, Status::Exited(status)) if status == FAILED_STATUS.into() => Verdict::Failed(None),
        (PASSED | FAILED, status) => Verdict::failed(format!("{status}, after the test returned")),
        (_, status @ Status::Exited(0)) => {
            Verdict::failed(format!("{status}, before the test returned"))
        }
        // The message says it all, if there is one.
        (_, Status::Exited(PANIC_STATUS)) if panic_message(end.output).is_some() => {
            Verdict::Failed(None)
        }
        (_, status) => Verdict::failed(status.to_string()),
    }
}

/// Judges a test that shall panic.
fn judge_panic(end: &End<'_>, expected: &str) -> Verdict {
    let panic = match end.status {
        Status::Exited(PANIC_STATUS) => panic_message(end.output),
        _ => None,
    };
    match panic {
        Some(message) if message.contains(expected) => Verdict::Passed,
        Some(message) => Verdict::failed(format!(
            "panic did not contain expected string\n      \
             panic message: {message:?}\n expected substring: {expected:?}"
        )),
        None if end.report == PASSED => Verdict::failed("test did not panic as expected"),
        None => Verdict::failed(format!("test did not panic as expected\n{}", end.status)),
    }
}

/// Finds the message of the panic in what a process wrote: between `panic: ` and
/// the goroutine's header.
fn panic_message(output: &[u8]) -> Option<String> {
    const START: &str = "panic: ";
    let output = String::from_utf8_lossy(output);
    // The line before may lack its end: then it is the last that looks like one.
    let at_line_start = output
        .rmatch_indices(START)
        .find(|(at, _)| output[..*at].ends_with('\n') || *at == 0);
    let (start, _) = at_line_start.or_else(|| output.rmatch_indices(START).next())?;
    let message = output.get(start + START.len()..)?;
    let message = message.split("\n\ngoroutine ").next().unwrap_or(message);
    // Behind each newline of its own stands a tab.
    Some(message.trim_end_matches('\n').replace("\n\t", "\n"))
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Exited(status) => write!(f, "exit status: {status}"),
            Self::Killed {
                signal,
                core_dumped,
            } => {
                write!(f, "signal: {signal} ({})", signal_name(signal))?;
                f.write_str(if core_dumped { " (core dumped)" } else { "" })
            }
        }
    }
}

/// Returns a signal's name on x86_64.
fn signal_name(signal: i32) -> &'static str {
    const NAMES: [&str; 32] = [
        "",
        "SIGHUP",
        "SIGINT",
        "SIGQUIT",
        "SIGILL",
        "SIGTRAP",
        "SIGABRT",
        "SIGBUS",
        "SIGFPE",
        "SIGKILL",
        "SIGUSR1",
        "SIGSEGV",
        "SIGUSR2",
        "SIGPIPE",
        "SIGALRM",
        "SIGTERM",
        "SIGSTKFLT",
        "SIGCHLD",
        "SIGCONT",
        "SIGSTOP",
        "SIGTSTP",
        "SIGTTIN",
        "SIGTTOU",
        "SIGURG",
        "SIGXCPU",
        "SIGXFSZ",
        "SIGVTALRM",
        "SIGPROF",
        "SIGWINCH",
        "SIGIO",
        "SIGPWR",
        "SIGSYS",
    ];
    let name = usize::try_from(signal)
        .ok()
        .and_then(|signal| NAMES.get(signal));
    name.copied().unwrap_or("a real-time signal")
}
