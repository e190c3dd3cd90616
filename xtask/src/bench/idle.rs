//! A subject that does nothing, watched from outside: how often the kernel switches
//! to one of its threads, and how long they run.
//!
//! ```text
//! $ PROGRAM BENCHMARK/SCENARIO PROCS SCALE
//! parked 10000
//! ```
//!
//! The program prints the line once everything in it waits, and then sleeps for an
//! hour, unless it is killed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use super::{Run, Sample, full_name};
use crate::Outcome;
use crate::run;

/// How long it is watched.
const TIME: Duration = Duration::from_secs(10);

/// How long it has before that, to put its threads to sleep.
const SETTLE: Duration = Duration::from_secs(1);

/// What the kernel counts for a thread.
#[derive(Clone, Copy, Default)]
struct Counts {
    /// Switches away from it, by its own will or not: it ran once before each.
    switches: u64,
    /// Nanoseconds on a processor.
    cpu: u64,
}

/// A process that ends with us.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a program, and watches it for ten seconds.
pub(super) fn sample(run: &Run<'_>) -> Outcome<Sample> {
    let name = full_name(&[run.benchmark, run.scenario.name]);
    let mut command = run::quiet(&run.subject.program);
    command
        .args([&name, &run.procs.to_string(), &run.scale.to_string()])
        // An environment that is the same for everybody who measures.
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdout(Stdio::piped());
    let mut process = Process(command.spawn()?);
    let stdout = process.0.stdout.take().ok_or("it has no output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let Some(parked) = line.strip_prefix("parked ") else {
        return Err(format!("it should say what is parked, not {line:?}").into());
    };

    thread::sleep(SETTLE);
    let before = threads(process.0.id())?;
    thread::sleep(TIME / u32::try_from(run.scale).unwrap_or(u32::MAX));
    let after = threads(process.0.id())?;
    if let Some(status) = process.0.try_wait()? {
        return Err(format!("it has ended: {status}").into());
    }

    // A thread that is new has done all that it did; one that is gone has at least
    // run once more.
    let gone = before.keys().filter(|thread| !after.contains_key(thread));
    let mut sum = Counts {
        switches: gone.count() as u64,
        cpu: 0,
    };
    for (thread, counts) in &after {
        let before = before.get(thread).copied().unwrap_or_default();
        sum.switches += counts.switches - before.switches;
        sum.cpu += counts.cpu - before.cpu;
    }
    Ok(Sample {
        values: vec![sum.switches as f64, sum.cpu as f64 / 1e3],
        check: Some(parked.trim().to_string()),
    })
}

/// Reads what the kernel counts for each thread of a process.
fn threads(process: u32) -> Outcome<BTreeMap<u32, Counts>> {
    let mut threads = BTreeMap::new();
    for entry in fs::read_dir(format!("/proc/{process}/task"))? {
        let path = entry?.path();
        let thread = path.file_name().and_then(|name| name.to_str());
        let thread = thread.ok_or("a thread without a number")?.parse()?;
        // A thread that ends meanwhile is gone from the list.
        let (Ok(status), Ok(times)) = (
            fs::read_to_string(path.join("status")),
            fs::read_to_string(path.join("schedstat")),
        ) else {
            continue;
        };
        let switches = ["voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"]
            .map(|field| number(&status, field));
        let [Some(voluntary), Some(forced)] = switches else {
            return Err("a kernel that does not count switches".into());
        };
        let cpu = times.split_whitespace().next();
        let cpu = cpu.ok_or("a kernel that does not count time")?.parse()?;
        threads.insert(
            thread,
            Counts {
                switches: voluntary + forced,
                cpu,
            },
        );
    }
    Ok(threads)
}

/// Reads the number of a field from lines of the form `FIELD   1234`.
fn number(status: &str, field: &str) -> Option<u64> {
    let mut lines = status.lines();
    let rest = lines.find_map(|line| line.strip_prefix(field))?;
    rest.trim().parse().ok()
}
