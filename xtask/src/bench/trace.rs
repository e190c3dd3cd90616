//! The trace benchmark: what it costs a program that GORT_TRACE has its scheduler's events
//! written to a file. Two of the chan benchmark's workloads: those with the most events for
//! what they do. The promise is about each round's two samples, which are taken one after
//! the other: a twentieth is less than what the machine changes by in the meantime.
//!
//! The file is in memory, where the system has files there: the threads with which the kernel
//! brings one to a disk take CPUs from the program on a small machine, as much as the trace.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, process};

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
    let mut on = Subject::new("on", with.clone())?;
    on.environment = vec![("GORT_TRACE", file()?)];
    Ok(vec![
        Subject::new("off", with)?,
        on,
        Subject::new("without", without)?,
    ])
}

/// Takes a sample.
fn sample(run: &Run<'_>) -> Outcome<Sample> {
    let sample = program::sample(&Run {
        benchmark: WORKLOADS,
        ..*run
    });
    _ = fs::remove_file(file()?); // it is not there if this one had no trace
    sample
}

/// Returns the file's name.
fn file() -> Outcome<PathBuf> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        return Ok(memory.join(format!("gort-trace-{}", process::id())));
    }
    Ok(peers::directory("trace")?.join("chan.gort"))
}
