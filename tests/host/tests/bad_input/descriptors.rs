//! Standard input, output and error closed, full, or not to be written to.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use gort_host_tests::ensure;
use gort_host_tests::programs::{Outcome, in_shell, program, run, spawn, wait};
use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("descriptors::closed", closed),
        Trial::test("descriptors::closed_ones_are_null", closed_ones_are_null),
        Trial::test("descriptors::closed_and_dying", closed_and_dying),
        Trial::test("descriptors::none_to_be_had", none_to_be_had),
        Trial::test("descriptors::full_disk", full_disk),
        Trial::test("descriptors::read_only", read_only),
    ]
}

/// Each way to close some of the three: the shell's words for it, and which.
fn ways_to_close() -> impl Iterator<Item = (String, [bool; 3])> {
    (0..8).map(|bits| {
        let closed = [bits & 1 != 0, bits & 2 != 0, bits & 4 != 0];
        let words = ["<&-", "1>&-", "2>&-"]
            .iter()
            .zip(closed)
            .filter(|(_, closed)| *closed);
        (
            words.fold("exec".to_string(), |text, (word, _)| text + " " + word),
            closed,
        )
    })
}

/// Runs a command of testprog behind a redirection.
fn redirected(script: &str, command: &str) -> Result<Outcome, String> {
    run(in_shell(script, "testprog")?.arg(command))
}

/// What would go to a closed descriptor goes nowhere, and that is no error.
fn closed() -> Result<(), Failed> {
    for (script, [_, no_stdout, no_stderr]) in ways_to_close() {
        let stdout = if no_stdout { "" } else { "to stdout\n" };
        let stderr = if no_stderr { "" } else { "to stderr\n" };
        let outcome = redirected(&script, "both")?;
        outcome
            .expect(0, stdout, stderr)
            .map_err(|error| format!("{script}: {error}"))?;
    }
    Ok(())
}

/// Nothing that the program opens later gets a number below 3.
fn closed_ones_are_null() -> Result<(), Failed> {
    for (script, closed) in ways_to_close() {
        let mut command = in_shell(&script, "testprog")?;
        // Goes on until it is killed, and gives time to look.
        command
            .arg("spin")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = spawn(&mut command)?;
        let link = |fd: usize| fs::read_link(format!("/proc/{}/fd/{fd}", child.id()));
        let is_null = |fd: usize| link(fd).is_ok_and(|path| path.as_os_str() == "/dev/null");
        let ready = || (0..3).all(|fd| !closed[fd] || is_null(fd));
        let start = Instant::now();
        while !ready() && start.elapsed() < Duration::from_secs(60) {
            thread::sleep(Duration::from_millis(1));
        }
        let links = [0, 1, 2].map(link);
        let was_ready = ready();
        child.kill()?;
        wait(&mut child)?;
        ensure!(was_ready, "{script}: descriptors 0 to 2 are {links:?}");
        // Those that were open are left as they were; stdin was /dev/null.
        ensure!(
            closed[1]
                || !links[1]
                    .as_ref()
                    .is_ok_and(|path| path.as_os_str() == "/dev/null"),
            "{script}: {links:?}"
        );
    }
    Ok(())
}

/// A death without a place to say why still has its status.
fn closed_and_dying() -> Result<(), Failed> {
    redirected("exec <&- 1>&- 2>&-", "panic")?.expect(2, "", "")?;
    redirected("exec 2>&-", "nil")?.expect(2, "", "")?;
    redirected("exec 2>&-", "goexit")?.expect(2, "", "")?;
    redirected("exec 2>&-", "return-error")?.expect(1, "", "")?;
    Ok(())
}

/// Closed, and the limit allows no other: one line where one can be read.
fn none_to_be_had() -> Result<(), Failed> {
    let line = "fatal error: could not open /dev/null for file descriptor 0\n";
    let limited = "exec <&-\nulimit -n 0";
    if gort_host_tests::programs::native() {
        redirected(limited, "both")?.expect(2, "", line)?;
        redirected("exec <&- 1>&- 2>&-\nulimit -n 0", "both")?.expect(2, "", "")?;
        redirected("ulimit -n 0", "both")?.expect(0, "to stdout\n", "to stderr\n")?;
    }
    Ok(())
}

/// Printing that fails is a panic, as in std; and where stderr cannot take the
/// message either, there is the status.
fn full_disk() -> Result<(), Failed> {
    const NO_SPACE: &str = "panic: failed printing to *: No space left on device (os error 28)\n\n\
        goroutine 1 [running]:\n**";
    for command in ["both", "lines"] {
        let outcome = run(in_shell("exec 1>/dev/full", "testprog")?.args([command, "1"]))?;
        outcome
            .expect(2, "", NO_SPACE)
            .map_err(|error| format!("{command}: {error}"))?;
    }
    redirected("exec 2>/dev/full", "both")?.expect(2, "to stdout\n", "")?;
    redirected("exec 2>/dev/full", "panic")?.expect(2, "", "")?;
    redirected("exec 1>/dev/full 2>/dev/full", "both")?.expect(2, "", "")?;
    // Who prints nothing is not concerned.
    redirected("exec 1>/dev/full 2>/dev/full", "return")?.expect(0, "", "")?;
    Ok(())
}

fn read_only() -> Result<(), Failed> {
    // As in std, a stream that is not open for writing takes all and keeps nothing.
    redirected("exec 1</dev/null", "both")?.expect(0, "", "to stderr\n")?;
    let nothing = run(program("testprog")?.arg("return"))?;
    nothing.expect(0, "", "")?;
    Ok(())
}
