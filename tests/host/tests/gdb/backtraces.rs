//! Backtraces from every instruction of the assembly that a program comes by:
//! the CFI there is written by hand, and wrong CFI shows nowhere else.

use std::collections::BTreeMap;

use gort_host_tests::{ensure, programs};
use libtest_mimic::{Failed, Trial};

use crate::session::{self, Kind};

const SCRIPT: &str = "tests/host/tests/gdb/every_instruction.py";

/// A program with its arguments, and the routines that it must come by: all of
/// their instructions, or at least some where there is code for errors.
type Case = (
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
);

/// The way to main.main.
const BOOT: Case = (
    &["hello"],
    &["_rt0_amd64_linux", "_rt0_amd64", "runtime.gogo"],
    &[
        "runtime.rt0_common",
        "runtime.needtls",
        "runtime.settls",
        "runtime.mstart",
        "bcmp",
    ],
);

/// Goroutines that give way, end, and make a thread.
const SWITCHES: Case = (
    &["goroutines"],
    &["runtime.gogo", "__morestack of asm/switch_amd64.S"],
    &[
        "runtime.mcall",
        "runtime.gogo_ended",
        "runtime.systemstack",
        "runtime.clone",
        "runtime.goexit",
    ],
);

/// One waits for another.
const WAITS: Case = (
    &["walk", "park"],
    &["runtime.gogo"],
    &["runtime.gosave_gogo"],
);

/// A recursion over several segments of stack.
const SEGMENTS: Case = (
    &["testprog", "segments", "40"],
    &["runtime.morestack", "__morestack of asm/stack_amd64.S"],
    &[],
);

/// The same way onto a segment and back, a few times.
const SEAM: Case = (&["testprog", "seam", "4"], SEGMENTS.1, SEGMENTS.2);

/// A signal handler on top of a goroutine.
const FAULT: Case = (
    &["testprog", "nil"],
    &["runtime.gogo"],
    &["runtime.sigtramp"],
);

/// Goroutines that are preempted all the time.
const PREEMPTION: Case = (
    &["testprog", "storm-exit"],
    &["runtime.gogo", "runtime.sigPreemptTramp"],
    &["runtime.asyncPreempt", "runtime.mcall"],
);

pub(crate) fn trials() -> Vec<Trial> {
    [
        ("bt_anywhere_in_the_boot", BOOT),
        ("bt_anywhere_in_a_switch", SWITCHES),
        ("bt_anywhere_in_a_wait", WAITS),
        ("bt_anywhere_over_segments", SEGMENTS),
        ("bt_anywhere_at_a_segments_seam", SEAM),
        ("bt_anywhere_in_a_fault", FAULT),
        ("bt_anywhere_in_a_preemption", PREEMPTION),
    ]
    .into_iter()
    .map(|(name, case)| {
        let trial = Trial::test(name, move || backtraces(case));
        trial.with_ignored_flag(!programs::native())
    })
    .collect()
}

fn backtraces(case: Case) -> Result<(), Failed> {
    let (program, whole, touched) = case;
    let [name, arguments @ ..] = program else {
        return Err("no program".into());
    };
    let mut command = session::command(Kind::Gort)?;
    command
        .args(["-batch", "-x", SCRIPT, "--args"])
        .arg(programs::path(name)?)
        .args(arguments);
    if arguments == ["storm-exit"] {
        command.env_remove("GODEBUG"); // it is about nothing else
    } else {
        // gdb 13 goes on behind the first byte of an instruction, in one of some ten runs,
        // where two threads come to a breakpoint that is deleted between them.
        command.env("GOMAXPROCS", "1");
    }
    let outcome = programs::run(&mut command)?;
    let text = String::from_utf8_lossy(&outcome.stdout);
    let errors = String::from_utf8_lossy(&outcome.stderr);
    ensure!(
        outcome.status.success() && !errors.contains("Error"),
        "gdb: {}\n{text}\n{errors}",
        outcome.status
    );

    let lost = text
        .find("LOST")
        .map(|start| text.get(start..).unwrap_or_default());
    ensure!(
        lost.is_none(),
        "a backtrace that does not reach a root\n{}",
        lost.unwrap_or_default()
    );

    let counts = counts(&text);
    for (routines, all) in [(whole, true), (touched, false)] {
        for routine in routines {
            let Some(&(tried, there)) = counts.get(routine) else {
                return Err(format!("{routine} was not found\n{text}").into());
            };
            let enough = tried > 0 && (tried == there || !all);
            ensure!(
                enough,
                "{routine}: {tried} of {there} instructions were tried\n{text}"
            );
        }
    }
    Ok(())
}

/// Reads the lines `ROUTINE: TRIED of THERE`.
fn counts(text: &str) -> BTreeMap<&str, (u32, u32)> {
    text.lines()
        .filter_map(|line| {
            let (routine, numbers) = line.split_once(": ")?;
            let (tried, there) = numbers.split_once(" of ")?;
            Some((routine, (tried.parse().ok()?, there.parse().ok()?)))
        })
        .collect()
}
