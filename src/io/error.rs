//! [`Error`]: an errno, a kind, a message, or an error of the program's.

use crate::alloc::boxed::Box;
use crate::alloc::collections::TryReserveError;
use crate::alloc::ffi::NulError;
use core::{error, fmt, result};

use super::errno::{Errno, kind_of};
use super::kind::ErrorKind;

/// What a call that may fail this way returns.
pub type Result<T> = result::Result<T, Error>;

/// Why input or output failed. It shows as std's does: an errno as
/// `No such file or directory (os error 2)`.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # extern crate alloc;
/// # fn main() {
/// use alloc::string::ToString;
/// use gort::io::{Error, ErrorKind};
///
/// let error = Error::from_raw_os_error(32);
/// assert_eq!(error.kind(), ErrorKind::BrokenPipe);
/// assert_eq!(error.to_string(), "Broken pipe (os error 32)");
/// assert_eq!(Error::other("it is Monday").to_string(), "it is Monday");
/// # }
/// ```
pub struct Error(Repr);

enum Repr {
    Os(i32),
    Simple(ErrorKind),
    Message(&'static Message),
    Custom(Box<Custom>),
}

/// A kind and a constant text, which need no memory.
#[derive(Debug)]
pub(super) struct Message {
    kind: ErrorKind,
    message: &'static str,
}

#[derive(Debug)]
struct Custom {
    kind: ErrorKind,
    error: Box<dyn error::Error + Send + Sync>,
}

pub(super) static NOT_UTF8: Message = Message {
    kind: ErrorKind::InvalidData,
    message: "stream did not contain valid UTF-8",
};
pub(super) static NOT_FILLED: Message = Message {
    kind: ErrorKind::UnexpectedEof,
    message: "failed to fill whole buffer",
};
pub(super) static NOTHING_WRITTEN: Message = Message {
    kind: ErrorKind::WriteZero,
    message: "failed to write whole buffer",
};
pub(super) static NOTHING_FLUSHED: Message = Message {
    kind: ErrorKind::WriteZero,
    message: "failed to write the buffered data",
};
pub(super) static BAD_SEEK: Message = Message {
    kind: ErrorKind::InvalidInput,
    message: "invalid seek to a negative or overflowing position",
};
static NUL_BYTE: Message = Message {
    kind: ErrorKind::InvalidInput,
    message: "data provided contains a nul byte",
};

impl Error {
    /// Makes one of that kind which holds `error`: another error, or a text.
    pub fn new<E>(kind: ErrorKind, error: E) -> Self
    where
        E: Into<Box<dyn error::Error + Send + Sync>>,
    {
        let error = error.into();
        Self(Repr::Custom(Box::new(Custom { kind, error })))
    }

    /// The same of the kind [`ErrorKind::Other`].
    pub fn other<E>(error: E) -> Self
    where
        E: Into<Box<dyn error::Error + Send + Sync>>,
    {
        Self::new(ErrorKind::Other, error)
    }

    /// Makes one of a constant text.
    pub(super) const fn constant(message: &'static Message) -> Self {
        Self(Repr::Message(message))
    }

    /// Makes one of an errno.
    pub const fn from_raw_os_error(code: i32) -> Self {
        Self(Repr::Os(code))
    }

    /// Returns the errno, if it is one.
    pub const fn raw_os_error(&self) -> Option<i32> {
        match self.0 {
            Repr::Os(code) => Some(code),
            _ => None,
        }
    }

    /// Says what kind it is of.
    pub fn kind(&self) -> ErrorKind {
        match &self.0 {
            Repr::Os(code) => kind_of(*code),
            Repr::Simple(kind) => *kind,
            Repr::Message(message) => message.kind,
            Repr::Custom(custom) => custom.kind,
        }
    }

    /// Tells whether it only says that the call should be made again.
    pub(super) fn is_interrupted(&self) -> bool {
        self.kind() == ErrorKind::Interrupted
    }

    /// Borrows the error that it was made of, if there is one.
    pub fn get_ref(&self) -> Option<&(dyn error::Error + Send + Sync + 'static)> {
        match &self.0 {
            Repr::Custom(custom) => Some(&*custom.error),
            _ => None,
        }
    }

    /// The same, to change it.
    pub fn get_mut(&mut self) -> Option<&mut (dyn error::Error + Send + Sync + 'static)> {
        match &mut self.0 {
            Repr::Custom(custom) => Some(&mut *custom.error),
            _ => None,
        }
    }

    /// Returns the error that it was made of, if there is one.
    pub fn into_inner(self) -> Option<Box<dyn error::Error + Send + Sync>> {
        match self.0 {
            Repr::Custom(custom) => Some(custom.error),
            _ => None,
        }
    }

    /// Returns the error that it was made of, if that is an `E`.
    ///
    /// # Errors
    ///
    /// Itself if it is not.
    pub fn downcast<E>(self) -> result::Result<E, Self>
    where
        E: error::Error + Send + Sync + 'static,
    {
        match self.0 {
            Repr::Custom(custom) => match custom.error.downcast() {
                Ok(error) => Ok(*error),
                Err(error) => Err(Self::new(custom.kind, error)),
            },
            other => Err(Self(other)),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// An errno's text, in quotes.
        struct Text(Errno);
        impl fmt::Debug for Text {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"")?;
                self.0.text(f)?; // nothing in there needs an escape
                f.write_str("\"")
            }
        }
        match &self.0 {
            Repr::Os(code) => f
                .debug_struct("Os")
                .field("code", code)
                .field("kind", &kind_of(*code))
                .field("message", &Text(Errno(*code)))
                .finish(),
            Repr::Simple(kind) => f.debug_tuple("Kind").field(kind).finish(),
            Repr::Message(message) => f
                .debug_struct("Error")
                .field("kind", &message.kind)
                .field("message", &message.message)
                .finish(),
            Repr::Custom(custom) => fmt::Debug::fmt(custom, f),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Os(code) => Errno(*code).fmt(f),
            Repr::Simple(kind) => f.write_str(kind.description()),
            Repr::Message(message) => f.write_str(message.message),
            Repr::Custom(custom) => fmt::Display::fmt(&custom.error, f),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.0 {
            Repr::Custom(custom) => custom.error.source(),
            _ => None,
        }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Repr::Simple(kind))
    }
}

impl From<NulError> for Error {
    fn from(_: NulError) -> Self {
        Self::constant(&NUL_BYTE)
    }
}

impl From<TryReserveError> for Error {
    fn from(_: TryReserveError) -> Self {
        ErrorKind::OutOfMemory.into()
    }
}
