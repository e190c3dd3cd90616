//! What the program did: the Ps' events in one order, in which nobody runs before he was
//! ready, and what follows from them for each goroutine, P and M.
//!
//! Times of different Ps may be off by a few microseconds against each other, since not
//! every event has its own. So the order is by what can be: the earliest event comes first
//! that fits the state of its goroutine, and what was not possible earlier is as late as
//! what made it possible.

use std::collections::{BTreeMap, HashMap};

use super::read::{Event, Recording};
use super::words::{self, extra};

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
    /// When it ends.
    pub(crate) end: f64,
}

/// What a P is doing while the events are gone through.
#[derive(Default)]
struct Now {
    time: f64,
    goid: u64,
    since: f64,
    /// The one that has just parked, if the scheduler has come.
    parked: u64,
    m: u32,
    /// Whose system call it was left in.
    syscall: u64,
}

/// What a goroutine is doing meanwhile.
#[derive(Clone, Copy)]
struct State {
    since: f64,
    /// None: it does not exist, yet or any more.
    doing: Option<Doing>,
    /// Who readied it: when, where, who, and whether it was made then.
    ready: Option<(f64, Option<u32>, u64, bool)>,
}

const NOBODY: State = State {
    since: 0.0,
    doing: None,
    ready: None,
};

/// Goes through the events.
struct Builder {
    model: Model,
    now: BTreeMap<u32, Now>,
    states: HashMap<u64, State>,
    /// Which P each M has, and since when; or since when it sleeps.
    ms: BTreeMap<u32, (f64, Option<u32>)>,
    stop: Option<f64>,
}

/// By how much an event may wait for another P's, which is to make it possible, where some
/// were lost. Else there is one that does: a thread to which the system gave no CPU may seem
/// to have been early by all of that.
const SKEW: f64 = 20e6;

impl Model {
    /// Makes one of what a file holds.
    pub(crate) fn new(recording: &Recording) -> Self {
        let mut builder = Builder {
            model: Self::default(),
            now: BTreeMap::new(),
            states: HashMap::new(),
            ms: BTreeMap::new(),
            stop: None,
        };
        let mut streams: Vec<(u32, &[Event])> = recording
            .ps
            .iter()
            .map(|(&p, events)| (p, &events[..]))
            .collect();
        let mut extra = &recording.extra[..];
        let whole = streams
            .iter()
            .all(|(_, events)| events.iter().all(|event| event.kind != words::LOST));
        loop {
            // The earliest that is possible, and the earliest.
            let mut possible: Option<(f64, Option<usize>)> = None;
            let mut earliest: Option<(f64, Option<usize>)> = None;
            let mut consider = |time: f64, which, fits: bool| {
                if earliest.is_none_or(|(other, _)| time < other) {
                    earliest = Some((time, which));
                }
                if fits && possible.is_none_or(|(other, _)| time < other) {
                    possible = Some((time, which));
                }
            };
            for (index, (p, events)) in streams.iter().enumerate() {
                if let Some(event) = events.first() {
                    consider(event.time, Some(index), builder.fits(*p, event));
                }
            }
            if let Some((time, event)) = extra.first() {
                consider(*time, None, builder.extra_fits(event));
            }
            let Some((first, stuck)) = earliest else {
                break;
            };
            let (fits, which) = match possible {
                Some((time, which)) if whole || time - first <= SKEW => (true, which),
                _ => (false, stuck),
            };
            if !fits
                && whole
                && first >= recording.tail - SKEW
                && let Some((_, events)) = stuck.and_then(|index| streams.get_mut(index))
            {
                *events = &[]; // its end: what made it possible came too late for the file
                continue;
            }
            builder.model.misfits += u64::from(!fits);
            match which.and_then(|index| streams.get_mut(index)) {
                Some((p, events)) => {
                    if let Some((event, rest)) = events.split_first() {
                        *events = rest;
                        builder.event(*p, event);
                    }
                }
                None => {
                    if let Some(((time, event), rest)) = extra.split_first() {
                        extra = rest;
                        builder.extra(*time, event);
                    }
                }
            }
        }
        builder.finish(recording.end)
    }
}

impl Builder {
    /// Returns what a goroutine is doing.
    fn state(&self, goid: u64) -> State {
        self.states.get(&goid).copied().unwrap_or(NOBODY)
    }

