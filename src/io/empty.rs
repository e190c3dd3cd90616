//! [`empty`], [`repeat`] and [`sink`].

use core::fmt;

use super::buf_read::BufRead;
use super::error::Result;
use super::read::Read;
use super::seek::{Seek, SeekFrom};
use super::slice::{IoSlice, IoSliceMut};
use super::write::Write;

/// A reader that has nothing, and a writer that keeps nothing: of [`empty`].
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Empty;

/// Makes a reader that is at its end, and takes whatever is written.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// assert_eq!(gort::io::read_to_string(gort::io::empty()).unwrap(), "");
/// # }
/// ```
pub const fn empty() -> Empty {
    Empty
}

impl Read for Empty {
    fn read(&mut self, _: &mut [u8]) -> Result<usize> {
        Ok(0)
    }
}

impl BufRead for Empty {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        Ok(&[])
    }

    fn consume(&mut self, _: usize) {}
}

impl Seek for Empty {
    fn seek(&mut self, _: SeekFrom) -> Result<u64> {
        Ok(0)
    }
}

/// A reader that has one byte, for ever: of [`repeat`].
#[derive(Clone)]
pub struct Repeat {
    byte: u8,
}

/// Makes a reader that has that byte, for ever.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::io::Read;
///
/// let mut buffer = [0; 3];
/// gort::io::repeat(7).read_exact(&mut buffer).unwrap();
/// assert_eq!(buffer, [7; 3]);
/// # }
/// ```
pub const fn repeat(byte: u8) -> Repeat {
    Repeat { byte }
}

impl fmt::Debug for Repeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repeat").finish_non_exhaustive()
    }
}

impl Read for Repeat {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        buffer.fill(self.byte);
        Ok(buffer.len())
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
        let mut total = 0;
        for buffer in buffers {
            total += self.read(buffer)?;
        }
        Ok(total)
    }
}

/// A writer that keeps nothing: of [`sink`].
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Sink;

/// Makes a writer that takes all and keeps nothing.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::io::{self, Write};
///
/// assert_eq!(io::sink().write(b"lost").unwrap(), 4);
/// assert_eq!(io::copy(&mut &b"gone"[..], &mut io::sink()).unwrap(), 4);
/// # }
/// ```
pub const fn sink() -> Sink {
    Sink
}

/// Writes to nowhere.
macro_rules! nowhere {
    ($($name:ty),*) => {$(
        impl Write for $name {
            fn write(&mut self, bytes: &[u8]) -> Result<usize> {
                Ok(bytes.len())
            }

            fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> Result<usize> {
                Ok(buffers.iter().map(|buffer| buffer.len()).sum())
            }

            fn flush(&mut self) -> Result<()> {
                Ok(())
            }
        }
    )*};
}

nowhere!(Sink, &Sink, Empty, &Empty);
