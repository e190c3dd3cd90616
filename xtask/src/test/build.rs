//! What is built for several stages, with a line of its own in the table.

use std::env;
use std::process::Command;

use super::LIMIT;
use super::report::Report;
use crate::Outcome;
use crate::none;
use crate::on_machines::PROGRAMS;
use crate::run::{self, Profile};
use crate::tally::{Output, Tally};

/// What is built for several stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Build {
    /// The examples, which the host-side tests look for.
    Examples(Profile),
    /// The archive.
    Archive,
    /// For machines: the examples and [`PROGRAMS`], or some examples in release builds.
    Machines(Profile),
}

impl Build {
    /// Returns its name in the table.
    fn title(self) -> String {
        match self {
            Self::Examples(profile) => format!("build the examples, {}", profile.name()),
            Self::Archive => "build the archive".into(),
            Self::Machines(profile) => format!("build for machines, {}", profile.name()),
        }
    }

    /// Returns what builds it.
    fn commands(self) -> Outcome<Vec<Command>> {
        Ok(match self {
            Self::Examples(profile) => run::building_examples(profile),
            Self::Archive => {
                // Its output is kept as a whole.
                let mut dist = run::quiet(env::current_exe()?);
                dist.arg("dist");
                vec![dist]
            }
            Self::Machines(Profile::Debug) => {
                let tests = names().flat_map(|name| ["--test", name]);
                let tests: Vec<_> = ["test", "--no-run"].into_iter().chain(tests).collect();
                vec![
                    none::building(&["build", "--examples"], Profile::Debug),
                    none::building(&tests, Profile::Debug),
                ]
            }
            Self::Machines(Profile::Release) => {
                let examples = ["build", "--example", "hello", "--example", "goroutines"];
                vec![none::building(&examples, Profile::Release)]
            }
        })
    }

    /// Builds it.
    pub(super) fn run(self, output: &mut Output) -> Report {
        Report::of(self.title(), output, |output| {
            let mut tally = Tally::default();
            for mut command in self.commands()? {
                tally += Tally::of(&mut command, LIMIT, output)?;
            }
            if self == Self::Machines(Profile::Debug) && tally.failed == 0 {
                none::link_tests(&names().collect::<Vec<_>>())?;
            }
            Ok(tally)
        })
    }
}

/// Lists the programs of tests for machines.
fn names() -> impl Iterator<Item = &'static str> {
    PROGRAMS.iter().map(|program| program.name)
}
