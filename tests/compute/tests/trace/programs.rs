//! What a trace says of programs that come to their ends, compared with what they did.

use gort_host_tests::ensure;
use gort_host_tests::programs::run;
use libtest_mimic::{Failed, Trial};

use crate::model::{Doing, Model};
use crate::read::Recording;
use crate::words::{self, extra};
use crate::{File, traced};

/// How many Ps the programs have.
const PROCS: [u32; 3] = [1, 2, 8];

/// A command of the program's, and what its trace must have.
type Case = (&'static str, fn(&Recording, &Model) -> Result<(), Failed>);

const CASES: &[Case] = &[
    ("nothing", |_, model| {
        ensure!(made(model) == 1, "{} goroutines", made(model));
        Ok(())
    }),
    ("spawn", |_, model| {
        ensure!(made(model) == 10_001, "{} goroutines", made(model));
        have_ended(model, 10_000)
    }),
    ("ping-pong", |_, model| {
        ensure!(made(model) == 2, "{} goroutines", made(model));
        // Each number, and each answer, wakes somebody, or is taken by one who has not
        // parked yet.
        let ready = count(model, &[words::READY]);
        ensure!(ready >= 1000, "{ready} wake-ups");
        // By the other one, each time that it says by whom.
        for flow in model.flows.iter().filter(|flow| !flow.created) {
            ensure!(flow.by != flow.goid, "{flow:?}");
        }
        let by_other = model.flows.iter().filter(|flow| flow.by != 0);
        let by_other = by_other.count();
        ensure!(by_other >= 900, "{by_other} by one of the two");
        Ok(())
    }),
    ("blocking", |_, model| {
        let enter = count(model, &[words::ENTER]);
        ensure!(enter >= 20, "{enter} system calls");
        let syscalls = model.goroutines.values().flat_map(|one| &one.spans);
        let lasted = syscalls
            .filter(|span| matches!(span.doing, Doing::Syscall(_)))
            .filter(|span| span.end - span.start >= 1.9e6)
            .count();
        ensure!(lasted >= 20, "{lasted} system calls of 2 ms");
        Ok(())
    }),
    ("sleep", |recording, model| {
        let timers = count(model, &[words::TIMER]);
        ensure!(timers >= 40, "{timers} timers");
        let sleeps = model.goroutines.values().flat_map(|one| &one.spans);
        let long = sleeps.filter(|span| {
            let Doing::Waiting(reason) = span.doing else {
                return false;
            };
            recording
                .reasons
                .get(&reason)
                .is_some_and(|name| name == "sleep")
                && span.end - span.start >= 0.9e6
        });
        let long = long.count();
        // Who gets no CPU before it parks parks for less.
        ensure!((20..=40).contains(&long), "{long} have slept");
        Ok(())
    }),
    ("yield", |_, model| {
        ensure!(made(model) == 5, "{} goroutines", made(model));
        Ok(())
    }),
    ("spin", |_, model| {
        let preempted = count(model, &[words::PREEMPT]);
        ensure!(preempted >= 3, "{preempted} preemptions");
        Ok(())
    }),
    ("procs", |_, model| {
        let procs: Vec<u64> = model.stops.iter().map(|(_, _, procs)| *procs).collect();
        // The first asks for as many as there are, on one.
        ensure!(
            procs.ends_with(&[4, 2, 8, 1, 3]),
            "the world was stopped for {procs:?}"
        );
        Ok(())
    }),
    ("locked", |recording, model| {
        // On several Ps main may come to its end before the M does.
        ensure!(
            recording.ps.len() > 1 || model.extra_counts.contains_key(&extra::M_END),
            "its M lives"
        );
        have_ended(model, 2)
    }),
    (LONG, |_, model| {
        ensure!(model.lost == 0, "{} events were lost", model.lost);
        let ready = count(model, &[words::READY]);
        ensure!(ready >= 200_000, "{ready} wake-ups");
        Ok(())
    }),
];

/// The command that runs so long that the system takes the CPU from some thread in between,
/// where there is much else to do. What that thread's P did at that time may seem to be
/// earlier than it was by all of that, and the order of the Ps' events is a guess there: of a
/// million events 1 to 124 fitted nothing, with fifteen threads at work on two CPUs.
const LONG: &str = "much";

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for &(name, check) in CASES {
        for procs in PROCS {
            trials.push(Trial::test(
                format!("trace::{name}_on_{procs}"),
                move || {
                    let file = File::new();
                    run(&mut traced(&file, name, procs)?)?.expect(0, "", "")?;
                    let (recording, model) = file.read()?;
                    ensure!(recording.status == Some(0), "{:?}", recording.status);
                    ensure!(recording.cut == 0, "{} bytes are cut off", recording.cut);
                    if name != LONG || procs == 1 {
                        consistent(&recording, &model)?;
                    } else {
                        nearly_consistent(&model)?;
                    }
                    check(&recording, &model)
                },
            ));
        }
    }
    trials.push(Trial::test("trace::places", places));
    trials
}

