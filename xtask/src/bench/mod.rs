//! `cargo xtask bench`: one harness for all benchmarks.
//!
//! A benchmark is a list of subjects, which are programs that do the same thing,
//! and a way to take one sample of one of them. The harness builds the subjects,
//! warms them up, and then takes a sample of each in every round, in an order
//! that is random each time: what disturbs the machine for a while, disturbs
//! all alike. After each sample it pauses, since after a heavy process the next
//! one pays for its teardown.
//!
//! A new benchmark is a module beside [`startup`] and a line in [`BENCHMARKS`].

mod affinity;
mod peers;
mod report;
mod startup;

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt as _};

use crate::Outcome;
use affinity::Affinity;
use report::{Results, Target};

/// All benchmarks, in the order in which they run.
const BENCHMARKS: &[Benchmark] = &[startup::BENCHMARK];

/// One benchmark.
struct Benchmark {
    name: &'static str,
    about: &'static str,
    /// What a sample is measured in.
    unit: &'static str,
    /// How many samples of each subject are taken, unless the user says.
    rounds: usize,
    /// How long the machine rests after each.
    pause: Duration,
    /// How many processors a subject may use: once with each of these numbers.
    procs: &'static [usize],
    /// What we promise.
    targets: &'static [Target],
    /// Builds the subjects.
    subjects: fn() -> Outcome<Vec<Subject>>,
    /// Takes a sample, on the processors to which this thread is bound, and
    /// checks what the subject printed.
    sample: fn(&Subject) -> Outcome<f64>,
}

/// A program that is measured.
struct Subject {
    name: &'static str,
    program: PathBuf,
    /// The size of the program in bytes, stripped.
    size: u64,
}

/// What the command line asks for.
struct Options {
    names: BTreeSet<String>,
    json: bool,
    rounds: Option<usize>,
}

/// Samples that are taken before those that count.
const WARM_UP: usize = 5;

/// Runs the benchmarks that the command line names, or all.
pub(crate) fn command(arguments: Parser) -> Outcome {
    let Some(options) = options(arguments)? else {
        BENCHMARKS
            .iter()
            .for_each(|benchmark| println!("{:16} {}", benchmark.name, benchmark.about));
        return Ok(());
    };
    for name in &options.names {
        if !BENCHMARKS.iter().any(|benchmark| benchmark.name == name) {
            return Err(format!(
                "there is no benchmark {name}; `cargo xtask bench --list` names all"
            )
            .into());
        }
    }
    for benchmark in BENCHMARKS {
        if options.names.is_empty() || options.names.contains(benchmark.name) {
            run(benchmark, &options)?;
        }
    }
    Ok(())
}

/// Reads the command line; `None` if it asks for a list.
fn options(mut arguments: Parser) -> Outcome<Option<Options>> {
    let mut options = Options {
        names: BTreeSet::new(),
        json: false,
        rounds: None,
    };
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("json") => options.json = true,
            Arg::Long("rounds") => options.rounds = Some(arguments.value()?.parse()?),
            Arg::Long("list") => return Ok(None),
            Arg::Value(name) => {
                options.names.insert(name.string()?);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if options.rounds == Some(0) {
        return Err("--rounds: at least 1".into());
    }
    Ok(Some(options))
}

/// Runs one benchmark and prints its results.
fn run(benchmark: &Benchmark, options: &Options) -> Outcome {
    let rounds = options.rounds.unwrap_or(benchmark.rounds);
    eprintln!("{}: building", benchmark.name);
    let subjects = (benchmark.subjects)()?;
    let affinity = Affinity::current()?;
    let procs: Vec<usize> = benchmark
        .procs
        .iter()
        .copied()
        .filter(|&procs| procs <= affinity.count())
        .collect();

    let mut results = Results::new(benchmark, &subjects, &procs);
    let mut order: Vec<usize> = (0..results.rows.len()).collect();
    for round in 0..WARM_UP + rounds {
        progress(benchmark.name, round.saturating_sub(WARM_UP), rounds);
        fastrand::shuffle(&mut order);
        for &index in &order {
            let row = &mut results.rows[index];
            affinity.bind(row.procs)?;
            let sample = (benchmark.sample)(row.subject)
                .map_err(|error| format!("{}: {error}", row.subject.name))?;
            if round >= WARM_UP {
                row.samples.push(sample);
            }
            thread::sleep(benchmark.pause);
        }
    }
    progress(benchmark.name, rounds, rounds);
    affinity.restore()?;

    results.finish();
    if options.json {
        results.print_json()
    } else {
        results.print_table()
    }
    Ok(())
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
