//! How often hello asks the kernel for something.

use std::collections::BTreeMap;
use std::process::Command;

use gort_host_tests::ensure;
use gort_host_tests::programs::{Outcome, native, path, run, strace};
use libtest_mimic::{Failed, Trial};

/// The most that hello may need, from execve to exit_group.
const LIMIT: usize = 40;

pub(crate) fn trials() -> Vec<Trial> {
    // An emulator's own calls are not hello's.
    vec![
        Trial::test("system_calls::hello", hello).with_ignored_flag(!native()),
        Trial::test("system_calls::more_threads", more_threads).with_ignored_flag(!native()),
        Trial::test("system_calls::a_seam", a_seam).with_ignored_flag(!native()),
        Trial::test("system_calls::masks_of_handlers", masks_of_handlers)
            .with_ignored_flag(!native()),
    ]
}

fn hello() -> Result<(), Failed> {
    // Told how many Ps to make, it need not look for a control group's limit, and
    // with two CPUs it does not, either; else there are more calls the deeper
    // the group lies.
    let names = trace(&[("GOMAXPROCS", "1")])?;
    let default = trace(&[])?;
    let two_cpus = std::thread::available_parallelism().is_ok_and(|cpus| cpus.get() <= 2);
    for calls in [names.len(), default.len()] {
        ensure!(
            calls <= LIMIT || !two_cpus,
            "hello makes {calls} system calls, expected at most {LIMIT}"
        );
    }
    let documented = documented();
    ensure!(
        names == documented,
        "hello makes the system calls {names:?}, src/os/linux/mod.rs has {documented:?}"
    );
    Ok(())
}

/// To call over a seam of the stack asks for memory at the first time only.
fn a_seam() -> Result<(), Failed> {
    let calls = |times: &str| -> Result<Vec<String>, Failed> {
        let trace = whole("testprog", &["seam", times], &[])?;
        let printed = format!("write(1, \"{times} times\\n\"");
        ensure!(trace.contains(&printed), "no {printed:?} in\n{trace}");
        Ok(trace.lines().filter_map(call).map(String::from).collect())
    };
    let (none, one, million) = (calls("0")?, calls("1")?, calls("1000000")?);
    ensure!(one.len() > none.len(), "a segment without a call: {one:?}");
    ensure!(
        one == million,
        "{} system calls for one, {} for a million",
        one.len(),
        million.len()
    );
    Ok(())
}

/// A handler is not interrupted by another one: all have one stack. What preempts is, by a
/// fault of its own, which has words for it.
fn masks_of_handlers() -> Result<(), Failed> {
    // It starts sysmon, and with it what preempts.
    let outcome = traced("testprog", &["calls-beside-main", "1"], &[])?;
    let trace = String::from_utf8_lossy(&outcome.stderr);
    ensure!(outcome.status.success(), "{}: {trace}", outcome.status);
    let mut handlers = 0;
    for line in trace.lines() {
        let Some((_, action)) = line.split_once("rt_sigaction(") else {
            continue;
        };
        let Some((signal, action)) = action.split_once(", {sa_handler=") else {
            continue; // it asks what there is
        };
        if action.starts_with("SIG_") {
            continue;
        }
        let expected = match signal {
            "SIGURG" => "sa_mask=~[ILL BUS FPE SEGV]",
            _ => "sa_mask=~[]",
        };
        let blocks = action.contains(expected);
        ensure!(blocks, "expected {expected}: {line}");
        handlers += 1;
    }
    ensure!(handlers > 4, "{handlers} handlers:\n{trace}");
    Ok(())
}

/// Before a thread does its work, sysmon's or another, it gets a signal stack, and the
/// signal mask that the program was started with, as has each thread that has made one.
fn more_threads() -> Result<(), Failed> {
    for procs in ["1", "4"] {
        // A goroutine that blocks in the system has others run on another thread.
        let arguments = ["calls-beside-main", "5"];
        let outcome = traced("testprog", &arguments, &[("GOMAXPROCS", procs)])?;
        ensure!(
            outcome.stdout == b"back\n",
            "GOMAXPROCS={procs}: {outcome:?}"
        );
        let trace = String::from_utf8_lossy(&outcome.stderr);
        masks_are_right(&trace).map_err(|error| format!("{error} in\n{trace}"))?;
    }
    Ok(())
}

