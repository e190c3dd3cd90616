//! The standard streams: what is held back comes in the end, what can't be written is
//! said as std says it, and who waits for input keeps nobody else from running.

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Stdio};

use gort_host_tests::ensure;
use gort_host_tests::programs::{in_shell, program, run, run_with, spawn, wait};
use libtest_mimic::{Failed, Trial};

/// Where the program panics that cannot print.
const IN_PRINT: &str = "\n\ngoroutine 1 [running]:\n**main.main()\n\t*\n";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("streams::half_a_line", half_a_line),
        Trial::test("streams::half_a_line_is_lost", half_a_line_is_lost),
        Trial::test("streams::full_device", full_device),
        Trial::test("streams::nobody_reads", nobody_reads),
        Trial::test("streams::closed_streams", closed_streams),
        Trial::test("streams::wrong_way_round", wrong_way_round),
        Trial::test("streams::copies_all", copies_all),
        Trial::test("streams::slow_input", slow_input),
        Trial::test("streams::much_at_once", much_at_once),
        Trial::test("streams::terminals", terminals),
        Trial::test("streams::odd_variables", odd_variables),
        Trial::test("streams::waits_for_itself", waits_for_itself),
    ]
}

/// Held back until the end, whatever that is.
fn half_a_line() -> Result<(), Failed> {
    for how in ["return", "exit", "exit-code"] {
        run_with("testprog", ["half-line", how])?.expect(0, "whole\nhalf", "")?;
    }
    let error = "Error: Failure { why: \"asked\" }\n";
    run_with("testprog", ["half-line", "error"])?.expect(1, "whole\nhalf", error)?;
    let outcome = run_with("testprog", ["half-line", "panic"])?;
    outcome.expect(2, "whole\nhalf", "panic: in the midst of a line\n**")?;
    let outcome = run_with("testprog", ["half-line", "goexit"])?;
    ensure!(outcome.stdout == b"whole\nhalf", "{outcome:?}");
    Ok(())
}

fn half_a_line_is_lost() -> Result<(), Failed> {
    const SIGABRT: i32 = 6;
    let outcome = run_with("testprog", ["half-line", "abort"])?;
    outcome.expect_signal(SIGABRT)?;
    ensure!(outcome.stdout == b"whole\n", "{outcome:?}");
    let outcome = run_with("testprog", ["half-line", "flush"])?;
    outcome.expect_signal(SIGABRT)?;
    ensure!(outcome.stdout == b"whole\nhalf", "{outcome:?}");
    // Another goroutine has it locked.
    run_with("testprog", ["half-line", "locked"])?.expect(0, "whole\n", "")?;
    Ok(())
}

fn full_device() -> Result<(), Failed> {
    let full = |arguments: &[&str]| run(in_shell("exec >/dev/full", "testprog")?.args(arguments));
    let text = "No space left on device (os error 28)";
    full(&["lines", "1"])?.expect(
        2,
        "",
        &format!("panic: failed printing to stdout: {text}{IN_PRINT}"),
    )?;
    let error = "Err(Os { code: 28, kind: StorageFull, message: \"No space left on device\" })";
    full(&["write-error"])?.expect(0, "", &format!("{error}\n{text}\n"))?;
    // Nobody hears of what was held back and cannot be written in the end.
    let outcome = run(in_shell("exec 2>/dev/full", "testprog")?.args(["both"]))?;
    outcome.expect(2, "to stdout\n", "")?;
    Ok(())
}

/// Where SIGPIPE is ignored the write fails.
fn nobody_reads() -> Result<(), Failed> {
    let mut command = in_shell("trap '' PIPE", "testprog")?;
    let (reader, writer) = std::io::pipe()?;
    command
        .args(["lines", "1000"])
        .stdout(writer)
        .stderr(Stdio::piped());
    drop(reader);
    let mut child = spawn(&mut command)?;
    drop(command);
    let text = std::io::read_to_string(child.stderr.take().ok_or("no pipe")?)?;
    let status = wait(&mut child)?;
    let expected = "panic: failed printing to stdout: Broken pipe (os error 32)\n";
    ensure!(
        status.code() == Some(2) && text.starts_with(expected),
        "{status}: {text}"
    );
    Ok(())
}

/// What is closed is /dev/null.
fn closed_streams() -> Result<(), Failed> {
    let closed =
        |script: &str, arguments: &[&str]| run(in_shell(script, "testprog")?.args(arguments));
    closed("exec >&-", &["lines", "3"])?.expect(0, "", "")?;
    closed("exec 2>&-", &["both"])?.expect(0, "to stdout\n", "")?;
    closed("exec <&-", &["cat"])?.expect(0, "", "0 bytes\n")?;
    Ok(())
}

