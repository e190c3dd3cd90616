//! `cargo xtask bench`: one harness for all benchmarks.
//!
//! A benchmark is a list of subjects, which are programs that do the same thing,
//! a list of scenarios, which are what they do, and a way to take one sample of
//! one of them. The harness builds the subjects, warms them up, and then takes a
//! sample of each in every round, in an order that is random each time, but for those
//! that do the same work, which come one after the other: what disturbs the machine for a
//! while, disturbs all alike. After each sample it
//! pauses, since after a heavy process the next one pays for its teardown.
//!
//! What is measured may be several things at once: a time and a size, say. Each
//! is a [`Measure`], with a table of its own.
//!
//! A new benchmark is a module beside [`startup`] and a line in [`BENCHMARKS`].

mod affinity;
mod alloc;
mod chan;
mod fragmentation;
mod idle;
mod memory;
mod options;
mod peers;
mod program;
mod report;
mod sched;
mod spawn;
mod startup;
mod target;
mod trace;

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use lexopt::Parser;

use crate::Outcome;
use affinity::Affinity;
use options::Options;
use report::Results;
use target::Target;

/// All benchmarks, in the order in which they run.
const BENCHMARKS: &[Benchmark] = &[
    startup::BENCHMARK,
    alloc::BENCHMARK,
    fragmentation::BENCHMARK,
    spawn::BENCHMARK,
    sched::BENCHMARK,
    chan::BENCHMARK,
    trace::BENCHMARK,
];

/// One benchmark.
struct Benchmark {
    name: &'static str,
    about: &'static str,
    /// What the subjects do, one scenario at a time.
    scenarios: &'static [Scenario],
    /// How many samples of each subject are taken, unless the user says.
    rounds: usize,
    /// How many are taken before those that count.
    warm_up: usize,
    /// How long the machine rests after each.
    pause: Duration,
    /// How many processors a subject may use: once with each of these numbers.
    procs: &'static [usize],
    /// The subjects with which the table compares all others.
    beside: &'static [&'static str],
    /// What we promise.
    targets: &'static [Target],
    /// Tells whether a subject does what a scenario is, on so many processors.
    fits: fn(&Subject, &Scenario, usize) -> bool,
    /// By what a scenario's work is divided for a subject that takes much longer than all
    /// others.
    share: fn(&Subject, &Scenario) -> u64,
    /// Builds the subjects.
    subjects: fn() -> Outcome<Vec<Subject>>,
    /// Takes a sample, on the processors to which this thread is bound, and
    /// checks what the subject printed.
    sample: fn(&Run<'_>) -> Outcome<Sample>,
}

/// What subjects do.
struct Scenario {
    /// Empty where a benchmark has just one.
    name: &'static str,
    measures: &'static [Measure],
}

/// What is measured while they do it.
struct Measure {
    /// Empty where a scenario has just one.
    name: &'static str,
    /// What a sample is measured in.
    unit: &'static str,
}

/// A program that is measured.
struct Subject {
    name: &'static str,
    program: PathBuf,
    /// Its environment.
    environment: Vec<(&'static str, PathBuf)>,
    /// The size of the program in bytes, stripped.
    size: u64,
}

/// A run of a subject.
struct Run<'a> {
    benchmark: &'static str,
    scenario: &'static Scenario,
    subject: &'a Subject,
    procs: usize,
    /// By what the work is divided: for a quick look, or as the subject's share.
    scale: u64,
}

/// What came of it.
struct Sample {
    /// A value for each of the scenario's measures.
    values: Vec<f64>,
    /// What all subjects must agree on, where they print it.
    check: Option<String>,
}

/// Says that every subject does what every scenario is.
fn everywhere(_: &Subject, _: &Scenario, _: usize) -> bool {
    true
}

/// Says that every subject does the whole work.
fn whole(_: &Subject, _: &Scenario) -> u64 {
    1
}

/// Writes the names of a benchmark, a scenario and a measure as one.
fn full_name(parts: &[&str]) -> String {
    let parts: Vec<_> = parts
        .iter()
        .copied()
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("/")
}

