//! What a trace comes to, in numbers: for the terminal, and for the page.

use std::collections::BTreeMap;

use super::model::{Doing, Goroutine, Model};
use super::read::Recording;
use super::words::{self, extra};

/// How many goroutines are named.
const TOP: usize = 20;

/// What it comes to. Times in nanoseconds.
pub(crate) struct Summary {
    pub(crate) counts: Vec<(&'static str, u64)>,
    /// How many waits for a P took from 2^n nanoseconds on, and less than twice that.
    pub(crate) waits: Vec<u64>,
    /// By reason: how often, and how long in all.
    pub(crate) reasons: Vec<(String, u64, f64)>,
    /// The goroutines that ran most: number, how long each state in all.
    pub(crate) top: Vec<(u64, Times)>,
    /// All of them together.
    pub(crate) all: Times,
    /// How many there were, and how many have ended.
    pub(crate) goroutines: u64,
    pub(crate) ended: u64,
}

/// How long a goroutine has done what.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    pub(crate) running: f64,
    pub(crate) runnable: f64,
    pub(crate) waiting: f64,
    pub(crate) syscall: f64,
}

impl Times {
    fn of(goroutine: &Goroutine) -> Self {
        let mut times = Self::default();
        for span in &goroutine.spans {
            let sum = match span.doing {
                Doing::Running(_) => &mut times.running,
                Doing::Runnable => &mut times.runnable,
                Doing::Waiting(_) => &mut times.waiting,
                Doing::Syscall(_) => &mut times.syscall,
            };
            *sum += span.end - span.start;
        }
        times
    }
}

/// What the kinds of events are called.
const KINDS: [(&str, &[u32], &[u32]); 14] = [
    ("goroutines made", &[words::CREATE], &[]),
    ("goroutines ended", &[words::END, words::END_RUN], &[]),
    (
        "switches to a goroutine",
        &[
            words::RUN,
            words::PARK_RUN,
            words::END_RUN,
            words::YIELD_RUN,
        ],
        &[],
    ),
    ("parks", &[words::PARK, words::PARK_RUN], &[]),
    ("wake-ups", &[words::READY], &[extra::READY]),
    ("yields", &[words::YIELD, words::YIELD_RUN], &[]),
    ("preemptions", &[words::PREEMPT], &[]),
    ("steals", &[words::STEAL], &[]),
    ("system calls", &[words::ENTER], &[]),
    ("Ps retaken", &[], &[extra::RETAKE]),
    ("timers", &[words::TIMER], &[]),
    ("Ps started", &[words::P_START], &[]),
    ("threads put to sleep", &[], &[extra::M_PARK]),
    ("stops of the world", &[], &[extra::STOP]),
];

impl Summary {
    /// Adds it all up.
    pub(crate) fn new(recording: &Recording, model: &Model) -> Self {
        let sum = |counts: &BTreeMap<u32, u64>, kinds: &[u32]| -> u64 {
            kinds.iter().filter_map(|kind| counts.get(kind)).sum()
        };
        let counts = KINDS.iter().map(|(name, kinds, extras)| {
            let count = sum(&model.counts, kinds) + sum(&model.extra_counts, extras);
            (*name, count)
        });
        let mut waits = vec![0u64; 40];
        let mut reasons: BTreeMap<u32, (u64, f64)> = BTreeMap::new();
        let mut all = Times::default();
        let mut top = Vec::new();
        for (&goid, goroutine) in &model.goroutines {
            let times = Times::of(goroutine);
            all.running += times.running;
            all.runnable += times.runnable;
            all.waiting += times.waiting;
            all.syscall += times.syscall;
            top.push((goid, times));
            for span in &goroutine.spans {
                let length = span.end - span.start;
                match span.doing {
                    Doing::Runnable => {
                        let log = (length as u64).max(1).ilog2() as usize;
                        waits[log.min(39)] += 1;
                    }
                    Doing::Waiting(reason) => {
                        let (count, sum) = reasons.entry(reason).or_default();
                        *count += 1;
                        *sum += length;
                    }
                    _ => {}
                }
            }
        }
        top.sort_by(|(_, a), (_, b)| b.running.total_cmp(&a.running));
        top.truncate(TOP);
        let mut reasons: Vec<_> = reasons
            .into_iter()
            .map(|(reason, (count, sum))| (name(recording, reason), count, sum))
            .collect();
        reasons.sort_by(|(_, _, a), (_, _, b)| b.total_cmp(a));
        Self {
            counts: counts.collect(),
            waits,
            reasons,
            top,
            all,
            goroutines: model.goroutines.len() as u64,
            ended: model.ended(),
        }
    }
}

/// Returns what a reason is called.
pub(crate) fn name(recording: &Recording, reason: u32) -> String {
    match recording.reasons.get(&reason) {
        Some(name) => name.clone(),
        None => "unknown".into(),
    }
}

/// Shows nanoseconds.
pub(crate) fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        time if time >= 1e9 => format!("{:.3} s", time / 1e9),
        time if time >= 1e6 => format!("{:.2} ms", time / 1e6),
        time if time >= 1e3 => format!("{:.2} µs", time / 1e3),
        time => format!("{time:.0} ns"),
    }
}

/// Prints the most important of it.
pub(crate) fn print(recording: &Recording, model: &Model) {
    let summary = Summary::new(recording, model);
    println!("{} on {} Ps", time(model.end), recording.ps.len());
    for (name, count) in summary.counts.iter().filter(|(_, count)| *count > 0) {
        println!("{count:>12} {name}");
    }
    if model.lost > 0 {
        println!(
            "{:>12} events lost, for which there was no room",
            model.lost
        );
    }
    if model.misfits > 0 {
        println!("{:>12} events that fit no state", model.misfits);
    }
    if model.left_out > 0 {
        println!(
            "{:>12} events at the end left out: what led to them is not in the file",
            model.left_out
        );
    }
    match recording.status {
        Some(status) => println!("exit status {status}"),
        None => println!("the program was killed: what it did last is missing"),
    }
}
