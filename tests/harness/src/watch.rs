//! Running processes, watched by one blocking poll.
//!
//! A process has ended when the kernel says so, by its pidfd, not when its pipes
//! do: a test may have started something that keeps them open.

use alloc::vec::Vec;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};
use rustix::time::{ClockId, clock_gettime};

use crate::sys;
use crate::verdict::Status;

/// A process that was started here.
pub(crate) struct Process {
    /// Its number; its own until [`Process::reap`].
    pub(crate) pid: Pid,
    /// Readable when it has ended.
    pub(crate) handle: OwnedFd,
    /// Its standard output, and its standard error if both go there.
    pub(crate) output: Stream,
    /// Its standard error.
    pub(crate) errors: Stream,
    /// What it or [`crate::spawn`] has to say.
    pub(crate) report: Stream,
}

/// What comes out of a pipe.
pub(crate) struct Stream {
    /// Our end; None if there is none, or no longer.
    pipe: Option<OwnedFd>,
    /// What has come.
    pub(crate) bytes: Vec<u8>,
    /// Pass it on to standard error.
    forward: bool,
}

/// Waits until one of the processes has ended, which it returns as an index; or
/// for so many nanoseconds at most. Meanwhile it takes what they write.
pub(crate) fn wait<'a>(
    processes: impl Iterator<Item = &'a mut Process>,
    nanoseconds: Option<u64>,
) -> Result<Option<usize>, Errno> {
    let mut processes: Vec<_> = processes.collect();
    let until = nanoseconds.map(|nanoseconds| now().saturating_add(nanoseconds));
    loop {
        let timeout = until.map(|until| timespec(until.saturating_sub(now())));
        poll(&processes, timeout.as_ref())?;
        for process in &mut processes {
            process.take()?;
        }
        for (index, process) in processes.iter().enumerate() {
            if process.has_ended()? {
                return Ok(Some(index));
            }
        }
        if until.is_some_and(|until| now() >= until) {
            return Ok(None);
        }
    }
}

/// Waits until there is something to do for one of the processes.
fn poll(processes: &[&mut Process], timeout: Option<&Timespec>) -> Result<(), Errno> {
    let mut descriptors = Vec::new();
    for process in processes {
        let streams = [&process.output, &process.errors, &process.report];
        let pipes = streams
            .into_iter()
            .filter_map(|stream| stream.pipe.as_ref());
        descriptors.extend(
            pipes
                .chain([&process.handle])
                .map(|fd| PollFd::new(fd, PollFlags::IN)),
        );
    }
    match rustix::event::poll(&mut descriptors, timeout) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(errno) => Err(errno),
    }
}

impl Process {
    /// Takes what it has written so far.
    fn take(&mut self) -> Result<(), Errno> {
        self.output.take()?;
        self.errors.take()?;
        self.report.take()
    }

    /// Says whether it has ended, without waiting for that.
    fn has_ended(&self) -> Result<bool, Errno> {
        let mut descriptors = [PollFd::new(&self.handle, PollFlags::IN)];
        Ok(retry_on_intr(|| rustix::event::poll(&mut descriptors, Some(&timespec(0))))? > 0)
    }

    /// Takes the last of its output, and how it ended. It must have.
    pub(crate) fn reap(&mut self) -> Result<Status, Errno> {
        self.take()?;
        let waited =
            retry_on_intr(|| rustix::process::waitpid(Some(self.pid), WaitOptions::empty()))?;
        let (_, status) = waited.ok_or(Errno::CHILD)?;
        Ok(status_of(status))
    }

    /// Sends it a signal. It must not have been reaped.
    pub(crate) fn kill(&self, signal: Signal) {
        // It may have ended by itself; then there is nothing to do.
        let _ = rustix::process::kill_process(self.pid, signal);
    }
}

impl Stream {
    /// Makes one of our end of a pipe, if there is a pipe.
    pub(crate) fn new(pipe: Option<OwnedFd>, forward: bool) -> Self {
        Self {
            pipe,
            bytes: Vec::new(),
            forward,
        }
    }

    /// Takes what is there, and closes the pipe at its end.
    fn take(&mut self) -> Result<(), Errno> {
        let mut buffer = [0; 4096];
        while let Some(pipe) = &self.pipe {
            match retry_on_intr(|| rustix::io::read(pipe, &mut buffer[..])) {
                Ok(0) => self.pipe = None,
                Ok(length) => {
                    let new = buffer.get(..length).unwrap_or_default();
                    self.bytes.extend_from_slice(new);
                    if self.forward {
                        write_all(sys::stderr(), new)?;
                    }
                }
                Err(Errno::AGAIN) => return Ok(()),
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }
}

/// Writes all of it.
pub(crate) fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        let written = retry_on_intr(|| rustix::io::write(to, bytes))?;
        bytes = bytes.get(written..).unwrap_or_default();
    }
    Ok(())
}

/// Reads the clock that never jumps, in nanoseconds.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let [seconds, nanoseconds] =
        [now.tv_sec, now.tv_nsec].map(|part| u64::try_from(part).unwrap_or(0));
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds)
}

/// Turns nanoseconds into what poll wants.
fn timespec(nanoseconds: u64) -> Timespec {
    let part = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    Timespec {
        tv_sec: part(nanoseconds / 1_000_000_000),
        tv_nsec: part(nanoseconds % 1_000_000_000),
    }
}

/// Reads the kernel's word on how a process ended.
fn status_of(status: WaitStatus) -> Status {
    const CORE_DUMPED: i32 = 0x80;
    match (status.exit_status(), status.terminating_signal()) {
        (None, Some(signal)) => Status::Killed {
            signal,
            core_dumped: status.as_raw() & CORE_DUMPED != 0,
        },
        (status, _) => Status::Exited(status.unwrap_or(-1)),
    }
}
