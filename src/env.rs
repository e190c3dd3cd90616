//! The program's arguments and environment.
//!
//! Names and behaviour are those of `std::env`, where there are such; the forms
//! with `_c` give the kernel's own strings, which need no memory and may hold
//! any bytes. All may be called from any goroutine.

use alloc::string::String;
use core::ffi::{CStr, c_char};
use core::fmt;
use core::slice;
use core::str;

use crate::boot::args;

/// Returns the arguments as the kernel gave them, the program's name first.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// for arg in gort::env::args_c() {
///     gort::println!("{arg:?}");
/// }
/// # }
/// ```
pub fn args_c() -> ArgsC {
    ArgsC {
        rest: args::arguments().iter(),
    }
}

/// Returns the environment as the kernel gave it: `NAME=value`.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// let paths = gort::env::vars_c().filter(|var| var.to_bytes().starts_with(b"PATH="));
/// assert!(paths.count() <= 1);
/// # }
/// ```
pub fn vars_c() -> ArgsC {
    ArgsC {
        rest: args::environment().iter(),
    }
}

/// An iterator over the kernel's strings: of [`args_c`] and [`vars_c`].
#[derive(Clone)]
pub struct ArgsC {
    rest: slice::Iter<'static, *const c_char>,
}

impl Iterator for ArgsC {
    type Item = &'static CStr;

    fn next(&mut self) -> Option<&'static CStr> {
        self.rest.next().map(|&text| c_str(text))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rest.size_hint()
    }
}

impl ExactSizeIterator for ArgsC {}

/// Returns the arguments, the program's name first.
///
/// # Panics
///
/// The iterator panics at an argument that is not UTF-8; see [`args_c`].
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
    Args { inner: args_c() }
}

/// An iterator over the arguments: of [`args()`].
#[derive(Clone)]
pub struct Args {
    inner: ArgsC,
}

impl Iterator for Args {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.inner.next().map(|arg| match arg.to_str() {
            Ok(text) => String::from(text),
            Err(_) => panic!("argument {arg:?} is not valid UTF-8"),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl ExactSizeIterator for Args {}

/// Looks up a variable of the environment.
///
/// # Errors
///
/// [`VarError::NotPresent`] if it is not set, [`VarError::NotUnicode`] if its
/// value is not UTF-8.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::env::{VarError, var};
///
/// assert_eq!(var("THERE_IS_NO_SUCH_VARIABLE"), Err(VarError::NotPresent));
/// # }
/// ```
pub fn var(name: &str) -> Result<String, VarError> {
    let value = args::gogetenv(name.as_bytes()).ok_or(VarError::NotPresent)?;
    match str::from_utf8(value) {
        Ok(text) => Ok(String::from(text)),
        Err(_) => Err(VarError::NotUnicode(value)),
    }
}

/// Why [`var`] has no value to return.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VarError {
    /// It is not set.
    NotPresent,
    /// It is set, to these bytes.
    NotUnicode(&'static [u8]),
}

impl fmt::Display for VarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VarError::NotPresent => f.write_str("environment variable not found"),
            VarError::NotUnicode(value) => {
                write!(
                    f,
                    "environment variable was not valid unicode: {:?}",
                    String::from_utf8_lossy(value)
                )
            }
        }
    }
}

impl core::error::Error for VarError {}

/// Wraps one of the kernel's strings.
fn c_str(text: *const c_char) -> &'static CStr {
    args::kernel_string(text)
}