    /// Tells whether an event fits what its goroutine is doing.
    fn fits(&self, p: u32, event: &Event) -> bool {
        let doing = || self.state(event.argument).doing;
        match event.kind {
            words::CREATE => doing().is_none(),
            words::READY => matches!(doing(), Some(Doing::Waiting(_))),
            words::EXIT => matches!(doing(), Some(Doing::Syscall(_))),
            words::RUN => match doing() {
                Some(Doing::Runnable) => true,
                // What it parked for was there: the scheduler lets it go on.
                Some(Doing::Waiting(_)) => self
                    .now
                    .get(&p)
                    .is_some_and(|now| now.parked == event.argument),
                _ => false,
            },
            words::PARK_RUN | words::END_RUN | words::YIELD_RUN => doing() == Some(Doing::Runnable),
            _ => true,
        }
    }

    /// The same of an event without a P.
    fn extra_fits(&self, event: &words::Extra) -> bool {
        let doing = || self.state(event.b).doing;
        match event.kind {
            extra::READY => matches!(doing(), Some(Doing::Waiting(_))),
            extra::EXIT => matches!(doing(), Some(Doing::Syscall(_))),
            _ => true,
        }
    }

    /// A goroutine does something else from now on.
    fn change(&mut self, goid: u64, time: f64, doing: Option<Doing>) {
        let state = self.states.entry(goid).or_insert(NOBODY);
        let goroutine = self.model.goroutines.entry(goid).or_default();
        if let Some(before) = state.doing {
            goroutine.spans.push(Span {
                start: state.since,
                end: time.max(state.since),
                doing: before,
            });
        }
        goroutine.ended |= doing.is_none();
        state.since = time.max(state.since);
        state.doing = doing;
    }

    /// The P's goroutine runs no longer.
    fn leave(&mut self, p: u32, time: f64, by: u32, doing: Option<Doing>) {
        let now = self.now.entry(p).or_default();
        let (goid, since) = (now.goid, now.since);
        now.goid = 0;
        now.syscall = 0;
        if goid == 0 {
            return; // what it was is lost
        }
        self.model.ps.entry(p).or_default().push(Slice {
            start: since,
            end: time,
            goid,
            syscall: false,
            by,
        });
        self.change(goid, time, doing);
    }

    /// The P runs a goroutine.
    fn enter(&mut self, p: u32, time: f64, goid: u64) {
        let ready = self
            .states
            .get_mut(&goid)
            .and_then(|state| state.ready.take());
        if let Some((from, from_p, by, created)) = ready {
            self.model.flows.push(Flow {
                from,
                from_p,
                by,
                to: time,
                to_p: p,
                goid,
                created,
            });
        }
        self.change(goid, time, Some(Doing::Running(p)));
        let now = self.now.entry(p).or_default();
        now.goid = goid;
        now.since = time;
        now.parked = 0;
    }

    /// A goroutine may run.
    fn ready(&mut self, time: f64, p: Option<u32>, by: u64, goid: u64, created: bool) {
        self.change(goid, time, Some(Doing::Runnable));
        if let Some(state) = self.states.get_mut(&goid) {
            state.ready = Some((time, p, by, created));
        }
    }

    /// An event of a P's.
    fn event(&mut self, p: u32, event: &Event) {
        *self.model.counts.entry(event.kind).or_default() += 1;
        let about = match event.kind {
            words::CREATE
            | words::READY
            | words::EXIT
            | words::RUN
            | words::PARK_RUN
            | words::END_RUN
            | words::YIELD_RUN => self.state(event.argument).since,
            _ => 0.0,
        };
        let now = self.now.entry(p).or_default();
        let time = event.time.max(now.time).max(about);
        now.time = time;
        let (current, m) = (now.goid, now.m);
        let goid = event.argument;
        match event.kind {
            words::RUN => {
                if current != 0 {
                    self.leave(p, time, event.kind, Some(Doing::Runnable)); // lost
                }
                self.enter(p, time, goid);
            }
            words::PARK | words::PARK_RUN => {
                self.leave(p, time, event.kind, Some(Doing::Waiting(event.name)));
                if event.kind == words::PARK_RUN {
                    self.enter(p, time, goid);
                }
                self.now.entry(p).or_default().parked = current;
            }
            words::END | words::END_RUN => {
                self.leave(p, time, event.kind, None);
                if event.kind == words::END_RUN {
                    self.enter(p, time, goid);
                }
            }
            words::YIELD | words::PREEMPT | words::YIELD_RUN => {
                self.leave(p, time, event.kind, Some(Doing::Runnable));
                if event.kind == words::YIELD_RUN {
                    self.enter(p, time, goid);
                }
            }
            words::REFUSED => {
                self.leave(p, time, event.kind, Some(Doing::Runnable));
                self.enter(p, time, goid);
            }
            words::READY => self.ready(time, Some(p), current, goid, false),
            words::CREATE => {
                self.ready(time, Some(p), current, goid, true);
                let goroutine = self.model.goroutines.entry(goid).or_default();
                goroutine.parent = current;
                goroutine.place = event.name;
            }
            words::ENTER => {
                self.leave(p, time, event.kind, Some(Doing::Syscall(m)));
                let now = self.now.entry(p).or_default();
                now.since = time;
                now.syscall = current;
            }
            words::EXIT => {
                self.end_syscall(p, time);
                self.enter(p, time, goid);
            }
            words::P_START => {
                self.end_syscall(p, time);
                let m = event.argument as u32;
                self.now.entry(p).or_default().m = m;
                self.hold(m, time, Some(p));
            }
            words::P_STOP => self.hold(m, time, None),
            words::LOST => self.model.lost += event.argument,
            _ => {}
        }
        if matches!(
            event.kind,
            words::STEAL | words::TIMER | words::PREEMPT | words::P_START | words::P_STOP
        ) {
            self.model.moments.push(Moment {
                time,
                p: Some(p),
                kind: event.kind,
                argument: if event.kind == words::PREEMPT {
                    current
                } else {
                    event.argument
                },
            });
        }
    }

