//! Standard output: what it holds back, its lock, and who flushes it.
//!
//! It is line-buffered, also where it is no terminal, as std's is. What is handed on by
//! one call, of `print!` say, is one write as long as it has at most 1 KiB to say.

use core::fmt;

use super::error::{Error, Result};
use super::lock::{Reentrant, ReentrantGuard};
use super::raw::{self, STDOUT};
use super::slice::IoSlice;
use super::write::{Write, write_each, write_formatted};

/// What has been printed and not yet written.
pub(super) struct Lines {
    text: [u8; 1024],
    length: usize,
    /// How much of it is whole lines.
    whole: usize,
}

/// All zeros: it lies in .bss.
static LINES: Reentrant<Lines> = Reentrant::new(Lines {
    text: [0; 1024],
    length: 0,
    whole: 0,
});

impl Lines {
    /// Adds to what is held back. What there is no room for is written.
    #[inline(never)] // for its size
    fn add(&mut self, bytes: &[u8]) -> core::result::Result<(), i32> {
        for &byte in bytes {
            if self.length == self.text.len() {
                self.flush()?;
            }
            if let Some(slot) = self.text.get_mut(self.length) {
                *slot = byte;
                self.length += 1;
            }
            if byte == b'\n' {
                self.whole = self.length;
            }
        }
        Ok(())
    }

    /// Writes much at once: whole lines not by way of the buffer.
    fn add_much(&mut self, bytes: &[u8]) -> core::result::Result<(), i32> {
        let newline = bytes.iter().rposition(|&byte| byte == b'\n');
        let now = newline.map_or(bytes.len(), |at| at + 1);
        let (now, later) = bytes.split_at_checked(now).unwrap_or((bytes, &[]));
        self.flush()?;
        raw::write_all(STDOUT, now)?;
        self.add(later)
    }

    /// Writes the whole lines. What can't be written stays.
    #[inline(never)] // for its size
    fn end(&mut self) -> core::result::Result<(), i32> {
        const EIO: i32 = 5;
        let mut result = Ok(());
        let mut written = 0;
        while written < self.whole && result.is_ok() {
            let rest = self.text.get(written..self.whole).unwrap_or_default();
            match raw::write(STDOUT, rest) {
                Ok(0) => result = Err(EIO),
                Ok(count) => written += count,
                Err(errno) => result = Err(errno),
            }
        }
        for at in written..self.length {
            let byte = self.text.get(at).copied().unwrap_or_default();
            if let Some(to) = self.text.get_mut(at - written) {
                *to = byte;
            }
        }
        self.length -= written;
        self.whole -= written;
        result
    }

    /// Writes all.
    fn flush(&mut self) -> core::result::Result<(), i32> {
        self.whole = self.length;
        self.end()
    }
}

/// Has a locked stream do something; one that is in the midst of it has failed.
fn with<T: Default>(
    guard: &ReentrantGuard<'_, Lines>,
    run: impl FnOnce(&mut Lines) -> core::result::Result<T, i32>,
) -> core::result::Result<T, i32> {
    guard
        .value()
        .map_or(Ok(T::default()), |mut lines| run(&mut lines))
}

/// Prints a formatted text and `end`: what `print!` and `println!` call. The lock is
/// held from beginning to end, so that lines never mix; what is formatted may print.
pub(super) fn print(args: fmt::Arguments<'_>, end: &str) -> core::result::Result<(), i32> {
    let guard = LINES.lock();
    let formatted = write_formatted(args, |bytes| with(&guard, |lines| lines.add(bytes)));
    formatted?;
    with(&guard, |lines| {
        lines.add(end.as_bytes())?;
        lines.end()
    })
}

/// The process ends: writes what is held back. From a goroutine; if another one has the
/// stream locked, what it holds back is its own affair.
pub(crate) fn flush_at_exit() {
    if let Some(guard) = LINES.try_lock() {
        let _ = with(&guard, Lines::flush); // nobody to tell
    }
}

/// The same where the process dies: on any stack, and whatever was under way.
#[cfg(not(feature = "archive"))]
pub(crate) fn flush_at_death() {
    if crate::sched::try_getg().is_some() {
        flush_at_exit();
    }
}

/// Standard output: of [`stdout`].
pub struct Stdout(());

/// Standard output, locked: of [`Stdout::lock`]. Other goroutines that print wait.
pub struct StdoutLock<'a> {
    guard: ReentrantGuard<'a, Lines>,
}

/// Returns standard output.
///
/// It is line-buffered: what has no newline yet is written when there is one, by
/// [`Write::flush`], or when the process ends by `main`'s return, by
/// [`process::exit`](crate::process::exit) or by a panic.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::io::{Write, stdout};
///
/// let mut out = stdout().lock();
/// for line in 0..3 {
///     writeln!(out, "line {line}").unwrap();
/// }
/// # }
/// ```
pub fn stdout() -> Stdout {
    Stdout(())
}

impl Stdout {
    /// Locks it until what this returns is dropped. The goroutine that has it may print
    /// and lock again.
    pub fn lock(&self) -> StdoutLock<'static> {
        StdoutLock {
            guard: LINES.lock(),
        }
    }
}

impl Write for StdoutLock<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> Result<usize> {
        write_each(self, buffers)
    }

    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        let written = with(&self.guard, |lines| {
            if bytes.len() >= lines.text.len() {
                return lines.add_much(bytes);
            }
            lines.add(bytes)?;
            lines.end()
        });
        written.map_err(Error::from_raw_os_error)
    }

    fn write_fmt(&mut self, args: fmt::Arguments<'_>) -> Result<()> {
        print(args, "").map_err(Error::from_raw_os_error)
    }

    fn flush(&mut self) -> Result<()> {
        with(&self.guard, Lines::flush).map_err(Error::from_raw_os_error)
    }
}

super::stderr::by_lock!(Stdout, StdoutLock, STDOUT);
