//! How often hello asks the kernel for something.

use gort_host_tests::ensure;
use gort_host_tests::programs::{find_tool, native, path, run};
use libtest_mimic::{Failed, Trial};
use std::process::Command;

/// The most that hello may need, from execve to exit_group.
const LIMIT: usize = 40;

pub(crate) fn trials() -> Vec<Trial> {
    // An emulator's own calls are not hello's.
    vec![Trial::test("system_calls::hello", hello).with_ignored_flag(!native())]
}

fn hello() -> Result<(), Failed> {
    let Some(strace) = find_tool("strace") else {
        return Err("strace is not there: apt-get install strace".into());
    };
    let outcome = run(Command::new(strace)
        .args(["-f", "--"])
        .arg(path("hello")?)
        .env_clear())?;
    let trace = String::from_utf8_lossy(&outcome.stderr);
    ensure!(
        outcome.status.success(),
        "strace: {}: {trace}",
        outcome.status
    );
    ensure!(
        outcome.stdout == b"vim-go\n",
        "hello under strace printed {:?}",
        outcome.stdout
    );
    let calls = trace.lines().filter(|line| is_call(line)).count();
    let whole = trace.contains("execve(") && trace.contains("exit_group(0)");
    ensure!(whole, "the trace is not whole:\n{trace}");
    ensure!(
        calls <= LIMIT,
        "hello makes {calls} system calls, expected at most {LIMIT}:\n{trace}"
    );
    Ok(())
}

/// Tells whether a line of strace's shows the beginning of a call.
fn is_call(line: &str) -> bool {
    let text = match line.strip_prefix("[pid") {
        Some(rest) => rest.split_once("] ").map_or("", |(_, text)| text),
        None => line,
    };
    !(text.starts_with("+++") || text.starts_with("---") || text.starts_with("<..."))
        && text.split_once('(').is_some_and(|(name, _)| {
            name.bytes()
                .all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
        })
}
