//! The current goroutine's trace: Go's `runtime/debug`.

use crate::alloc::string::String;
use crate::alloc::vec;
use crate::{eprint, runtime};

/// Returns the trace of the current goroutine, in Go's format. From any goroutine. Go's
/// `debug.Stack`.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// assert!(gort::debug::stack().starts_with("goroutine 1 [running]:\n"));
/// # }
/// ```
#[must_use]
pub fn stack() -> String {
    let mut size = 1024;
    loop {
        let mut buffer = vec![0; size];
        let length = runtime::stack(&mut buffer, false);
        if length < size {
            buffer.truncate(length);
            return String::from_utf8_lossy(&buffer).into_owned();
        }
        size *= 2;
    }
}

/// Prints that on standard error. From any goroutine. Go's `debug.PrintStack`.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// gort::debug::print_stack();
/// # }
/// ```
pub fn print_stack() {
    eprint!("{}", stack());
}
