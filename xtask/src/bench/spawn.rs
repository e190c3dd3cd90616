//! The spawn benchmark: a million goroutines that park.
//!
//! The floor is what the kernel alone takes for a page in each of a million
//! stacks; where a page fault is slow, it says so.

use std::time::Duration;

use super::target::{Limit, Target};
use super::{Benchmark, Measure, Scenario, Subject, everywhere, memory, peers, program, whole};
use crate::Outcome;
use crate::run;

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "spawn",
    about: "1,000,000 goroutines, from the first spawn until all are parked; of each",
    scenarios: &[Scenario {
        name: "",
        measures: &[
            Measure {
                name: "first",
                unit: "ns",
            },
            // A tenth of that, on the stacks of others that have ended.
            Measure {
                name: "again",
                unit: "ns",
            },
            // Resident memory and page tables of the first million.
            Measure {
                name: "bytes",
                unit: "bytes",
            },
        ],
    }],
    rounds: 7,
    warm_up: 1,
    // A process of many gigabytes goes away.
    pause: Duration::from_millis(500),
    procs: &[1, 2],
    beside: &["floor", "go"],
    targets: &[
        Target {
            of: "gort",
            scenario: None,
            measure: "bytes",
            procs: None,
            limit: Limit::Value(4.6 * 1024.0),
        },
        Target {
            of: "gort",
            scenario: None,
            measure: "first",
            procs: None,
            limit: Limit::Times("go", 0.3),
        },
    ],
    fits: everywhere,
    share: whole,
    subjects,
    sample: program::sample,
};

/// Builds the subjects.
fn subjects() -> Outcome<Vec<Subject>> {
    let floor = peers::directory("spawn")?.join("floor");
    let source = run::root().join("benches/spawn/floor.c");
    peers::c(&source, &floor, &["-O2"])?;
    let gort = peers::crate_program("gort", "spawn")?;
    let mut subjects = vec![Subject::new("floor", floor)?, Subject::new("gort", gort)?];
    subjects.extend(memory::go("spawn")?);
    Ok(subjects)
}
