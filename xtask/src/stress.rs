//! `cargo xtask stress`: the storms of tests/stress, for minutes, in every way in which
//! gort can run.
//!
//! ```text
//!   round 1   debug,   native, GOMAXPROCS=1   storm 1, storm 2, …
//!             release, native, GOMAXPROCS=1   storm 1, storm 2, …
//!             …                                                        each for seconds
//!   round 2   …
//! ```
//!
//! With `--none` it is the tests on gort that are run, on machines: see [`machines`].
//!
//! The first storm that fails ends it: its output is printed, and kept in
//! target/stress. One that does not end is asked for the state of its goroutines and
//! threads, by gdb, where it is not emulated; and then killed.

mod machines;

use std::fs::{self, File};
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use lexopt::{Arg, Parser, ValueExt as _};

use crate::Outcome;
use crate::run::{self, Profile};
use crate::tools;

/// How long all of it takes, unless somebody says otherwise.
const MINUTES: f64 = 10.0;

/// How many seconds a storm lasts: with fifteen of them a round takes over six minutes.
const SECONDS: u64 = 2;

/// How long one may take on top of that, to add up what it did: then it hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often it is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// How many Ps there are.
const PROCS: &[u32] = &[1, 2, 8];

/// A way to run storms.
struct Way {
    profile: Profile,
    /// What starts the program, if it does not run by itself.
    runner: Option<&'static str>,
    procs: u32,
    program: PathBuf,
}

/// Runs storms for so many minutes, or those whose names contain a word.
pub(crate) fn command(mut arguments: Parser) -> Outcome {
    let (mut minutes, mut words) = (MINUTES, Vec::new());
    let (mut none, mut rounds) = (false, None);
    let mut profiles: &[_] = &[Profile::Release, Profile::Debug];
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Value(value) => {
                let text = value.string()?;
                match text.parse() {
                    Ok(number) => minutes = number,
                    Err(_) => words.push(text),
                }
            }
            Arg::Long("none") => none = true,
            Arg::Long("release") => profiles = &[Profile::Release],
            Arg::Long("debug") => profiles = &[Profile::Debug],
            Arg::Long("rounds") => rounds = Some(arguments.value()?.parse()?),
            other => return Err(other.unexpected().into()),
        }
    }
    if none {
        return machines::command(minutes, rounds, profiles, &words);
    }
    if rounds.is_some() || profiles.len() == 1 {
        return Err("stress: --rounds, --release and --debug are for machines, --none".into());
    }
    let ways = ways()?;
    let storms = storms(&ways, &words)?;
    run::clean_dir(&directory())?;
    let end = Instant::now() + Duration::from_secs_f64(minutes * 60.0);
    let mut done = 0;
    let mut round = 0;
    while Instant::now() < end {
        round += 1;
        for way in &ways {
            for storm in &storms {
                if Instant::now() >= end {
                    break;
                }
                way.run(storm, round)?;
                done += 1;
            }
        }
    }
    println!(
        "\n{done} storms of {SECONDS} s in {} ways, {} of {} different ones: none failed",
        ways.len().min(done),
        storms.len().min(done),
        storms.len()
    );
    Ok(())
}

/// Returns where the outputs are kept.
fn directory() -> PathBuf {
    run::target().join("stress")
}

/// Builds the program, and lists the ways to run it.
fn ways() -> Outcome<Vec<Way>> {
    let emulated = tools::has(tools::QEMU);
    if !emulated {
        println!("there is no {}: all runs are native", tools::QEMU);
    }
    let profiles = [Profile::Debug, Profile::Release];
    let mut programs = Vec::new();
    for profile in profiles {
        programs.push((profile, build(profile)?));
    }
    let mut ways = Vec::new();
    for &procs in PROCS {
        for runner in [None, Some(tools::QEMU)] {
            if runner.is_some() && !emulated {
                continue;
            }
            ways.extend(programs.iter().map(|(profile, program)| Way {
                profile: *profile,
                runner,
                procs,
                program: program.clone(),
            }));
        }
    }
    Ok(ways)
}

