//! Machines that are not as one would have them: what is missing, what does not answer, what
//! comes without end. A line on the serial port and a status, never a reset or a hang.

use std::env;
use std::io::Write as _;
use std::process::{Command, Stdio};

use gort_host_tests::ensure;
use gort_host_tests::programs::{built_for_none, run, run_beside};
use libtest_mimic::{Failed, Trial};

use crate::boot::{Machine, directory};

/// More arguments for QEMU, the program, and what it comes to.
type Case = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    i32,
    &'static str,
);

const HELLO: &[&str] = &["hello"];
const VIM_GO: &str = "vim-go\n";

const CASES: &[Case] = &[
    ("without_i8254", &["-machine", "pit=off"], HELLO, 0, VIM_GO),
    (
        "without_clocks",
        &["-machine", "pit=off,rtc=off"],
        HELLO,
        1,
        "gort: no clock: the CPU does not tell its counter's rate, and there is no i8254 and no RTC\n",
    ),
    (
        "an_old_cpu",
        &["-cpu", "qemu64"],
        &["walk", "preempt"],
        0,
        "the other one has run\n",
    ),
    (
        "without_fsgsbase",
        &["-cpu", "max,-fsgsbase"],
        &["walk", "preempt"],
        0,
        "the other one has run\n",
    ),
    (
        "without_xsave",
        &["-cpu", "max,-xsave"],
        &["walk", "preempt"],
        0,
        "the other one has run\n",
    ),
    ("without_rdrand", &["-cpu", "max,-rdrand"], HELLO, 0, VIM_GO),
    (
        "without_nx",
        &["-cpu", "qemu64,-nx"],
        HELLO,
        1,
        "gort: this CPU has no NX, by which data is no code\n",
    ),
    (
        "without_local_apic",
        &["-cpu", "qemu64,-apic"],
        HELLO,
        1,
        "gort: this CPU has no local APIC, or one in x2APIC mode, which is not tried here\n",
    ),
    (
        "without_64_bits",
        &["-cpu", "qemu64,-lm"],
        HELLO,
        1,
        "gort: this CPU has no 64-bit mode\n",
    ),
];

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for &(name, qemu, program, status, text) in CASES {
        trials.push(Trial::test(format!("odd::{name}"), move || {
            let options: Vec<&str> = qemu.iter().flat_map(|word| ["--qemu", word]).collect();
            let (example, arguments) = program.split_first().ok_or("no program")?;
            let said = Machine::new("microvm", 1).boot(&options, example, arguments)?;
            said.expect(status, text)
        }));
    }
    for machine in [Machine::new("microvm", 2), Machine::new("q35", 2)] {
        let title = format!("odd::{}::an_interrupt_storm", machine.title());
        trials.push(Trial::test(title, move || {
            let said = machine.boot(&[], "testprog", &["interrupt-storm"])?;
            said.expect(0, "nothing happened\n")
        }));
    }
    trials.extend([
        Trial::test("odd::much_memory", much_memory),
        Trial::test("odd::a_cpu_that_does_not_answer", no_answer),
        Trial::test("odd::cpus_by_the_command_line", cpus_by_the_command_line),
        Trial::test("odd::a_long_command_line", a_long_command_line),
        Trial::test("odd::a_line_too_long_for_q35", too_long_for_q35),
        Trial::test("odd::what_is_typed_is_read", what_is_typed_is_read),
    ]);
    trials
}

/// 64 GiB with holes, of which the host gives what is touched: some 50 MB with QEMU's own. With pages of 1 GiB and
/// without. Left out where the host does not promise so much.
fn much_memory() -> Result<(), Failed> {
    const MEMORY: [&str; 6] = [
        "-m",
        "64G",
        "-object",
        "memory-backend-ram,id=m,size=64G,reserve=off",
        "-machine",
        "memory-backend=m",
    ];
    for (machine, cpu) in [
        ("microvm", "max"),
        ("q35", "max"),
        ("q35", "max,-pdpe1gb"),
        ("q35", "qemu64"),
    ] {
        let qemu = MEMORY.into_iter().chain(["-cpu", cpu]);
        let options: Vec<&str> = qemu.flat_map(|word| ["--qemu", word]).collect();
        let program = built_for_none()?.join("examples/hello");
        let outcome = run(&mut Machine::new(machine, 1).command(&options, program)?)?;
        let stderr = String::from_utf8_lossy(&outcome.stderr);
        if stderr.contains("cannot set up guest memory") {
            eprintln!(
                "odd::much_memory: left out, the host says: {}",
                stderr.trim()
            );
            return Ok(());
        }
        ensure!(
            outcome.status.code() == Some(0) && outcome.stdout == VIM_GO.as_bytes(),
            "{machine}, {cpu}: got {outcome:?}"
        );
    }
    Ok(())
}

