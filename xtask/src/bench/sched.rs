//! The sched benchmark: goroutines that give way, begin, wake, sleep, and wait. What
//! the scenarios are stands in `benches/sched/work.rs`.

use std::time::Duration;

use super::target::{Limit, Target};
use super::{Benchmark, Measure, Run, Sample, Scenario, Subject, idle, memory, program, whole};
use crate::Outcome;

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "sched",
    about: "a yield, a spawn, a wake-up of a goroutine; sleeping ones, and parked ones",
    scenarios: &[
        each("yield"),
        each("spawn-wait"),
        each("spawn-signal"),
        each("spawn-many"),
        Scenario {
            name: "wake",
            measures: &[measure("median", "ns"), measure("p90", "ns")],
        },
        all("sleep"),
        all("sleep-series"),
        Scenario {
            name: "idle",
            // Over ten seconds.
            measures: &[measure("switches", "switches"), measure("cpu", "us")],
        },
    ],
    rounds: 7,
    warm_up: 1,
    pause: Duration::from_millis(20),
    procs: &[1, 2],
    beside: &["go", "may", "tokio", "smol"],
    targets: &[
        target("yield", "", Limit::Times("go", 0.15)),
        target("yield", "", Limit::Times("may", 1.0)),
        target("spawn-wait", "", Limit::Times("go", 0.2)),
        target("spawn-wait", "", Limit::Times("smol", 1.0)),
        target("wake", "median", Limit::Times("go", 0.8)),
        target("sleep", "first", Limit::Times("go", 0.4)),
        target("idle", "switches", Limit::Value(2.0)),
    ],
    fits,
    share: whole,
    subjects,
    sample,
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

/// Makes a scenario in which all of the work is measured, the first time and again.
const fn all(name: &'static str) -> Scenario {
    Scenario {
        name,
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
    }
}

/// Makes a measure.
const fn measure(name: &'static str, unit: &'static str) -> Measure {
    Measure { name, unit }
}

/// Makes a promise of gort's, on any number of processors.
const fn target(scenario: &'static str, measure: &'static str, limit: Limit) -> Target {
    Target {
        of: "gort",
        scenario: Some(scenario),
        measure,
        procs: None,
        limit,
    }
}

/// Leaves out what has no meaning.
fn fits(subject: &Subject, scenario: &Scenario, procs: usize) -> bool {
    match (scenario.name, subject.name) {
        // It has no scheduler, and no threads.
        (name, "corosensei") => name == "yield" && procs == 1,
        // Whom a task of tokio's wakes waits until that task gives way: nobody else may
        // take it. A thread of may's that has nothing to do looks for work every 10 ms.
        ("wake", "tokio" | "may") => false,
        // Its stacks are two mappings each, and the kernel has 65,530 for a process.
        ("sleep", "may") => false,
        // From one processor to the other.
        ("wake", _) => procs == 2,
        // Up to 100 us each, for the same reason: that takes minutes, and tells nothing.
        ("spawn-wait" | "spawn-signal" | "spawn-many", "may") => procs == 1,
        // Ten seconds each: once, with all that a process may use.
        ("idle", _) => procs == 2,
        _ => true,
    }
}

/// Builds the subjects.
fn subjects() -> Outcome<Vec<Subject>> {
    memory::runtimes("sched", &["corosensei", "may", "tokio", "smol"])
}

/// Takes a sample: an idle process is watched, all others measure themselves.
fn sample(run: &Run<'_>) -> Outcome<Sample> {
    if run.scenario.name == "idle" {
        idle::sample(run)
    } else {
        program::sample(run)
    }
}
