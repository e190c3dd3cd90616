//! The standard descriptors, without buffer or lock.
//!
//! As in std one that is closed is none to complain of: standard input is at its end
//! then, and what is written is gone. The boot puts /dev/null where one of the three is
//! missing, so that this is left for one that the program has closed, and for one that
//! was opened the wrong way round.
//!
//! Where nobody reads what is written the program ends by SIGPIPE, as in Go; if that is
//! ignored there is an error, as in std, which ignores it: see [`signal`](crate::signal).

use super::{Stderr, StderrLock, Stdin, StdinLock, Stdout, StdoutLock};
use crate::os::fd::{AsRawFd, RawFd};
use crate::{os, sched};

/// Descriptor 0.
pub(super) const STDIN: i32 = 0;
/// Descriptor 1.
pub(super) const STDOUT: i32 = 1;
/// Descriptor 2.
pub(super) const STDERR: i32 = 2;

const EBADF: i32 = 9;
const EPIPE: i32 = 32;

/// Reads from standard input, while other goroutines have the P.
pub(super) fn read(buffer: &mut [u8]) -> Result<usize, i32> {
    match sched::blocking(|| os::read_fd(STDIN, buffer)) {
        Err(EBADF) => Ok(0),
        other => other,
    }
}

/// Writes all of `bytes`, while other goroutines have the P: a pipe may be full.
pub(super) fn write_all(fd: i32, bytes: &[u8]) -> Result<(), i32> {
    if bytes.is_empty() {
        return Ok(());
    }
    match sched::blocking(|| os::write_all(fd, bytes)) {
        Err(EBADF) => Ok(()),
        other => other.inspect_err(|&errno| look_for_readers(errno)),
    }
}

/// Writes some of `bytes`, while other goroutines have the P.
pub(super) fn write(fd: i32, bytes: &[u8]) -> Result<usize, i32> {
    match sched::blocking(|| os::write_fd(fd, bytes)) {
        Err(EBADF) => Ok(bytes.len()),
        other => other.inspect_err(|&errno| look_for_readers(errno)),
    }
}

/// Where nobody reads a standard stream any more, the program ends by SIGPIPE; unless
/// that is ignored, or somebody is told of it.
fn look_for_readers(errno: i32) {
    if errno == EPIPE {
        sched::sigpipe();
    }
}

/// Says whether a stream is a terminal.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::io::{IsTerminal, stdout};
///
/// let bold = if stdout().is_terminal() { "\x1b[1m" } else { "" };
/// gort::println!("{bold}done");
/// # }
/// ```
#[allow(private_bounds, reason = "for the standard streams alone, as in std")]
pub trait IsTerminal: Stream {
    /// Tells whether it is one.
    fn is_terminal(&self) -> bool;
}

/// One of the standard streams.
pub(super) trait Stream {
    /// Its descriptor.
    const DESCRIPTOR: i32;
}

impl<T: Stream> IsTerminal for T {
    fn is_terminal(&self) -> bool {
        os::is_terminal(T::DESCRIPTOR)
    }
}

/// The same numbers for who asks for them in std's way.
macro_rules! as_raw_fd {
    ($($stream:ty),*) => {$(
        impl AsRawFd for $stream {
            fn as_raw_fd(&self) -> RawFd {
                <$stream as Stream>::DESCRIPTOR
            }
        }
    )*};
}

as_raw_fd!(
    Stdin,
    StdinLock<'_>,
    Stdout,
    StdoutLock<'_>,
    Stderr,
    StderrLock<'_>
);
