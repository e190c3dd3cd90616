//! What came of the stages: a line for each, and the sum.

use std::time::Instant;

use crate::Outcome;
use crate::tally::{Output, Tally};

/// What came of a stage.
pub(super) struct Report {
    title: String,
    /// None where it was skipped.
    tally: Option<Tally>,
    seconds: f32,
}

impl Report {
    /// Does a stage's work under its heading, with a watch in hand.
    pub(super) fn of(
        title: String,
        output: &mut Output,
        work: impl FnOnce(&mut Output) -> Outcome<Tally>,
    ) -> Self {
        let start = Instant::now();
        let tally = heading(&title, output).and_then(|()| work(output));
        let tally = tally.unwrap_or_else(|error| {
            // Where nobody reads, this is lost as well; the failure is not.
            let _ = output.say(&error.to_string());
            Tally::BROKEN
        });
        Self {
            title,
            tally: Some(tally),
            seconds: start.elapsed().as_secs_f32(),
        }
    }

    /// Says that there was no way to do a stage's work.
    pub(super) const fn skipped(title: String) -> Self {
        Self {
            title,
            tally: None,
            seconds: 0.0,
        }
    }
}

/// Prints the table of all stages, and the sum alone on the last line. Ends this
/// program with status 1 if a test has failed.
pub(super) fn summary(reports: &[Report]) -> Outcome {
    heading("summary", &mut Output::Through)?;
    let mut sum = Tally::default();
    println!(
        "{:>6} {:>6} {:>7} {:>7}  stage",
        "passed", "failed", "ignored", "seconds"
    );
    for Report {
        title,
        tally,
        seconds,
    } in reports
    {
        match tally {
            None => println!("{:>30}  {title}", "skipped"),
            Some(tally) => {
                let Tally {
                    passed,
                    failed,
                    ignored,
                } = tally;
                println!("{passed:6} {failed:6} {ignored:7} {seconds:7.1}  {title}");
                sum += *tally;
            }
        }
    }
    println!("{} passed, {} failed", sum.passed, sum.failed);
    // The last line must stay the last: no message after it.
    if sum.failed > 0 {
        std::process::exit(1);
    }
    Ok(())
}

/// Prints a stage's heading, between what cargo writes to stderr.
pub(super) fn heading(title: &str, output: &mut Output) -> Outcome {
    Ok(output.say(&format!("\n== {title}"))?)
}