/// Checks what each thread of a trace does with its signal mask.
fn masks_are_right(trace: &str) -> Result<(), String> {
    const BLOCKED: &str = "rt_sigprocmask(SIG_SETMASK, ~[],";
    const FREE: &str = "rt_sigprocmask(SIG_SETMASK, [],";
    // strace names no thread while there is only one.
    let mut threads: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in trace.lines().filter(|line| call(line).is_some()) {
        let named = line
            .strip_prefix("[pid")
            .and_then(|rest| rest.split_once("] "));
        let (thread, text) = named.unwrap_or(("main", line));
        threads.entry(thread.trim()).or_default().push(text);
    }
    // And it may learn of the second one late: what the first one calls begins on lines
    // without a name, and goes on, anywhere, on lines with one.
    let is_new = |calls: &[&str]| {
        calls
            .first()
            .is_some_and(|text| text.starts_with("gettid("))
    };
    let mut alone = threads.remove("main").unwrap_or_default();
    threads.retain(|_, calls| {
        let stays = is_new(calls);
        if !stays {
            alone.append(calls);
        }
        stays
    });
    let mut complete = 0;
    for calls in threads.values() {
        // A thread may not get far before the program ends.
        let begins = ["gettid(", "sigaltstack(", FREE];
        if !calls
            .iter()
            .zip(begins)
            .all(|(text, begin)| text.starts_with(begin))
        {
            return Err(format!("a thread begins with {calls:#?}"));
        }
        complete += usize::from(calls.len() >= begins.len());
    }
    if complete < 2 {
        return Err(format!("{complete} threads beside the main one"));
    }
    for calls in threads.values().chain([&alone]) {
        let mut blocked = false;
        for (at, text) in calls.iter().enumerate() {
            if text.starts_with("clone(") && !blocked {
                return Err(format!(
                    "a thread is made while signals are not blocked: {calls:#?}"
                ));
            }
            if blocked && !text.starts_with("clone(") && !text.starts_with(FREE) {
                return Err(format!("signals are blocked at call {at} of {calls:#?}"));
            }
            blocked = text.starts_with(BLOCKED) || text.starts_with("clone(");
        }
    }
    Ok(())
}

/// Lists the names of the calls that hello makes, in this environment.
fn trace(environment: &[(&str, &str)]) -> Result<Vec<String>, Failed> {
    let trace = whole("hello", &[], environment)?;
    let printed = trace.contains("write(1, \"vim-go\\n\"");
    ensure!(printed, "hello did not print its line:\n{trace}");
    Ok(trace.lines().filter_map(call).map(String::from).collect())
}

/// Runs a program under strace, in this environment.
fn traced(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Outcome, Failed> {
    Ok(run(Command::new(strace()?)
        .args(["-f", "--"])
        .arg(path(name)?)
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied()))?)
}

/// Returns what strace writes about a program with one thread, in this environment.
fn whole(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<String, Failed> {
    let outcome = traced(name, arguments, environment)?;
    let trace = String::from_utf8_lossy(&outcome.stderr).into_owned();
    ensure!(
        outcome.status.success(),
        "strace: {}: {trace}",
        outcome.status
    );
    let whole = trace.contains("execve(") && trace.contains("exit_group(0)");
    ensure!(whole, "the trace is not whole:\n{trace}");
    Ok(trace)
}

/// Lists the calls of the table that says why each is there.
fn documented() -> Vec<&'static str> {
    let source = include_str!("../../../../src/os/linux/mod.rs");
    let mut calls = Vec::new();
    for row in source
        .lines()
        .filter_map(|line| line.strip_prefix("//! | `"))
    {
        let Some((names, rest)) = row.split_once("` | ") else {
            continue;
        };
        let times = rest.split(' ').next().and_then(|times| times.parse().ok());
        for name in names.split("`, `") {
            calls.extend(std::iter::repeat_n(name, times.unwrap_or(0)));
        }
    }
    calls
}

/// Finds the name of the call whose beginning a line of strace's shows.
fn call(line: &str) -> Option<&str> {
    let text = match line.strip_prefix("[pid") {
        Some(rest) => rest.split_once("] ").map_or("", |(_, text)| text),
        None => line,
    };
    let (name, _) = text.split_once('(')?;
    let is_name = name
        .bytes()
        .all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    is_name.then_some(name)
}
