//! Standard input, with one buffer for all goroutines.

use crate::alloc::string::String;
use crate::alloc::vec::Vec;
use core::fmt;

use super::buf_read::{BufRead, Lines};
use super::buf_reader::BufReader;
use super::error::{Error, Result};
use super::lock::{Guard, Mutex};
use super::raw::{self, STDIN};
use super::read::Read;

/// Descriptor 0.
struct Descriptor;

impl Read for Descriptor {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        raw::read(buffer).map_err(Error::from_raw_os_error)
    }
}

/// What has been read and not yet asked for; None until somebody asks.
static INPUT: Mutex<Option<BufReader<Descriptor>>> = Mutex::new(None);

/// Standard input: of [`stdin`].
pub struct Stdin(());

/// Standard input, locked: of [`Stdin::lock`]. Other goroutines that read wait, and so
/// does for ever the one that has it if it locks it again.
pub struct StdinLock<'a> {
    guard: Guard<'a, Option<BufReader<Descriptor>>>,
}

/// Returns standard input. It has a buffer, which all goroutines share; one that waits
/// for input keeps nobody else from running.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # extern crate alloc;
/// # fn main() {
/// let mut line = alloc::string::String::new();
/// if gort::io::stdin().read_line(&mut line).unwrap() == 0 {
///     gort::println!("that was all");
/// }
/// # }
/// ```
pub fn stdin() -> Stdin {
    Stdin(())
}

impl Stdin {
    /// Locks it until what this returns is dropped.
    pub fn lock(&self) -> StdinLock<'static> {
        StdinLock {
            guard: INPUT.lock(),
        }
    }

    /// Appends a line with its newline, if it has one, to `buffer`, and says how long it
    /// is; 0 at the end.
    ///
    /// # Errors
    ///
    /// As of [`BufRead::read_line`].
    pub fn read_line(&self, buffer: &mut String) -> Result<usize> {
        self.lock().read_line(buffer)
    }

    /// Locks it, and returns an iterator over the lines.
    pub fn lines(self) -> Lines<StdinLock<'static>> {
        self.lock().lines()
    }
}

impl StdinLock<'_> {
    /// Returns the buffer.
    fn input(&mut self) -> &mut BufReader<Descriptor> {
        self.guard.get_or_insert_with(|| BufReader::new(Descriptor))
    }
}

impl Read for StdinLock<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.input().read(buffer)
    }

    fn read_to_end(&mut self, buffer: &mut Vec<u8>) -> Result<usize> {
        self.input().read_to_end(buffer)
    }

    fn read_to_string(&mut self, buffer: &mut String) -> Result<usize> {
        self.input().read_to_string(buffer)
    }
}

impl BufRead for StdinLock<'_> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        self.input().fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.input().consume(count);
    }
}

/// Reads behind the lock, which is held from the call's beginning to its end.
macro_rules! read_locked {
    ($($stream:ty),*) => {$(
        impl Read for $stream {
            fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
                self.lock().read(buffer)
            }

            fn read_to_end(&mut self, buffer: &mut Vec<u8>) -> Result<usize> {
                self.lock().read_to_end(buffer)
            }

            fn read_to_string(&mut self, buffer: &mut String) -> Result<usize> {
                self.lock().read_to_string(buffer)
            }

            fn read_exact(&mut self, buffer: &mut [u8]) -> Result<()> {
                self.lock().read_exact(buffer)
            }
        }
    )*};
}

read_locked!(Stdin, &Stdin);

impl raw::Stream for Stdin {
    const DESCRIPTOR: i32 = STDIN;
}

impl raw::Stream for StdinLock<'_> {
    const DESCRIPTOR: i32 = STDIN;
}

impl fmt::Debug for Stdin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stdin").finish_non_exhaustive()
    }
}

impl fmt::Debug for StdinLock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdinLock").finish_non_exhaustive()
    }
}
