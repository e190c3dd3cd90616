//! `cargo xtask test`: every test, in every way in which gort can run.
//!
//! ```text
//!                                  debug             release
//!                               native  qemu      native  qemu
//!   tests on gort                 x      some       x      x     cargo test --tests
//!   the documentation's examples  x                              cargo test --doc
//!   tests of features             x      x                       --test hooks, with its features
//!   tests of its programs         x      some       x      x     cargo test -p gort-host-tests
//!                                                                       -p gort-compute-tests
//!   tests with the system's tools x                 x                 --test elf, gdb
//!   programs on machines          x (machines)      some         --test machine, none
//!   tests of the sources          x                                   --test docs, header, heap, layers, link,
//!                                                                       pure, select_errors
//!   models of what is lock-free   x                                   cargo test, in tests/loom
//! ```
//!
//! The tests on gort are programs of gort's. The others are programs of the
//! host's, with std: those of the second line start gort's examples and look at
//! what they do. A stage that fails does not keep the next ones from running, and
//! neither does one that hangs: each test has a limit, after which it says what its
//! goroutines are doing, and so has each stage as a whole.
//!
//! Two stages run at a time: see [`mod@lanes`].

mod build;
mod lanes;
mod report;

use std::env;
use std::fs;
use std::process::Command;
use std::time::Duration;

use lexopt::{Arg, Parser};

use crate::Outcome;
use crate::run::{self, Profile, RUNNER};
use crate::tally::{Output, Tally};
use crate::tools;
use build::Build;
use report::{Report, heading};

/// The packages of the host-side tests, and where their tests are.
const HOST: &[(&str, &str)] = &[
    ("gort-host-tests", "tests/host/tests"),
    ("gort-compute-tests", "tests/compute/tests"),
];

/// The test of what gort has for other crates, and its features. getrandom asks for a flag
/// besides, which .cargo/config.toml has.
const HOOKS: &str = "hooks";
const FEATURES: &str = "critical-section,embedded-io,getrandom,log";

/// The package of the models.
const LOOM: &str = "tests/loom";

/// Those that look at sources, or build what they need in every way themselves.
const ONCE: &[&str] = &[
    "docs",
    "header",
    "heap",
    "layers",
    "link",
    "pure",
    "select_errors",
];

/// Those that look at built programs with tools of the system's.
const NATIVE: &[&str] = &["elf", "gdb"];

/// Those of programs with no system below them.
const MACHINE: &[&str] = &["machine", "none"];

/// Those among their tests that are about release builds.
const OPTIMIZED: &[&str] = &["programs::release", "image::is_small"];

/// Those that take minutes under QEMU in debug builds, where they show nothing that release
/// builds there, and debug builds elsewhere, do not.
const SLOW: &[&str] = &["bad_input", "both", "programs", "std_shape", "trace"];

/// The same of those on gort. What is special there is the processor, and the frames of
/// signals, threads and system calls as QEMU makes them: these are about none of that, but
/// about what is written in Rust alone, over a scheduler that the others have run there.
const PLAIN: &[&str] = &[
    "api",
    "channel",
    "heap",
    "memstats",
    "select",
    "stacks",
    "std_shape",
    "sync",
    "task",
    "thread",
    "tickers",
    "time",
    "timers",
];

/// How long a stage may take, with what it builds: several times what it does on two
/// busy CPUs.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Says after how many seconds the harness ends a test on gort.
const TEST_LIMIT: &str = "GORT_TEST_TIMEOUT";

/// What starts gort's programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runner {
    Native,
    Qemu,
}

/// A line of the table.
enum Job {
    Build(Build),
    /// With what must have been built for it.
    Stage(Stage, Vec<Build>),
}

/// The tests that one run of cargo is asked for, and how gort's programs are
/// built and started for them.
struct Stage {
    tests: Tests,
    profile: Profile,
    runner: Runner,
}

/// Which tests.
enum Tests {
    /// Those on gort that have these names.
    OnGort(Vec<String>),
    /// The examples in the documentation.
    Documentation,
    /// What gort has for other crates, with the features for that.
    Hooks,
    /// Those on the host that have these names.
    Host(Vec<String>),
    /// The same of those about machines, whose programs were built in these profiles.
    Machines(Vec<String>, Vec<Profile>),
    /// The models, in a crate and with flags of their own.
    Loom,
}

/// Runs the stages and prints what came of them. The last line is
/// `N passed, N failed`, over all of them.
pub(crate) fn command(mut arguments: Parser) -> Outcome {
    let mut quick = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("quick") => quick = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let (profiles, runners): (&[_], &[_]) = match quick {
        true => (&[Profile::Debug], &[Runner::Native]),
        false => (
            &[Profile::Debug, Profile::Release],
            &[Runner::Native, Runner::Qemu],
        ),
    };
    let (front, beside) = lanes(profiles, runners)?;

    heading("the tools", &mut Output::Through)?;
    tools::install_missing();
    report::summary(&lanes::run(&front, &beside)?)
}

