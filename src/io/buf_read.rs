//! [`BufRead`], and the iterators that it makes.

use crate::alloc::string::String;
use crate::alloc::vec::Vec;

use super::error::Result;
use super::read::{Read, append_text};

/// A reader that has some bytes at hand, so that it can be read by the line.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::io::BufRead;
///
/// let text = &b"first\r\nsecond"[..];
/// let mut lines = text.lines();
/// assert_eq!(lines.next().unwrap().unwrap(), "first");
/// assert_eq!(lines.next().unwrap().unwrap(), "second");
/// assert!(lines.next().is_none());
/// # }
/// ```
pub trait BufRead: Read {
    /// Returns the bytes at hand, after it has read some if there were none; none at the
    /// end.
    ///
    /// # Errors
    ///
    /// What the source says.
    fn fill_buf(&mut self) -> Result<&[u8]>;

    /// Takes the first `count` of the bytes at hand away.
    fn consume(&mut self, count: usize);

    /// Appends all up to and including the next `delimiter`, or the end, to `buffer`, and
    /// says how much that was.
    ///
    /// # Errors
    ///
    /// What the source says; what was read before stays in `buffer`.
    fn read_until(&mut self, delimiter: u8, buffer: &mut Vec<u8>) -> Result<usize> {
        until(self, delimiter, |bytes| buffer.extend(bytes))
    }

    /// Skips as much, and says how much that was.
    ///
    /// # Errors
    ///
    /// What the source says.
    fn skip_until(&mut self, delimiter: u8) -> Result<usize> {
        until(self, delimiter, |_| {})
    }

    /// Appends a line with its newline, if it has one, to `buffer`, and says how long it
    /// is; 0 at the end.
    ///
    /// # Errors
    ///
    /// What the source says, and `InvalidData` if it is not UTF-8: then `buffer` is as
    /// before.
    fn read_line(&mut self, buffer: &mut String) -> Result<usize> {
        append_text(buffer, |bytes| {
            until(self, b'\n', |some| bytes.extend(some))
        })
    }

    /// Returns an iterator over what is between the delimiters.
    fn split(self, delimiter: u8) -> Split<Self>
    where
        Self: Sized,
    {
        Split {
            reader: self,
            delimiter,
        }
    }

    /// Returns an iterator over the lines, without `\n` or `\r\n`.
    fn lines(self) -> Lines<Self>
    where
        Self: Sized,
    {
        Lines { reader: self }
    }
}

/// Takes all up to and including the next delimiter, or the end.
fn until<R: BufRead + ?Sized>(
    reader: &mut R,
    delimiter: u8,
    mut take: impl FnMut(&[u8]),
) -> Result<usize> {
    let mut total = 0;
    loop {
        let bytes = match reader.fill_buf() {
            Ok(bytes) => bytes,
            Err(error) if error.is_interrupted() => continue,
            Err(error) => return Err(error),
        };
        let found = bytes.iter().position(|&byte| byte == delimiter);
        let count = found.map_or(bytes.len(), |at| at + 1);
        take(bytes.get(..count).unwrap_or_default());
        reader.consume(count);
        total += count;
        if found.is_some() || count == 0 {
            return Ok(total);
        }
    }
}

/// An iterator over what is between delimiters: of [`BufRead::split`].
#[derive(Debug)]
pub struct Split<B> {
    reader: B,
    delimiter: u8,
}

impl<B: BufRead> Iterator for Split<B> {
    type Item = Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut part = Vec::new();
        match self.reader.read_until(self.delimiter, &mut part) {
            Ok(0) => None,
            Ok(_) => {
                part.pop_if(|last| *last == self.delimiter);
                Some(Ok(part))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

/// An iterator over lines: of [`BufRead::lines`].
#[derive(Debug)]
pub struct Lines<B> {
    reader: B,
}

impl<B: BufRead> Iterator for Lines<B> {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => {
                if line.ends_with('\n') {
                    line.pop();
                    if line.ends_with('\r') {
                        line.pop();
                    }
                }
                Some(Ok(line))
            }
            Err(error) => Some(Err(error)),
        }
    }
}