/// Runs the benchmarks that the command line names, or all.
pub(crate) fn command(arguments: Parser) -> Outcome {
    let Some(options) = options::read(arguments)? else {
        for benchmark in BENCHMARKS {
            println!("{:24} {}", benchmark.name, benchmark.about);
            for scenario in benchmark.scenarios {
                if !scenario.name.is_empty() {
                    println!("  {}", full_name(&[benchmark.name, scenario.name]));
                }
            }
        }
        return Ok(());
    };
    for benchmark in BENCHMARKS {
        let scenarios = options.scenarios(benchmark);
        if !scenarios.is_empty() {
            run(benchmark, &scenarios, &options)?;
        }
    }
    Ok(())
}

/// Runs scenarios of one benchmark and prints the results.
fn run(
    benchmark: &'static Benchmark,
    scenarios: &[&'static Scenario],
    options: &Options,
) -> Outcome {
    let rounds = options.rounds.unwrap_or(benchmark.rounds);
    eprintln!("{}: building", benchmark.name);
    let mut subjects = (benchmark.subjects)()?;
    subjects.retain(|subject| options.wants(subject));
    if subjects.is_empty() {
        return Err(format!("{}: there is no such subject", benchmark.name).into());
    }
    let affinity = Affinity::current()?;
    let procs: Vec<usize> = benchmark
        .procs
        .iter()
        .copied()
        .filter(|&procs| procs <= affinity.count())
        .collect();

    let mut results = Results::new(benchmark, scenarios, &subjects, &procs);
    let mut checks = BTreeMap::new();
    // Those that are compared with each other stay together.
    let mut groups = results.groups();
    for round in 0..benchmark.warm_up + rounds {
        progress(
            benchmark.name,
            round.saturating_sub(benchmark.warm_up),
            rounds,
        );
        fastrand::shuffle(&mut groups);
        groups.iter_mut().for_each(|group| fastrand::shuffle(group));
        for &index in groups.iter().flatten() {
            let row = &mut results.rows[index];
            affinity.bind(row.procs)?;
            let run = Run {
                benchmark: benchmark.name,
                scenario: row.scenario,
                subject: row.subject,
                procs: row.procs,
                scale: options.scale * (benchmark.share)(row.subject, row.scenario),
            };
            let sample = (benchmark.sample)(&run)
                .and_then(|sample| agree(&mut checks, &run, sample))
                .map_err(|error| {
                    let name = full_name(&[run.benchmark, run.scenario.name]);
                    format!("{name}: {}: {error}", run.subject.name)
                })?;
            if round >= benchmark.warm_up {
                row.add(&sample);
            }
            thread::sleep(benchmark.pause);
        }
    }
    progress(benchmark.name, rounds, rounds);
    affinity.restore()?;

    results.finish();
    if options.json {
        results.print_json();
    } else {
        results.print_table();
        if options.scale > 1 {
            println!("a quick look: 1/{} of the work", options.scale);
        }
    }
    Ok(())
}

/// What subjects must agree on, by scenario, number of processors and share of the work:
/// who said what first.
type Checks = BTreeMap<(&'static str, usize, u64), (&'static str, String)>;

/// Checks that a subject did what all others did.
fn agree(checks: &mut Checks, run: &Run<'_>, sample: Sample) -> Outcome<Sample> {
    let Some(check) = &sample.check else {
        return Ok(sample);
    };
    let (first, expected) = checks
        .entry((run.scenario.name, run.procs, run.scale))
        .or_insert_with(|| (run.subject.name, check.clone()));
    if check == expected {
        Ok(sample)
    } else {
        Err(format!("the result is {check}, and that of {first} {expected}").into())
    }
}

/// Shows on stderr how far we are: in one line that changes if a person is
/// looking, else now and then.
fn progress(name: &str, done: usize, of: usize) {
    let mut stderr = std::io::stderr();
    let step = of.div_ceil(10).max(1);
    // Whether anybody can read this is no reason to stop.
    let _ = if stderr.is_terminal() {
        let end = if done == of { "\n" } else { "" };
        write!(stderr, "\r{name}: round {done} of {of} {end}")
    } else if done.is_multiple_of(step) && done > 0 {
        writeln!(stderr, "{name}: round {done} of {of}")
    } else {
        Ok(())
    };
}
