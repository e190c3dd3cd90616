//! [`BufWriter`].

use crate::alloc::vec::Vec;
use core::mem::{self, ManuallyDrop};
use core::{error, fmt, ptr};

use super::DEFAULT_BUFFER;
use super::error::{Error, NOTHING_FLUSHED, Result};
use super::seek::{Seek, SeekFrom};
use super::write::Write;

/// A writer that hands much at a time to another one: when its buffer is full, when it
/// is told to, and when it is dropped, where nobody hears of an error.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # extern crate alloc;
/// # fn main() {
/// use gort::io::{BufWriter, Write};
///
/// let mut writer = BufWriter::new(alloc::vec::Vec::new());
/// writer.write_all(b"held back").unwrap();
/// assert!(writer.get_ref().is_empty());
/// assert_eq!(writer.into_inner().unwrap(), b"held back");
/// # }
/// ```
pub struct BufWriter<W: Write + ?Sized> {
    buffer: Vec<u8>,
    inner: W,
}

impl<W: Write> BufWriter<W> {
    /// Makes one with a buffer of 8 KiB.
    pub fn new(inner: W) -> Self {
        Self::with_capacity(DEFAULT_BUFFER, inner)
    }

    /// Makes one with a buffer of so many bytes.
    pub fn with_capacity(capacity: usize, inner: W) -> Self {
        Self {
            buffer: Vec::with_capacity(capacity),
            inner,
        }
    }

    /// Flushes, and returns the writer.
    ///
    /// # Errors
    ///
    /// What the writer says, with the `BufWriter` as it is then.
    pub fn into_inner(mut self) -> core::result::Result<W, IntoInnerError<Self>> {
        match self.flush_buffer() {
            Ok(()) => Ok(self.into_parts().0),
            Err(error) => Err(IntoInnerError(self, error)),
        }
    }

    /// Returns the writer and what is held back. A panic ends the process, so that the
    /// second is never an error.
    pub fn into_parts(self) -> (W, core::result::Result<Vec<u8>, WriterPanicked>) {
        let mut this = ManuallyDrop::new(self);
        let buffer = mem::take(&mut this.buffer);
        // SAFETY: a valid W that nobody uses or drops afterwards.
        let inner = unsafe { ptr::read(&raw const this.inner) };
        (inner, Ok(buffer))
    }
}

impl<W: Write + ?Sized> BufWriter<W> {
    /// Borrows the writer.
    pub fn get_ref(&self) -> &W {
        &self.inner
    }

    /// Borrows the writer; what is written there comes before what is held back.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    /// Returns what is held back.
    pub fn buffer(&self) -> &[u8] {
        &self.buffer
    }

    /// Returns the size of its buffer.
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Returns how much can be held back without another write.
    pub(super) fn room(&self) -> usize {
        self.buffer.capacity() - self.buffer.len()
    }

    /// Hands on what is held back.
    pub(super) fn flush_buffer(&mut self) -> Result<()> {
        let mut written = 0;
        let result = loop {
            let rest = self.buffer.get(written..).unwrap_or_default();
            if rest.is_empty() {
                break Ok(());
            }
            match self.inner.write(rest) {
                Ok(0) => break Err(Error::constant(&NOTHING_FLUSHED)),
                Ok(count) => written += count,
                Err(error) if error.is_interrupted() => {}
                Err(error) => break Err(error),
            }
        };
        self.buffer.drain(..written.min(self.buffer.len()));
        result
    }
}

impl<W: Write + ?Sized> Write for BufWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if bytes.len() > self.room() {
            self.flush_buffer()?;
        }
        if bytes.len() >= self.capacity() {
            return self.inner.write(bytes);
        }
        self.buffer.extend(bytes);
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        if bytes.len() > self.room() {
            self.flush_buffer()?;
        }
        if bytes.len() >= self.capacity() {
            return self.inner.write_all(bytes);
        }
        self.buffer.extend(bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.flush_buffer()?;
        self.inner.flush()
    }
}

impl<W: Write + Seek + ?Sized> Seek for BufWriter<W> {
    fn seek(&mut self, position: SeekFrom) -> Result<u64> {
        self.flush_buffer()?;
        self.inner.seek(position)
    }
}

impl<W: Write + ?Sized> Drop for BufWriter<W> {
    fn drop(&mut self) {
        let _ = self.flush_buffer(); // nobody to tell
    }
}

impl<W: Write + fmt::Debug + ?Sized> fmt::Debug for BufWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let buffer = format_args!("{}/{}", self.buffer.len(), self.capacity());
        f.debug_struct("BufWriter")
            .field("writer", &&self.inner)
            .field("buffer", &buffer)
            .finish()
    }
}

/// A panic in a writer has lost what was held back. It can't be met: see
/// [`BufWriter::into_parts`].
pub struct WriterPanicked {
    buffer: Vec<u8>,
}

impl WriterPanicked {
    /// Returns what was held back.
    #[must_use = "it says what may be lost"]
    pub fn into_inner(self) -> Vec<u8> {
        self.buffer
    }
}

impl fmt::Debug for WriterPanicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriterPanicked").finish_non_exhaustive()
    }
}

impl fmt::Display for WriterPanicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BufWriter inner writer panicked, what data remains unwritten is not known")
    }
}

impl error::Error for WriterPanicked {}

/// Why a writer could not be taken out of its buffer, and the whole of it.
#[derive(Debug)]
pub struct IntoInnerError<W>(W, Error);

impl<W> IntoInnerError<W> {
    /// The same around another writer.
    pub(super) fn map<T>(self, wrap: impl FnOnce(W) -> T) -> IntoInnerError<T> {
        IntoInnerError(wrap(self.0), self.1)
    }

    /// Borrows the error.
    pub fn error(&self) -> &Error {
        &self.1
    }

    /// Returns the writer with the buffer.
    pub fn into_inner(self) -> W {
        self.0
    }

    /// Returns the error.
    pub fn into_error(self) -> Error {
        self.1
    }

    /// Returns both.
    pub fn into_parts(self) -> (Error, W) {
        (self.1, self.0)
    }
}

impl<W> From<IntoInnerError<W>> for Error {
    fn from(error: IntoInnerError<W>) -> Self {
        error.1
    }
}

impl<W> fmt::Display for IntoInnerError<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.1.fmt(f)
    }
}

impl<W: Send + fmt::Debug> error::Error for IntoInnerError<W> {}