    /// The P is no longer in a system call.
    fn end_syscall(&mut self, p: u32, time: f64) {
        let now = self.now.entry(p).or_default();
        let goid = std::mem::take(&mut now.syscall);
        if goid != 0 {
            self.model.ps.entry(p).or_default().push(Slice {
                start: now.since,
                end: time,
                goid,
                syscall: true,
                by: words::EXIT,
            });
        }
    }

    /// The M has a P from now on, or none.
    fn hold(&mut self, m: u32, time: f64, p: Option<u32>) {
        let before = match p {
            Some(_) => self.ms.insert(m, (time, p)),
            None => self.ms.remove(&m),
        };
        if let Some((start, Some(p))) = before {
            self.model.ms.entry(m).or_default().push(Hold {
                start,
                end: time.max(start),
                p: Some(p),
            });
        }
    }

    /// An event without a P.
    fn extra(&mut self, time: f64, event: &words::Extra) {
        *self.model.extra_counts.entry(event.kind).or_default() += 1;
        match event.kind {
            extra::M_START => {
                self.model.threads.insert(event.a, event.b);
                self.model.ms.entry(event.a).or_default();
            }
            extra::M_PARK => {
                self.ms.insert(event.a, (time, None));
            }
            extra::M_UNPARK => {
                if let Some((start, None)) = self.ms.remove(&event.a) {
                    self.model.ms.entry(event.a).or_default().push(Hold {
                        start,
                        end: time,
                        p: None,
                    });
                }
            }
            extra::RETAKE => {
                self.end_syscall(event.a, time);
                // Its M has no P from here on.
                let m = self.now.get(&event.a).map(|now| now.m);
                if let Some(m) = m
                    && self.ms.get(&m).is_some_and(|&(_, p)| p == Some(event.a))
                {
                    self.hold(m, time, None);
                }
            }
            extra::READY => {
                let time = time.max(self.state(event.b).since);
                self.ready(time, None, 0, event.b, false);
            }
            extra::EXIT => {
                let time = time.max(self.state(event.b).since);
                self.ready(time, None, event.b, event.b, false);
            }
            extra::STOP => self.stop = Some(time),
            extra::START => {
                if let Some(start) = self.stop.take() {
                    self.model.stops.push((start, time, event.b));
                }
            }
            extra::LOST => self.model.lost += event.b,
            _ => {}
        }
    }

    /// Ends all that is not over.
    fn finish(mut self, end: f64) -> Model {
        let ps: Vec<_> = self.now.keys().copied().collect();
        for p in ps {
            let now = &self.now[&p];
            let (goid, since) = (now.goid, now.since);
            self.end_syscall(p, end.max(since));
            if goid != 0 {
                self.model.ps.entry(p).or_default().push(Slice {
                    start: since,
                    end: end.max(since),
                    goid,
                    syscall: false,
                    by: 0,
                });
            }
        }
        for (goid, state) in &self.states {
            if let Some(doing) = state.doing {
                let goroutine = self.model.goroutines.entry(*goid).or_default();
                goroutine.ended = false;
                goroutine.spans.push(Span {
                    start: state.since,
                    end: end.max(state.since),
                    doing,
                });
            }
        }
        for (&m, &(start, p)) in &self.ms {
            self.model.ms.entry(m).or_default().push(Hold {
                start,
                end: end.max(start),
                p,
            });
        }
        self.model.end = end;
        self.model
    }
}
