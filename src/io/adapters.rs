//! What [`Read`]'s methods return: [`Take`], [`Chain`], [`Bytes`].

use super::buf_read::BufRead;
use super::error::{BAD_SEEK, Error, Result};
use super::read::Read;
use super::seek::{Seek, SeekFrom};

/// The first bytes of a reader: of [`Read::take`].
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::io::Read;
///
/// let mut text = gort::string::String::new();
/// (&b"one two"[..]).take(3).read_to_string(&mut text).unwrap();
/// assert_eq!(text, "one");
/// # }
/// ```
#[derive(Debug)]
pub struct Take<T> {
    inner: T,
    len: u64,
    limit: u64,
}

impl<T> Take<T> {
    /// Makes one.
    pub(super) fn new(inner: T, limit: u64) -> Self {
        Self {
            inner,
            len: limit,
            limit,
        }
    }

    /// Returns how many bytes it will read at most.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Sets that, whatever was read before.
    pub fn set_limit(&mut self, limit: u64) {
        self.len = limit;
        self.limit = limit;
    }

    /// Returns the reader.
    pub fn into_inner(self) -> T {
        self.inner
    }

    /// Borrows the reader.
    pub fn get_ref(&self) -> &T {
        &self.inner
    }

    /// Borrows the reader; what is read from it there does not count.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// Cuts a length at the limit.
    fn cut(&self, length: usize) -> usize {
        length.min(usize::try_from(self.limit).unwrap_or(usize::MAX))
    }
}

impl<T: Read> Read for Take<T> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let room = self.cut(buffer.len());
        if room == 0 {
            return Ok(0); // the reader is not asked, who might wait
        }
        let count = self
            .inner
            .read(buffer.get_mut(..room).unwrap_or_default())?;
        assert!(
            count as u64 <= self.limit,
            "number of read bytes exceeds limit"
        );
        self.limit -= count as u64;
        Ok(count)
    }
}

impl<T: BufRead> BufRead for Take<T> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        if self.limit == 0 {
            return Ok(&[]);
        }
        let limit = self.cut(usize::MAX);
        let bytes = self.inner.fill_buf()?;
        Ok(bytes.get(..limit).unwrap_or(bytes))
    }

    fn consume(&mut self, count: usize) {
        let count = self.cut(count);
        self.limit -= count as u64;
        self.inner.consume(count);
    }
}

impl<T: Seek> Seek for Take<T> {
    fn seek(&mut self, position: SeekFrom) -> Result<u64> {
        let now = self.len - self.limit;
        let wanted = position.resolve(self.len, now)?;
        if wanted > self.len {
            return Err(Error::constant(&BAD_SEEK));
        }
        while wanted != self.len - self.limit {
            // A step that an i64 has room for.
            let now = self.len - self.limit;
            let step = (i128::from(wanted) - i128::from(now))
                .clamp(i64::MIN.into(), i64::MAX.into()) as i64;
            self.inner.seek_relative(step)?;
            self.limit = self.limit.wrapping_sub(step as u64);
        }
        Ok(wanted)
    }
}

/// Two readers, one after the other: of [`Read::chain`].
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::io::Read;
///
/// let mut text = gort::string::String::new();
/// (&b"one "[..]).chain(&b"two"[..]).read_to_string(&mut text).unwrap();
/// assert_eq!(text, "one two");
/// # }
/// ```
#[derive(Debug)]
pub struct Chain<T, U> {
    first: T,
    second: U,
    first_ended: bool,
}

impl<T, U> Chain<T, U> {
    /// Makes one.
    pub(super) fn new(first: T, second: U) -> Self {
        Self {
            first,
            second,
            first_ended: false,
        }
    }

    /// Returns both readers.
    pub fn into_inner(self) -> (T, U) {
        (self.first, self.second)
    }

    /// Borrows both readers.
    pub fn get_ref(&self) -> (&T, &U) {
        (&self.first, &self.second)
    }

    /// Borrows both readers, to change them.
    pub fn get_mut(&mut self) -> (&mut T, &mut U) {
        (&mut self.first, &mut self.second)
    }
}

impl<T: Read, U: Read> Read for Chain<T, U> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if !self.first_ended {
            match self.first.read(buffer)? {
                0 if !buffer.is_empty() => self.first_ended = true,
                count => return Ok(count),
            }
        }
        self.second.read(buffer)
    }
}

impl<T: BufRead, U: BufRead> BufRead for Chain<T, U> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        if !self.first_ended {
            if self.first.fill_buf()?.is_empty() {
                self.first_ended = true;
            } else {
                return self.first.fill_buf(); // at hand; asked again for its lifetime's sake
            }
        }
        self.second.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        if self.first_ended {
            self.second.consume(count);
        } else {
            self.first.consume(count);
        }
    }
}

/// An iterator over a reader's bytes: of [`Read::bytes`].
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::io::Read;
///
/// let bytes: Result<gort::vec::Vec<u8>, _> = (&b"abc"[..]).bytes().collect();
/// assert_eq!(bytes.unwrap(), b"abc");
/// # }
/// ```
#[derive(Debug)]
pub struct Bytes<R> {
    inner: R,
}

impl<R> Bytes<R> {
    /// Makes one.
    pub(super) fn new(inner: R) -> Self {
        Self { inner }
    }
}

impl<R: Read> Iterator for Bytes<R> {
    type Item = Result<u8>;

    fn next(&mut self) -> Option<Result<u8>> {
        let mut byte = 0;
        loop {
            return match self.inner.read(core::slice::from_mut(&mut byte)) {
                Ok(0) => None,
                Ok(_) => Some(Ok(byte)),
                Err(error) if error.is_interrupted() => continue,
                Err(error) => Some(Err(error)),
            };
        }
    }
}
