//! The Ps' events in one order, in which nobody runs before he was ready.
//!
//! Times of different Ps may be off by a few microseconds against each other, since not
//! every event has its own. So the order is by what can be: of the events that fit the state
//! of their goroutines the first comes first, and what was not possible earlier is as late as
//! what made it possible.
//!
//! Which is the first is a guess, and one of two: by when each was, as far as is known, or by
//! when it was at the latest. The former goes wrong where a goroutine ran for long between
//! two events with one time, and wakes somebody at its end; the latter where one of the Ps
//! was fast all the time. A wrong guess shows: in the end nothing fits. What is tried first
//! is the former. Where one P's events tell which P runs a goroutine next, that is no guess.
//!
//! At the end of a file some of what made events possible is missing: the Ps are looked at
//! one by one, and a program may be killed. What can never come then is left out, with what
//! its P did afterwards, and counted. Which events may lack something is told by the look in
//! which they were found, and not by their times: who read the counter and then got no CPU
//! was, it seems, there long before.

use super::builder::Builder;
use super::model::{Doing, Model};
use super::read::{Aside, Event, Recording};
use super::words::{self, Extra, extra};

/// By how much an event may wait for another P's, which is to make it possible, where some
/// were lost. Else there is one that does: a thread to which the system gave no CPU may seem
/// to have been early by all of that.
const SKEW: f64 = 20e6;

/// Whose event comes next.
#[derive(Clone, Copy)]
enum Next {
    /// The P's whose stream has this index.
    P(usize),
    /// One without a P.
    Extra,
}

/// Makes a model of what a file holds: the first that leaves nothing over, or the one that
/// leaves the least.
pub(crate) fn model(recording: &Recording) -> Model {
    // What is left out may be so since its beginning is missing; what fits nothing may not.
    let wrong = |model: &Model| (model.misfits, model.left_out);
    let time = |event: &Event| event.time;
    let latest = |event: &Event| event.latest;
    let mut best = guess(recording, time, true);
    // What is kept need not be where so many are runnable that they go by the global queue.
    let others = [
        (latest as fn(&Event) -> f64, true),
        (time, false),
        (latest, false),
    ];
    for (key, trusts_kept) in others {
        if wrong(&best) == (0, 0) {
            break;
        }
        let other = guess(recording, key, trusts_kept);
        if wrong(&other) < wrong(&best) {
            best = other;
        }
    }
    best
}

/// Makes one where that event comes first, of those that fit, for which `key` is least.
fn guess(recording: &Recording, key: impl Fn(&Event) -> f64, trusts_kept: bool) -> Model {
    let mut builder = Builder::new(trusts_kept);
    let mut streams: Vec<(u32, &[Event])> = recording
        .ps
        .iter()
        .map(|(&p, events)| (p, &events[..]))
        .collect();
    let mut extras = &recording.extra[..];
    let whole = is_whole(recording);
    loop {
        // The first that is possible, and the earliest.
        let mut possible: Option<((f64, f64), Next)> = None;
        let mut earliest: Option<(f64, Next)> = None;
        // And the earliest of those that may lack what led to them.
        let mut in_tail: Option<(f64, Next)> = None;
        let mut consider = |key: f64, time: f64, look, next, fits: bool| {
            if earliest.is_none_or(|(other, _)| time < other) {
                earliest = Some((time, next));
            }
            if recording.is_tail(look) && in_tail.is_none_or(|(other, _)| time < other) {
                in_tail = Some((time, next));
            }
            if fits && possible.is_none_or(|(other, _)| (key, time) < other) {
                possible = Some(((key, time), next));
            }
        };
        for (index, (p, events)) in streams.iter().enumerate() {
            if let Some(event) = events.first() {
                consider(
                    key(event),
                    event.time,
                    event.look,
                    Next::P(index),
                    fits(&builder, *p, event),
                );
            }
        }
        if let Some(Aside { time, event, look }) = extras.first() {
            let fits = extra_fits(&builder, event);
            consider(*time, *time, *look, Next::Extra, fits);
        }
        let Some((first, stuck)) = earliest else {
            return builder.finish(recording.end);
        };
        let next = match possible {
            Some(((_, time), next)) if whole || time - first <= SKEW => next,
            _ => {
                // What is left out takes away what led to others. So from then on whatever is
                // stuck may be so for that.
                let any = (builder.model.left_out > 0).then_some((first, stuck));
                if let Some((_, stuck)) = in_tail.or(any)
                    && whole
                {
                    builder.model.left_out += leave_out(&mut streams, &mut extras, stuck);
                    continue;
                }
                builder.model.misfits += 1;
                stuck
            }
        };
        match next {
            Next::P(index) => {
                if let Some((p, events)) = streams.get_mut(index)
                    && let Some((event, rest)) = events.split_first()
                {
                    *events = rest;
                    builder.event(*p, event);
                }
            }
            Next::Extra => {
                if let Some((Aside { time, event, .. }, rest)) = extras.split_first() {
                    extras = rest;
                    builder.extra(*time, event);
                }
            }
        }
    }
}

/// Tells whether no event was lost.
fn is_whole(recording: &Recording) -> bool {
    let lost = |events: &Vec<Event>| events.iter().any(|event| event.kind == words::LOST);
    let extra_lost = |aside: &Aside| aside.event.kind == extra::LOST;
    !recording.ps.values().any(lost) && !recording.extra.iter().any(extra_lost)
}

/// Leaves out what is stuck: of a P all that is left, since each of its events follows from
/// the one before; else the one event. Returns how many those were.
fn leave_out(streams: &mut [(u32, &[Event])], extras: &mut &[Aside], stuck: Next) -> u64 {
    match stuck {
        Next::P(index) => streams
            .get_mut(index)
            .map_or(0, |(_, events)| std::mem::take(events).len() as u64),
        Next::Extra => {
            *extras = extras.get(1..).unwrap_or_default();
            1
        }
    }
}

/// Tells whether an event fits what its goroutine is doing.
fn fits(builder: &Builder, p: u32, event: &Event) -> bool {
    let doing = || builder.doing(event.argument);
    match event.kind {
        words::CREATE => doing().is_none(),
        words::READY | words::REFUSED => matches!(doing(), Some(Doing::Waiting(_))),
        words::EXIT => matches!(doing(), Some(Doing::Syscall(_))),
        words::RUN => {
            // What it parked for was there: the scheduler lets it go on.
            let goes_on = || {
                matches!(doing(), Some(Doing::Waiting(_)))
                    && builder.has_just_parked(p, event.argument)
            };
            builder.may_run(p, event.argument) || goes_on()
        }
        words::PARK_RUN | words::END_RUN | words::YIELD_RUN => builder.may_run(p, event.argument),
        _ => true,
    }
}

/// The same of an event without a P.
fn extra_fits(builder: &Builder, event: &Extra) -> bool {
    let doing = || builder.doing(event.b);
    match event.kind {
        extra::READY => matches!(doing(), Some(Doing::Waiting(_))),
        extra::EXIT => matches!(doing(), Some(Doing::Syscall(_))),
        _ => true,
    }
}
