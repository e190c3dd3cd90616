//! [`Write`], and [`copy`].

use core::fmt;

use super::error::{Error, NOTHING_WRITTEN, Result};
use super::read::Read;
use super::slice::IoSlice;

/// Where bytes go.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # extern crate alloc;
/// # fn main() {
/// use gort::io::Write;
///
/// let mut bytes = alloc::vec::Vec::new();
/// write!(bytes, "{} and {}", 1, 2).unwrap();
/// assert_eq!(bytes, b"1 and 2");
/// # }
/// ```
pub trait Write {
    /// Writes some of `bytes`, from the first on, and says how many.
    ///
    /// # Errors
    ///
    /// What the target says. Then nothing was written.
    fn write(&mut self, bytes: &[u8]) -> Result<usize>;

    /// Hands on what is held back in buffers.
    ///
    /// # Errors
    ///
    /// What the target says.
    fn flush(&mut self) -> Result<()>;

    /// Writes from several buffers, one after another; here from the first that is not
    /// empty.
    ///
    /// # Errors
    ///
    /// As of [`write`](Self::write).
    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> Result<usize> {
        let first = buffers.iter().find(|buffer| !buffer.is_empty());
        self.write(first.map_or(&[][..], |buffer| buffer))
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    ///
    /// What the target says, and `WriteZero` if it takes nothing any more.
    fn write_all(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            match self.write(bytes) {
                Ok(0) => return Err(Error::constant(&NOTHING_WRITTEN)),
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if error.is_interrupted() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes a formatted text: what `write!` calls.
    ///
    /// # Errors
    ///
    /// What the target says.
    ///
    /// # Panics
    ///
    /// If a `Display` or its like fails, and the target has not.
    fn write_fmt(&mut self, args: fmt::Arguments<'_>) -> Result<()> {
        write_formatted(args, |bytes| self.write_all(bytes))
    }

    /// Borrows it, where a writer is taken by value.
    fn by_ref(&mut self) -> &mut Self
    where
        Self: Sized,
    {
        self
    }
}

/// Formats into a function that takes bytes.
pub(super) fn write_formatted<E>(
    args: fmt::Arguments<'_>,
    write: impl FnMut(&[u8]) -> core::result::Result<(), E>,
) -> core::result::Result<(), E> {
    struct Adapter<F, E> {
        write: F,
        result: core::result::Result<(), E>,
    }
    impl<F: FnMut(&[u8]) -> core::result::Result<(), E>, E> fmt::Write for Adapter<F, E> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.result = (self.write)(text.as_bytes());
            if self.result.is_ok() {
                Ok(())
            } else {
                Err(fmt::Error)
            }
        }

        fn write_char(&mut self, c: char) -> fmt::Result {
            write_char(self, c)
        }
    }
    let result = Ok(());
    let mut adapter = Adapter { write, result };
    let formatted = match args.as_str() {
        Some(text) => fmt::Write::write_str(&mut adapter, text),
        None => fmt::write(&mut adapter, args),
    };
    if formatted.is_err() && adapter.result.is_ok() {
        formatting_failed();
    }
    adapter.result
}

/// Writes a character as a text. One for all that write so, since every program has it.
#[inline(never)]
pub(crate) fn write_char(to: &mut dyn fmt::Write, c: char) -> fmt::Result {
    to.write_str(c.encode_utf8(&mut [0; 4]))
}

/// A `Display` of the program's fails by itself.
#[cold]
#[inline(never)]
fn formatting_failed() -> ! {
    panic!("a formatting trait implementation returned an error when the underlying stream did not")
}

/// Writes all that `reader` has to `writer`, and says how much that was.
///
/// # Errors
///
/// What the one or the other says.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # extern crate alloc;
/// # fn main() {
/// use gort::io;
///
/// let mut bytes = alloc::vec::Vec::new();
/// assert_eq!(io::copy(&mut &b"all of it"[..], &mut bytes).unwrap(), 9);
/// # }
/// ```
pub fn copy<R, W>(reader: &mut R, writer: &mut W) -> Result<u64>
where
    R: Read + ?Sized,
    W: Write + ?Sized,
{
    let mut buffer = [0; super::DEFAULT_BUFFER];
    let mut copied = 0;
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(count) => count,
            Err(error) if error.is_interrupted() => continue,
            Err(error) => return Err(error),
        };
        writer.write_all(buffer.get(..count).unwrap_or_default())?;
        copied += count as u64;
    }
}

/// Writes one buffer after the other, until one is not taken whole: what `write_vectored`
/// does for a standard stream.
pub(super) fn write_each<W: Write>(writer: &mut W, buffers: &[IoSlice<'_>]) -> Result<usize> {
    let mut written = 0;
    for buffer in buffers.iter().filter(|buffer| !buffer.is_empty()) {
        match writer.write(buffer) {
            Ok(count) => {
                written += count;
                if count < buffer.len() {
                    break;
                }
            }
            Err(error) if written == 0 => return Err(error),
            Err(_) => break, // the next write will say so
        }
    }
    Ok(written)
}
