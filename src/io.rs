//! Standard output and standard error, as far as the printing macros need them.
//!
//! Each call of a macro is one write as long as it has at most 1 KiB to say (its
//! newline included), so
//! that lines of several goroutines do not mix.

use core::fmt::{self, Write};

use crate::{os, sched};

/// Where to print to. The macros name it.
#[doc(hidden)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Descriptor 1.
    Stdout,
    /// Descriptor 2.
    Stderr,
}

impl Stream {
    /// The descriptor and its name in messages.
    const fn descriptor(self) -> (i32, &'static str) {
        match self {
            Stream::Stdout => (1, "stdout"),
            Stream::Stderr => (2, "stderr"),
        }
    }
}

/// What a macro call prints, until it is written.
struct Buffer {
    fd: i32,
    text: [u8; 1024],
    length: usize,
    error: Result<(), i32>,
}

impl Buffer {
    /// Makes an empty one.
    fn new(fd: i32) -> Self {
        Self {
            fd,
            text: [0; 1024],
            length: 0,
            error: Ok(()),
        }
    }

    /// Writes what there is.
    fn flush(&mut self) -> fmt::Result {
        let text = self.text.get(..self.length).unwrap_or_default();
        let fd = self.fd;
        self.error = sched::blocking(|| os::write_all(fd, text)); // a pipe may be full
        self.length = 0;
        self.error.map_err(|_| fmt::Error)
    }
}

impl Write for Buffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            if self.length == self.text.len() {
                self.flush()?;
            }
            let room = self.text.get_mut(self.length..).unwrap_or_default();
            let (now, later) = rest.split_at(rest.len().min(room.len()));
            for (to, from) in room.iter_mut().zip(now) {
                *to = *from;
            }
            self.length += now.len();
            rest = later;
        }
        Ok(())
    }
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
    let _ = try_print(Stream::Stderr, args, "\n");
}

/// Formats and writes; says whether each of the two went well.
fn try_print(
    stream: Stream,
    args: fmt::Arguments<'_>,
    end: &str,
) -> (fmt::Result, Result<(), i32>) {
    let mut buffer = Buffer::new(stream.descriptor().0);
    let formatted = match args.as_str() {
        Some(text) => buffer.write_str(text),
        None => buffer.write_fmt(args),
    };
    let _ = formatted
        .and_then(|()| buffer.write_str(end))
        .and_then(|()| buffer.flush());
    (formatted, buffer.error)
}

/// Formats, writes, and panics as std does where that fails.
fn print(stream: Stream, args: fmt::Arguments<'_>, end: &str) {
    let (formatted, written) = try_print(stream, args, end);
    let name = stream.descriptor().1;
    match written {
        Err(errno) => panic!("failed printing to {name}: os error {errno}"),
        Ok(()) if formatted.is_err() => {
            panic!("a formatting trait implementation returned an error")
        }
        Ok(()) => {}
    }
}
