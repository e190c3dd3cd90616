//! [`Read`].

use crate::alloc::string::String;
use crate::alloc::vec::Vec;

use super::adapters::{Bytes, Chain, Take};
use super::error::{Error, NOT_FILLED, NOT_UTF8, Result};
use super::slice::IoSliceMut;

/// The least that `read_to_end` asks for at once.
const PROBE: usize = 32;

/// Where bytes come from.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # extern crate alloc;
/// # fn main() {
/// use gort::io::Read;
///
/// let mut text = alloc::string::String::new();
/// let mut words = b"one ".chain(&b"two three"[..]).take(7);
/// words.read_to_string(&mut text).unwrap();
/// assert_eq!(text, "one two");
/// # }
/// ```
pub trait Read {
    /// Reads at most `buffer.len()` bytes and says how many; 0 at the end.
    ///
    /// # Errors
    ///
    /// What the source says. Then nothing was read.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize>;

    /// Reads into several buffers, one after another; here into the first that is not
    /// empty.
    ///
    /// # Errors
    ///
    /// As of [`read`](Self::read).
    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
        let first = buffers.iter_mut().find(|buffer| !buffer.is_empty());
        self.read(first.map_or(&mut [][..], |buffer| &mut **buffer))
    }

    /// Appends all that is left to `buffer`, and says how much that was.
    ///
    /// # Errors
    ///
    /// What the source says; what was read before stays in `buffer`.
    fn read_to_end(&mut self, buffer: &mut Vec<u8>) -> Result<usize> {
        default_read_to_end(self, buffer)
    }

    /// The same to a text.
    ///
    /// # Errors
    ///
    /// The same, and `InvalidData` if it is not UTF-8: then `buffer` is as before.
    fn read_to_string(&mut self, buffer: &mut String) -> Result<usize> {
        append_text(buffer, |bytes| default_read_to_end(self, bytes))
    }

    /// Fills `buffer`.
    ///
    /// # Errors
    ///
    /// What the source says, and `UnexpectedEof` if it has not that much.
    fn read_exact(&mut self, mut buffer: &mut [u8]) -> Result<()> {
        while !buffer.is_empty() {
            match self.read(buffer) {
                Ok(0) => return Err(Error::constant(&NOT_FILLED)),
                Ok(count) => buffer = buffer.get_mut(count..).unwrap_or_default(),
                Err(error) if error.is_interrupted() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Borrows it, where a reader is taken by value.
    fn by_ref(&mut self) -> &mut Self
    where
        Self: Sized,
    {
        self
    }

    /// Returns an iterator over its bytes.
    fn bytes(self) -> Bytes<Self>
    where
        Self: Sized,
    {
        Bytes::new(self)
    }

    /// Returns a reader of this and then of `next`.
    fn chain<R: Read>(self, next: R) -> Chain<Self, R>
    where
        Self: Sized,
    {
        Chain::new(self, next)
    }

    /// Returns a reader of at most the first `limit` bytes.
    fn take(self, limit: u64) -> Take<Self>
    where
        Self: Sized,
    {
        Take::new(self, limit)
    }
}

/// Reads all that a reader has into a new text.
///
/// # Errors
///
/// As of [`Read::read_to_string`].
pub fn read_to_string<R: Read>(mut reader: R) -> Result<String> {
    let mut text = String::new();
    reader.read_to_string(&mut text)?;
    Ok(text)
}

/// What [`Read::read_to_end`] does.
fn default_read_to_end<R: Read + ?Sized>(reader: &mut R, buffer: &mut Vec<u8>) -> Result<usize> {
    let start = buffer.len();
    let mut filled = start;
    let end = loop {
        // One who has made room for all of it shall not pay for more to see the end.
        let mut probe = [0; PROBE];
        let read = if buffer.capacity() == filled && filled > start {
            reader.read(&mut probe)
        } else {
            if buffer.capacity() - filled < PROBE && buffer.capacity() == filled {
                buffer.reserve(PROBE);
            }
            buffer.resize(buffer.capacity(), 0);
            reader.read(buffer.get_mut(filled..).unwrap_or_default())
        };
        match read {
            Ok(0) => break Ok(filled - start),
            Ok(count) if buffer.len() == filled => {
                buffer.extend(probe.get(..count).unwrap_or_default());
                filled += count;
            }
            Ok(count) => filled += count,
            Err(error) if error.is_interrupted() => {}
            Err(error) => break Err(error),
        }
    };
    buffer.truncate(filled);
    end
}

/// Has `read` append bytes to a text. If they are not UTF-8 the text is as before.
pub(super) fn append_text(
    text: &mut String,
    read: impl FnOnce(&mut Vec<u8>) -> Result<usize>,
) -> Result<usize> {
    let start = text.len();
    let mut bytes = core::mem::take(text).into_bytes();
    let result = read(&mut bytes);
    let mut bytes = match String::from_utf8(bytes) {
        Ok(whole) => {
            *text = whole;
            return result;
        }
        Err(error) => error.into_bytes(),
    };
    bytes.truncate(start);
    *text = String::from_utf8(bytes).unwrap_or_default(); // what it was
    result.and(Err(Error::constant(&NOT_UTF8)))
}
