//! [`LineWriter`].

use core::fmt;

use super::buf_writer::{BufWriter, IntoInnerError};
use super::error::Result;
use super::write::Write;

/// A writer that hands whole lines to another one, and holds back what has no newline
/// yet, as far as its buffer has room for it.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # extern crate alloc;
/// # fn main() {
/// use gort::io::{LineWriter, Write};
///
/// let mut writer = LineWriter::new(alloc::vec::Vec::new());
/// writer.write_all(b"a line\nand a half").unwrap();
/// assert_eq!(writer.get_ref(), b"a line\n");
/// # }
/// ```
pub struct LineWriter<W: Write + ?Sized> {
    inner: BufWriter<W>,
}

/// How large its buffer is unless somebody says otherwise: a line is seldom longer.
const CAPACITY: usize = 1024;

impl<W: Write> LineWriter<W> {
    /// Makes one with a buffer of 1 KiB.
    pub fn new(inner: W) -> Self {
        Self::with_capacity(CAPACITY, inner)
    }

    /// Makes one with a buffer of so many bytes.
    pub fn with_capacity(capacity: usize, inner: W) -> Self {
        Self {
            inner: BufWriter::with_capacity(capacity, inner),
        }
    }

    /// Flushes, and returns the writer.
    ///
    /// # Errors
    ///
    /// What the writer says, with the `LineWriter` as it is then.
    pub fn into_inner(self) -> core::result::Result<W, IntoInnerError<Self>> {
        let result = self.inner.into_inner();
        result.map_err(|error| error.map(|inner| Self { inner }))
    }
}

impl<W: Write + ?Sized> LineWriter<W> {
    /// Borrows the writer.
    pub fn get_ref(&self) -> &W {
        self.inner.get_ref()
    }

    /// Borrows the writer; what is written there comes before what is held back.
    pub fn get_mut(&mut self) -> &mut W {
        self.inner.get_mut()
    }

    /// A line has been held back because its writer failed: it comes first.
    fn flush_if_whole(&mut self) -> Result<()> {
        if self.inner.buffer().ends_with(b"\n") {
            self.inner.flush_buffer()?;
        }
        Ok(())
    }
}

/// Splits behind the last newline, if there is one.
fn split_lines(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().rposition(|&byte| byte == b'\n')?;
    bytes.split_at_checked(at + 1)
}

impl<W: Write + ?Sized> Write for LineWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let Some((lines, rest)) = split_lines(bytes) else {
            self.flush_if_whole()?;
            return self.inner.write(bytes);
        };
        self.inner.flush_buffer()?;
        let count = self.inner.get_mut().write(lines)?;
        // A writer that takes less gets no more at once; of the rest as much is held back
        // as there is room for, whole lines if possible.
        let behind = match lines.get(count..) {
            None | Some([]) => rest,
            Some(lines) => {
                let fits = lines.split_at_checked(self.inner.room());
                fits.map_or(lines, |(fits, _)| {
                    split_lines(fits).map_or(fits, |(whole, _)| whole)
                })
            }
        };
        let behind = behind
            .split_at_checked(self.inner.room())
            .map_or(behind, |(fits, _)| fits);
        if count == 0 || behind.len() >= self.inner.capacity() {
            return Ok(count); // to hold that much back is to write it
        }
        self.inner.write_all(behind)?; // there is room
        Ok(count + behind.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        let Some((lines, rest)) = split_lines(bytes) else {
            self.flush_if_whole()?;
            return self.inner.write_all(bytes);
        };
        if self.inner.buffer().is_empty() {
            self.inner.get_mut().write_all(lines)?;
        } else {
            self.inner.write_all(lines)?;
            self.inner.flush_buffer()?;
        }
        self.inner.write_all(rest)
    }

    fn flush(&mut self) -> Result<()> {
        self.inner.flush()
    }
}

impl<W: Write + fmt::Debug + ?Sized> fmt::Debug for LineWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held_back = self.inner.buffer().len();
        let buffer = format_args!("{held_back}/{}", self.inner.capacity());
        f.debug_struct("LineWriter")
            .field("writer", &self.get_ref())
            .field("buffer", &buffer)
            .finish_non_exhaustive()
    }
}
