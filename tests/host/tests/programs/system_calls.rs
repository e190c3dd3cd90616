//! How often hello asks the kernel for something.

use gort_host_tests::ensure;
use gort_host_tests::programs::{find_tool, native, path, run};
use libtest_mimic::{Failed, Trial};
use std::process::Command;

/// The most that hello may need, from execve to exit_group.
const LIMIT: usize = 40;

pub(crate) fn trials() -> Vec<Trial> {
    // An emulator's own calls are not hello's.
    vec![
        Trial::test("system_calls::hello", hello).with_ignored_flag(!native()),
        Trial::test("system_calls::a_second_thread", a_second_thread).with_ignored_flag(!native()),
        Trial::test("system_calls::a_seam", a_seam).with_ignored_flag(!native()),
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
        let trace = strace("testprog", &["seam", times], &[])?;
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

/// Before sysmon does its work, its thread gets a signal stack, and the signal
/// mask that the program was started with, as has the thread that made it.
fn a_second_thread() -> Result<(), Failed> {
    let Some(strace) = find_tool("strace") else {
        return Err("strace is not there: apt-get install strace".into());
    };
    // The example ends by itself, but sysmon's thread may not get far by then. On one P
    // there is no third.
    let outcome = run(Command::new(strace)
        .args(["-f", "--"])
        .arg(path("goroutines")?)
        .env_clear()
        .env("GOMAXPROCS", "1"))?;
    let trace = String::from_utf8_lossy(&outcome.stderr);
    let first = trace
        .lines()
        .filter(|line| line.starts_with("[pid"))
        .find(|line| line.contains("gettid("));
    let pid = first.and_then(|line| line.split(']').next());
    let pid = pid.ok_or_else(|| format!("no second thread in\n{trace}"))?;
    let own: Vec<&str> = trace.lines().filter(|line| line.starts_with(pid)).collect();
    let calls: Vec<&str> = own.iter().copied().filter_map(call).take(3).collect();
    ensure!(
        calls == ["gettid", "sigaltstack", "rt_sigprocmask"],
        "the second thread begins with {own:#?}"
    );
    // Blocked while it was made, and free again in both.
    let freed = |line: &&str| line.contains("rt_sigprocmask(SIG_SETMASK, [],");
    let (theirs, all) = (
        own.iter().copied().filter(|line| freed(line)).count(),
        trace.lines().filter(|line| freed(line)).count(),
    );
    ensure!(
        theirs == 1 && all == 2,
        "{theirs} of {all} calls free the mask in\n{trace}"
    );
    Ok(())
}

/// Lists the names of the calls that hello makes, in this environment.
fn trace(environment: &[(&str, &str)]) -> Result<Vec<String>, Failed> {
    let trace = strace("hello", &[], environment)?;
    let printed = trace.contains("write(1, \"vim-go\\n\"");
    ensure!(printed, "hello did not print its line:\n{trace}");
    Ok(trace.lines().filter_map(call).map(String::from).collect())
}

/// Returns what strace writes about a program, in this environment.
fn strace(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<String, Failed> {
    let Some(strace) = find_tool("strace") else {
        return Err("strace is not there: apt-get install strace".into());
    };
    let outcome = run(Command::new(strace)
        .args(["-f", "--"])
        .arg(path(name)?)
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied()))?;
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
