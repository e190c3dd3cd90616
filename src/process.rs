//! How the process ends, and what `main` may return.
//!
//! Names and behaviour are those of `std::process`.

use core::convert::Infallible;
use core::fmt::{self, Debug};

use crate::{io, os};

/// An exit status.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// use gort::process::ExitCode;
///
/// fn main() -> ExitCode {
///     if gort::env::args_c().len() > 100 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ExitCode(u8);

impl ExitCode {
    /// Status 0.
    pub const SUCCESS: Self = Self(0);
    /// Status 1.
    pub const FAILURE: Self = Self(1);

    /// Ends the process with this status.
    pub fn exit_process(self) -> ! {
        exit(self.0.into())
    }
}

impl Debug for ExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// What std has in it.
        struct Status(u8);

        impl Debug for Status {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple("unix_exit_status").field(&self.0).finish()
            }
        }

        f.debug_tuple("ExitCode").field(&Status(self.0)).finish()
    }
}

impl Default for ExitCode {
    fn default() -> Self {
        Self::SUCCESS
    }
}

impl From<u8> for ExitCode {
    fn from(status: u8) -> Self {
        Self(status)
    }
}

/// What `main` may return.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// use core::num::ParseIntError;
///
/// fn main() -> Result<(), ParseIntError> {
///     let number: u32 = "42".parse()?;
///     assert_eq!(number, 42);
///     Ok(())
/// }
/// ```
pub trait Termination {
    /// Says with which status the process ends.
    fn report(self) -> ExitCode;
}

impl Termination for () {
    fn report(self) -> ExitCode {
        ExitCode::SUCCESS
    }
}

impl Termination for ExitCode {
    fn report(self) -> ExitCode {
        self
    }
}

impl Termination for Infallible {
    fn report(self) -> ExitCode {
        match self {}
    }
}

impl<T: Termination, E: Debug> Termination for Result<T, E> {
    fn report(self) -> ExitCode {
        match self {
            Ok(value) => value.report(),
            Err(error) => {
                io::try_eprintln(format_args!("Error: {error:?}"));
                ExitCode::FAILURE
            }
        }
    }
}

/// Ends the process, all goroutines with it, with the low eight bits of
/// `status`. What standard output holds back is written; nothing is dropped. From any
/// goroutine.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// gort::go(|| gort::process::exit(0));
/// loop {
///     gort::runtime::gosched();
/// }
/// # }
/// ```
pub fn exit(status: i32) -> ! {
    io::flush_at_exit();
    os::exit(status)
}

/// Ends the process by SIGABRT, without a message, and without what standard output
/// holds back. From any goroutine.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// if gort::runtime::num_cpu() == 0 {
///     gort::process::abort();
/// }
/// # }
/// ```
pub fn abort() -> ! {
    os::die_by_abort()
}

/// Returns the process's number. From any goroutine.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// assert_eq!(gort::process::id(), gort::process::id());
/// # }
/// ```
pub fn id() -> u32 {
    os::process_id()
}

/// What [`main!`](crate::main!) takes: a function that returns a [`Termination`], or
/// nothing at all.
///
/// On stable Rust the type `!` has no name but as what a function returns, so that it
/// cannot be a `Termination` without keeping others from making types of theirs into such.
#[doc(hidden)]
pub trait Main {
    /// Calls it.
    fn call(self) -> ExitCode;
}

impl<T: Termination> Main for fn() -> T {
    fn call(self) -> ExitCode {
        self().report()
    }
}

impl Main for fn() -> ! {
    fn call(self) -> ExitCode {
        self()
    }
}

/// What `main!` expands to.
#[doc(hidden)]
pub fn run_main(main: impl Main) -> i32 {
    let status = main.call();
    crate::thread::main_returned();
    io::flush_at_exit();
    status.0.into()
}
