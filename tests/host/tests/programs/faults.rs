//! The ways to die that the CPU chooses: faults, in Go's words. The handler runs
//! on the signal stack, so that even a goroutine without a stack left gets one.
//! And the ends that come from outside.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use gort_host_tests::ensure;
use gort_host_tests::programs::{
    Outcome, excerpt, find_tool, native, program, run_with, spawn, wait,
};
use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("faults::nil", nil),
        Trial::test("faults::bad_address", bad_address),
        Trial::test("faults::divide", divide),
        Trial::test("faults::illegal_instruction", illegal_instruction),
        Trial::test("faults::overflow_of_main", overflow_of_main),
        Trial::test("faults::overflow_of_a_goroutine", overflow_of_a_goroutine),
        Trial::test("faults::overflow_of_a_segment", overflow_of_a_segment),
        Trial::test("faults::signals_from_outside", signals_from_outside),
    ]
}

const MAIN: &str = "\ngoroutine 1 *[running]:\n**main.main()\n\t*\n**";
const GOROUTINE: &str = "\ngoroutine 2 [running]:\n**\n\
    created by * in goroutine 1\n\t*tests/testprog/deaths.rs:*\n";
/// What the runtime ends the program for, it shows all of.
const THROWN: &str = "\ngoroutine * *[running]:\n**";
const NIL: &str = "panic: runtime error: invalid memory address or nil pointer dereference\n\
    [signal SIGSEGV: segmentation violation code=0x1 addr=";

fn nil() -> Result<(), Failed> {
    run_with("testprog", ["nil"])?.expect(2, "", &format!("{NIL}0x0 pc=0x4*]\n{MAIN}"))?;
    run_with("testprog", ["nil-goroutine"])?.expect(
        2,
        "",
        &format!("{NIL}0x8 pc=0x4*]\n{GOROUTINE}"),
    )?;
    Ok(())
}

fn bad_address() -> Result<(), Failed> {
    let outcome = run_with("testprog", ["bad-address"])?;
    let text = "unexpected fault address 0x666000000000\nfatal error: fault\n\
        [signal SIGSEGV: segmentation violation code=0x1 addr=0x666000000000 pc=0x4*]\n";
    outcome.expect(2, "", &format!("{text}{MAIN}"))?;
    // Of what is no address at all the kernel does not say which it was, and an
    // emulator says that it was 0.
    if !native() {
        return Ok(());
    }
    let text = "unexpected fault address 0x*\nfatal error: fault\n\
        [signal SIGSEGV: segmentation violation code=0x* addr=0x* pc=0x4*]\n";
    run_with("testprog", ["no-address"])?.expect(2, "", &format!("{text}{MAIN}"))?;
    Ok(())
}

fn divide() -> Result<(), Failed> {
    let text = "panic: runtime error: integer divide by zero\n\
        [signal SIGFPE: floating-point exception code=0x1 addr=0x4* pc=0x4*]\n";
    run_with("testprog", ["divide"])?.expect(2, "", &format!("{text}{MAIN}"))?;
    Ok(())
}

fn illegal_instruction() -> Result<(), Failed> {
    let text = "SIGILL: illegal instruction\nPC=0x4* m=0 sigcode=2\n\
        instruction bytes: 0xf 0xb *\n";
    run_with("testprog", ["illegal"])?.expect(2, "", &format!("{text}{MAIN}"))?;
    Ok(())
}

/// Checks the report of the overflow of a stack of so many KiB: the texts, and that
/// its numbers agree.
fn overflow(outcome: &Outcome, size: u64, trace: &str) -> Result<(), Failed> {
    let text = "runtime: goroutine stack exceeds *-byte limit\n\
        runtime: sp=0x* stack=[0x*, 0x*]\nfatal error: stack overflow\n";
    outcome.expect(2, "", &format!("{text}{trace}"))?;
    let numbers = numbers(&outcome.stderr);
    let [limit, sp, lo, hi, ..] = numbers[..] else {
        return Err(format!("no numbers in {}", excerpt(&outcome.stderr)).into());
    };
    ensure!(
        hi - lo == limit,
        "a stack from {lo:#x} to {hi:#x}, a limit of {limit} bytes"
    );
    ensure!(
        limit == size << 10,
        "a limit of {limit} bytes, expected {size} KiB"
    );
    // What was pushed last lies in the guard below the stack, or just above it.
    ensure!(
        sp.abs_diff(lo) <= 4096,
        "sp is {sp:#x}, far from the end of the stack at {lo:#x}"
    );
    Ok(())
}

/// Finds the numbers in a text, `0x` ones too.
fn numbers(text: &[u8]) -> Vec<u64> {
    let text = String::from_utf8_lossy(text);
    let words = text.split(|character: char| !character.is_ascii_alphanumeric());
    let number = |word: &str| match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    };
    words.filter_map(number).collect()
}

fn overflow_of_main() -> Result<(), Failed> {
    overflow(&run_with("testprog", ["overflow"])?, 256, THROWN)
}

fn overflow_of_a_goroutine() -> Result<(), Failed> {
    overflow(&run_with("testprog", ["overflow-goroutine"])?, 256, THROWN)
}

/// The report shows the piece of stack that is used up, with a guard of its own.
fn overflow_of_a_segment() -> Result<(), Failed> {
    let segment = |size: usize| run_with("testprog", ["overflow-segment", &size.to_string()]);
    overflow(&segment(256 << 10)?, 512, THROWN)?;
    overflow(&segment(1 << 20)?, 2048, THROWN)?;
    overflow(&segment(1_000_000_000)?, 1 << 20, THROWN)
}

/// Signals that end a program by default do so, and the status says which.
fn signals_from_outside() -> Result<(), Failed> {
    let Some(kill) = find_tool("kill") else {
        return Err("kill is not there: apt-get install procps".into());
    };
    // Not HUP and INT, which whoever started us may have had ignored.
    for (name, number) in [("-USR1", 10), ("-TERM", 15), ("-KILL", 9)] {
        let mut command = program("testprog")?;
        command
            .arg("spin")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = spawn(&mut command)?;
        let id = child.id().to_string();
        let sent = wait(&mut spawn(Command::new(&kill).args([name, &id]))?)?;
        let status = wait(&mut child)?;
        ensure!(
            sent.success() && status.signal() == Some(number),
            "kill {name}: expected an end by signal {number}, got {status}"
        );
    }
    Ok(())
}
