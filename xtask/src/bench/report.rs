//! What came of a benchmark: medians, spreads and ratios, as a table or as JSON.

use super::{Benchmark, Subject};

/// The subject that ratios refer to, beside the floor where there is one.
const GO: &str = "go";

/// The least that any program can do.
const FLOOR: &str = "floor";

/// What we promise, and check when the table is printed.
pub(super) enum Target {
    /// The median of `of` is at most `limit` times that of `to`.
    Ratio {
        of: &'static str,
        to: &'static str,
        limit: f64,
    },
    /// The stripped program of `of` has at most `limit` bytes.
    Size { of: &'static str, limit: u64 },
}

/// The results of a benchmark, one row for each subject and number of processors.
pub(super) struct Results<'a> {
    benchmark: &'a Benchmark,
    pub(super) rows: Vec<Row<'a>>,
}

/// The samples of one subject.
pub(super) struct Row<'a> {
    pub(super) subject: &'a Subject,
    pub(super) procs: usize,
    /// In order of time, and by size once [`Results::finish`] has been called.
    pub(super) samples: Vec<f64>,
}

impl<'a> Results<'a> {
    /// Makes rows without samples.
    pub(super) fn new(benchmark: &'a Benchmark, subjects: &'a [Subject], procs: &[usize]) -> Self {
        let row = |subject, &procs| Row {
            subject,
            procs,
            samples: Vec::new(),
        };
        let rows = subjects
            .iter()
            .flat_map(|subject| procs.iter().map(move |procs| row(subject, procs)));
        Self {
            benchmark,
            rows: rows.collect(),
        }
    }

    /// Sorts the rows and samples: all have been taken.
    pub(super) fn finish(&mut self) {
        self.rows.sort_by_key(|row| row.procs);
        self.rows
            .iter_mut()
            .for_each(|row| row.samples.sort_by(f64::total_cmp));
    }

    /// Prints a table for people, and how the targets are met.
    pub(super) fn print_table(&self) {
        println!(
            "{}: {}, in {}",
            self.benchmark.name, self.benchmark.about, self.benchmark.unit
        );
        println!(
            "{:16} {:>5} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8} {:>6} {:>10}",
            "subject", "procs", "median", "min", "p10", "p90", "max", "x floor", "x Go", "size"
        );
        for row in &self.rows {
            let quantiles =
                [0.5, 0.0, 0.1, 0.9, 1.0].map(|part| format!("{:9.1}", row.quantile(part)));
            let ratio = |to| {
                self.ratio(row, to)
                    .map_or("-".into(), |ratio| format!("{ratio:.2}"))
            };
            println!(
                "{:16} {:5} {} {:>8} {:>6} {:10}",
                row.subject.name,
                row.procs,
                quantiles.join(" "),
                ratio(FLOOR),
                ratio(GO),
                row.subject.size
            );
        }
        println!(
            "samples of each: {}",
            self.rows.first().map_or(0, |row| row.samples.len())
        );
        self.benchmark
            .targets
            .iter()
            .for_each(|target| self.print_target(target));
    }

    /// Prints an object a line, for programs.
    pub(super) fn print_json(&self) {
        for row in &self.rows {
            let ratio = self
                .ratio(row, GO)
                .map_or("null".into(), |ratio| format!("{ratio:.4}"));
            // None of the names needs an escape.
            println!(
                "{{\"bench\": \"{}\", \"subject\": \"{}\", \"procs\": {}, \"unit\": \"{}\", \"median\": {:.3}, \
                 \"min\": {:.3}, \"max\": {:.3}, \"ratio_to_go\": {ratio}, \"rounds\": {}}}",
                self.benchmark.name,
                row.subject.name,
                row.procs,
                self.benchmark.unit,
                row.quantile(0.5),
                row.quantile(0.0),
                row.quantile(1.0),
                row.samples.len()
            );
        }
    }

    /// Prints whether a target is met.
    fn print_target(&self, target: &Target) {
        let verdict = |met| if met { "met" } else { "MISSED" };
        match *target {
            Target::Ratio { of, to, limit } => {
                for row in self.rows.iter().filter(|row| row.subject.name == of) {
                    if let Some(ratio) = self.ratio(row, to) {
                        let procs = row.procs;
                        let verdict = verdict(ratio <= limit);
                        println!(
                            "target: {of}, {procs} procs, at most {limit} x {to}: {ratio:.2}, {verdict}"
                        );
                    }
                }
            }
            Target::Size { of, limit } => {
                if let Some(row) = self.rows.iter().find(|row| row.subject.name == of) {
                    let size = row.subject.size;
                    println!(
                        "target: {of}, at most {limit} bytes: {size}, {}",
                        verdict(size <= limit)
                    );
                }
            }
        }
    }

    /// Returns how many times a row's median is that of another subject on as
    /// many processors.
    fn ratio(&self, row: &Row, to: &str) -> Option<f64> {
        let other = self
            .rows
            .iter()
            .find(|other| other.subject.name == to && other.procs == row.procs)?;
        Some(row.quantile(0.5) / other.quantile(0.5))
    }
}

impl Row<'_> {
    /// Returns the sample below which the given part of the samples lies; in
    /// between two samples, what lies between them.
    fn quantile(&self, part: f64) -> f64 {
        let Some(last) = self.samples.len().checked_sub(1) else {
            return f64::NAN;
        };
        let place = part * last as f64;
        let (low, high) = (
            self.samples[place.floor() as usize],
            self.samples[place.ceil() as usize],
        );
        low + (high - low) * place.fract()
    }
}
