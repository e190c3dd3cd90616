//! The trace benchmark: what it costs a program that GORT_TRACE has its scheduler's events
//! written to a file. Two of the chan benchmark's workloads: those with the most events for
//! what they do. The promise is about each round's two samples, which are taken one after
//! the other: a twentieth is less than what the machine changes by in the meantime.

use std::time::Duration;

use super::target::{Limit, Target};
use super::{
    Benchmark, Measure, Run, Sample, Scenario, Subject, everywhere, peers, program, whole,
};
use crate::Outcome;

/// Whose workloads these are.
const WORKLOADS: &str = "chan";

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "trace",
    about: "GORT_TRACE: a message from one goroutine to another; skynet",
    scenarios: &[
        Scenario {
            name: "ping-pong",
            measures: &[Measure {
                name: "",
                unit: "ns",
            }],
        },
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
    rounds: 15,
    warm_up: 1,
    pause: Duration::from_millis(20),
    procs: &[1, 2],
    beside: &["off"],
    targets: &[
        target("ping-pong", ""),
        target("skynet", "first"),
        target("skynet", "again"),
    ],
    fits: everywhere,
    share: whole,
    subjects,
    sample,
};

/// Makes the promise: a twentieth more at most.
const fn target(scenario: &'static str, measure: &'static str) -> Target {
    Target {
        of: "on",
        scenario: Some(scenario),
        measure,
        procs: None,
        limit: Limit::Pairs("off", 1.05),
    }
}

/// Builds the subjects: with the feature, and no file; with one; and without the feature.
fn subjects() -> Outcome<Vec<Subject>> {
    let without = peers::crate_program("gort", WORKLOADS)?;
    let with = peers::crate_program_with("gort", WORKLOADS, "sched-trace")?;
    let file = peers::directory("trace")?.join("chan.gort");
    let mut on = Subject::new("on", with.clone())?;
    on.environment = vec![("GORT_TRACE", file)];
    Ok(vec![
        Subject::new("off", with)?,
        on,
        Subject::new("without", without)?,
    ])
}

/// Takes a sample.
fn sample(run: &Run<'_>) -> Outcome<Sample> {
    program::sample(&Run {
        benchmark: WORKLOADS,
        ..*run
    })
}
