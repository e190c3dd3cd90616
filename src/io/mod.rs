//! Input and output in `std::io`'s shape: the traits, what is built on them, and the
//! three standard streams.
//!
//! There are crates with these traits for `no_std`, but none whose `Error` holds an errno
//! and shows it as std's does; and a foreign type can't be given that. So they are
//! here. No call ever ends with EINTR, and what may block the thread leaves the P to
//! other goroutines.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `error`, `kind`, `errno` | [`Error`], [`ErrorKind`], the system's numbers |
//! | `read`, `write`, `buf_read`, `seek` | the traits |
//! | `adapters`, `slice`, `cursor`, `empty`, `forward` | small readers and writers |
//! | `buf_reader`, `buf_writer`, `line_writer` | those with a buffer |
//! | `stdin`, `stdout`, `stderr`, `raw` | the standard streams |
//! | `print` | what `print!` and its like call |
//! | `lock` | locks that goroutines park for |
//! | `embedded` | `embedded-io`'s traits, with the feature of that name |

mod adapters;
mod buf_read;
mod buf_reader;
#[allow(unsafe_code, reason = "takes the writer out of what would flush it")]
mod buf_writer;
mod cursor;
#[cfg(feature = "embedded-io")]
mod embedded;
mod empty;
pub(crate) mod errno;
mod error;
mod forward;
mod kind;
mod line_writer;
#[allow(unsafe_code, reason = "data behind a lock, and parking")]
pub(crate) mod lock;
mod print;
mod raw;
mod read;
mod seek;
mod slice;
mod stderr;
mod stdin;
mod stdout;
mod write;

pub use adapters::{Bytes, Chain, Take};
pub use buf_read::{BufRead, Lines, Split};
pub use buf_reader::BufReader;
pub use buf_writer::{BufWriter, IntoInnerError, WriterPanicked};
pub use cursor::Cursor;
pub use empty::{Empty, Repeat, Sink, empty, repeat, sink};
pub use error::{Error, Result};
pub use kind::ErrorKind;
pub use line_writer::LineWriter;
pub use raw::IsTerminal;
pub use read::{Read, read_to_string};
pub use seek::{Seek, SeekFrom};
pub use slice::{IoSlice, IoSliceMut};
pub use stderr::{Stderr, StderrLock, stderr};
pub use stdin::{Stdin, StdinLock, stdin};
pub use stdout::{Stdout, StdoutLock, stdout};
#[cfg(not(feature = "archive"))]
pub(crate) use write::write_char;
pub use write::{Write, copy};

#[doc(hidden)]
pub use print::{Stream, print_line_to, print_to};

pub(crate) use print::try_eprintln;
#[cfg(not(feature = "archive"))]
pub(crate) use stdout::flush_at_death;
pub(crate) use stdout::flush_at_exit;

/// What std's `io::prelude` has.
pub mod prelude {
    pub use super::{BufRead, Read, Seek, Write};
}

/// How many bytes a buffer has unless somebody says otherwise.
const DEFAULT_BUFFER: usize = 8 << 10;
