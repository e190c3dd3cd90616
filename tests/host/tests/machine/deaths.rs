//! Deaths: exceptions, panics and what the runtime finds, with Linux's words and statuses.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use gort_host_tests::programs::{find_tool, path, run};
use libtest_mimic::{Failed, Trial};

use crate::boot::Machine;

/// The example, and which of its ways are tried. What is not here makes system calls of its
/// own (sent-segv, bus, nil-handler, overflow-gsignal, too-many-threads, no-more-threads), has a
/// shell limit it (out-of-memory, out-of-stacks), or closes a descriptor.
const EXAMPLE: &str = "ways_to_die";
const WAYS: &[&str] = &[
    "abort",
    "deadlock",
    "deadlock-lock",
    "divide",
    "exit-0",
    "exit-1",
    "exit-255",
    "exit-goroutine",
    "goexit-main",
    "illegal",
    "main-returns-err",
    "nil",
    "nil-call",
    "nil-field",
    "nil-g0",
    "nil-goroutine",
    "nil-write",
    "overflow",
    "overflow-g0",
    "overflow-goroutine",
    "overflow-m0",
    "panic",
    "panic-divide",
    "panic-g0",
    "panic-goroutine",
    "panic-index",
    "panic-thread",
    "read-only",
    "stack-too-large",
    "trap",
    "unlock",
    "wild",
    "wild-call",
];

/// On Linux that stack is the kernel's, whose place is random to 16 bytes: so is the function
/// that has no room, and what can be read of it. Its frames alone are not compared.
const STACK_OF_LINUX: &str = "overflow-m0";
const RUNTIME_STACK: &str = "runtime stack:\n";

pub(crate) fn trials() -> Vec<Trial> {
    let machines = [Machine::new("microvm", 2), Machine::new("q35", 1)];
    let mut trials = Vec::new();
    for (at, &way) in WAYS.iter().enumerate() {
        // In turn: the machines differ in what boots them, not in what happens then.
        let machine = machines[at % machines.len()];
        let title = format!("deaths::{}::{way}", machine.title());
        trials.push(Trial::test(title, move || compare(machine, way)));
    }
    trials
}

/// Dies on Linux and on a machine.
fn compare(machine: Machine, way: &str) -> Result<(), Failed> {
    let shell = find_tool("sh").ok_or("there is no sh")?;
    let mut linux = Command::new(shell);
    linux
        .args(["-c", "ulimit -c 0; exec \"$0\" \"$1\" 2>&1"])
        .arg(path(EXAMPLE)?)
        .arg(way)
        .env_clear()
        .env("GOMAXPROCS", "2")
        .stdin(Stdio::null());
    let linux = run(&mut linux)?;
    let status = linux.status;
    let wanted = status.code().or(status.signal().map(|signal| 128 + signal));
    let said = machine.boot(&["--env", "GOMAXPROCS=2"], EXAMPLE, &[way])?;
    let compared = |text: &str| {
        let text = masked(text);
        match (way == STACK_OF_LINUX, text.split_once(RUNTIME_STACK)) {
            (true, Some((before, stack))) => {
                let after = stack.find("\n\n").map_or("", |end| &stack[end..]);
                format!("{before}{RUNTIME_STACK}{after}")
            }
            _ => text,
        }
    };
    let (got, want) = (
        compared(&said.text),
        compared(&String::from_utf8_lossy(&linux.stdout)),
    );
    if said.status == wanted && got == want {
        return Ok(());
    }
    Err(format!(
        "on Linux it is status {wanted:?} and\n{want}\non a machine it is {:?} and\n{}",
        said.status, said.text
    )
    .into())
}

/// Takes out what differs: numbers in hexadecimal, which M it was, and what other goroutines
/// are about. Of the trace there are the frames of the program's own, without places in code.
fn masked(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines().peekable();
    let mut headers = 0;
    while let Some(line) = lines.next() {
        headers += usize::from(line.starts_with("goroutine "));
        if headers > 1 {
            break;
        }
        let place = lines.peek().and_then(|next| next.strip_prefix('\t'));
        if let Some(place) = place {
            lines.next();
            if !place.contains("examples/") {
                continue;
            }
        }
        let words = line.split(' ').map(|word| match word.split_once("0x") {
            Some((before, number)) => {
                let end = number.trim_start_matches(|digit: char| digit.is_ascii_hexdigit());
                format!("{before}0x?{end}")
            }
            None if word.starts_with("m=") => "m=?".into(),
            None => word.into(),
        });
        let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
        kept += &words.join(" ");
        kept.push('\n');
    }
    kept
}
