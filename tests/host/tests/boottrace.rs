//! `GODEBUG=boottrace=1`: a line for each step of the boot as it ends, in the
//! order of the boot's table.

use gort_host_tests::ensure;
use gort_host_tests::programs::{excerpt, program, run};
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
        Trial::test("boottrace::off_unless_asked_for", off_unless_asked_for),
        Trial::test("boottrace::ends_with_the_program", ends_with_the_program),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

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
    text.lines().map(parse).collect()
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
    let trace = lines.map(parse).collect::<Result<Vec<_>, _>>()?;
    let names: Vec<&str> = trace.iter().map(|step| step.name.as_str()).collect();
    ensure!(
        Some(&names[..]) == STEPS.strip_suffix(&["main.main"]),
        "got {names:#?}"
    );
    ensure!(text.contains("\npanic: a plain text\n"), "got {text}");
    Ok(())
}
