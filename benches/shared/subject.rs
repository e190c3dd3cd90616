//! What the memory benchmarks' programs in Rust have in common: the command line
//! and the form of what they print. The same source is built on gort and, with
//! one allocator after the other, on std.
//!
//! ```text
//! PROGRAM alloc/SCENARIO PROCS SCALE     a workload of benches/alloc
//! PROGRAM fragmentation PROCS SCALE      the trace of benches/fragmentation
//! ```
//!
//! SCALE divides the work. Each line that is printed is a name and a number:
//! `check` is what all programs must agree on, a line that begins with `#` is for
//! people, all others are samples.

use core::fmt::Display;

use crate::{allocation, fragmentation, platform};

/// Does what the command line asks for; false if it asks for nothing we know.
pub(crate) fn run<'a>(mut arguments: impl Iterator<Item = &'a str>) -> bool {
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok());
    let (name, procs, scale) = (
        arguments.next().unwrap_or_default(),
        number(arguments.next()),
        number(arguments.next()),
    );
    let (Some(procs @ 1..=2), Some(scale @ 1..)) = (procs, scale) else {
        return false;
    };
    match name.split_once('/') {
        Some(("alloc", scenario)) => allocation::run(scenario, procs, scale),
        None if name == "fragmentation" => fragmentation::run(scale),
        _ => false,
    }
}

/// Prints a sample.
pub(crate) fn sample(name: impl Display, value: f64) {
    platform::print(format_args!("{name} {value:.4}\n"));
}

/// Prints what all programs must agree on.
pub(crate) fn check(sum: u64) {
    platform::print(format_args!("check {sum}\n"));
}
