//! What came of a benchmark: medians, spreads and ratios, as tables or as JSON.

use super::{Benchmark, Sample, Scenario, Subject, full_name};

/// The subject that ratios refer to in JSON.
const GO: &str = "go";

/// The results of a benchmark, one row for each scenario, subject and number of
/// processors.
pub(super) struct Results<'a> {
    benchmark: &'static Benchmark,
    pub(super) rows: Vec<Row<'a>>,
}

/// The samples of one subject.
pub(super) struct Row<'a> {
    pub(super) scenario: &'static Scenario,
    pub(super) subject: &'a Subject,
    pub(super) procs: usize,
    /// A list for each measure: in order of time, and by size once
    /// [`Results::finish`] has been called.
    samples: Vec<Vec<f64>>,
    /// The same in order of time, from then on.
    in_time: Vec<Vec<f64>>,
}

/// How one subject compares with another, round by round: the ratio in the middle, and
/// below which a tenth of them lies, and above which.
pub(super) struct Pairs {
    pub(super) median: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl<'a> Results<'a> {
    /// Makes rows without samples, in the order in which they are printed.
    pub(super) fn new(
        benchmark: &'static Benchmark,
        scenarios: &[&'static Scenario],
        subjects: &'a [Subject],
        procs: &[usize],
    ) -> Self {
        let mut rows = Vec::new();
        for &scenario in scenarios {
            for &procs in procs {
                let fits = |subject: &&Subject| (benchmark.fits)(subject, scenario, procs);
                rows.extend(subjects.iter().filter(fits).map(|subject| Row {
                    scenario,
                    subject,
                    procs,
                    samples: vec![Vec::new(); scenario.measures.len()],
                    in_time: Vec::new(),
                }));
            }
        }
        Self { benchmark, rows }
    }

    /// Returns the places of the rows, those together that are of the same scenario on as
    /// many processors.
    pub(super) fn groups(&self) -> Vec<Vec<usize>> {
        let places: Vec<usize> = (0..self.rows.len()).collect();
        let same = |&one: &usize, &other: &usize| self.rows[one].does_as(&self.rows[other]);
        places.chunk_by(same).map(<[usize]>::to_vec).collect()
    }

    /// Sorts the samples: all have been taken.
    pub(super) fn finish(&mut self) {
        for row in &mut self.rows {
            row.in_time.clone_from(&row.samples);
            row.samples.iter_mut().for_each(|samples| sort(samples));
        }
    }

    /// Prints tables for people, and how the targets are met.
    pub(super) fn print_table(&self) {
        println!("{}: {}", self.benchmark.name, self.benchmark.about);
        // Rows that follow each other and are of one scenario.
        for rows in self
            .rows
            .chunk_by(|one, other| std::ptr::eq(one.scenario, other.scenario))
        {
            for index in 0..rows[0].samples.len() {
                self.print_measure(rows, index);
            }
        }
        println!(
            "samples of each: {}",
            self.rows.first().map_or(0, Row::rounds)
        );
        self.benchmark
            .targets
            .iter()
            .for_each(|target| target.print(self));
    }

    /// Prints the table of one measure.
    fn print_measure(&self, rows: &[Row<'_>], index: usize) {
        let beside = self.benchmark.beside;
        println!(
            "{}, in {}",
            self.name(&rows[0], index),
            self.unit(&rows[0], index)
        );
        let titles: String = beside
            .iter()
            .map(|to| format!(" {:>10}", format!("x {to}")))
            .collect();
        println!(
            "{:16} {:>5} {:>9} {:>9} {:>9} {:>9} {:>9}{titles} {:>10}",
            "subject", "procs", "median", "min", "p10", "p90", "max", "size"
        );
        for row in rows {
            let quantiles: String = [0.5, 0.0, 0.1, 0.9, 1.0]
                .iter()
                .map(|&part| format!(" {:>9}", number(row.quantile(index, part))))
                .collect();
            let ratios: String = beside
                .iter()
                .map(|to| {
                    let ratio = self.ratio(row, index, to);
                    let ratio = ratio.map_or("-".into(), |ratio| format!("{ratio:.2}"));
                    format!(" {ratio:>10}")
                })
                .collect();
            println!(
                "{:16} {:5}{quantiles}{ratios} {:10}",
                row.subject.name, row.procs, row.subject.size
            );
        }
    }

    /// Prints an object a line, for programs.
    pub(super) fn print_json(&self) {
        for row in &self.rows {
            for index in 0..row.samples.len() {
                let ratio = self
                    .ratio(row, index, GO)
                    .map_or("null".into(), |ratio| format!("{ratio:.4}"));
                // None of the names needs an escape.
                println!(
                    "{{\"bench\": \"{}\", \"subject\": \"{}\", \"procs\": {}, \"unit\": \"{}\", \"median\": {:.3}, \
                     \"min\": {:.3}, \"max\": {:.3}, \"ratio_to_go\": {ratio}, \"rounds\": {}}}",
                    self.name(row, index),
                    row.subject.name,
                    row.procs,
                    self.unit(row, index),
                    row.quantile(index, 0.5),
                    row.quantile(index, 0.0),
                    row.quantile(index, 1.0),
                    row.rounds()
                );
            }
        }
    }

    /// Names a measure: `alloc/mixed`, `spawn/first`.
    pub(super) fn name(&self, row: &Row<'_>, index: usize) -> String {
        let measure = row.scenario.measures[index].name;
        full_name(&[self.benchmark.name, row.scenario.name, measure])
    }

    /// Returns what a measure is measured in.
    pub(super) fn unit(&self, row: &Row<'_>, index: usize) -> &'static str {
        row.scenario.measures[index].unit
    }

    /// Returns how many times a row's median is that of another subject in the
    /// same scenario and on as many processors.
    pub(super) fn ratio(&self, row: &Row<'_>, index: usize, to: &str) -> Option<f64> {
        let other = self.beside(row, to)?;
        // There is none to what needs nothing at all.
        let ratio = row.quantile(index, 0.5) / other.quantile(index, 0.5);
        ratio.is_finite().then_some(ratio)
    }

    /// Compares each of a row's samples with the one that another subject gave in the same
    /// round: what disturbs the machine for longer than that disturbs both.
    pub(super) fn pairs(&self, row: &Row<'_>, index: usize, to: &str) -> Option<Pairs> {
        let (ours, theirs) = (&row.in_time[index], &self.beside(row, to)?.in_time[index]);
        let ratios = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs);
        let mut ratios: Vec<f64> = ratios.filter(|ratio| ratio.is_finite()).collect();
        sort(&mut ratios);
        (!ratios.is_empty()).then(|| Pairs {
            median: quantile(&ratios, 0.5),
            low: quantile(&ratios, 0.1),
            high: quantile(&ratios, 0.9),
        })
    }

    /// Returns the row of another subject in the same scenario and on as many processors.
    fn beside(&self, row: &Row<'_>, subject: &str) -> Option<&Row<'_>> {
        let mut rows = self.rows.iter();
        rows.find(|other| other.subject.name == subject && other.does_as(row))
    }
}

impl Row<'_> {
    /// Tells whether another one is of the same scenario on as many processors.
    fn does_as(&self, other: &Row<'_>) -> bool {
        self.procs == other.procs && std::ptr::eq(self.scenario, other.scenario)
    }

    /// Adds a sample of each measure.
    pub(super) fn add(&mut self, sample: &Sample) {
        for (samples, &value) in self.samples.iter_mut().zip(&sample.values) {
            samples.push(value);
        }
    }

    /// Returns the place of a measure of that name.
    pub(super) fn measure(&self, name: &str) -> Option<usize> {
        let measures = self.scenario.measures;
        measures.iter().position(|measure| measure.name == name)
    }

    /// Counts the samples of each measure.
    fn rounds(&self) -> usize {
        self.samples.first().map_or(0, Vec::len)
    }

    /// Returns the sample of a measure below which the given part of them lies.
    pub(super) fn quantile(&self, index: usize, part: f64) -> f64 {
        quantile(&self.samples[index], part)
    }
}

/// Sorts samples.
fn sort(samples: &mut [f64]) {
    samples.sort_by(f64::total_cmp);
}

/// Returns the value below which the given part of sorted ones lies; in between two of them,
/// what lies between them.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = part * last as f64;
    let (low, high) = (
        sorted[place.floor() as usize],
        sorted[place.ceil() as usize],
    );
    low + (high - low) * place.fract()
}

/// Writes a number with as many digits as a table has use for.
pub(super) fn number(value: f64) -> String {
    let digits = match value {
        ..10.0 => 3,
        ..100.0 => 2,
        _ => 1,
    };
    format!("{value:.digits$}")
}