/// Without ACPI the command line says how many CPUs there are, and QEMU's own word counts only
/// where it does not. With ACPI it says nothing.
fn cpus_by_the_command_line() -> Result<(), Failed> {
    let bad = "gort: GORT_CPUS: expected a number from 1 to 255\n";
    let cases = [
        ("off", "GORT_CPUS=1", 0, "1\n"),
        ("off", "OTHER=1", 0, "2\n"),
        ("on", "GORT_CPUS=1", 0, "2\n"),
        ("off", "GORT_CPUS=0", 1, bad),
        ("off", "GORT_CPUS=two", 1, bad),
    ];
    for (acpi, variable, status, text) in cases {
        let acpi = format!("acpi={acpi}");
        let options = ["--qemu", "-machine", "--qemu", &acpi, "--env", variable];
        let said = Machine::new("microvm", 2).boot(&options, "testprog", &["num-cpu"])?;
        said.expect(status, text)?;
    }
    Ok(())
}

/// The command line may have 64 KiB.
fn a_long_command_line() -> Result<(), Failed> {
    let word = "x".repeat((64 << 10) - 100);
    let said = Machine::new("microvm", 1).boot(&[], "args_env", &[&word])?;
    let line = format!("  1: \"{word}\"\n");
    ensure!(
        said.status == Some(0) && said.text.contains(&line),
        "status {:?}, {} bytes",
        said.status,
        said.text.len()
    );
    Ok(())
}

/// What q35's firmware would hang upon is refused by who starts it.
fn too_long_for_q35() -> Result<(), Failed> {
    let program = built_for_none()?.join("examples/hello");
    let mut command = Machine::new("q35", 1).command(&[], program)?;
    let outcome = run(command.arg("x".repeat(5000)))?;
    let stderr = String::from_utf8_lossy(&outcome.stderr);
    ensure!(
        outcome.status.code() == Some(1)
            && stderr.contains("the command line has 5003 bytes, and q35's firmware has room for"),
        "got {outcome:?}"
    );
    Ok(())
}

/// Standard input is the serial port, up to Ctrl-D.
fn what_is_typed_is_read() -> Result<(), Failed> {
    let program = built_for_none()?.join("examples/testprog");
    let mut command = Machine::new("microvm", 1).command(&[], program)?;
    command.arg("cat").stdin(Stdio::piped());
    let outcome = run_beside(&mut command, |child| {
        let mut stdin = child.stdin.take().ok_or("no pipe")?;
        let typed = stdin.write_all(b"one\ntwo words\n\xff\x04");
        typed.map_err(|error| error.to_string())
    })?;
    ensure!(
        outcome.status.code() == Some(0) && outcome.stdout == b"one\ntwo words\n15 bytes\n\xff",
        "got {outcome:?}"
    );
    Ok(())
}

/// A CPU is listed and does not start: here since gdb, in `xtask gdb --none`, has STARTUP be
/// sent to one that is not there. It is named, and the program runs on those that are. When
/// gdb ends, nothing is left of the session.
fn no_answer() -> Result<(), Failed> {
    // Where the breakpoint is, behind the prologue, the number is in rdi still. By a register
    // of the CPU's (hbreak): before the first instruction there is no program in memory.
    const COMMANDS: &str = "\
hbreak gort::os::none::apic::start
commands
silent
set var $rdi = 77
continue
end
continue
";
    let temporary = env::temp_dir().join(format!("gort-{}", std::process::id()));
    std::fs::create_dir_all(&temporary)?;
    let mut command = Command::new(directory()?.join("debug/xtask"));
    command
        .args(["gdb", "--none", "--cpus", "2", "--timeout", "100"])
        .args(["testprog", "--", "interrupt-storm"])
        .env("TMPDIR", &temporary)
        // Which this test's own cargo has set, for another package.
        .env_remove("CARGO_MANIFEST_DIR")
        .stdin(Stdio::piped());
    let outcome = run_beside(&mut command, |child| {
        let mut stdin = child.stdin.take().ok_or("no pipe")?;
        let typed = stdin.write_all(COMMANDS.as_bytes());
        typed.map_err(|error| error.to_string())
    })?;
    let stdout = String::from_utf8_lossy(&outcome.stdout);
    ensure!(
        stdout.contains("gort: CPU 1 does not answer"),
        "got {outcome:?}"
    );
    // Which fails where anything is left in it.
    std::fs::remove_dir(&temporary)?;
    Ok(())
}
