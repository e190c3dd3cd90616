//! Standard error: nothing is held back.

use core::fmt;

use super::error::{Error, Result};
use super::lock::{Reentrant, ReentrantGuard};
use super::raw::{self, STDERR};
use super::slice::IoSlice;
use super::write::{Write, write_each, write_formatted};

/// Who may write.
static LOCK: Reentrant<()> = Reentrant::new(());

/// What one call prints, until it is written.
struct Message {
    text: [u8; 1024],
    length: usize,
}

impl Message {
    /// Adds to it; when there is no more room it is written.
    fn add(&mut self, mut bytes: &[u8]) -> core::result::Result<(), i32> {
        while !bytes.is_empty() {
            if self.length == self.text.len() {
                self.flush()?;
            }
            let room = self.text.get_mut(self.length..).unwrap_or_default();
            let count = bytes.len().min(room.len());
            let (now, later) = bytes.split_at_checked(count).unwrap_or((bytes, &[]));
            for (to, from) in room.iter_mut().zip(now) {
                *to = *from;
            }
            self.length += count;
            bytes = later;
        }
        Ok(())
    }

    /// Writes what there is.
    fn flush(&mut self) -> core::result::Result<(), i32> {
        let result = raw::write_all(STDERR, self.text.get(..self.length).unwrap_or_default());
        self.length = 0;
        result
    }
}

/// Prints a formatted text and `end`, by one write as long as it has at most 1 KiB to
/// say: what `eprint!` and `eprintln!` call.
pub(super) fn print(args: fmt::Arguments<'_>, end: &str) -> core::result::Result<(), i32> {
    let _guard = LOCK.lock();
    let mut message = Message {
        text: [0; 1024],
        length: 0,
    };
    write_formatted(args, |bytes| message.add(bytes))?;
    message.add(end.as_bytes())?;
    message.flush()
}

/// Standard error: of [`stderr`].
pub struct Stderr(());

/// Standard error, locked: of [`Stderr::lock`]. Other goroutines that print there wait.
pub struct StderrLock<'a> {
    #[allow(dead_code, reason = "to be dropped")]
    guard: ReentrantGuard<'a, ()>,
}

/// Returns standard error. It has no buffer.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::io::{Write, stderr};
///
/// writeln!(stderr(), "it is {} o'clock", 12).unwrap();
/// # }
/// ```
pub fn stderr() -> Stderr {
    Stderr(())
}

impl Stderr {
    /// Locks it until what this returns is dropped. The goroutine that has it may print
    /// and lock again.
    pub fn lock(&self) -> StderrLock<'static> {
        StderrLock { guard: LOCK.lock() }
    }
}

impl Write for StderrLock<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        raw::write(STDERR, bytes).map_err(Error::from_raw_os_error)
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> Result<usize> {
        write_each(self, buffers)
    }

    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        raw::write_all(STDERR, bytes).map_err(Error::from_raw_os_error)
    }

    fn write_fmt(&mut self, args: fmt::Arguments<'_>) -> Result<()> {
        print(args, "").map_err(Error::from_raw_os_error)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Writes to a stream, or to a reference to one, by its lock.
macro_rules! write_by_lock {
    ($stream:ty) => {
        impl $crate::io::Write for $stream {
            fn write(&mut self, bytes: &[u8]) -> $crate::io::Result<usize> {
                self.lock().write(bytes)
            }

            fn write_vectored(
                &mut self,
                buffers: &[$crate::io::IoSlice<'_>],
            ) -> $crate::io::Result<usize> {
                self.lock().write_vectored(buffers)
            }

            fn write_all(&mut self, bytes: &[u8]) -> $crate::io::Result<()> {
                self.lock().write_all(bytes)
            }

            fn write_fmt(&mut self, args: core::fmt::Arguments<'_>) -> $crate::io::Result<()> {
                self.lock().write_fmt(args)
            }

            fn flush(&mut self) -> $crate::io::Result<()> {
                self.lock().flush()
            }
        }
    };
}
pub(super) use write_by_lock;

/// What an output stream and its lock have in common with the other's.
macro_rules! by_lock {
    ($stream:ident, $lock:ident, $descriptor:ident) => {
        $crate::io::stderr::write_by_lock!($stream);
        $crate::io::stderr::write_by_lock!(&$stream);

        impl $crate::io::raw::Stream for $stream {
            const DESCRIPTOR: i32 = $crate::io::raw::$descriptor;
        }

        impl $crate::io::raw::Stream for $lock<'_> {
            const DESCRIPTOR: i32 = $crate::io::raw::$descriptor;
        }

        impl core::fmt::Debug for $stream {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($stream)).finish_non_exhaustive()
            }
        }

        impl core::fmt::Debug for $lock<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($lock)).finish_non_exhaustive()
            }
        }
    };
}
pub(super) use by_lock;

by_lock!(Stderr, StderrLock, STDERR);
