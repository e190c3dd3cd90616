//! `GODEBUG=boottrace=1`: a line for each step of the boot as it ends, in the
//! order of the boot's table.

use std::io::Read as _;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use gort_host_tests::ensure;
use gort_host_tests::programs::{excerpt, native, program, run, spawn, wait};
use libtest_mimic::{Arguments, Failed, Trial};

/// The boot's steps in the order in which they end. What a step calls ends
/// before it: sysargs before args, the subsystems before schedinit.
const STEPS: &[&str] = &[
    "_rt0_amd64_linux",
    "_rt0_amd64",
    "runtime.settls",
    "runtime.rt0_go",
    "runtime.check",
    "runtime.sysargs",
    "runtime.args",
    "runtime.osinit",
    "runtime.moduledataverify",
    "runtime.stackinit",
    "runtime.randinit",
    "runtime.mallocinit",
    "runtime.cpuinit",
    "runtime.alginit",
    "runtime.mcommoninit",
    "runtime.sigsave",
    "runtime.goargs",
    "runtime.goenvs",
    "runtime.secure",
    "runtime.checkfds",
    "runtime.parsedebugvars",
    "runtime.gcinit",
    "runtime.procresize",
    "runtime.schedinit",
    "runtime.newproc",
    "runtime.mstart",
    "runtime.main",
    "main.main",
];

fn main() {
    let arguments = Arguments::from_args();
    let trials = vec![
        Trial::test("boottrace::steps_in_order", steps_in_order),
        Trial::test("boottrace::times_add_up", times_add_up),
        Trial::test(
            "boottrace::as_the_clock_on_the_wall",
            as_the_clock_on_the_wall,
        ),
        Trial::test(
            "boottrace::init_tasks_by_the_clock",
            init_tasks_by_the_clock,
        ),
        Trial::test("boottrace::without_its_own_time", without_its_own_time)
            .with_ignored_flag(!native()),
        Trial::test("boottrace::off_unless_asked_for", off_unless_asked_for),
        Trial::test("boottrace::ends_with_the_program", ends_with_the_program),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

/// How the line begins that is on memory and on no step.
const MEMORY: &str = "boot mem: ";

/// A line of the trace, times in nanoseconds.
struct Step {
    name: String,
    since_entry: u64,
    own: u64,
}

/// Runs hello with the trace; checks that its own output is as always.
fn trace() -> Result<Vec<Step>, Failed> {
    let outcome = run(program("hello")?.env("GODEBUG", "boottrace=1"))?;
    let text = String::from_utf8(outcome.stderr)?;
    ensure!(outcome.status.success(), "{}: {text}", outcome.status);
    ensure!(
        outcome.stdout == b"vim-go\n",
        "stdout: {}",
        excerpt(&outcome.stdout)
    );
    let (memory, steps): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with(MEMORY));
    // One goroutine's stack, the boot heap with the Ps, and no heap as yet.
    let [line] = memory[..] else {
        return Err(format!("{} lines on memory", memory.len()).into());
    };
    let numbers: Vec<u64> = line
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    ensure!(
        matches!(numbers[..], [1..1_000_000, 0, 262_144]),
        "unexpected: {line}"
    );
    steps.into_iter().map(parse).collect()
}

/// Reads `boot     38395 ns  +     290 ns  _rt0_amd64`.
fn parse(line: &str) -> Result<Step, Failed> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (since_entry, own, name) = match words[..] {
        ["boot", since, "ns", "+", own, "ns", name] => (since, own, name),
        // A wide number leaves no space behind the plus.
        ["boot", since, "ns", own, "ns", name] if own.starts_with('+') => (since, &own[1..], name),
        _ => return Err(format!("not a line of the trace: {line:?}").into()),
    };
    Ok(Step {
        name: name.into(),
        since_entry: since_entry.parse()?,
        own: own.parse()?,
    })
}

fn steps_in_order() -> Result<(), Failed> {
    let trace = trace()?;
    let names: Vec<&str> = trace.iter().map(|step| step.name.as_str()).collect();
    ensure!(names == STEPS, "expected {STEPS:#?}, got {names:#?}");
    Ok(())
}

/// The time since the entry never falls, and grows by each step's own.
fn times_add_up() -> Result<(), Failed> {
    let mut before = 0;
    for Step {
        name,
        since_entry,
        own,
    } in trace()?
    {
        ensure!(
            since_entry >= before,
            "{name} ended at {since_entry} ns, after a step that ended at {before} ns"
        );
        ensure!(
            own <= since_entry,
            "{name} took {own} ns, {since_entry} ns after the entry"
        );
        // Both are rounded down to whole nanoseconds.
        let passed = since_entry - before;
        ensure!(
            own.abs_diff(passed) <= 1,
            "{name} took {own} ns, but {passed} ns passed"
        );
        before = since_entry;
    }
    ensure!(before > 0, "no time passed at all");
    Ok(())
}

