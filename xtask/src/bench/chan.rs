//! The chan benchmark: goroutines that send, select, and lock. What the scenarios are
//! stands in `benches/chan/work.rs`.

use std::time::Duration;

use super::target::{Limit, Target};
use super::{Benchmark, Measure, Scenario, Subject, memory, program};
use crate::Outcome;

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "chan",
    about: "a message from one goroutine to another; a lock that many want; skynet",
    scenarios: &[
        each("ping-pong"),
        each("buffered"),
        each("many"),
        each("close"),
        each("select"),
        each("select-buffered"),
        each("mutex"),
        each("mutex-yield"),
        Scenario {
            name: "skynet",
            measures: &[
                Measure {
                    name: "first",
                    unit: "ms",
                },
                Measure {
                    name: "again",
                    unit: "ms",
                },
            ],
        },
    ],
    rounds: 7,
    warm_up: 1,
    pause: Duration::from_millis(20),
    procs: &[1, 2],
    beside: &["go", "crossbeam", "may", "tokio", "smol"],
    targets: &[
        target("ping-pong", "", "go", 0.25),
        target("buffered", "", "go", 0.35),
        target("many", "", "go", 0.35),
        target("select", "", "go", 0.35),
        target("select-buffered", "", "go", 0.35),
        target("mutex", "", "go", 0.5),
        target("skynet", "first", "go", 0.25),
        target("skynet", "again", "go", 0.25),
        never_behind("", "may"),
        never_behind("", "tokio"),
        never_behind("", "smol"),
        never_behind("first", "may"),
        never_behind("first", "tokio"),
        never_behind("first", "smol"),
        never_behind("again", "may"),
        never_behind("again", "tokio"),
        never_behind("again", "smol"),
    ],
    fits,
    share,
    subjects,
    sample: program::sample,
};

/// Makes a scenario in which an operation is measured.
const fn each(name: &'static str) -> Scenario {
    Scenario {
        name,
        measures: &[Measure {
            name: "",
            unit: "ns",
        }],
    }
}

/// Makes a promise of gort's: at most so many times what another one takes.
const fn target(
    scenario: &'static str,
    measure: &'static str,
    to: &'static str,
    limit: f64,
) -> Target {
    Target {
        of: "gort",
        scenario: Some(scenario),
        measure,
        procs: None,
        limit: Limit::Times(to, limit),
    }
}

/// Makes a promise about all scenarios with such a measure.
const fn never_behind(measure: &'static str, to: &'static str) -> Target {
    Target {
        of: "gort",
        scenario: None,
        measure,
        procs: None,
        limit: Limit::Times(to, 1.0),
    }
}

/// Leaves out what has no meaning.
fn fits(subject: &Subject, scenario: &Scenario, _: usize) -> bool {
    // A million threads are more than the kernel has; so are as many of may's stacks, of
    // two mappings each.
    scenario.name != "skynet" || !matches!(subject.name, "crossbeam" | "may")
}

/// Threads that wait for each other take two hundred times what a goroutine takes: a
/// twentieth of the work is time enough to measure them.
fn share(subject: &Subject, scenario: &Scenario) -> u64 {
    let waits = matches!(scenario.name, "ping-pong" | "select" | "mutex-yield");
    if waits && subject.name == "crossbeam" {
        20
    } else {
        1
    }
}

/// Builds the subjects.
fn subjects() -> Outcome<Vec<Subject>> {
    memory::runtimes("chan", &["crossbeam", "may", "tokio", "smol"])
}
