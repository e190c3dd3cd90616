//! The process that runs one test.
//!
//! ```text
//!   PROGRAM --gort-test-child FD native|emulated NAME
//! ```
//!
//! It runs the test on its main goroutine and reports to descriptor FD.

use alloc::ffi::CString;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use gort::env;
use gort::process::ExitCode;
use rustix::fd::RawFd;
use rustix::io::{Errno, FdFlags};

use crate::case::Test;
use crate::emulator::{self, under_qemu};
use crate::spawn::{self, Channel, Program, Sink};
use crate::sys;
use crate::verdict::{ESCAPED, FAILED, FAILED_STATUS, PASSED};
use crate::watch::{Process, write_all};

/// The argument that makes a process a child.
const CHILD: &str = "--gort-test-child";

/// The harness's side: starts the process for a test.
pub(crate) fn start(test: &Test, no_capture: bool) -> Result<Process, Errno> {
    let channel = Channel::new()?;
    let (path, mut arguments) = emulator::this_program()?;
    for argument in [
        CHILD,
        &format!("{}", channel.number()),
        machine(),
        test.name(),
    ] {
        arguments.push(emulator::c_string(argument)?);
    }
    let environment = env::vars_c().map(CString::from).collect();
    let (stdout, stderr) = match (no_capture, test.expected_panic()) {
        (false, _) => (Sink::Captured, Sink::Merged),
        (true, None) => (Sink::Inherited, Sink::Inherited),
        // The message must be known to be judged.
        (true, Some(_)) => (Sink::Inherited, Sink::Forwarded),
    };
    spawn::spawn(
        &Program {
            path,
            arguments,
            environment,
        },
        stdout,
        stderr,
        channel,
        true,
    )
}

/// The child's side: runs the test and returns the exit code; None if this is no
/// child.
pub(crate) fn run(tables: &[&[Option<Test>]], arguments: &[String]) -> Option<ExitCode> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [_, CHILD, number, expected_machine, name] = arguments[..] else {
        return None;
    };
    let tests = tables.iter().copied().flatten().flatten();
    let test = tests.into_iter().find(|test| test.name() == name)?;
    let channel = sys::inherited(number.parse::<RawFd>().ok()?)?;
    // What the test starts has no part in it.
    rustix::io::fcntl_setfd(channel, FdFlags::CLOEXEC).ok()?;
    let (report, status) = match machine() == expected_machine {
        false => (ESCAPED, ExitCode::FAILURE),
        true if test.run() => (PASSED, ExitCode::SUCCESS),
        true => (FAILED, ExitCode::from(FAILED_STATUS)),
    };
    // A test whose report is lost has failed.
    let _ = write_all(channel, report);
    Some(status)
}

/// Says what runs this program.
fn machine() -> &'static str {
    if under_qemu() { "emulated" } else { "native" }
}
