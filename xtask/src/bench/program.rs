//! Subjects that measure themselves: a program is told what to do, and prints
//! its samples.
//!
//! ```text
//! $ PROGRAM BENCHMARK/SCENARIO PROCS SCALE
//! # a line for people
//! BENCHMARK/SCENARIO/MEASURE 12.3456
//! check 42
//! ```

use std::process::Command;

use super::{Run, Sample, full_name};
use crate::Outcome;
use crate::run;

/// Runs a program, and returns the samples that it prints.
pub(super) fn sample(run: &Run<'_>) -> Outcome<Sample> {
    let name = full_name(&[run.benchmark, run.scenario.name]);
    let mut command: Command = run::quiet(&run.subject.program);
    command
        .args([&name, &run.procs.to_string(), &run.scale.to_string()])
        // An environment that is the same for everybody who measures.
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .envs(run.subject.environment.iter().cloned());
    let printed = run::output(&mut command)?;
    let value = |name: &str| {
        let mut lines = printed.lines().filter_map(|line| line.split_once(' '));
        lines.find_map(|(first, rest)| (first == name).then_some(rest))
    };
    let values = run.scenario.measures.iter().map(|measure| {
        let name = full_name(&[&name, measure.name]);
        let text = value(&name).ok_or_else(|| format!("it prints no {name}"))?;
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
            _ => Err(format!("{name} cannot be {text:?}").into()),
        }
    });
    Ok(Sample {
        values: values.collect::<Outcome<_>>()?,
        check: value("check").map(str::to_string),
    })
}