/// Counts events.
pub(crate) fn count(model: &Model, kinds: &[u32]) -> u64 {
    kinds.iter().filter_map(|kind| model.counts.get(kind)).sum()
}

/// Counts the goroutines that were made.
fn made(model: &Model) -> u64 {
    count(model, &[words::CREATE])
}

/// Checks that so many have ended. Where both guesses at the order were wrong, what is left
/// out has the others.
fn have_ended(model: &Model, count: u64) -> Result<(), Failed> {
    let (ended, left_out) = (model.ended(), model.left_out);
    ensure!(
        ended <= count && ended + left_out >= count,
        "{ended} have ended, {left_out} events are left out"
    );
    Ok(())
}

/// Checks what holds for every program.
pub(crate) fn consistent(recording: &Recording, model: &Model) -> Result<(), Failed> {
    ensure!(model.lost == 0, "{} events were lost", model.lost);
    ensure!(model.misfits == 0, "{} events fit nothing", model.misfits);
    // A P runs one at a time, forwards.
    for (p, slices) in &model.ps {
        for pair in slices.windows(2) {
            let [one, next] = pair else { continue };
            ensure!(
                one.start <= one.end && one.end <= next.start,
                "P {p}: {one:?}, then {next:?}"
            );
        }
    }
    // So does an M have one P at a time.
    for (m, holds) in &model.ms {
        for pair in holds.windows(2) {
            let [one, next] = pair else { continue };
            ensure!(one.end <= next.start, "M {m}: {one:?}, then {next:?}");
        }
    }
    for (goid, goroutine) in &model.goroutines {
        // Each begins as runnable; who runs was ready, and who is ready waited.
        let mut before = None;
        for span in &goroutine.spans {
            ensure!(span.start <= span.end, "G {goid}: {span:?}");
            let follows = match (before, span.doing) {
                (None, doing) => doing == Doing::Runnable,
                (Some(Doing::Runnable), doing) => matches!(doing, Doing::Running(_)),
                (Some(Doing::Running(_)), doing) => !matches!(doing, Doing::Running(_)),
                (Some(Doing::Waiting(_)), doing) => {
                    // What it waited for was there: it goes on where it was.
                    matches!(doing, Doing::Runnable | Doing::Running(_))
                }
                (Some(Doing::Syscall(_)), doing) => {
                    matches!(doing, Doing::Runnable | Doing::Running(_))
                }
            };
            ensure!(follows, "G {goid}: {before:?}, then {span:?}");
            before = Some(span.doing);
        }
        ensure!(before.is_some(), "G {goid} never was");
    }
    // Every switch to a goroutine that was readied is an arrow's end.
    for flow in &model.flows {
        ensure!(flow.from <= flow.to, "{flow:?}");
    }
    let names = model
        .goroutines
        .values()
        .flat_map(|one| &one.spans)
        .filter_map(|span| match span.doing {
            Doing::Waiting(reason) => Some(reason),
            _ => None,
        });
    for reason in names {
        ensure!(
            recording.reasons.contains_key(&reason),
            "reason {reason} has no name"
        );
    }
    let arrows = model.flows.len() as u64;
    let woken = count(model, &[words::READY, words::CREATE]);
    ensure!(
        arrows
            <= woken
                + model.extra_counts.get(&extra::READY).unwrap_or(&0)
                + model.extra_counts.get(&extra::EXIT).unwrap_or(&0),
        "{arrows} arrows of {woken}"
    );
    Ok(())
}

/// Checks what holds where some of the order is a guess: nearly all of it is right.
fn nearly_consistent(model: &Model) -> Result<(), Failed> {
    ensure!(model.lost == 0, "{} events were lost", model.lost);
    let events: u64 = model.counts.values().sum();
    ensure!(
        model.misfits * 100 <= events,
        "{} events of {events} fit nothing",
        model.misfits
    );
    Ok(())
}

/// A goroutine has the place where it was made, and who made it.
fn places() -> Result<(), Failed> {
    let file = File::new();
    run(&mut traced(&file, "yield", 2)?)?.expect(0, "", "")?;
    let (recording, model) = file.read()?;
    let made: Vec<_> = model
        .goroutines
        .iter()
        .filter(|(goid, _)| **goid != 1)
        .collect();
    ensure!(made.len() == 4, "{} goroutines", made.len());
    for (goid, goroutine) in made {
        let place = recording.places.get(&goroutine.place);
        ensure!(
            place.is_some_and(|place| place.contains("tests/traced/main.rs:")),
            "G {goid} was made at {place:?}"
        );
        ensure!(
            goroutine.parent == 1,
            "G {goid} was made by {}",
            goroutine.parent
        );
    }
    Ok(())
}
