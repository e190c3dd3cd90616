//! Tests that run on gort itself, each on a machine of its own: the program is asked which
//! there are, and then for each of them. A test is booted on one of the kinds of machines,
//! which take turns; on all of them `cargo xtask stress --none` does.

use std::path::PathBuf;

use crate::on_machines::{PROGRAMS, Program, has_passed};
use gort_host_tests::programs::built_for_none;
use libtest_mimic::{Failed, Trial};

use crate::boot::{Machine, Said};

/// The kinds. Most are those that boot fast.
const MACHINES: &[Machine] = &[
    Machine::new("microvm", 1),
    Machine::new("microvm", 2),
    Machine::new("microvm", 4),
    Machine::new("microvm", 2),
    Machine::new("q35", 2),
];

pub(crate) fn trials() -> Vec<Trial> {
    PROGRAMS
        .iter()
        .flat_map(|program| {
            tests(program).unwrap_or_else(|error| {
                let why = error.message().unwrap_or("it cannot be asked").to_string();
                let title = format!("on_gort::{}", program.name);
                vec![Trial::test(title, || Err(why.into()))]
            })
        })
        .collect()
}

/// Asks a program for its tests, and makes a trial of each.
fn tests(program: &'static Program) -> Result<Vec<Trial>, Failed> {
    let name = program.name;
    let path = find(name)?;
    let memory = program.memory.to_string();
    let listed = MACHINES[0].command(&["--memory", &memory], path.clone())?;
    let listed = Said::by({ listed }.arg("--list"))?;
    let tests = listed
        .text
        .lines()
        .filter_map(|line| line.strip_suffix(": test"));
    let mut trials = Vec::new();
    if listed.status != Some(0) || tests.clone().next().is_none() {
        return Err(format!("it does not list its tests: {listed:?}").into());
    }
    for (at, test) in tests.enumerate() {
        let (path, test, memory) = (path.clone(), test.to_string(), memory.clone());
        let machine = MACHINES[at % MACHINES.len()];
        let mut title = format!("on_gort::{}::{name}::{test}", machine.title());
        let reason = program.reason(&test, at);
        if let Some(reason) = reason {
            title += &format!(" ({reason})");
        }
        let trial = Trial::test(title, move || {
            let mut command = machine.command(&["--memory", &memory], path)?;
            let said = Said::by(command.args(["--force-run-in-process", "--exact", &test]))?;
            match has_passed(said.status, &said.text) {
                true => Ok(()),
                false => Err(format!("got {said:?}").into()),
            }
        });
        trials.push(trial.with_ignored_flag(reason.is_some()));
    }
    Ok(trials)
}

/// Finds a program, where `cargo xtask test` puts it.
fn find(name: &str) -> Result<PathBuf, Failed> {
    let path = built_for_none()?.join("tests").join(name);
    match path.is_file() {
        true => Ok(path),
        false => Err(format!("{} is not there", path.display()).into()),
    }
}
