//! The script that each program carries: a gdb that trusts the program loads it.

use gort_host_tests::{ensure, programs};
use libtest_mimic::{Failed, Trial};

use crate::session::{self, Kind};

pub(crate) fn trials() -> Vec<Trial> {
    let trial = Trial::test(
        "a_trusted_program_brings_its_script",
        a_trusted_program_brings_its_script,
    );
    vec![trial.with_ignored_flag(!programs::native())]
}

/// The documented line of gdbinit, given as an option.
fn a_trusted_program_brings_its_script() -> Result<(), Failed> {
    let program = programs::path("hello")?;
    let mut command = session::command(Kind::Plain)?;
    command
        .arg("-iex")
        .arg(format!("add-auto-load-safe-path {}", program.display()))
        .args(["-batch", "-ex", "b main.main", "-ex", "r"])
        .args(["-ex", "bt", "-ex", "info goroutines", "-ex", "kill"])
        .arg(&program);
    let outcome = programs::run(&mut command)?;
    let text = String::from_utf8_lossy(&outcome.stdout);
    for expected in [
        "#0  main.main () at ",
        " in runtime.main () at ",
        " in runtime.goexit () at ",
        "* 1  running m0 main.main at ",
    ] {
        ensure!(text.contains(expected), "no {expected:?} in\n{text}");
    }
    Ok(())
}
