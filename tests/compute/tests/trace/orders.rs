//! In which order the events of several Ps are put, by recordings that are made up.

use std::collections::BTreeMap;

use gort_host_tests::ensure;
use libtest_mimic::{Failed, Trial};

use crate::Model;
use crate::model::Doing;
use crate::programs::{consistent, count};
use crate::read::{Event, Next, Recording};
use crate::words;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("trace_orders::left_out", left_out),
        Trial::test("trace_orders::left_out_by_looks", left_out_by_looks),
        Trial::test("trace_orders::kept", kept),
        Trial::test("trace_orders::stolen_again", stolen_again),
        Trial::test("trace_orders::woken_late", woken_late),
        Trial::test("trace_orders::refused", refused),
        Trial::test("trace_orders::taken", taken),
        Trial::test("trace_orders::next_before", next_before),
    ]
}

/// An event that has a time of its own.
fn event(time: f64, kind: u32, argument: u64) -> Event {
    event_until(time, time, kind, argument)
}

/// One that may have been later.
fn event_until(time: f64, latest: f64, kind: u32, argument: u64) -> Event {
    Event {
        time,
        latest,
        kind,
        name: 0,
        argument,
        look: 0,
        kept: false,
        next: None,
        taken_from: None,
    }
}

/// Makes the recording of two Ps, of which nothing is missing.
fn recording(first: Vec<Event>, second: Vec<Event>) -> Recording {
    Recording {
        ps: BTreeMap::from([(0, first), (1, second)]),
        reasons: [(0, "a reason".into())].into(),
        end: 100.0,
        ..Recording::default()
    }
}

/// How a P begins that makes two goroutines, runs `first`, and when that parks the other.
fn two_are_made(first: u64, then: u64) -> Vec<Event> {
    vec![
        event(1.0, words::P_START, 0),
        event(2.0, words::CREATE, 1),
        event(3.0, words::CREATE, 2),
        event(4.0, words::RUN, first),
        event(5.0, words::PARK_RUN, then),
    ]
}

/// All fits.
fn all_fits(recording: &Recording) -> Result<Model, Failed> {
    let model = Model::new(recording);
    ensure!(model.left_out == 0, "{} left out", model.left_out);
    consistent(recording, &model)?;
    Ok(model)
}

/// What runs somebody of whom nothing says that he was made is left out, with what comes
/// after it.
fn left_out() -> Result<(), Failed> {
    let first = vec![event(1.0, words::P_START, 0)];
    let second = vec![
        event(2.0, words::P_START, 1),
        event(3.0, words::RUN, 7),
        event(4.0, words::END, 0),
    ];
    let model = Model::new(&recording(first, second));
    ensure!(
        (model.left_out, model.misfits) == (2, 0),
        "{} left out, {} fit nothing",
        model.left_out,
        model.misfits
    );
    let counts = BTreeMap::from([(words::P_START, 2)]);
    ensure!(model.counts == counts, "{:?}", model.counts);
    Ok(())
}

/// What may lack what led to it was found in the last whole look or after that, whatever its
/// time.
fn left_out_by_looks() -> Result<(), Failed> {
    for look in 0..6 {
        let first = vec![event(1.0, words::P_START, 0), event(90e6, words::P_STOP, 0)];
        let run = Event {
            look,
            ..event(3.0, words::RUN, 7)
        };
        let second = vec![event(2.0, words::P_START, 1), run];
        let recording = Recording {
            looks: 5,
            ..recording(first, second)
        };
        let model = Model::new(&recording);
        let counts = (model.left_out, model.misfits);
        let wanted = if look >= 4 { (1, 0) } else { (0, 1) };
        ensure!(counts == wanted, "look {look}: {counts:?} for {wanted:?}");
    }
    Ok(())
}

/// Two wake each other on one P, many times between two events with a time, and then one is
/// stolen: not one of those times at which the P went on with him itself.
fn kept() -> Result<(), Failed> {
    let mut first = two_are_made(1, 2);
    // They seem to have gone on until 90.
    for at in 0..8 {
        for (other, place) in [(1, 0.0), (2, 5.0)] {
            let time = 10.0 * f64::from(at + 1) + place;
            let ready = event_until(time, 95.0, words::READY, other);
            first.extend([
                Event {
                    kept: true,
                    ..ready
                },
                event_until(time + 2.0, 95.0, words::PARK_RUN, other),
            ]);
        }
    }
    first.extend([
        event(96.0, words::READY, 1), // who is stolen
        event(97.0, words::END, 0),
    ]);
    let second = vec![
        event(8.0, words::P_START, 1),
        event(20.0, words::STEAL, 0),
        event(21.0, words::RUN, 1),
        event(22.0, words::END, 0),
    ];
    let model = all_fits(&recording(first, second))?;
    ensure!(model.ended() == 2, "{} have ended", model.ended());
    Ok(())
}