/// Builds the storms; returns the program's path, which cargo says in JSON.
fn build(profile: Profile) -> Outcome<PathBuf> {
    let text = run::output(
        run::cargo()
            .args(["test", "--no-run", "--test", "stress"])
            .args(["--target", run::TARGET, "--message-format=json"])
            .args(profile.arguments()),
    )?;
    run::executable(&text)
}

/// Lists the storms whose names contain one of the words.
fn storms(ways: &[Way], words: &[String]) -> Outcome<Vec<String>> {
    let way = ways.first().ok_or("there is nothing to run")?;
    let list = run::output(run::quiet(&way.program).arg("--list"))?;
    let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
    let chosen = |name: &&str| words.is_empty() || words.iter().any(|word| name.contains(word));
    let storms: Vec<String> = names.filter(chosen).map(String::from).collect();
    if storms.is_empty() {
        return Err("there is no such storm".into());
    }
    Ok(storms)
}

impl Way {
    /// Describes it in a line.
    fn title(&self) -> String {
        format!(
            "{}, {}, GOMAXPROCS={}",
            self.profile.name(),
            self.runner.unwrap_or("native"),
            self.procs
        )
    }

    /// Runs one storm; an error with all there is to say, if that fails.
    fn run(&self, storm: &str, round: usize) -> Outcome {
        print!("round {round}: {}: {storm} ... ", self.title());
        stdout().flush()?;
        let log = directory().join(format!("{}.log", storm.replace("::", "-")));
        let start = Instant::now();
        let mut child = self.start(storm, &log)?;
        let ended = wait(&mut child, Duration::from_secs(SECONDS) + PATIENCE)?;
        if let Some(status) = ended
            && status.success()
        {
            println!("ok, {:.1} s", start.elapsed().as_secs_f64());
            return Ok(());
        }
        let why = match ended {
            Some(status) => status.to_string(),
            None => {
                let state = match self.runner {
                    None => self.state(&child),
                    Some(_) => "no state from an emulator\n".into(),
                };
                child.kill()?;
                child.wait()?;
                File::options()
                    .append(true)
                    .open(&log)?
                    .write_all(state.as_bytes())?;
                format!("it does not end, {} s after its time", PATIENCE.as_secs())
            }
        };
        println!("FAILED: {why}\n{}", fs::read_to_string(&log)?);
        Err(format!("{storm}, {}: {why}; see {}", self.title(), log.display()).into())
    }

    /// Starts the program for one storm, its output going to a file.
    fn start(&self, storm: &str, log: &Path) -> Outcome<Child> {
        let mut command = match self.runner {
            Some(runner) => run::quiet(runner),
            None => run::quiet(&self.program),
        };
        if self.runner.is_some() {
            command.arg(&self.program);
        }
        let output = File::create(log)?;
        command
            .args(["--force-run-in-process", "--exact", storm])
            .env("GOMAXPROCS", self.procs.to_string())
            .env("GORT_STRESS_SECONDS", SECONDS.to_string())
            .stdout(output.try_clone()?)
            .stderr(output);
        Ok(command.spawn()?)
    }

    /// Asks gdb what the goroutines and the threads of a process are doing.
    fn state(&self, child: &Child) -> String {
        let mut gdb = Command::new(run::root().join("gdb/gort-gdb"));
        gdb.args(["-q", "-nx", "-batch"]).arg(&self.program);
        gdb.args(["-p", &child.id().to_string()]);
        for command in [
            "set width 0",
            "p gomaxprocs",
            "info goroutines",
            "thread apply all bt 20",
        ] {
            gdb.args(["-ex", command]);
        }
        match gdb.output() {
            Ok(output) => {
                String::from_utf8_lossy(&output.stdout).into_owned()
                    + &String::from_utf8_lossy(&output.stderr)
            }
            Err(error) => format!("gdb: {error}\n"),
        }
    }
}

/// Waits for a child's end; None if it does not come in time.
fn wait(child: &mut Child, limit: Duration) -> Outcome<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        thread::sleep(GLANCE);
    }
}
