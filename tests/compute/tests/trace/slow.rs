//! A pipe as the file, whose reader is slow, stops for long, never reads, or goes away. The
//! program waits for the first; it goes on without the others, and that is said.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use gort_host_tests::ensure;
use gort_host_tests::programs::{run, spawn, wait};
use libtest_mimic::{Failed, Trial};
use rustix::fs::{CWD, Mode, mkfifoat};

use crate::programs::{consistent, count};
use crate::read::{self, Recording};
use crate::words;
use crate::{File, Model, traced};

/// A command that writes more than a ring and a pipe have room for, and how many times its
/// goroutines give way, but for one that is alone for a while at the end, which is no event.
/// It says so when it has done that.
const MUCH: &str = "yield-much";
const YIELDS: u64 = 700_000 * 9 / 10;
const SAYS: &[u8] = b"done\n";

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for procs in [1, 2] {
        trials.push(Trial::test(
            format!("trace_slow::slow_on_{procs}"),
            move || slow(procs),
        ));
    }
    trials.push(Trial::test("trace_slow::stops", stops));
    trials.push(Trial::test("trace_slow::never", || never(MUCH, "")));
    trials.push(Trial::test("trace_slow::never_in_json", || {
        never("spawn", ".json")
    }));
    trials.push(Trial::test("trace_slow::goes_away", goes_away));
    trials
}

/// Makes a pipe with a name.
fn pipe(ending: &str) -> Result<File, Failed> {
    let file = File::with_ending(ending);
    mkfifoat(
        CWD,
        file.0.as_os_str().as_encoded_bytes(),
        Mode::RUSR | Mode::WUSR,
    )?;
    Ok(file)
}

/// Counts how often goroutines gave way.
fn yields(model: &Model) -> u64 {
    count(model, &[words::YIELD, words::YIELD_RUN])
}

/// Reads what came through a pipe.
fn parse(bytes: &[u8]) -> Result<(Recording, Model), Failed> {
    let recording = read::read(bytes).map_err(|error| error.to_string())?;
    let model = Model::new(&recording);
    ensure!(recording.status == Some(0), "{:?}", recording.status);
    ensure!(recording.cut == 0, "{} bytes are cut off", recording.cut);
    Ok((recording, model))
}

/// The reader rests again and again, for less than the program waits: nothing is lost.
fn slow(procs: u32) -> Result<(), Failed> {
    let file = pipe("")?;
    let path = file.0.clone();
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut pipe = std::fs::File::open(path)?;
        let mut part = vec![0; 64 << 10];
        for _ in 0..4 {
            let count = pipe.read(&mut part)?;
            bytes.extend(&part[..count]);
            thread::sleep(Duration::from_millis(200)); // nothing hangs on how long it is
        }
        pipe.read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    });
    run(&mut traced(&file, MUCH, procs)?)?.expect(0, "done\n", "")?;
    let bytes = reader.join().map_err(|_| "the reader has panicked")??;
    let (recording, model) = parse(&bytes)?;
    ensure!(model.lost == 0, "{} events were lost", model.lost);
    if procs == 1 {
        consistent(&recording, &model)?; // see LONG there
    }
    let yields = yields(&model);
    // On several Ps one may be alone on its own for long.
    ensure!(procs > 1 || yields >= YIELDS, "{yields} of {YIELDS}");
    Ok(())
}

/// The reader reads nothing before the program has come to its end: that has lost what there
/// was no room for, and each of it is counted.
fn stops() -> Result<(), Failed> {
    let file = pipe("")?;
    let mut command = traced(&file, MUCH, 1)?;
    let mut child = spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let mut stdout = child.stdout.take().ok_or("no pipe")?;
    let mut pipe = std::fs::File::open(&file.0)?;
    let mut said = [0; SAYS.len()];
    stdout.read_exact(&mut said)?;
    ensure!(said == *SAYS, "{said:?}");
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes)?;
    let status = wait(&mut child)?;
    ensure!(status.code() == Some(0), "{status}");
    let text = std::io::read_to_string(child.stderr.take().ok_or("no pipe")?)?;
    ensure!(text.is_empty(), "{text}");
    let (_, model) = parse(&bytes)?;
    let (yields, lost) = (yields(&model), model.lost);
    ensure!(lost > 0, "nothing was lost of {yields}");
    ensure!(
        yields + lost >= YIELDS,
        "{yields} and {lost} lost, of {YIELDS}"
    );
    Ok(())
}

/// Nobody ever reads: the program ends by itself, and says that there is no whole trace.
fn never(command: &str, ending: &str) -> Result<(), Failed> {
    let file = pipe(ending)?;
    // So that the program finds somebody who could read.
    let end = OpenOptions::new().read(true).write(true).open(&file.0)?;
    let mut command = traced(&file, command, 1)?;
    let outcome = run(&mut command)?;
    drop(end);
    let stdout = if ending.is_empty() { "done\n" } else { "" };
    outcome.expect(
        0,
        stdout,
        &format!(
            "gort: GORT_TRACE={}: it stands still: what was done last is not in it\n",
            file.0.display()
        ),
    )?;
    Ok(())
}

/// The reader goes away while the program waits for it.
fn goes_away() -> Result<(), Failed> {
    let file = pipe("")?;
    let path = file.0.clone();
    let reader = thread::spawn(move || {
        let mut pipe = std::fs::File::open(path)?;
        let mut part = vec![0; 1000];
        pipe.read_exact(&mut part)?;
        thread::sleep(Duration::from_millis(200)); // nothing hangs on how long it is
        Ok::<_, std::io::Error>(())
    });
    let outcome = run(&mut traced(&file, MUCH, 1)?)?;
    reader.join().map_err(|_| "the reader has panicked")??;
    outcome.expect(
        0,
        "done\n",
        &format!(
            "gort: GORT_TRACE={}: Broken pipe (os error 32)\n",
            file.0.display()
        ),
    )?;
    Ok(())
}
