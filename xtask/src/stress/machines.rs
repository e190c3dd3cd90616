//! `cargo xtask stress --none`: the tests on gort, each the only program of a machine, in
//! every way in which there are machines.
//!
//! ```text
//!   round 1   release, microvm, 1 CPU    test 1, test 2, …
//!   round 2   debug,   microvm, 1 CPU    test 1, test 2, …
//!   round 3   release, q35,     1 CPU    …
//!   …
//! ```
//!
//! As many machines run at a time as there are CPUs here. What fails is printed, kept in
//! target/stress, and counted: the run goes on. A machine that has not ended in time is
//! asked, by its monitor, where its CPUs are, and then by an NMI what its goroutines are
//! doing; and switched off.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::{directory, wait};
use crate::Outcome;
use crate::none::{self, Machine};
use crate::on_machines::{PROGRAMS, has_passed};
use crate::run::{self, Profile};
use crate::tools;

/// The machines, and how many CPUs they have.
const MACHINES: &[&str] = &["microvm", "q35"];
const CPUS: &[u32] = &[1, 2, 4];

/// How long one may run, several times what any does on a busy host: then it hangs.
const LIMIT: Duration = Duration::from_secs(300);

/// How long it may take to say why.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// A way to boot tests.
#[derive(Clone, Copy)]
struct Way {
    profile: Profile,
    machine: &'static str,
    cpus: u32,
}

/// A test.
#[derive(Clone)]
struct Test {
    program: &'static str,
    name: String,
    memory: u32,
    /// What is to be booted.
    path: PathBuf,
}

/// Boots the tests whose names contain a word, PROGRAM::TEST, until the minutes are over or
/// each has been booted so many times.
pub(super) fn command(
    minutes: f64,
    rounds: Option<usize>,
    profiles: &[Profile],
    words: &[String],
) -> Outcome {
    tools::need(tools::QEMU_SYSTEM)?;
    let tests = profiles
        .iter()
        .map(|&profile| list(profile, words).map(|tests| (profile, tests)))
        .collect::<Outcome<Vec<_>>>()?;
    if tests.iter().any(|(_, tests)| tests.is_empty()) {
        return Err("there is no such test".into());
    }
    run::clean_dir(&directory())?;
    let end = Instant::now() + Duration::from_secs_f64(minutes * 60.0);
    let ways = ways(profiles);
    let turns = ways.iter().cycle().enumerate();
    let turns = turns.take(rounds.unwrap_or(usize::MAX));
    let turns = turns.flat_map(|(round, &way)| {
        let of_profile = tests
            .iter()
            .filter(move |(profile, _)| *profile == way.profile);
        of_profile.flat_map(move |(_, tests)| tests.iter().map(move |test| (round + 1, way, test)))
    });
    let turns = Mutex::new(turns.take_while(|_| rounds.is_some() || Instant::now() < end));
    let count = Mutex::new((0, Vec::new()));
    let work = |worker: usize| {
        loop {
            let turn = turns.lock().ok().and_then(|mut turns| turns.next());
            let Some((round, way, test)) = turn else {
                return;
            };
            let failed = way
                .run(test, round, worker)
                .err()
                .map(|error| error.to_string());
            if let Ok(mut count) = count.lock() {
                count.0 += 1;
                count.1.extend(failed);
            }
        }
    };
    thread::scope(|scope| {
        for worker in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(move || work(worker));
        }
    });
    let (done, failures) = count.into_inner().unwrap_or_default();
    println!("\n{done} machines booted, {} failed", failures.len());
    match failures.is_empty() {
        true => Ok(()),
        false => Err(format!("these failed:\n  {}", failures.join("\n  ")).into()),
    }
}

/// Lists the ways, the profile changing first.
fn ways(profiles: &[Profile]) -> Vec<Way> {
    let mut ways = Vec::new();
    for &cpus in CPUS {
        for &machine in MACHINES {
            ways.extend(profiles.iter().map(|&profile| Way {
                profile,
                machine,
                cpus,
            }));
        }
    }
    ways
}

