//! `embedded-io`'s traits for the standard streams and for [`Error`], beside std's shape:
//! for drivers and protocols that know nothing of either.

use embedded_io::{BufRead, ErrorType, Read, Write};

use super::error::{Error, Result};
use super::kind::ErrorKind;
use super::{Stderr, StderrLock, Stdin, StdinLock, Stdout, StdoutLock};

impl embedded_io::Error for Error {
    fn kind(&self) -> embedded_io::ErrorKind {
        use embedded_io::ErrorKind as Kind;
        match Error::kind(self) {
            ErrorKind::NotFound => Kind::NotFound,
            ErrorKind::PermissionDenied => Kind::PermissionDenied,
            ErrorKind::ConnectionRefused => Kind::ConnectionRefused,
            ErrorKind::ConnectionReset => Kind::ConnectionReset,
            ErrorKind::ConnectionAborted => Kind::ConnectionAborted,
            ErrorKind::NotConnected => Kind::NotConnected,
            ErrorKind::AddrInUse => Kind::AddrInUse,
            ErrorKind::AddrNotAvailable => Kind::AddrNotAvailable,
            ErrorKind::BrokenPipe => Kind::BrokenPipe,
            ErrorKind::AlreadyExists => Kind::AlreadyExists,
            ErrorKind::InvalidInput => Kind::InvalidInput,
            ErrorKind::InvalidData => Kind::InvalidData,
            ErrorKind::TimedOut => Kind::TimedOut,
            ErrorKind::Interrupted => Kind::Interrupted,
            ErrorKind::Unsupported => Kind::Unsupported,
            ErrorKind::OutOfMemory => Kind::OutOfMemory,
            ErrorKind::WriteZero => Kind::WriteZero,
            _ => Kind::Other,
        }
    }
}

/// Hands every call on to the trait of the same name in std's shape.
macro_rules! forward {
    (read: $($reader:ty),*; write: $($writer:ty),*;) => {
        $(
            impl ErrorType for $reader {
                type Error = Error;
            }

            impl Read for $reader {
                fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
                    super::Read::read(self, buffer)
                }
            }
        )*
        $(
            impl ErrorType for $writer {
                type Error = Error;
            }

            impl Write for $writer {
                fn write(&mut self, bytes: &[u8]) -> Result<usize> {
                    super::Write::write(self, bytes)
                }

                fn flush(&mut self) -> Result<()> {
                    super::Write::flush(self)
                }
            }
        )*
    };
}

forward! {
    read: Stdin, StdinLock<'_>;
    write: Stdout, StdoutLock<'_>, Stderr, StderrLock<'_>;
}

impl BufRead for StdinLock<'_> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        super::BufRead::fill_buf(self)
    }

    fn consume(&mut self, count: usize) {
        super::BufRead::consume(self, count);
    }
}