/// How long [`slowly_read`] lets a program wait.
const WAIT: Duration = Duration::from_millis(200);

/// Starts testprog, which prints more than a pipe holds, and begins to read when
/// it has waited for that; returns its standard error, and how long all took.
fn slowly_read(arguments: &[&str], godebug: &str) -> Result<(String, Duration), Failed> {
    let start = Instant::now();
    let mut command = program("testprog")?;
    command
        .args(arguments)
        .env("GODEBUG", godebug)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = spawn(&mut command)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (mut stdout, mut stderr) = (stdout.ok_or("no pipe")?, stderr.ok_or("no pipe")?);
    // What is to be timed has begun, or will wait even longer.
    let mut first = [0];
    stdout.read_exact(&mut first)?;
    thread::sleep(WAIT);
    std::io::copy(&mut stdout, &mut std::io::sink())?;
    let mut text = String::new();
    stderr.read_to_string(&mut text)?;
    wait(&mut child)?;
    Ok((text, start.elapsed()))
}

/// A main that waits for its reader takes as long as the reader: the counter's
/// ticks are made into true nanoseconds.
fn as_the_clock_on_the_wall() -> Result<(), Failed> {
    let (text, elapsed) = slowly_read(&["lines", "20000"], "boottrace=1")?;
    let steps = text.lines().filter(|line| !line.starts_with(MEMORY));
    let steps = steps.map(parse).collect::<Result<Vec<_>, _>>()?;
    let main = steps.last().ok_or("no trace")?;
    ensure!(main.name == "main.main", "the last step is {}", main.name);
    let whole = Duration::from_nanos(main.since_entry);
    // For what a busy machine does in the millisecond in which the rate is measured: a part in
    // ten; under an emulator, where to read a clock takes longer, a part in three.
    let part = if native() { 10 } else { 3 };
    ensure!(
        whole * part > WAIT * (part - 1) && whole * (part - 1) < elapsed * part,
        "{whole:?} by the trace, from {WAIT:?} to {elapsed:?} by the clock"
    );
    Ok(())
}

/// The same for an init task: when it began and how long it took are within what
/// the program took.
fn init_tasks_by_the_clock() -> Result<(), Failed> {
    let (text, elapsed) = slowly_read(&["lines-init"], "inittrace=1")?;
    // init testprog::before_main @0.040 ms, 200.123 ms clock
    let line = text.lines().find(|line| line.contains("::before_main @"));
    let times = line.and_then(|line| line.split_once('@'));
    let words: Vec<&str> = times.unwrap_or_default().1.split(' ').collect();
    let [since, "ms,", clock, "ms", "clock"] = words[..] else {
        return Err(format!("no line of the task in {text}").into());
    };
    let duration = |text: &str| {
        text.parse()
            .map(|ms: f64| Duration::from_secs_f64(ms / 1e3))
    };
    let (since, clock) = (duration(since)?, duration(clock)?);
    ensure!(
        clock >= WAIT && since + clock <= elapsed,
        "it began at {since:?} and took {clock:?}, from {WAIT:?} to {elapsed:?} by the clock"
    );
    Ok(())
}

/// The millisecond in which the trace compares the counter with the clock counts
/// for no step. Once in a hundred starts no step is held up.
fn without_its_own_time() -> Result<(), Failed> {
    let mut least = u64::MAX;
    for _ in 0..100 {
        let trace = trace()?;
        let whole = trace.iter().find(|step| step.name == "runtime.stackinit");
        least = least.min(whole.map_or(u64::MAX, |step| step.since_entry));
        if least < 1_000_000 {
            return Ok(());
        }
    }
    Err(format!("runtime.stackinit never ends before {least} ns").into())
}

fn off_unless_asked_for() -> Result<(), Failed> {
    run(&mut program("hello")?)?.expect(0, "vim-go\n", "")?;
    for off in ["", "boottrace=0", "inittrace=0,boottrace=0", ","] {
        run(program("hello")?.env("GODEBUG", off))?.expect(0, "vim-go\n", "")?;
    }
    Ok(())
}

/// A program that dies ends its trace with the last step that it got to.
fn ends_with_the_program() -> Result<(), Failed> {
    let mut command = program("testprog")?;
    let outcome = run(command.args(["panic-plain"]).env("GODEBUG", "boottrace=1"))?;
    let text = String::from_utf8(outcome.stderr)?;
    let lines = text.lines().take_while(|line| line.starts_with("boot "));
    let steps = lines.filter(|line| !line.starts_with(MEMORY));
    let trace = steps.map(parse).collect::<Result<Vec<_>, _>>()?;
    let names: Vec<&str> = trace.iter().map(|step| step.name.as_str()).collect();
    ensure!(
        Some(&names[..]) == STEPS.strip_suffix(&["main.main"]),
        "got {names:#?}"
    );
    ensure!(text.contains("\npanic: a plain text\n"), "got {text}");
    Ok(())
}
