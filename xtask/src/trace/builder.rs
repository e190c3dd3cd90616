//! From events, which come in one order, to what each goroutine, P and M did.

use std::collections::{BTreeMap, HashMap};

use super::model::{Doing, Flow, Hold, Model, Moment, Slice, Span};
use super::read::Event;
use super::words::{self, extra};

/// What a P is doing while the events are gone through.
#[derive(Default)]
struct Now {
    time: f64,
    goid: u64,
    since: f64,
    /// The one that has parked last, if the P has done nothing since but that the scheduler
    /// came.
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
    /// The P that will run it, where that is known.
    kept: Option<u32>,
}

const NOBODY: State = State {
    since: 0.0,
    doing: None,
    ready: None,
    kept: None,
};

/// Goes through the events.
pub(crate) struct Builder {
    pub(crate) model: Model,
    now: BTreeMap<u32, Now>,
    states: HashMap<u64, State>,
    /// Which P each M has, and since when; or since when it sleeps.
    ms: BTreeMap<u32, (f64, Option<u32>)>,
    stop: Option<f64>,
    /// What [`Event::kept`] says is taken into account.
    trusts_kept: bool,
}

impl Builder {
    /// Begins.
    pub(crate) fn new(trusts_kept: bool) -> Self {
        Self {
            trusts_kept,
            model: Model::default(),
            now: BTreeMap::new(),
            states: HashMap::new(),
            ms: BTreeMap::new(),
            stop: None,
        }
    }

    /// Returns what a goroutine is doing. None: it does not exist, yet or any more.
    pub(crate) fn doing(&self, goid: u64) -> Option<Doing> {
        self.state(goid).doing
    }

    /// Tells whether it may run on that P, as far as it is known who will run it.
    pub(crate) fn may_run(&self, p: u32, goid: u64) -> bool {
        let state = self.state(goid);
        state.doing == Some(Doing::Runnable) && state.kept.is_none_or(|kept| kept == p)
    }

    /// Tells whether it is the one that has just parked on that P, and the scheduler has come.
    pub(crate) fn has_just_parked(&self, p: u32, goid: u64) -> bool {
        self.now.get(&p).is_some_and(|now| now.parked == goid)
    }

    /// Returns what a goroutine is doing.
    fn state(&self, goid: u64) -> State {
        self.states.get(&goid).copied().unwrap_or(NOBODY)
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
        state.kept = None;
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
    }

    /// A goroutine may run.
    fn ready(&mut self, time: f64, p: Option<u32>, by: u64, goid: u64, created: bool) {
        self.change(goid, time, Some(Doing::Runnable));
        if let Some(state) = self.states.get_mut(&goid) {
            state.ready = Some((time, p, by, created));
        }
    }

    /// An event of a P's.
    pub(crate) fn event(&mut self, p: u32, event: &Event) {
        *self.model.counts.entry(event.kind).or_default() += 1;
        let about = match event.kind {
            words::CREATE
            | words::READY
            | words::EXIT
            | words::RUN
            | words::PARK_RUN
            | words::END_RUN
            | words::YIELD_RUN
            | words::REFUSED => self.state(event.argument).since,
            _ => 0.0,
        };
        let now = self.now.entry(p).or_default();
        let time = event.time.max(now.time).max(about);
        now.time = time;
        let (current, m) = (now.goid, now.m);
        let goid = event.argument;
        now.parked = 0;
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
            words::READY | words::CREATE => {
                let created = event.kind == words::CREATE;
                let on = event.taken_from.unwrap_or(p);
                let there = self.now.get(&on).map_or(0, |now| now.goid);
                let (since, by) = event
                    .next
                    .map_or((time, there), |next| (next.time.max(about), next.by));
                self.ready(since.min(time), Some(on), by, goid, created);
                if created {
                    let goroutine = self.model.goroutines.entry(goid).or_default();
                    goroutine.parent = by;
                    goroutine.place = event.name;
                }
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
        if event.kept
            && self.trusts_kept
            && let Some(state) = self.states.get_mut(&goid)
        {
            state.kept = Some(p);
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
    pub(crate) fn extra(&mut self, time: f64, event: &words::Extra) {
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
    pub(crate) fn finish(mut self, end: f64) -> Model {
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
