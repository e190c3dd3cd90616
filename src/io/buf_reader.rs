//! [`BufReader`].

use crate::alloc::boxed::Box;
use crate::alloc::string::String;
use crate::alloc::vec;
use crate::alloc::vec::Vec;
use core::fmt;

use super::DEFAULT_BUFFER;
use super::buf_read::BufRead;
use super::error::Result;
use super::read::{Read, append_text};
use super::seek::{Seek, SeekFrom};

/// A reader that asks another one for much at a time.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::io::{BufRead, BufReader, stdin};
///
/// for line in BufReader::new(stdin()).lines() {
///     gort::println!("{}", line.unwrap());
/// }
/// # }
/// ```
pub struct BufReader<R: ?Sized> {
    buffer: Box<[u8]>,
    /// Where in it the bytes at hand begin, and where they end.
    position: usize,
    filled: usize,
    inner: R,
}

impl<R: Read> BufReader<R> {
    /// Makes one with a buffer of 8 KiB.
    pub fn new(inner: R) -> Self {
        Self::with_capacity(DEFAULT_BUFFER, inner)
    }

    /// Makes one with a buffer of so many bytes.
    pub fn with_capacity(capacity: usize, inner: R) -> Self {
        Self {
            buffer: vec![0; capacity].into_boxed_slice(),
            position: 0,
            filled: 0,
            inner,
        }
    }
}

impl<R> BufReader<R> {
    /// Returns the reader; what is at hand is lost.
    pub fn into_inner(self) -> R {
        self.inner
    }
}

impl<R: ?Sized> BufReader<R> {
    /// Borrows the reader.
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// Borrows the reader; what is read from it there is missing here.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// Returns the bytes at hand.
    pub fn buffer(&self) -> &[u8] {
        self.buffer
            .get(self.position..self.filled)
            .unwrap_or_default()
    }

    /// Returns the size of its buffer.
    pub fn capacity(&self) -> usize {
        self.buffer.len()
    }

    /// Forgets the bytes at hand.
    fn discard(&mut self) {
        self.position = 0;
        self.filled = 0;
    }
}

impl<R: Read + ?Sized> Read for BufReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        // As much as there could be at hand goes there at once.
        if self.position == self.filled && buffer.len() >= self.capacity() {
            self.discard();
            return self.inner.read(buffer);
        }
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }

    fn read_to_end(&mut self, buffer: &mut Vec<u8>) -> Result<usize> {
        let count = self.buffer().read_to_end(buffer)?;
        self.discard();
        Ok(count + self.inner.read_to_end(buffer)?)
    }

    fn read_to_string(&mut self, buffer: &mut String) -> Result<usize> {
        append_text(buffer, |bytes| self.read_to_end(bytes))
    }
}

impl<R: Read + ?Sized> BufRead for BufReader<R> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        if self.position == self.filled {
            self.discard();
            self.filled = self.inner.read(&mut self.buffer)?;
        }
        Ok(self.buffer())
    }

    fn consume(&mut self, count: usize) {
        self.position = self.filled.min(self.position.saturating_add(count));
    }
}

impl<R: Seek + ?Sized> BufReader<R> {
    /// Goes on by `offset` bytes, or back; within the buffer the reader learns nothing
    /// of it.
    ///
    /// # Errors
    ///
    /// As of [`Seek::seek`].
    pub fn seek_relative(&mut self, offset: i64) -> Result<()> {
        let moved = (self.position as u64).checked_add_signed(offset);
        match moved.and_then(|moved| usize::try_from(moved).ok()) {
            Some(moved) if moved <= self.filled => {
                self.position = moved;
                Ok(())
            }
            _ => self.seek(SeekFrom::Current(offset)).map(drop),
        }
    }
}

/// As far as anybody can see the reader is where the bytes at hand begin.
impl<R: Seek + ?Sized> Seek for BufReader<R> {
    fn seek(&mut self, position: SeekFrom) -> Result<u64> {
        let ahead = self.buffer().len() as i64; // no buffer is larger
        let new = match position {
            SeekFrom::Current(offset) => match offset.checked_sub(ahead) {
                Some(offset) => self.inner.seek(SeekFrom::Current(offset))?,
                None => {
                    self.inner.seek(SeekFrom::Current(-ahead))?;
                    self.discard();
                    self.inner.seek(SeekFrom::Current(offset))?
                }
            },
            other => self.inner.seek(other)?,
        };
        self.discard();
        Ok(new)
    }

    fn stream_position(&mut self) -> Result<u64> {
        let ahead = self.buffer().len() as u64;
        Ok(self.inner.stream_position()?.saturating_sub(ahead))
    }

    fn seek_relative(&mut self, offset: i64) -> Result<()> {
        BufReader::seek_relative(self, offset)
    }
}

impl<R: fmt::Debug + ?Sized> fmt::Debug for BufReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let buffer = format_args!("{}/{}", self.buffer().len(), self.capacity());
        f.debug_struct("BufReader")
            .field("reader", &&self.inner)
            .field("buffer", &buffer)
            .finish()
    }
}