/// Open, but not for what it is used for: nothing to complain of, as in std.
fn wrong_way_round() -> Result<(), Failed> {
    let wrong =
        |script: &str, arguments: &[&str]| run(in_shell(script, "testprog")?.args(arguments));
    wrong("exec 1</dev/null", &["both"])?.expect(0, "", "to stderr\n")?;
    wrong("exec 1</dev/null", &["write-error"])?.expect(0, "", "Ok(())\n")?;
    wrong("exec 2</dev/null", &["both"])?.expect(0, "to stdout\n", "")?;
    wrong("exec 0>/dev/null", &["cat"])?.expect(0, "", "0 bytes\n")?;
    // A directory can be opened, and not be read.
    let error = "Os { code: 21, kind: IsADirectory, message: \"Is a directory\" }\n";
    wrong("exec 0</", &["cat"])?.expect(0, "", error)?;
    Ok(())
}

/// Starts a command that reads what we write.
fn with_input(command: &mut Command) -> Result<std::process::Child, Failed> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok(spawn(command)?)
}

fn copies_all() -> Result<(), Failed> {
    let text: String = (0..50_000).map(|line| format!("line {line}\n")).collect();
    let text = text + "and a half";
    let mut child = with_input(program("testprog")?.args(["cat"]))?;
    let mut input = child.stdin.take().ok_or("no pipe")?;
    let sent = text.clone();
    let writer = std::thread::spawn(move || input.write_all(sent.as_bytes()));
    let got = std::io::read_to_string(child.stdout.take().ok_or("no pipe")?)?;
    let said = std::io::read_to_string(child.stderr.take().ok_or("no pipe")?)?;
    let status = wait(&mut child)?;
    writer.join().map_err(|_| "the writer panicked")??;
    ensure!(
        status.success() && got == text && said == format!("{} bytes\n", text.len()),
        "{status}, {} of {} bytes, {said}",
        got.len(),
        text.len()
    );
    Ok(())
}

/// The end of a line comes when somebody else has said that he runs: the program waits for
/// it meanwhile, and others have its only P.
fn slow_input() -> Result<(), Failed> {
    for procs in ["1", "2"] {
        let mut command = program("testprog")?;
        command.env("GOMAXPROCS", procs).args(["cat-beside"]);
        let mut child = with_input(&mut command)?;
        let mut input = child.stdin.take().ok_or("no pipe")?;
        let mut output = child.stdout.take().ok_or("no pipe")?;
        for line in ["one", "two", "three", "four"] {
            for byte in line.bytes() {
                input.write_all(&[byte])?;
            }
            let mut comes = |expected: &str| -> Result<(), Failed> {
                let mut got = vec![0; expected.len()];
                output.read_exact(&mut got)?;
                let got = String::from_utf8_lossy(&got);
                ensure!(got == expected, "GOMAXPROCS={procs}: got {got:?}");
                Ok(())
            };
            comes("beside\n")?;
            input.write_all(b"\n")?;
            comes(&format!("{line}\n"))?;
        }
        drop(input);
        ensure!(wait(&mut child)?.success(), "it did not end well");
    }
    Ok(())
}

fn much_at_once() -> Result<(), Failed> {
    for count in [100, 1000, 1100, 200_000] {
        let outcome = run_with("testprog", ["write", &count.to_string()])?;
        let expected = ("x".repeat(99) + "\n").repeat(count / 100);
        ensure!(
            outcome.stdout == expected.as_bytes(),
            "{count}: {} bytes",
            outcome.stdout.len()
        );
    }
    Ok(())
}

fn terminals() -> Result<(), Failed> {
    run_with("testprog", ["is-terminal"])?.expect(0, "", "false false false\n")?;
    Ok(())
}

fn odd_variables() -> Result<(), Failed> {
    let mut command = program("testprog")?;
    command
        .args(["variables"])
        .env("ODD", OsStr::from_bytes(b"\xff="));
    let text = "\"ODD\" \"\\xFF=\" Err(NotUnicode(\"\\xFF=\"))\n";
    run(&mut command)?.expect(0, text, "")?;
    Ok(())
}

fn waits_for_itself() -> Result<(), Failed> {
    let text = "fatal error: all goroutines are asleep - deadlock!\n";
    let outcome = run_with("testprog", ["lock-stdin-twice"])?;
    outcome.expect(2, "", &format!("{text}\ngoroutine 1 [io lock]:\n**"))?;
    Ok(())
}
