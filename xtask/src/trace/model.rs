//! What the program did: each goroutine, P and M, one while after the other. `order` puts
//! the events into one order, and `builder` goes through them.

use std::collections::BTreeMap;

use super::order;
use super::read::Recording;

/// What a goroutine does for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Doing {
    /// It may run, and waits for a P.
    Runnable,
    /// It runs on this P.
    Running(u32),
    /// It waits, for this reason.
    Waiting(u32),
    /// It is in a system call, of this M.
    Syscall(u32),
}

/// A while of a goroutine's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) start: f64,
    pub(crate) end: f64,
    pub(crate) doing: Doing,
}

/// A goroutine.
#[derive(Debug, Default)]
pub(crate) struct Goroutine {
    /// Who made it, 0 for nobody; and where, a number.
    pub(crate) parent: u64,
    pub(crate) place: u32,
    pub(crate) spans: Vec<Span>,
    /// It has ended.
    pub(crate) ended: bool,
}

/// A while of a P's, on which a goroutine runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    pub(crate) start: f64,
    pub(crate) end: f64,
    pub(crate) goid: u64,
    /// It has left the P in a system call.
    pub(crate) syscall: bool,
    /// The event that ended it.
    pub(crate) by: u32,
}

/// A while of an M's: with a P, or asleep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hold {
    pub(crate) start: f64,
    pub(crate) end: f64,
    pub(crate) p: Option<u32>,
}

/// Somebody readied a goroutine, and it ran.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    pub(crate) from: f64,
    pub(crate) from_p: Option<u32>,
    pub(crate) by: u64,
    pub(crate) to: f64,
    pub(crate) to_p: u32,
    pub(crate) goid: u64,
    /// It was made then.
    pub(crate) created: bool,
}

/// Something that has no length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) time: f64,
    pub(crate) p: Option<u32>,
    pub(crate) kind: u32,
    pub(crate) argument: u64,
}

/// All of it.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) goroutines: BTreeMap<u64, Goroutine>,
    pub(crate) ps: BTreeMap<u32, Vec<Slice>>,
    pub(crate) ms: BTreeMap<u32, Vec<Hold>>,
    pub(crate) threads: BTreeMap<u32, u64>,
    pub(crate) flows: Vec<Flow>,
    /// Steals, timers, preemptions, P's starts and stops.
    pub(crate) moments: Vec<Moment>,
    /// The world stood still: from, to, and how many Ps there were afterwards.
    pub(crate) stops: Vec<(f64, f64, u64)>,
    /// How many events of each kind there were.
    pub(crate) counts: BTreeMap<u32, u64>,
    /// The same of those without a P.
    pub(crate) extra_counts: BTreeMap<u32, u64>,
    /// How many were lost.
    pub(crate) lost: u64,
    /// How many did not fit the state of their goroutine.
    pub(crate) misfits: u64,
    /// How many at the end are left out: what made them possible came too late for the file.
    pub(crate) left_out: u64,
    /// When it ends.
    pub(crate) end: f64,
}

impl Model {
    /// Makes one of what a file holds.
    pub(crate) fn new(recording: &Recording) -> Self {
        order::model(recording)
    }

    /// Counts the goroutines that have ended.
    pub(crate) fn ended(&self) -> u64 {
        self.goroutines.values().filter(|one| one.ended).count() as u64
    }
}
