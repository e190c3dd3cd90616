//! A process is made: fork, then exec.
//!
//! ```text
//!   parent                                  child
//!   ──────                                  ─────
//!   strings and pipes are made
//!   fork ─────────────────────────────────▶ dies with the parent from here on
//!   the child's ends are closed             descriptors 0, 1, 2
//!                                           exec ──▶ the other program
//!   report: ◀────────────────────────────── "errno" and which, if exec failed
//! ```
//!
//! Invariant: between fork and exec the child makes system calls and nothing
//! else. It is a copy of one thread out of several, in which the heap's lock may
//! be held for ever.

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::{CStr, c_char};
use core::ptr;

use rustix::fd::{AsFd, AsRawFd as _, OwnedFd, RawFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, FdFlags};
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions};

use crate::sys;
use crate::verdict::NOT_STARTED;
use crate::watch::{Process, Stream};

/// What to run.
pub(crate) struct Program {
    /// The file.
    pub(crate) path: CString,
    /// Its arguments, its name first.
    pub(crate) arguments: Vec<CString>,
    /// Its environment: `NAME=value`.
    pub(crate) environment: Vec<CString>,
}

/// Where an output of the process goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sink {
    /// Where the harness's own goes.
    Inherited,
    /// Into a pipe.
    Captured,
    /// Into a pipe, and from there to the harness's standard error.
    Forwarded,
    /// Where standard output goes.
    Merged,
}

/// The pipe on which the child reports, before it has its number in the child.
pub(crate) struct Channel {
    theirs: OwnedFd,
    ours: OwnedFd,
}

impl Channel {
    /// Makes one.
    pub(crate) fn new() -> Result<Self, Errno> {
        let (ours, theirs) = pipe()?;
        Ok(Self { theirs, ours })
    }

    /// Returns the number that the child's end has in the child.
    pub(crate) fn number(&self) -> RawFd {
        self.theirs.as_raw_fd()
    }
}

/// Starts a program, with /dev/null as its standard input.
///
/// It keeps its end of the `channel` if it shall: if not, the kernel closes it
/// when exec succeeds. That exec has failed is known from the report alone.
pub(crate) fn spawn(
    program: &Program,
    stdout: Sink,
    stderr: Sink,
    channel: Channel,
    keep_channel: bool,
) -> Result<Process, Errno> {
    let null = rustix::fs::open(
        c"/dev/null",
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let (output, their_output) = stream(stdout)?;
    let (errors, their_errors) = stream(stderr)?;
    let arguments = pointers(&program.arguments);
    let environment = pointers(&program.environment);
    let start = Start {
        parent: rustix::process::getpid(),
        stdin: &null,
        stdout: their_output.as_ref(),
        stderr: their_errors
            .as_ref()
            .or(their_output.as_ref().filter(|_| stderr == Sink::Merged)),
        report: &channel.theirs,
        keep_report: keep_channel,
        path: &program.path,
        arguments: &arguments,
        environment: &environment,
    };
    // SAFETY: `become_child` keeps to the invariant, and ends in exec or exit.
    let pid = match unsafe { sys::fork() }? {
        Some(pid) => pid,
        None => become_child(&start),
    };
    // Nobody else waits for this child, so its number is still its own.
    let handle =
        rustix::process::pidfd_open(pid, PidfdFlags::empty()).inspect_err(|_| abandon(pid))?;
    Ok(Process {
        pid,
        handle,
        output,
        errors,
        report: Stream::new(Some(channel.ours), false),
    })
}

/// Ends a child that cannot be watched.
fn abandon(child: Pid) {
    // What fails here has failed before: the caller's errno says more.
    let _ = rustix::process::kill_process(child, Signal::KILL);
    let _ = rustix::process::waitpid(Some(child), WaitOptions::empty());
}

/// All that a child needs, ready before the fork.
struct Start<'a> {
    parent: Pid,
    stdin: &'a OwnedFd,
    stdout: Option<&'a OwnedFd>,
    stderr: Option<&'a OwnedFd>,
    report: &'a OwnedFd,
    keep_report: bool,
    path: &'a CStr,
    arguments: &'a [*const c_char],
    environment: &'a [*const c_char],
}

/// The child, from fork to exec.
fn become_child(start: &Start<'_>) -> ! {
    let errno = match start.prepare() {
        // SAFETY: `pointers` has made both arrays.
        Ok(()) => unsafe { sys::execve(start.path, start.arguments, start.environment) },
        Err(errno) => errno,
    };
    give_up(start.report, errno)
}

impl Start<'_> {
    /// Sets up what the program will inherit.
    fn prepare(&self) -> Result<(), Errno> {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // It may have died before that.
        if rustix::process::getppid() != Some(self.parent) {
            return Err(Errno::SRCH);
        }
        rustix::stdio::dup2_stdin(self.stdin)?;
        if let Some(stdout) = self.stdout {
            rustix::stdio::dup2_stdout(stdout)?;
        }
        if let Some(stderr) = self.stderr {
            rustix::stdio::dup2_stderr(stderr)?;
        }
        if self.keep_report {
            rustix::io::fcntl_setfd(self.report, FdFlags::empty())?;
        }
        Ok(())
    }
}

/// Reports why there is no new program, and ends.
fn give_up(report: impl AsFd, errno: Errno) -> ! {
    let mut message = [0; NOT_STARTED.len() + size_of::<i32>()];
    let errno = errno.raw_os_error().to_ne_bytes();
    for (to, from) in message.iter_mut().zip(NOT_STARTED.iter().chain(&errno)) {
        *to = *from;
    }
    // If even that fails, the status speaks.
    let _ = rustix::io::write(report, &message);
    sys::exit(127)
}

/// Makes the two ends of an output: ours and, if there is a pipe, theirs.
fn stream(sink: Sink) -> Result<(Stream, Option<OwnedFd>), Errno> {
    match sink {
        Sink::Inherited | Sink::Merged => Ok((Stream::new(None, false), None)),
        Sink::Captured | Sink::Forwarded => {
            let (ours, theirs) = pipe()?;
            Ok((
                Stream::new(Some(ours), sink == Sink::Forwarded),
                Some(theirs),
            ))
        }
    }
}

/// Makes a pipe of which no other child inherits an end, and from which a read
/// does not block: the first is for reading.
fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (ours, theirs) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    rustix::fs::fcntl_setfl(&ours, OFlags::NONBLOCK)?;
    Ok((ours, theirs))
}

/// Returns the array that exec wants.
fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings
        .iter()
        .map(|string| string.as_ptr())
        .chain([ptr::null()])
        .collect()
}
