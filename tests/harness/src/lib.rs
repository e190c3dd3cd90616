//! gort-test: the face of Rust's libtest for test programs that run on gort.
//!
//! libtest needs `std` and unwinding; gort has neither. A test program that is
//! built with `harness = false` gets the same command line, the same output and
//! the same exit codes from here, so that `cargo test`, cargo-nextest, editors
//! and people see what they know:
//!
//! ```ignore
//! #![no_std]
//! #![no_main]
//!
//! gort_test::tests! {
//!     fn goroutines_run() {
//!         assert_eq!(2 + 2, 4);
//!     }
//!
//!     #[should_panic(expected = "boom")]
//!     fn panics() {
//!         panic!("boom");
//!     }
//!
//!     #[ignore = "takes a minute"]
//!     fn slow() -> Result<(), &'static str> {
//!         Err("too slow")
//!     }
//! }
//! ```
//!
//! # A process for each test
//!
//! A panic ends a gort program, and so may the death that a test is about. So
//! each test runs in a process of its own: the program starts itself again for
//! it, on its main goroutine.
//!
//! ```text
//!   harness                        the same program again
//!   ───────                        ──────────────────────
//!   fork, exec /proc/self/exe ───▶ --gort-test-child FD … NAME
//!                                    runs the test
//!   output  ◀──── a pipe ─────────── stdout and stderr
//!   passed? ◀──── a pipe ─────────── FD: "passed" or "failed", then the end
//!   wait    ◀─────────────────────── exit status or signal
//! ```
//!
//! A test has passed if it said so and its process then exited with status 0: a
//! test that calls `exit(0)` half-way has not. The kernel sends SIGKILL to the
//! children of a harness that dies. `GORT_TEST_TIMEOUT=SECONDS` ends tests that
//! hang, by SIGQUIT and then by SIGKILL; there is no limit otherwise.
//!
//! Under QEMU user mode the children run under QEMU too; see `emulator`.
//! To have a test under gdb or strace, name it and ask for no process of its
//! own: `PROGRAM --force-run-in-process --exact NAME`.
//!
//! # Where things are
//!
//! | module | what it is |
//! | --- | --- |
//! | `macros` | [`tests!`], [`test_module!`] |
//! | `case` | [`Test`]: an entry of their table |
//! | `arguments`, `options`, `help` | the command line |
//! | `select` | which tests that means |
//! | `report` | what is printed |
//! | `verdict` | whether a test passed |
//! | `harness` | the run, from the table to the exit code |
//! | `child` | the other side: the process that runs one test |
//! | `procs` | how many Ps a test has |
//! | `command`, `spawn`, `watch`, `emulator`, `sys` | processes |
//!
//! Those down to `verdict` are pure: they make no system call.

#![no_std]

extern crate alloc;

mod macros;

mod arguments;
mod case;
mod help;
mod options;
mod report;
mod select;
mod verdict;

mod child;
mod command;
mod emulator;
mod harness;
mod procs;
#[allow(unsafe_code, reason = "fork and exec")]
mod spawn;
#[allow(unsafe_code, reason = "the system calls that no library has")]
mod sys;
mod watch;

pub use case::Test;
pub use command::{Command, Output};
pub use emulator::under_qemu;
pub use procs::{OneP, one_p};
pub use verdict::Status;

/// What the macros need; not for anybody else.
#[doc(hidden)]
pub mod __private {
    pub use crate::harness::main;
    pub use gort;
    use gort::process::{ExitCode, Termination};

    /// Turns what a test returned into whether it passed. An error is printed,
    /// as it is for `main`.
    pub fn passed(returned: impl Termination) -> bool {
        returned.report() == ExitCode::SUCCESS
    }
}
