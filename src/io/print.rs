//! What the printing macros expand to.

use core::fmt;

use super::errno::WriteErrno;
use super::{stderr, stdout};

/// Where to print to. The macros name it.
#[doc(hidden)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Descriptor 1.
    Stdout,
    /// Descriptor 2.
    Stderr,
}

/// What `print!` and `eprint!` expand to.
#[doc(hidden)]
pub fn print_to(stream: Stream, args: fmt::Arguments<'_>) {
    print(stream, args, "");
}

/// What `println!` and `eprintln!` expand to.
#[doc(hidden)]
pub fn print_line_to(stream: Stream, args: fmt::Arguments<'_>) {
    print(stream, args, "\n");
}

/// Prints a line to standard error; if that fails there is nobody to tell.
pub(crate) fn try_eprintln(args: fmt::Arguments<'_>) {
    let _ = stderr::print(args, "\n");
}

/// Formats, writes, and panics as std does where that fails.
fn print(stream: Stream, args: fmt::Arguments<'_>, end: &str) {
    let (name, result) = match stream {
        Stream::Stdout => ("stdout", stdout::print(args, end)),
        Stream::Stderr => ("stderr", stderr::print(args, end)),
    };
    if let Err(errno) = result {
        let error = WriteErrno(errno);
        panic!("{}", Failed { name, error });
    }
}

/// What is said of a stream that could not be written to. It writes the name by itself:
/// `{name}` would bring padding into every program that prints.
struct Failed {
    name: &'static str,
    error: WriteErrno,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed printing to ")?;
        f.write_str(self.name)?;
        f.write_str(": ")?;
        self.error.fmt(f)
    }
}
