//! The program's arguments and environment.
//!
//! Names and behaviour are those of `std::env`, where there are such; the forms
//! with `_c` give the kernel's own strings, which need no memory and may hold
//! any bytes. All may be called from any goroutine.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `args` | the arguments |
//! | `vars` | the environment, and what the program has changed of it |

mod args;
mod vars;

use core::ffi::{CStr, c_char};
use core::slice;

use crate::boot::args as kernel;

pub use args::{Args, ArgsOs, args, args_os};
pub use vars::{VarError, Vars, VarsOs, remove_var, set_var, var, var_os, vars, vars_os};

/// What the program was made for.
pub mod consts {
    /// The CPU.
    pub const ARCH: &str = "x86_64";
    /// The family of systems.
    pub const FAMILY: &str = "unix";
    /// The system.
    pub const OS: &str = "linux";
    /// What a shared library's name begins with.
    pub const DLL_PREFIX: &str = "lib";
    /// What a shared library's name ends with.
    pub const DLL_SUFFIX: &str = ".so";
    /// The same without the point.
    pub const DLL_EXTENSION: &str = "so";
    /// What a program's name ends with.
    pub const EXE_SUFFIX: &str = "";
    /// The same without the point.
    pub const EXE_EXTENSION: &str = "";
}

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
        rest: kernel::arguments().iter(),
    }
}

/// Returns the environment as the kernel gave it: `NAME=value`. What the program has
/// changed by [`set_var`] is not in there.
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
        rest: kernel::environment().iter(),
    }
}

/// An iterator over the kernel's strings: of [`args_c`] and [`vars_c`].
#[derive(Clone, Debug)]
pub struct ArgsC {
    rest: slice::Iter<'static, *const c_char>,
}

/// Wraps one of the kernel's strings.
fn c_str(text: &*const c_char) -> &'static CStr {
    kernel::kernel_string(*text)
}

impl Iterator for ArgsC {
    type Item = &'static CStr;

    fn next(&mut self) -> Option<&'static CStr> {
        self.rest.next().map(c_str)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rest.size_hint()
    }
}

impl DoubleEndedIterator for ArgsC {
    fn next_back(&mut self) -> Option<&'static CStr> {
        self.rest.next_back().map(c_str)
    }
}

impl ExactSizeIterator for ArgsC {}