/// Builds the programs, and asks them for their tests.
fn list(profile: Profile, words: &[String]) -> Outcome<Vec<Test>> {
    let meant = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word));
    // What no word could mean need not be built.
    let programs = PROGRAMS.iter().filter(|program| {
        let name = program.name;
        let begins = |word: &String| {
            word.split_once("::")
                .is_none_or(|(one, _)| name.contains(one))
        };
        words.is_empty() || words.iter().any(begins)
    });
    let mut tests = Vec::new();
    for program in programs {
        let path = none::build_test(program.name, profile)?;
        let machine = Machine::of(MACHINES[0], 1, program.memory, &["--list"]);
        let (ended, said) = run_to_end(&machine, &path, &directory().with_extension("list"))?;
        let names: Vec<_> = said
            .lines()
            .filter_map(|line| line.strip_suffix(": test"))
            .collect();
        if names.is_empty() || !matches!(ended, Ended::With(0)) {
            return Err(format!("{} does not list its tests:\n{said}", program.name).into());
        }
        let names = names.into_iter();
        let possible =
            names.filter(|name| !program.cannot.iter().any(|(cannot, _)| cannot == name));
        let chosen = possible.filter(|name| meant(&format!("{}::{name}", program.name)));
        tests.extend(chosen.map(|name| Test {
            program: program.name,
            name: name.into(),
            memory: program.memory,
            path: path.clone(),
        }));
    }
    Ok(tests)
}

impl Way {
    /// Describes it in a line.
    fn title(&self) -> String {
        format!(
            "{}, {}, {} CPUs",
            self.profile.name(),
            self.machine,
            self.cpus
        )
    }

    /// Boots one test; an error with all there is to say, if that fails.
    fn run(&self, test: &Test, round: usize, worker: usize) -> Outcome {
        let start = Instant::now();
        let arguments = ["--force-run-in-process", "--exact", &test.name];
        let machine = Machine::of(self.machine, self.cpus, test.memory, &arguments);
        let monitor = directory().join(format!("monitor-{worker}"));
        let (ended, said) = run_to_end(&machine, &test.path, &monitor)?;
        let title = format!("{}: {}::{}", self.title(), test.program, test.name);
        if let Ended::With(status) = ended
            && has_passed(Some(status), &said)
        {
            println!(
                "round {round}: {title} ... ok, {:.1} s",
                start.elapsed().as_secs_f64()
            );
            return Ok(());
        }
        let why = match ended {
            Ended::With(status) => format!("status {status}"),
            Ended::Without(why) => why,
            Ended::Never => format!("it does not end in {} s", LIMIT.as_secs()),
        };
        let log = format!(
            "{round}-{}-{}.log",
            test.program,
            test.name.replace("::", "-")
        );
        let log = directory().join(log);
        fs::write(&log, &said)?;
        println!("round {round}: {title} ... FAILED: {why}\n{said}");
        Err(format!("{title}: {why}; see {}", log.display()).into())
    }
}

/// How a machine ends.
enum Ended {
    /// With its program's exit status.
    With(i32),
    /// Without one, as it does after a triple fault: what there is to say of that.
    Without(String),
    /// It hangs.
    Never,
}

/// Runs a machine to its end: which one, and all that it has said.
fn run_to_end(machine: &Machine, program: &Path, monitor: &Path) -> Outcome<(Ended, String)> {
    let _ = fs::remove_file(monitor); // of the one before
    let socket = format!("unix:{},server=on,wait=off", monitor.display());
    let mut child = machine
        .qemu(program)
        .args(["-monitor", &socket])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", tools::QEMU_SYSTEM))?;
    let mut serial = child.stdout.take().ok_or("no pipe")?;
    let said = thread::spawn(move || {
        let mut said = Vec::new();
        let _ = serial.read_to_end(&mut said); // what has come until then
        said
    });
    let ended = wait(&mut child, LIMIT)?;
    let mut state = String::new();
    if ended.is_none() {
        state = ask(monitor).unwrap_or_else(|error| format!("no monitor: {error}"));
        wait(&mut child, LAST_WORDS)?;
        let _ = child.kill(); // it may have ended upon the NMI
        child.wait()?;
    }
    let _ = fs::remove_file(monitor);
    let said = said.join().unwrap_or_default();
    let ended = match ended.map(|status| none::exit_status(status, &said)) {
        Some(Ok(status)) => Ended::With(status),
        Some(Err(error)) => Ended::Without(error.to_string()),
        None => Ended::Never,
    };
    Ok((ended, String::from_utf8_lossy(&said).into_owned() + &state))
}

/// Asks a machine's monitor for the CPUs' registers, and has it send an NMI.
fn ask(monitor: &Path) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(monitor)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(b"info registers -a\nnmi\n")?;
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said); // until it says nothing for a second
    Ok(format!("\n{}\n", String::from_utf8_lossy(&said)))
}
