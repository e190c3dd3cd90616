//! What reaches a pipe: all of it, in order, however slowly it is read; and what
//! happens when nobody reads.

use std::io::Read as _;
use std::process::Stdio;

use gort_host_tests::ensure;
use gort_host_tests::programs::{excerpt, program, run_with, spawn, wait};
use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("output::examples_byte_by_byte", examples_byte_by_byte),
        Trial::test("output::more_than_a_pipe_holds", more_than_a_pipe_holds),
        Trial::test(
            "output::one_line_longer_than_a_pipe",
            one_line_longer_than_a_pipe,
        ),
        Trial::test("output::both_streams", both_streams),
        Trial::test("output::streams_in_order", streams_in_order),
        Trial::test("output::reader_that_leaves", reader_that_leaves),
    ]
}

/// Runs a program whose output is taken out of the pipe one byte at a time.
fn byte_by_byte(name: &str, arguments: &[&str]) -> Result<Vec<u8>, Failed> {
    let mut command = program(name)?;
    let mut child = spawn(
        command
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit()),
    )?;
    let mut pipe = child.stdout.take().ok_or("no pipe")?;
    let mut bytes = Vec::new();
    let mut byte = [0];
    while pipe.read(&mut byte)? == 1 {
        bytes.extend(byte);
    }
    let status = wait(&mut child)?;
    ensure!(
        status.success(),
        "{name} {arguments:?}: {status} after {}",
        excerpt(&bytes)
    );
    Ok(bytes)
}

fn examples_byte_by_byte() -> Result<(), Failed> {
    for name in ["hello", "args_env", "init_order", "goroutines"] {
        let at_once = run_with(name, ["argument"])?.stdout;
        let slowly = byte_by_byte(name, &["argument"])?;
        ensure!(
            !slowly.is_empty() && slowly == at_once,
            "{name}: {} and {}",
            excerpt(&slowly),
            excerpt(&at_once)
        );
    }
    Ok(())
}

/// A pipe holds 64 KiB: the program has to wait for its reader, many times.
fn more_than_a_pipe_holds() -> Result<(), Failed> {
    let expected: String = (0..20_000).map(|line| format!("line {line}\n")).collect();
    let got = byte_by_byte("testprog", &["lines", "20000"])?;
    ensure!(
        got == expected.as_bytes(),
        "{} bytes, expected {}: {}",
        got.len(),
        expected.len(),
        excerpt(&got)
    );
    Ok(())
}

fn one_line_longer_than_a_pipe() -> Result<(), Failed> {
    let expected = "x".repeat(200_000) + "\n";
    let got = byte_by_byte("testprog", &["long-line", "200000"])?;
    ensure!(
        got == expected.as_bytes(),
        "{} bytes, expected {}",
        got.len(),
        expected.len()
    );
    Ok(())
}

fn both_streams() -> Result<(), Failed> {
    run_with("testprog", ["both"])?.expect(0, "to stdout\n", "to stderr\n")?;
    Ok(())
}

/// Both streams in one pipe: nothing is held back.
fn streams_in_order() -> Result<(), Failed> {
    let (mut reader, writer) = std::io::pipe()?;
    let mut command = program("testprog")?;
    command
        .args(["both"])
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let mut child = spawn(&mut command)?;
    drop(command); // and with it our own ends of the pipe
    let mut text = String::new();
    reader.read_to_string(&mut text)?;
    ensure!(
        wait(&mut child)?.success() && text == "to stdout\nto stderr\n",
        "got {text:?}"
    );
    Ok(())
}

/// Nobody reads any more: the program ends by SIGPIPE, as in Go for descriptor 1.
fn reader_that_leaves() -> Result<(), Failed> {
    const SIGPIPE: i32 = 13;
    let (mut reader, writer) = std::io::pipe()?;
    let mut command = program("testprog")?;
    command
        .args(["lines", "1000000"])
        .stdout(writer)
        .stderr(Stdio::null());
    let mut child = spawn(&mut command)?;
    drop(command);
    reader.read_exact(&mut [0; 7])?;
    drop(reader);
    let status = wait(&mut child)?;
    ensure!(
        std::os::unix::process::ExitStatusExt::signal(&status) == Some(SIGPIPE),
        "expected an end by SIGPIPE, got {status}"
    );
    Ok(())
}