/// Lists the jobs of both lanes, the quickest to fail first: in front what runs gort's
/// programs on Linux, beside it what compiles, or computes, or is a machine of its own, and
/// so much of the rest that both come to their ends at about the same time.
fn lanes(profiles: &[Profile], runners: &[Runner]) -> Outcome<(Vec<Job>, Vec<Job>)> {
    let (names, on_gort) = (host_tests()?, tests_on_gort()?);
    let named = |list: &[&str]| {
        let names = names.iter().filter(|name| list.contains(&name.as_str()));
        names.cloned().collect()
    };
    let listed = |list: &[&str]| Tests::Host(named(list));
    // A test that nobody has put on a list runs in every way.
    let everywhere = |slow: bool| {
        let names = names.iter().filter(|name| {
            let name = name.as_str();
            let listed = [ONCE, NATIVE, MACHINE]
                .iter()
                .any(|list| list.contains(&name));
            !listed && (slow || !SLOW.contains(&name))
        });
        Tests::Host(names.cloned().collect())
    };
    let stage = |tests, profile, runner, needs: &[Build]| {
        let stage = Stage {
            tests,
            profile,
            runner,
        };
        Job::Stage(stage, needs.to_vec())
    };

    let (mut front, mut beside) = (Vec::new(), vec![Job::Build(Build::Archive)]);
    let mut behind = Vec::new();
    for &profile in profiles {
        let examples = Build::Examples(profile);
        match profile {
            Profile::Debug => front.push(Job::Build(examples)),
            Profile::Release => beside.push(Job::Build(examples)),
        }
        for &runner in runners {
            let emulated_debug = (profile, runner) == (Profile::Debug, Runner::Qemu);
            let mut tests = on_gort.clone();
            tests.retain(|name| !(emulated_debug && PLAIN.contains(&name.as_str())));
            front.push(stage(Tests::OnGort(tests), profile, runner, &[]));
            let on_host = stage(everywhere(!emulated_debug), profile, runner, &[examples]);
            match (profile, runner) {
                (Profile::Release, Runner::Qemu) => behind.push(on_host),
                _ => front.push(on_host),
            }
            if runner == Runner::Native {
                let needs = [examples, Build::Archive];
                behind.push(stage(listed(NATIVE), profile, runner, &needs));
            }
        }
    }
    let once = |tests, needs: &[Build]| stage(tests, Profile::Debug, Runner::Native, needs);
    let machines = profiles.iter().map(|&profile| Build::Machines(profile));
    let mut for_machines: Vec<_> = machines.clone().collect();
    for_machines.push(Build::Examples(Profile::Debug));
    beside.push(once(Tests::Documentation, &[]));
    beside.extend(machines.map(Job::Build));
    beside.extend([
        once(
            Tests::Machines(named(MACHINE), profiles.to_vec()),
            &for_machines,
        ),
        once(listed(ONCE), &[Build::Archive]),
        once(Tests::Loom, &[]),
    ]);
    beside.extend(
        runners
            .iter()
            .map(|&runner| stage(Tests::Hooks, Profile::Debug, runner, &[])),
    );
    beside.append(&mut behind);
    Ok((front, beside))
}

/// Lists the host-side tests, by their files.
fn host_tests() -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for (_, directory) in HOST {
        for entry in fs::read_dir(run::root().join(directory))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                names.extend(
                    path.file_stem()
                        .and_then(|name| name.to_str())
                        .map(String::from),
                );
            }
        }
    }
    names.sort();
    Ok(names)
}

/// Lists the tests on gort that need no feature, by Cargo.toml.
fn tests_on_gort() -> Outcome<Vec<String>> {
    let manifest = fs::read_to_string(run::root().join("Cargo.toml"))?;
    let sections = manifest.split("\n[");
    let tests = sections.filter_map(|section| section.strip_prefix("[test]]\n"));
    let names: Vec<_> = tests
        .filter(|test| !test.contains("required-features"))
        .filter_map(|test| Some(test.split_once("name = \"")?.1.split_once('"')?.0.into()))
        .collect();
    match names.is_empty() {
        true => Err("Cargo.toml names no tests".into()),
        false => Ok(names),
    }
}

impl lanes::Job for Job {
    type Built = Build;

    fn needs(&self) -> &[Build] {
        match self {
            Self::Build(_) => &[],
            Self::Stage(_, needs) => needs,
        }
    }

