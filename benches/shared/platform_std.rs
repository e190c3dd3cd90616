//! What the workloads need beside the allocator, from std.

use std::fmt::Arguments;
use std::sync::OnceLock;
use std::thread;
use std::time::Instant;

/// Returns the nanoseconds since the first call.
pub(crate) fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// Lets others run.
pub(crate) fn yield_now() {
    thread::yield_now();
}

/// Runs `here`, and beside it `there` on a thread of its own.
pub(crate) fn both<A, B: Send + 'static>(
    here: impl FnOnce() -> A,
    there: impl FnOnce() -> B + Send + 'static,
) -> (A, B) {
    let there = thread::spawn(there);
    let here = here();
    (here, there.join().expect("it says why itself"))
}

/// Reads `/proc/self/status`, and adds up the bytes that the fields tell.
pub(crate) fn status(fields: &[&str]) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    fields
        .iter()
        .map(|field| crate::status::bytes(&text, field))
        .sum()
}

/// Prints to standard output.
pub(crate) fn print(text: Arguments<'_>) {
    print!("{text}");
}
