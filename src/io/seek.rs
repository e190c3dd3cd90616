//! [`Seek`].

use super::error::{BAD_SEEK, Error, Result};

/// Something with a position that can be changed.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::io::{Cursor, Seek, SeekFrom};
///
/// let mut cursor = Cursor::new([0; 10]);
/// assert_eq!(cursor.seek(SeekFrom::End(-3)).unwrap(), 7);
/// assert!(cursor.seek(SeekFrom::Current(-8)).is_err());
/// # }
/// ```
pub trait Seek {
    /// Goes to a position and returns it, in bytes from the start.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for one before the start, and what the thing itself says.
    fn seek(&mut self, position: SeekFrom) -> Result<u64>;

    /// Goes to the start.
    ///
    /// # Errors
    ///
    /// As of [`seek`](Self::seek).
    fn rewind(&mut self) -> Result<()> {
        self.seek(SeekFrom::Start(0))?;
        Ok(())
    }

    /// Returns the position.
    ///
    /// # Errors
    ///
    /// As of [`seek`](Self::seek).
    fn stream_position(&mut self) -> Result<u64> {
        self.seek(SeekFrom::Current(0))
    }

    /// Goes on by `offset` bytes, or back.
    ///
    /// # Errors
    ///
    /// As of [`seek`](Self::seek).
    fn seek_relative(&mut self, offset: i64) -> Result<()> {
        self.seek(SeekFrom::Current(offset))?;
        Ok(())
    }
}

/// A position, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SeekFrom {
    /// From the start.
    Start(u64),
    /// From the end.
    End(i64),
    /// From where it is.
    Current(i64),
}

impl SeekFrom {
    /// Says where that is in something of that length, at that position.
    pub(super) fn resolve(self, length: u64, position: u64) -> Result<u64> {
        let resolved = match self {
            SeekFrom::Start(start) => Some(start),
            SeekFrom::End(offset) => length.checked_add_signed(offset),
            SeekFrom::Current(offset) => position.checked_add_signed(offset),
        };
        resolved.ok_or(Error::constant(&BAD_SEEK))
    }
}