/// Who parked, and whose P was given up, does not go on before he was readied, though the
/// other P seems to have been late with that.
fn stolen_again() -> Result<(), Failed> {
    let first = vec![
        event(1.0, words::P_START, 0),
        event(2.0, words::CREATE, 1),
        event(3.0, words::RUN, 1),
        event(4.0, words::CREATE, 2),
        event_until(20.0, 30.0, words::READY, 2),
    ];
    let second = vec![
        event(5.0, words::P_START, 1),
        event(6.0, words::STEAL, 0),
        event(7.0, words::RUN, 2),
        event(8.0, words::PARK, 0),
        event(9.0, words::P_STOP, 0),
        event(10.0, words::P_START, 1),
        event(11.0, words::STEAL, 0),
        event(12.0, words::RUN, 2),
        event(13.0, words::END, 0),
    ];
    let model = all_fits(&recording(first, second))?;
    let doings: Vec<_> = model.goroutines[&2]
        .spans
        .iter()
        .map(|span| span.doing)
        .collect();
    let expected = [
        Doing::Runnable,
        Doing::Running(1),
        Doing::Waiting(0),
        Doing::Runnable,
        Doing::Running(1),
    ];
    ensure!(doings == expected, "{doings:?}");
    Ok(())
}

/// A goroutine ran for long, and at its end woke one that somebody else had woken before:
/// its wake-up seems to be as early as its beginning.
fn woken_late() -> Result<(), Failed> {
    let first = vec![
        event(0.0, words::P_START, 0),
        event(1.0, words::CREATE, 1),
        event(2.0, words::CREATE, 2),
        event(3.0, words::CREATE, 4),
        event(5.0, words::RUN, 4),
        event_until(6.0, 50.0, words::READY, 1),
        event(50.0, words::END, 0),
    ];
    let second = vec![
        event(7.0, words::P_START, 1),
        event(8.0, words::RUN, 1),
        event(15.0, words::PARK_RUN, 2),
        event_until(30.0, 31.0, words::READY, 1),
        event(31.0, words::END_RUN, 1),
        event(32.0, words::PARK, 0),
        event(51.0, words::RUN, 1),
        event(52.0, words::END, 0),
    ];
    let model = all_fits(&recording(first, second))?;
    ensure!(model.ended() == 3, "{} have ended", model.ended());
    Ok(())
}

/// Who was readied for one wait, and whose next one is refused, was not readied for that:
/// where nothing tells when it was, an event is left out, but no arrow goes back in time.
fn refused() -> Result<(), Failed> {
    let first = vec![
        event(0.0, words::P_START, 0),
        event(1.0, words::CREATE, 1),
        event(2.0, words::CREATE, 2),
        event(3.0, words::RUN, 1),
        event(4.0, words::PARK, 0),
        event(10.0, words::RUN, 1),
        event(11.0, words::CREATE, 3),
        event(12.0, words::PARK_RUN, 3),
        event_until(13.0, 40.0, words::REFUSED, 1),
        event_until(14.0, 40.0, words::END_RUN, 3),
        event(40.0, words::END, 0),
    ];
    let second = vec![
        event(2.5, words::P_START, 1),
        event(3.5, words::RUN, 2),
        event_until(30.0, 35.0, words::READY, 1),
        event(60.0, words::END, 0),
    ];
    let recording = recording(first, second);
    let model = Model::new(&recording);
    consistent(&recording, &model)?;
    ensure!(model.left_out <= 2, "{} left out", model.left_out);
    ensure!(count(&model, &[words::REFUSED]) == 1, "{:?}", model.counts);
    Ok(())
}

/// Who was another P's next was readied there, by who ran there.
fn taken() -> Result<(), Failed> {
    let mut first = two_are_made(2, 1);
    first.push(event(30.0, words::END, 0));
    let second = vec![
        event(6.0, words::P_START, 1),
        event(20.0, words::STEAL, 0),
        Event {
            taken_from: Some(0),
            ..event(21.0, words::READY, 2)
        },
        event(22.0, words::RUN, 2),
        event(23.0, words::END, 0),
    ];
    let model = all_fits(&recording(first, second))?;
    let flow = model.flows.last().map(|flow| {
        let found = (flow.by, flow.from_p, flow.goid, flow.to_p);
        (found, flow.from, flow.to)
    });
    ensure!(
        flow == Some(((1, Some(0), 2, 1), 21.0, 22.0)),
        "{flow:?} for 1 on P 0 to 2 on P 1"
    );
    Ok(())
}

/// A wake-up of which more was said when it happened has that time, and its goroutine; but
/// not from before the goroutine waited.
fn next_before() -> Result<(), Failed> {
    for (said, from) in [(10.0, 10.0), (4.0, 5.0), (40.0, 20.0)] {
        let mut first = two_are_made(2, 1);
        first.extend([
            Event {
                next: Some(Next { time: said, by: 0 }),
                ..event(20.0, words::READY, 2)
            },
            event(20.0, words::END_RUN, 2),
            event(30.0, words::END, 0),
        ]);
        let model = all_fits(&recording(first, vec![event(1.5, words::P_START, 1)]))?;
        let flow = model.flows.last().map(|flow| (flow.from, flow.by, flow.to));
        ensure!(flow == Some((from, 0, 20.0)), "{said}: {flow:?}");
    }
    Ok(())
}
