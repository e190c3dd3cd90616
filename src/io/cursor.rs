//! [`Cursor`]: memory with a position.

use crate::alloc::boxed::Box;
use crate::alloc::vec::Vec;

use super::buf_read::BufRead;
use super::error::{Error, NOT_FILLED, Result};
use super::read::Read;
use super::seek::{Seek, SeekFrom};
use super::write::Write;

/// Memory that is read and written at a position. A vector grows as it is written, and
/// gets zeros where the position is beyond its end; a slice takes what it has room for.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # extern crate alloc;
/// # fn main() {
/// use gort::io::{Cursor, Read, Write};
///
/// let mut cursor = Cursor::new(alloc::vec::Vec::new());
/// cursor.write_all(b"written").unwrap();
/// cursor.set_position(2);
/// let mut rest = alloc::string::String::new();
/// cursor.read_to_string(&mut rest).unwrap();
/// assert_eq!(rest, "itten");
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor<T> {
    inner: T,
    pos: u64,
}

impl<T> Cursor<T> {
    /// Wraps memory, at position 0.
    pub const fn new(inner: T) -> Self {
        Self { inner, pos: 0 }
    }

    /// Returns the memory.
    pub fn into_inner(self) -> T {
        self.inner
    }

    /// Borrows the memory.
    pub const fn get_ref(&self) -> &T {
        &self.inner
    }

    /// Borrows the memory, to change it.
    pub const fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// Returns the position, in bytes; it may be beyond the end.
    pub const fn position(&self) -> u64 {
        self.pos
    }

    /// Sets the position.
    pub const fn set_position(&mut self, position: u64) {
        self.pos = position;
    }

    /// The position, as an index.
    fn index(&self) -> usize {
        usize::try_from(self.pos).unwrap_or(usize::MAX)
    }

    /// Writes into memory that has room for so much.
    fn write_with(&mut self, write: impl FnOnce(&mut T, usize) -> usize) -> usize {
        let index = self.index();
        let count = write(&mut self.inner, index);
        self.pos += count as u64;
        count
    }
}

impl<T: AsRef<[u8]>> Cursor<T> {
    /// What is behind the position.
    fn rest(&self) -> &[u8] {
        self.inner.as_ref().get(self.index()..).unwrap_or_default()
    }
}

impl<T: AsRef<[u8]>> Read for Cursor<T> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = self.rest().read(buffer)?;
        self.pos += count as u64;
        Ok(count)
    }

    fn read_exact(&mut self, buffer: &mut [u8]) -> Result<()> {
        let mut rest = self.rest();
        if rest.len() < buffer.len() {
            self.pos += rest.len() as u64; // to the end, as a slice of itself goes
            return Err(Error::constant(&NOT_FILLED));
        }
        rest.read_exact(buffer)?;
        self.pos += buffer.len() as u64;
        Ok(())
    }

    fn read_to_end(&mut self, buffer: &mut Vec<u8>) -> Result<usize> {
        let count = self.rest().read_to_end(buffer)?;
        self.pos += count as u64;
        Ok(count)
    }
}

impl<T: AsRef<[u8]>> BufRead for Cursor<T> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        Ok(self.rest())
    }

    fn consume(&mut self, count: usize) {
        self.pos += count as u64;
    }
}

impl<T: AsRef<[u8]>> Seek for Cursor<T> {
    fn seek(&mut self, position: SeekFrom) -> Result<u64> {
        let length = self.inner.as_ref().len() as u64;
        self.pos = position.resolve(length, self.pos)?;
        Ok(self.pos)
    }
}

/// Writes into memory that does not grow.
fn write_slice(memory: &mut [u8], index: usize, bytes: &[u8]) -> usize {
    let mut room = memory.get_mut(index..).unwrap_or_default();
    let count = bytes.len().min(room.len());
    let (now, _) = bytes.split_at(count);
    // It fits.
    room.write_all(now).map_or(0, |()| count)
}

/// Writes into memory that grows.
fn write_vec(memory: &mut Vec<u8>, index: usize, bytes: &[u8]) -> usize {
    if bytes.is_empty() {
        return 0;
    }
    let end = index.saturating_add(bytes.len());
    if index > memory.len() {
        memory.reserve(end - memory.len());
        memory.resize(index, 0);
    }
    let (over, behind) = bytes.split_at(bytes.len().min(memory.len() - index));
    write_slice(memory, index, over);
    memory.extend(behind);
    bytes.len()
}

/// Writes by one of the two.
macro_rules! write_by {
    ($write:ident; $([$($generic:tt)*] $memory:ty),*) => {$(
        impl<$($generic)*> Write for Cursor<$memory> {
            fn write(&mut self, bytes: &[u8]) -> Result<usize> {
                Ok(self.write_with(|memory, index| $write(memory, index, bytes)))
            }

            fn flush(&mut self) -> Result<()> {
                Ok(())
            }
        }
    )*};
}

write_by!(write_slice; [] &mut [u8], [] Box<[u8]>, [const N: usize] [u8; N]);
write_by!(write_vec; [] Vec<u8>, [] &mut Vec<u8>);
