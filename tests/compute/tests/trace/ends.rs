//! The file is right after every end, and a file that cannot be written does no harm.

use std::fs;
use std::io::Read as _;
use std::process::Stdio;

use gort_host_tests::ensure;
use gort_host_tests::programs::{in_shell, native, program, run, spawn, wait};
use libtest_mimic::{Failed, Trial};

use crate::programs::{consistent, count};
use crate::{File, traced, words};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (name, status) in [("exit", 7), ("panic", 2), ("nil", 2), ("deadlock", 2)] {
        trials.push(Trial::test(format!("trace_ends::{name}"), move || {
            let file = File::new();
            let outcome = run(&mut traced(&file, name, 2)?)?;
            ensure!(outcome.status.code() == Some(status), "{}", outcome.status);
            let (recording, model) = file.read()?;
            ensure!(recording.status == Some(status), "{:?}", recording.status);
            ensure!(recording.cut == 0, "{} bytes are cut off", recording.cut);
            consistent(&recording, &model)
        }));
    }
    trials.push(Trial::test("trace_ends::killed", killed));
    trials.push(Trial::test("trace_ends::full_disk", full_disk));
    trials.push(Trial::test("trace_ends::limit", limit).with_ignored_flag(!native()));
    trials.push(Trial::test("trace_ends::full_later", full_later).with_ignored_flag(!native()));
    trials.push(Trial::test(
        "trace_ends::no_such_directory",
        no_such_directory,
    ));
    trials.push(Trial::test("trace_ends::nowhere", nowhere));
    trials.push(Trial::test(
        "trace_ends::without_the_feature",
        without_the_feature,
    ));
    trials
}

/// What was done until some milliseconds before is there.
fn killed() -> Result<(), Failed> {
    let file = File::new();
    let mut command = traced(&file, "wait", 2)?;
    let mut child = spawn(command.stdout(Stdio::piped()))?;
    let mut stdout = child.stdout.take().ok_or("no pipe")?;
    let mut text = [0; 8];
    stdout.read_exact(&mut text)?;
    // Until it has written something of what it has done since.
    let size = |file: &File| fs::metadata(&file.0).map_or(0, |metadata| metadata.len());
    let before = size(&file);
    while size(&file) < before + 1000 {
        ensure!(child.try_wait()?.is_none(), "it has ended");
        std::thread::yield_now();
    }
    child.kill()?;
    wait(&mut child)?;
    let (recording, model) = file.read()?;
    ensure!(recording.status.is_none(), "{:?}", recording.status);
    ensure!(model.goroutines.len() == 2, "{:?}", model.goroutines.keys());
    consistent(&recording, &model)
}

/// No write succeeds: a line says so, and nothing else is different.
fn full_disk() -> Result<(), Failed> {
    for name in ["much", "nothing"] {
        let mut command = program("traced")?;
        run(command.arg(name).env("GORT_TRACE", "/dev/full"))?.expect(
            0,
            "",
            "gort: GORT_TRACE=/dev/full: No space left on device (os error 28)\n",
        )?;
    }
    Ok(())
}

/// The file may not grow beyond a limit. That sends a signal, too, which would end the
/// program; also where no thread but the main one writes.
fn limit() -> Result<(), Failed> {
    for (name, status) in [("much", 0), ("spawn", 0), ("exit", 7)] {
        let file = File::new();
        let mut command = in_shell("ulimit -f 0", "traced")?;
        let path = file.0.display().to_string();
        let outcome = run(command.arg(name).env("GORT_TRACE", &path))?;
        outcome.expect(
            status,
            "",
            &format!("gort: GORT_TRACE={path}: File too large (os error 27)\n"),
        )?;
        let size = fs::metadata(&file.0)?.len();
        ensure!(size == 0, "{size} bytes");
    }
    Ok(())
}

/// The disk is full after a while: what was written before is a trace, of the beginning.
fn full_later() -> Result<(), Failed> {
    for procs in ["1", "2"] {
        let file = File::new();
        let mut command = in_shell("ulimit -f 32", "traced")?;
        let path = file.0.display().to_string();
        command.env("GORT_TRACE", &path).env("GOMAXPROCS", procs);
        run(command.arg("much"))?.expect(
            0,
            "",
            &format!("gort: GORT_TRACE={path}: File too large (os error 27)\n"),
        )?;
        let (recording, model) = file.read()?;
        ensure!(recording.status.is_none(), "{:?}", recording.status);
        let ready = count(&model, &[words::READY]);
        ensure!(
            model.lost == 0 && model.goroutines.len() == 2 && ready >= 1000,
            "{} lost, {} goroutines, {ready} wake-ups",
            model.lost,
            model.goroutines.len()
        );
        if procs == "1" {
            consistent(&recording, &model)?;
        }
    }
    Ok(())
}

/// The path leads nowhere.
fn no_such_directory() -> Result<(), Failed> {
    let mut command = program("traced")?;
    run(command.arg("spawn").env("GORT_TRACE", "/nowhere/at/all"))?.expect(
        0,
        "",
        "gort: GORT_TRACE=/nowhere/at/all: No such file or directory (os error 2)\n",
    )?;
    Ok(())
}

/// Without the variable, or with an empty one, there is no trace, and no thread for it.
fn nowhere() -> Result<(), Failed> {
    let mut command = program("traced")?;
    run(command.arg("spawn"))?.expect(0, "", "")?;
    let mut command = program("traced")?;
    run(command.arg("spawn").env("GORT_TRACE", ""))?.expect(0, "", "")?;
    Ok(())
}

/// A program that was built without the feature says so, and does what it does else.
fn without_the_feature() -> Result<(), Failed> {
    let alone = run(&mut program("hello")?)?;
    let stdout = String::from_utf8_lossy(&alone.stdout).into_owned();
    let file = File::new();
    let path = file.0.display().to_string();
    let mut command = program("hello")?;
    run(command.env("GORT_TRACE", &path))?.expect(
        0,
        &stdout,
        &format!("gort: GORT_TRACE={path}: expected the feature sched-trace\n"),
    )?;
    ensure!(!file.0.exists(), "it has made {path}");
    let mut command = program("hello")?;
    run(command.env("GORT_TRACE", ""))?.expect(0, &stdout, "")?;
    Ok(())
}