    fn builds(&self) -> Option<Build> {
        match self {
            Self::Build(build) => Some(*build),
            Self::Stage(..) => None,
        }
    }

    fn run(&self, output: &mut Output) -> Report {
        match self {
            Self::Build(build) => build.run(output),
            Self::Stage(stage, _) => stage.run(output),
        }
    }
}

impl Stage {
    /// Runs it, unless it needs what is not there.
    fn run(&self, output: &mut Output) -> Report {
        let title = self.title();
        let needed = match &self.tests {
            Tests::Machines(..) => Some(tools::QEMU_SYSTEM),
            _ => (self.runner == Runner::Qemu).then_some(tools::QEMU),
        };
        if let Some(tool) = needed.filter(|tool| !tools::has(tool)) {
            // Where nobody reads, the table is lost as well.
            let _ = output.say(&format!("\n== {title}: skipped, there is no {tool}"));
            return Report::skipped(title);
        }
        Report::of(title, output, |output| {
            let tally = Tally::of(&mut self.command(), LIMIT, output)?;
            if tally.passed + tally.failed == 0 {
                return Err("there was no test in this".into());
            }
            Ok(tally)
        })
    }

    /// Returns its name in the table.
    fn title(&self) -> String {
        let how = format!("{}, {}", self.profile.name(), self.runner.name());
        match &self.tests {
            Tests::OnGort(_) => format!("on gort, {how}"),
            Tests::Documentation => "the documentation's examples".into(),
            Tests::Hooks => format!("{HOOKS}, {how}"),
            Tests::Loom => "loom".into(),
            Tests::Machines(names, _) => names.join(", "),
            Tests::Host(names) if names.iter().all(|name| ONCE.contains(&name.as_str())) => {
                names.join(", ")
            }
            Tests::Host(names) => format!("{}, {how}", names.join(", ")),
        }
    }

    /// Returns what runs its tests.
    fn command(&self) -> Command {
        let mut cargo = run::cargo();
        cargo.args(["test", "--no-fail-fast"]);
        match &self.tests {
            Tests::OnGort(names) => {
                self.on_gort(&mut cargo);
                for name in names {
                    cargo.args(["--test", name]);
                }
            }
            Tests::Documentation => {
                // In one way: two hundred programs, each built by itself.
                self.on_gort(&mut cargo).arg("--doc");
            }
            Tests::Hooks => {
                self.on_gort(&mut cargo)
                    .args(["--test", HOOKS, "--features", FEATURES]);
            }
            Tests::Host(names) | Tests::Machines(names, _) => {
                // Always both, or the crates that they use would be built in two ways.
                cargo.args(HOST.iter().flat_map(|(package, _)| ["--package", package]));
                for name in names {
                    cargo.args(["--test", name]);
                }
                cargo.env("GORT_PROFILE", self.profile.name());
                match self.runner {
                    Runner::Native => cargo.env_remove("GORT_RUNNER"),
                    Runner::Qemu => cargo.env("GORT_RUNNER", tools::QEMU),
                };
                if let Tests::Machines(_, profiles) = &self.tests
                    && !profiles.contains(&Profile::Release)
                {
                    cargo.arg("--");
                    cargo.args(OPTIMIZED.iter().flat_map(|test| ["--skip", test]));
                }
            }
            Tests::Loom => {
                // Where cargo is started says which flags it finds.
                cargo
                    .current_dir(run::root().join(LOOM))
                    .env("CARGO_TARGET_DIR", run::target().join("loom"));
            }
        }
        cargo
    }

    /// Has cargo build tests for gort, and start them as they should be.
    fn on_gort<'a>(&self, cargo: &'a mut Command) -> &'a mut Command {
        cargo
            .args(["--target", run::TARGET])
            .args(self.profile.arguments());
        if self.profile == Profile::Release {
            // Forty programs, of which each would be optimized as a whole: minutes. Those of
            // the host's tests, which are, and these are the two ways that users have. The
            // debugger, who looks at those, never looks at these.
            cargo
                .env("CARGO_PROFILE_RELEASE_LTO", "off")
                .env("CARGO_PROFILE_RELEASE_DEBUG", "0");
        }
        if self.runner == Runner::Qemu {
            cargo.env(RUNNER, tools::QEMU);
        }
        if env::var_os(TEST_LIMIT).is_none() {
            cargo.env(TEST_LIMIT, self.runner.test_limit());
        }
        cargo
    }
}

impl Runner {
    /// Returns its name in our messages.
    const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Qemu => "qemu",
        }
    }

    /// Returns how many seconds a test on gort may take: several times what any does
    /// on a busy machine.
    const fn test_limit(self) -> &'static str {
        match self {
            Self::Native => "300",
            Self::Qemu => "600",
        }
    }
}
