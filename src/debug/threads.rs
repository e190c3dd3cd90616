//! What a program can say of its threads: Go's `runtime/debug`.

use crate::sched;

/// Sets how many threads of the system's the program may have, and returns how many it
/// might have before: 10,000, unless this has been called. Where it has more already,
/// and as soon as it needs one more, it dies, with Go's `thread exhaustion`. From any
/// goroutine. Go's `debug.SetMaxThreads`.
///
/// A goroutine needs a thread of its own while it blocks in the system, as in
/// [`runtime::blocking`](crate::runtime::blocking), and while it is locked to one. What
/// counts beside those is the watcher's, and those that run goroutines.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// let before = gort::debug::set_max_threads(100);
/// assert_eq!(gort::debug::set_max_threads(before), 100);
/// # }
/// ```
pub fn set_max_threads(threads: usize) -> usize {
    let threads = i64::try_from(threads).unwrap_or(i64::MAX);
    sched::set_max_threads(threads) as usize
}
