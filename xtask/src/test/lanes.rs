//! Two lanes of jobs: while one CPU waits for a test that sleeps, or for the last crate of
//! a build, the other lane has work for it.
//!
//! The front lane prints as it goes. What a job of the other prints is kept, and printed as
//! a whole when the front lane is between two jobs: no lines are mixed.
//!
//! The lane that has come to its end goes on with what the other has not begun.

use std::collections::BTreeSet;
use std::slice::Iter;
use std::sync::{Condvar, Mutex, PoisonError, mpsc};
use std::thread;

use super::report::Report;
use crate::Outcome;
use crate::tally::Output;

/// Something to do, with a line in the table.
pub(super) trait Job: Sync {
    /// What others wait for, in a word each.
    type Built: Copy + Ord + Send;

    /// Lists what must have been built before.
    fn needs(&self) -> &[Self::Built];

    /// Returns what is built now, if others wait for that.
    fn builds(&self) -> Option<Self::Built>;

    /// Does it.
    fn run(&self, output: &mut Output) -> Report;
}

/// What has been built, or could not be: those who need it say so then.
struct Built<T> {
    built: Mutex<BTreeSet<T>>,
    more: Condvar,
}

impl<T: Copy + Ord> Built<T> {
    /// Does a job when it can be done.
    fn run(&self, job: &impl Job<Built = T>, output: &mut Output) -> Report {
        let built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = |built: &mut BTreeSet<T>| job.needs().iter().any(|it| !built.contains(it));
        drop(self.more.wait_while(built, missing));
        let _tells = Tells(self, job.builds());
        job.run(output)
    }
}

/// Says at its end that something has been built, also where a panic ends it: who waits shall
/// not wait for ever.
struct Tells<'a, T: Copy + Ord>(&'a Built<T>, Option<T>);

impl<T: Copy + Ord> Drop for Tells<'_, T> {
    fn drop(&mut self) {
        if let Some(it) = self.1 {
            let built = self.0.built.lock();
            built.unwrap_or_else(PoisonError::into_inner).insert(it);
            self.0.more.notify_all();
        }
    }
}

/// Takes the next job of a lane, or of the other where there is none.
fn next<'a, J>(own: &Mutex<Iter<'a, J>>, other: &Mutex<Iter<'a, J>>) -> Option<&'a J> {
    let take =
        |lane: &Mutex<Iter<'a, J>>| lane.lock().unwrap_or_else(PoisonError::into_inner).next();
    take(own).or_else(|| take(other))
}

/// Does all of it, each lane in its order, and returns what came of the jobs: of those that
/// the front did, then of the others.
///
/// Who needs what is built later in its own lane, or in the other behind one that needs
/// what comes behind this, waits for ever.
pub(super) fn run<J: Job>(front: &[J], beside: &[J]) -> Outcome<Vec<Report>> {
    let built = Built {
        built: Mutex::new(BTreeSet::new()),
        more: Condvar::new(),
    };
    let (front, beside) = (Mutex::new(front.iter()), Mutex::new(beside.iter()));
    let (sender, ended) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            let sender = sender;
            while let Some(job) = next(&beside, &front) {
                let mut output = Output::Kept(Vec::new());
                let report = built.run(job, &mut output);
                if sender.send((report, output)).is_err() {
                    return;
                }
            }
        });
        let ended = ended; // dropped, with that its end is known, where printing fails
        let (mut reports, mut others) = (Vec::new(), Vec::new());
        let mut print = |(report, output)| -> Outcome {
            others.push(report);
            match output {
                Output::Kept(text) => Ok(Output::Through.write(&text)?),
                Output::Through => Ok(()),
            }
        };
        while let Some(job) = next(&front, &beside) {
            reports.push(built.run(job, &mut Output::Through));
            ended.try_iter().try_for_each(&mut print)?;
        }
        ended.iter().try_for_each(&mut print)?;
        reports.extend(others);
        Ok(reports)
    })
}
