//! The command line of `cargo xtask bench`.

use std::collections::BTreeSet;

use lexopt::{Arg, Parser, ValueExt as _};

use super::{BENCHMARKS, Benchmark, Scenario, Subject, full_name};
use crate::Outcome;

/// What the command line asks for.
pub(super) struct Options {
    /// Benchmarks, or scenarios of them; all, if empty.
    names: BTreeSet<String>,
    /// Subjects; all, if empty.
    subjects: BTreeSet<String>,
    pub(super) json: bool,
    pub(super) rounds: Option<usize>,
    /// By what the work is divided.
    pub(super) scale: u64,
}

impl Options {
    /// Returns the scenarios of a benchmark that are asked for.
    pub(super) fn scenarios(&self, benchmark: &'static Benchmark) -> Vec<&'static Scenario> {
        let all = self.names.is_empty() || self.names.contains(benchmark.name);
        let named = |scenario: &&Scenario| {
            self.names
                .contains(&full_name(&[benchmark.name, scenario.name]))
        };
        benchmark
            .scenarios
            .iter()
            .filter(|scenario| all || named(scenario))
            .collect()
    }

    /// Tells whether a subject is asked for.
    pub(super) fn wants(&self, subject: &Subject) -> bool {
        self.subjects.is_empty() || self.subjects.contains(subject.name)
    }

    /// Refuses names that no benchmark and no scenario has.
    fn check_names(&self) -> Outcome {
        for name in &self.names {
            let known = BENCHMARKS.iter().any(|benchmark| {
                let scenarios = benchmark.scenarios.iter();
                name == benchmark.name
                    || scenarios
                        .map(|scenario| full_name(&[benchmark.name, scenario.name]))
                        .any(|full| full == *name)
            });
            if !known {
                return Err(format!(
                    "there is no benchmark {name}; `cargo xtask bench --list` names all"
                )
                .into());
            }
        }
        Ok(())
    }
}

/// Reads the command line; `None` if it asks for a list.
pub(super) fn read(mut arguments: Parser) -> Outcome<Option<Options>> {
    let mut options = Options {
        names: BTreeSet::new(),
        subjects: BTreeSet::new(),
        json: false,
        rounds: None,
        scale: 1,
    };
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("json") => options.json = true,
            Arg::Long("rounds") => options.rounds = Some(arguments.value()?.parse()?),
            Arg::Long("scale") => options.scale = arguments.value()?.parse()?,
            Arg::Long("subject") => {
                options.subjects.insert(arguments.value()?.string()?);
            }
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
    if options.scale == 0 {
        return Err("--scale: at least 1".into());
    }
    options.check_names()?;
    Ok(Some(options))
}
