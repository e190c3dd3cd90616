//! What we promise, and check when a table is printed.

use super::report::{Results, number};

/// A promise about a subject.
pub(super) struct Target {
    pub(super) of: &'static str,
    /// The scenario that it is about, if not all.
    pub(super) scenario: Option<&'static str>,
    /// The measure that it is about.
    pub(super) measure: &'static str,
    /// The number of processors, if not any.
    pub(super) procs: Option<usize>,
    pub(super) limit: Limit,
}

/// The most that something may be.
pub(super) enum Limit {
    /// The median, as so many times that of another subject.
    Times(&'static str, f64),
    /// The same for the median of what both gave in each round.
    Pairs(&'static str, f64),
    /// The median itself.
    Value(f64),
    /// The size of the stripped program in bytes.
    Size(u64),
}

impl Target {
    /// Prints whether it is met, in each scenario.
    pub(super) fn print(&self, results: &Results<'_>) {
        let of = self.of;
        for row in results.rows.iter().filter(|row| row.subject.name == of) {
            if self.procs.is_some_and(|procs| procs != row.procs)
                || self.scenario.is_some_and(|name| name != row.scenario.name)
            {
                continue;
            }
            let Some(index) = row.measure(self.measure) else {
                continue;
            };
            let name = results.name(row, index);
            let procs = row.procs;
            let verdict = |met| if met { "met" } else { "MISSED" };
            match self.limit {
                Limit::Times(to, limit) => {
                    if let Some(ratio) = results.ratio(row, index, to) {
                        let verdict = verdict(ratio <= limit);
                        println!(
                            "target: {name}: {of}, {procs} procs, at most {limit} x {to}: {ratio:.2}, {verdict}"
                        );
                    }
                }
                Limit::Pairs(to, limit) => {
                    if let Some(pairs) = results.pairs(row, index, to) {
                        let verdict = verdict(pairs.median <= limit);
                        println!(
                            "target: {name}: {of}, {procs} procs, at most {limit} x {to}, round by round: {:.3} ({:.3} to {:.3}), {verdict}",
                            pairs.median, pairs.low, pairs.high
                        );
                    }
                }
                Limit::Value(limit) => {
                    let (median, unit) = (row.quantile(index, 0.5), results.unit(row, index));
                    println!(
                        "target: {name}: {of}, {procs} procs, at most {} {unit}: {}, {}",
                        number(limit),
                        number(median),
                        verdict(median <= limit)
                    );
                }
                Limit::Size(limit) => {
                    let size = row.subject.size;
                    println!(
                        "target: {name}: {of}, at most {limit} bytes: {size}, {}",
                        verdict(size <= limit)
                    );
                    return; // the same in all rows
                }
            }
        }
    }
}
