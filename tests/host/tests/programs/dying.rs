//! What happens while a program dies: deaths within deaths, signals meanwhile, others that do
//! not stop, and goroutines whose records are no longer what they were. Most of it is strace's
//! doing.

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use gort_host_tests::ensure;
use gort_host_tests::programs::{Outcome, excerpt, native, path, program, release, run, strace};
use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    // An emulator's own calls are not the program's.
    let native_only = |trial: Trial| trial.with_ignored_flag(!native());
    vec![
        native_only(Trial::test("dying::deaths_within_deaths", within_deaths)),
        Trial::test("dying::faults_in_a_report", faults_in_a_report),
        native_only(Trial::test("dying::signals_wait", signals_wait)),
        native_only(Trial::test("dying::others_are_waited_for", others_wait)),
        native_only(Trial::test("dying::written_over", written_over)),
    ]
}

/// How many goroutines [`written_over`] has beside main and the one that overflows.
const OTHERS: usize = 12;

/// Runs an example under strace, with so many Ps, in another variable besides. Returns what it
/// printed and what strace wrote.
fn traced(
    options: &[&str],
    name: &str,
    arguments: &[&str],
    (procs, variable): (&str, (&str, &str)),
) -> Result<(Outcome, String), Failed> {
    static LOGS: AtomicU32 = AtomicU32::new(0);
    let number = LOGS.fetch_add(1, Ordering::Relaxed); // a counter
    let log = std::env::temp_dir().join(format!("gort-dying-{}-{number}", std::process::id()));
    let outcome = run(Command::new(strace()?)
        .arg("-f")
        .arg("-o")
        .arg(&log)
        .args(options)
        .arg("--")
        .arg(path(name)?)
        .args(arguments)
        .env_clear()
        .env("GOMAXPROCS", procs)
        .envs([variable]))?;
    let text = fs::read_to_string(&log)?;
    fs::remove_file(&log)?;
    Ok((outcome, text))
}

/// What strace is told to have a signal come with each of the program's writes.
fn with_writes(signal: &str) -> String {
    format!("-einject=write:signal={signal}:when=1+")
}

/// No variable.
const NONE: (&str, &str) = ("GODEBUG", "");

/// Who dies of what it does to say so dies anew, with words for it, twice; the fourth time it
/// ends at once.
fn within_deaths() -> Result<(), Failed> {
    let again = "fatal error: unexpected signal during runtime execution\n\
        [signal SIGSEGV: segmentation violation code=0x80 addr=0x0 pc=0x*]\n";
    let nil = "panic: runtime error: invalid memory address or nil pointer dereference\n\
        [signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x*]\n";
    for (command, first) in [("nil", nil), ("panic-plain", "panic: a plain text\n")] {
        let options = [with_writes("SIGSEGV")];
        let options = options.each_ref().map(String::as_str);
        let (outcome, _) = traced(&options, "testprog", &[command], ("1", NONE))?;
        outcome
            .expect(5, "", &format!("{first}{again}{again}"))
            .map_err(|error| format!("{command}: {error}"))?;
    }
    Ok(())
}

/// A goroutine's record is not to be read any more: the report on the others faults, and so
/// does the report on that. In a handler, too, where faults were blocked.
fn faults_in_a_report() -> Result<(), Failed> {
    for how in ["panic", "nil"] {
        let mut command = program("testprog")?;
        let outcome = run(command.args(["trace-lost", how]).env("GOTRACEBACK", "all"))?;
        let text = String::from_utf8_lossy(&outcome.stderr);
        let begin = if how == "nil" {
            "panic: runtime error: invalid memory address or nil pointer dereference\n"
        } else {
            "panic: one is lost\n"
        };
        let said = |what: &str| text.matches(what).count();
        ensure!(
            outcome.status.code() == Some(4)
                && text.starts_with(begin)
                && said("panic during panic\n") == 1
                && text.ends_with("stack trace unavailable\n"),
            "{how}: {}: {text}",
            outcome.status
        );
    }
    Ok(())
}

/// While a handler reports a death other signals wait, also those that would be deaths of their
/// own.
fn signals_wait() -> Result<(), Failed> {
    let options = [with_writes("SIGQUIT")];
    let options = options.each_ref().map(String::as_str);
    for (command, dumps) in [("nil", 0), ("return-error", 1)] {
        let (outcome, _) = traced(&options, "testprog", &[command], ("1", NONE))?;
        let text = String::from_utf8_lossy(&outcome.stderr);
        let said = |what: &str| text.matches(what).count();
        ensure!(
            outcome.status.code() == Some(2)
                && said("SIGQUIT: quit\n") == dumps
                && said("\ngoroutine 1 ") == 1
                && said("panic during panic") == 0,
            "{command}: {}: {text}",
            outcome.status
        );
    }
    Ok(())
}

/// Before a panic says why, others are to stop: for who does not it waits again and again, but
/// not for ever.
fn others_wait() -> Result<(), Failed> {
    let options = ["-etrace=nanosleep,write"];
    let (outcome, log) = traced(
        &options,
        "ways_to_die",
        &["panic-among-running"],
        ("2", ("GODEBUG", "asyncpreemptoff=1")),
    )?;
    outcome.expect(
        2,
        "",
        "panic: while another one runs\n\ngoroutine 1 [running]:\n**",
    )?;
    let (before, _) = log
        .split_once("panic: while")
        .ok_or_else(|| format!("nothing was said: {log}"))?;
    let writer = before
        .lines()
        .last()
        .and_then(|line| line.split(' ').next());
    let rests = before.lines().filter(|line| {
        line.split(' ').next() == writer && line.contains("nanosleep({tv_sec=0, tv_nsec=100000}")
    });
    let rests = rests.count();
    ensure!(rests >= 500, "it has waited {rests} times: {log}");
    Ok(())
}

/// A goroutine that another one, which has no guard below its stack, has written over is not
/// looked at; all others are.
fn written_over() -> Result<(), Failed> {
    // As many guards as there are for the first of them.
    let options = [
        "-einject=madvise:error=EINVAL",
        "-einject=mprotect:error=ENOMEM:when=12+",
    ];
    let others = OTHERS.to_string();
    let arguments = ["overflow-late-and-back", &others];
    let (outcome, _) = traced(&options, "testprog", &arguments, ("1", NONE))?;
    let text = String::from_utf8_lossy(&outcome.stderr);
    let said = |what: &str| text.matches(what).count();
    let words = usize::from(!release()); // where there is room for them
    ensure!(
        outcome.status.code() == Some(2)
            && said("fatal error: stack overflow\n") == 1
            && said("\n\ngoroutine ") == OTHERS + 1
            && said("(a goroutine that another one's overflow has written over)\n") == words
            && said("[thread::park]:\n") == OTHERS - 1,
        "{}: {}",
        outcome.status,
        excerpt(&outcome.stderr)
    );
    Ok(())
}
