//! The command line of a program that measures itself, and the form of what it prints.
//!
//! ```text
//! PROGRAM BENCHMARK/SCENARIO PROCS SCALE
//! ```

use core::fmt::Display;

use crate::platform;

/// What a program is to do.
pub(crate) struct Work<'a> {
    /// The benchmark, a slash, and the scenario.
    name: &'a str,
    /// On so many processors, which is to say worker threads.
    #[allow(
        dead_code,
        reason = "who has no worker threads is bound to processors from outside"
    )]
    pub(crate) procs: usize,
    /// By what the work is divided.
    scale: u64,
}

impl<'a> Work<'a> {
    /// Reads the command line.
    pub(crate) fn read(mut arguments: impl Iterator<Item = &'a str>) -> Option<Self> {
        let name = arguments.next()?;
        let procs = arguments.next()?.parse().ok()?;
        let scale = arguments.next()?.parse().ok()?;
        let known = (1..=2).contains(&procs) && scale > 0 && arguments.next().is_none();
        known.then_some(Self { name, procs, scale })
    }

    /// Returns the scenario's name, if it is one of that benchmark.
    pub(crate) fn scenario(&self, benchmark: &str) -> Option<&'a str> {
        let (of, scenario) = self.name.split_once('/')?;
        (of == benchmark).then_some(scenario)
    }

    /// Returns how much of it is to be done.
    pub(crate) fn part(&self, of: u64) -> u64 {
        (of / self.scale).max(1)
    }

    /// Prints how many nanoseconds each of so many operations took, and what all
    /// programs must agree on.
    pub(crate) fn each(&self, took: u64, operations: u64, check: u64) {
        self.sample("", took as f64 / operations as f64);
        platform::print(format_args!("check {check}\n"));
    }

    /// Prints how many milliseconds all took the first time, and how many when it was
    /// done once more, and what all programs must agree on.
    pub(crate) fn all(&self, first: u64, again: u64, check: u64) {
        self.sample("/first", first as f64 / 1e6);
        self.sample("/again", again as f64 / 1e6);
        platform::print(format_args!("check {check}\n"));
    }

    /// Prints a sample.
    pub(crate) fn sample(&self, measure: impl Display, value: f64) {
        platform::print(format_args!("{}{measure} {value:.4}\n", self.name));
    }
}

/// Returns how much of it goes before what counts.
pub(crate) fn warm_up(count: u64) -> u64 {
    count.div_ceil(8)
}
