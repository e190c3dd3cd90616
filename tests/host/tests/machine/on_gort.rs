//! Tests that run on gort itself, each on a machine of its own: the program is asked which
//! there are, and then for each of them.

use std::fs;
use std::path::PathBuf;

use gort_host_tests::programs::built_for_none;
use libtest_mimic::{Failed, Trial};

use crate::boot::{Machine, Said};

/// The programs, and of their tests those that are left out, with the reason.
const PROGRAMS: &[(&str, &[(&str, &str)])] = &[
    (
        "goroutines",
        &[("a_panic_in_one_ends_the_program", "it ends the program")],
    ),
    (
        "preempt",
        &[
            (
                "nothing_happens_to_one_that_was_not_asked",
                "it has Linux send signals",
            ),
            ("goroutines_are_made_and_end", SLOW),
            ("the_heap_survives", SLOW),
            ("the_usual_way_of_the_allocator_is_whole", SLOW),
        ],
    ),
];

/// Storms of preemption, unoptimized and emulated: minutes.
const SLOW: &str = "it takes minutes";

pub(crate) fn trials() -> Vec<Trial> {
    PROGRAMS
        .iter()
        .flat_map(|(program, left_out)| {
            tests(program, left_out).unwrap_or_else(|error| {
                let why = error.message().unwrap_or("it cannot be asked").to_string();
                vec![Trial::test(format!("on_gort::{program}"), || {
                    Err(why.into())
                })]
            })
        })
        .collect()
}

/// Asks a program for its tests, and makes a trial of each.
fn tests(name: &'static str, left_out: &'static [(&str, &str)]) -> Result<Vec<Trial>, Failed> {
    const MACHINES: [Machine; 2] = [Machine::new("microvm", 1), Machine::new("microvm", 2)];
    let program = find(name)?;
    let listed = Said::by(MACHINES[0].command(&[], program.clone())?.arg("--list"))?;
    let tests = listed
        .text
        .lines()
        .filter_map(|line| line.strip_suffix(": test"));
    let mut trials = Vec::new();
    for (at, test) in tests.enumerate() {
        let (program, test) = (program.clone(), test.to_string());
        let machine = MACHINES[at % 2];
        let reason = left_out.iter().find(|(name, _)| *name == test);
        let mut title = format!("on_gort::{}::{name}::{test}", machine.title());
        if let Some((_, reason)) = reason {
            title += &format!(" ({reason})");
        }
        let trial = Trial::test(title, move || {
            let mut command = machine.command(&[], program)?;
            let said = Said::by(command.args(["--force-run-in-process", "--exact", &test]))?;
            match said.status {
                Some(0) => Ok(()),
                _ => Err(format!("got {said:?}").into()),
            }
        });
        trials.push(trial.with_ignored_flag(reason.is_some()));
    }
    Ok(trials)
}

/// Finds the program that was built last.
fn find(name: &str) -> Result<PathBuf, Failed> {
    let directory = built_for_none()?.join("deps");
    let mut found = Vec::new();
    for entry in fs::read_dir(&directory)? {
        let path = entry?.path();
        let file = path.file_name().and_then(|file| file.to_str());
        let hash = file.and_then(|file| file.strip_prefix(name)?.strip_prefix('-'));
        if hash.is_some_and(|hash| !hash.contains(['-', '.'])) {
            found.push((path.metadata()?.modified()?, path));
        }
    }
    let newest = found.into_iter().max();
    newest
        .map(|(_, path)| path)
        .ok_or_else(|| format!("{}/{name}-* is not there", directory.display()).into())
}
