//! The arguments.

use crate::alloc::string::String;
use core::ffi::CStr;
use core::fmt;

use super::{ArgsC, args_c};
use crate::os::os_str::OsString;
use crate::os::unix::ffi::OsStrExt as _;

/// Returns the arguments, the program's name first.
///
/// # Panics
///
/// The iterator panics at an argument that is not UTF-8; see [`args_os`].
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// let count = gort::env::args().skip(1).count();
/// assert_eq!(count, 0);
/// # }
/// ```
pub fn args() -> Args {
    Args { inner: args_os() }
}

/// Returns the arguments, the program's name first, whatever is in them.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// let name = gort::env::args_os().next().unwrap();
/// gort::println!("this is {}", name.display());
/// # }
/// ```
pub fn args_os() -> ArgsOs {
    ArgsOs { inner: args_c() }
}

/// An iterator over the arguments: of [`args()`].
#[derive(Clone)]
pub struct Args {
    inner: ArgsOs,
}

/// An iterator over the arguments: of [`args_os`].
#[derive(Clone)]
pub struct ArgsOs {
    inner: ArgsC,
}

/// Copies an argument.
fn owned(argument: &CStr) -> OsString {
    crate::os::os_str::OsStr::from_bytes(argument.to_bytes()).to_os_string()
}

/// The argument must be UTF-8.
fn text(argument: OsString) -> String {
    match argument.into_string() {
        Ok(text) => text,
        Err(argument) => panic!("argument {argument:?} is not valid UTF-8"),
    }
}

/// An iterator that has another one's items, changed by a function.
macro_rules! iterate {
    ($($name:ident, $item:ty, $change:ident;)*) => {$(
        impl Iterator for $name {
            type Item = $item;

            fn next(&mut self) -> Option<$item> {
                self.inner.next().map($change)
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.inner.size_hint()
            }
        }

        impl DoubleEndedIterator for $name {
            fn next_back(&mut self) -> Option<$item> {
                self.inner.next_back().map($change)
            }
        }

        impl ExactSizeIterator for $name {}
    )*};
}

iterate! {
    Args, String, text;
    ArgsOs, OsString, owned;
}

impl fmt::Debug for Args {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Args { inner: ")?;
        f.debug_list().entries(self.inner.clone()).finish()?;
        f.write_str(" }")
    }
}

impl fmt::Debug for ArgsOs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ArgsOs { inner: ")?;
        f.debug_list().entries(self.clone()).finish()?;
        f.write_str(" }")
    }
}
