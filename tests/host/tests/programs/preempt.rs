//! Asynchronous preemption, from outside: what GODEBUG=asyncpreemptoff=1 makes of it,
//! and how programs die whose goroutines are being preempted all the time.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use gort_host_tests::ensure;
use gort_host_tests::programs::{program, run, run_with, spawn, wait};
use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("preempt::a_spinner_gives_way", a_spinner_gives_way),
        Trial::test("preempt::unless_it_is_off", unless_it_is_off),
        Trial::test("preempt::nor_its_timers", nor_its_timers),
        Trial::test("preempt::deaths_in_a_storm", deaths_in_a_storm),
    ]
}

/// A program of two goroutines on one P, one of which spins. Returns its first lines,
/// at most so many. Then it is killed.
fn first_lines(setting: &str, count: usize) -> Result<Vec<String>, Failed> {
    let mut command = program("testprog")?;
    command
        .arg("spin-beside-main")
        .env("GODEBUG", setting)
        .env("GOMAXPROCS", "1")
        .stdout(Stdio::piped());
    let mut child = spawn(&mut command)?;
    let stdout = child.stdout.take().ok_or("no pipe")?;
    let lines: Result<Vec<String>, _> = BufReader::new(stdout).lines().take(count).collect();
    let _ = child.kill(); // it may have ended by itself
    wait(&mut child)?;
    Ok(lines?)
}

/// Main gets its turn, and with its end the program's comes.
fn a_spinner_gives_way() -> Result<(), Failed> {
    let lines = first_lines("asyncpreemptoff=0", usize::MAX)?;
    ensure!(
        lines.last().map(String::as_str) == Some("main again"),
        "lines: {lines:?}"
    );
    Ok(())
}

/// Main never gets its turn, however often the other has used up its time.
fn unless_it_is_off() -> Result<(), Failed> {
    let lines = first_lines("asyncpreemptoff=1", 5)?;
    ensure!(lines == ["still there"; 5], "lines: {lines:?}");
    Ok(())
}

/// But the timers on its P are another's to call, once there is another P that is idle.
fn nor_its_timers() -> Result<(), Failed> {
    let mut command = program("testprog")?;
    command
        .arg("timer-beside-call")
        .env("GODEBUG", "asyncpreemptoff=1")
        .env("GOMAXPROCS", "2");
    run(&mut command)?.expect(0, "in time\n", "")?;
    Ok(())
}

/// The texts are what they are without.
fn deaths_in_a_storm() -> Result<(), Failed> {
    let main = "\ngoroutine 1 [running]:\n**main.main()\n\t*\n";
    for _ in 0..5 {
        run_with("testprog", ["storm-panic"])?.expect(
            2,
            "",
            &format!("panic: in a storm\n{main}"),
        )?;
        run_with("testprog", ["storm-nil"])?.expect(
            2,
            "",
            &format!(
                "panic: runtime error: invalid memory address or nil pointer dereference\n\
                [signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x4*]\n{main}"
            ),
        )?;
        run_with("testprog", ["storm-overflow"])?.expect(
            2,
            "",
            "runtime: goroutine stack exceeds *-byte limit\n\
            runtime: sp=0x* stack=[0x*, 0x*]\nfatal error: stack overflow\n\ngoroutine 1*\n**",
        )?;
        run_with("testprog", ["storm-exit"])?.expect(7, "", "")?;
        run_with("testprog", ["storm-deadlock"])?.expect(
            2,
            "",
            "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [thread::park]:\n**",
        )?;
    }
    Ok(())
}
