//! The startup benchmark: from process start to exit.
//!
//! Each subject prints `vim-go` and ends. The time is that of `posix_spawn`, the
//! program's life, and `waitid`, as whoever started it sees it.

use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::target::{Limit, Target};
use super::{Benchmark, Measure, Run, Sample, Scenario, Subject, everywhere, peers, whole};
use crate::Outcome;
use crate::dist;
use crate::run::{self, Profile};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "startup",
    about: "process start to exit of hello",
    scenarios: &[Scenario {
        name: "",
        measures: &[Measure {
            name: "",
            unit: "us",
        }],
    }],
    rounds: 400,
    warm_up: 5,
    pause: Duration::from_micros(1500),
    procs: &[1, 2],
    beside: &["floor", "go"],
    targets: &[
        Target {
            of: "gort",
            scenario: None,
            measure: "",
            procs: None,
            limit: Limit::Times("floor", 1.6),
        },
        Target {
            of: "gort",
            scenario: None,
            measure: "",
            procs: None,
            limit: Limit::Times("go", 0.35),
        },
        Target {
            of: "gort",
            scenario: None,
            measure: "",
            procs: None,
            limit: Limit::Size(40 << 10),
        },
    ],
    fits: everywhere,
    share: whole,
    subjects,
    sample,
};

/// What each subject must print, to the byte.
const EXPECTED: &[u8] = b"vim-go\n";

/// Builds the subjects from `benches/startup`, and gort's from its examples.
fn subjects() -> Outcome<Vec<Subject>> {
    let sources = run::root().join("benches/startup");
    let out = peers::directory("startup")?;
    let source = |name: &str| sources.join(name);
    let mut subjects = Vec::new();
    let mut add = |name, program: &Path| -> Outcome {
        subjects.push(Subject::new(name, program.to_path_buf())?);
        Ok(())
    };

    let program = out.join("floor");
    peers::c(&source("floor.S"), &program, &["-nostdlib", "-static"])?;
    add("floor", &program)?;

    run::succeed(run::cargo().args(["build", "--quiet", "--release", "--example", "hello"]))?;
    add("gort", &run::examples(Profile::Release).join("hello"))?;

    dist::make(false)?;
    let program = out.join("archive");
    dist::link(&source("archive.c"), &program)?;
    add("gort-archive", &program)?;

    let program = out.join("c-static");
    peers::c(&source("hello.c"), &program, &["-O2", "-static"])?;
    add("c-glibc-static", &program)?;

    let program = out.join("c");
    peers::c(&source("hello.c"), &program, &["-O2"])?;
    add("c-glibc", &program)?;

    let program = out.join("rust-std");
    peers::rust(&source("hello.rs"), &program)?;
    add("rust-std", &program)?;

    let program = out.join("go");
    match peers::go(&sources, &program) {
        Ok(()) => add("go", &program)?,
        Err(error) => eprintln!("startup: without Go: {error}"),
    }
    Ok(subjects)
}

/// Starts a program, waits for its end, and returns the microseconds between.
fn sample(run: &Run<'_>) -> Outcome<Sample> {
    let (mut reader, mut writer) = io::pipe()?;
    let mut command = run::quiet(&run.subject.program);
    // An environment that is the same for everybody who measures.
    command.env_clear().env("PATH", "/usr/bin:/bin");
    command
        .stdout(writer.try_clone()?)
        .stdin(Stdio::from(std::fs::File::open("/dev/null")?));

    let start = Instant::now();
    let mut child = command.spawn()?;
    let status = child.wait()?;
    let time = start.elapsed();

    if !status.success() {
        return Err(status.to_string().into());
    }
    // A byte of ours, so that there is an end to read to: the command holds the
    // pipe open, and what the program wrote fits into it.
    writer.write_all(&[0])?;
    let mut printed = [0; 64];
    let length = reader.read(&mut printed)?;
    if printed[..length].strip_suffix(&[0]) != Some(EXPECTED) {
        let printed = String::from_utf8_lossy(&printed[..length]);
        return Err(format!(
            "it should print {:?}, not {printed:?}",
            String::from_utf8_lossy(EXPECTED)
        )
        .into());
    }
    Ok(Sample {
        values: vec![time.as_secs_f64() * 1e6],
        check: None,
    })
}
