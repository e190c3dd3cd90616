//! Backtraces of a recursion that lies on several segments of stack: of one that
//! runs, and of one that waits.

use gort_host_tests::{ensure, programs};
use libtest_mimic::{Failed, Trial};

use crate::listing::{Row, rows};
use crate::session::{Gdb, Kind, ONE_P, RUNTIME_FRAMES};

/// How deep the program goes, and how many segments it needs at the least, with
/// some 20 KiB a level.
const LEVELS: usize = 60;
const SEGMENTS: usize = 4;

pub(crate) fn trials() -> Vec<Trial> {
    let trials = vec![
        Trial::test("bt_over_segments_plain", || bt_over_segments(Kind::Plain)),
        Trial::test("bt_over_segments_script", || bt_over_segments(Kind::Gort)),
        Trial::test("a_goroutine_waits_on_a_segment", a_goroutine_waits),
    ];
    let ignore = |trial: Trial| trial.with_ignored_flag(!programs::native());
    trials.into_iter().map(ignore).collect()
}

/// All frames are there, down to goexit.
fn bt_over_segments(kind: Kind) -> Result<(), Failed> {
    let mut gdb = Gdb::start(kind, &programs::path("testprog")?)?;
    gdb.commands(&["b testprog::segments::bottom", "set backtrace past-main on"])?;
    let stop = gdb.command(&format!("r segments {LEVELS}"))?;
    ensure!(stop.contains("Breakpoint 1, "), "{stop}");
    let text = gdb.command("bt")?;
    ensure!(text.contains("#0  testprog::segments::bottom"), "{text}");
    whole(&text, kind)?;
    bounds(&mut gdb, true)?;
    gdb.commands(&["catch syscall exit_group", "c"])?;
    bounds(&mut gdb, false)?;
    gdb.command("kill")?;
    Ok(())
}

/// Checks that the only goroutine's g describes the stack that it is on, one that
/// is its own or not.
fn bounds(gdb: &mut Gdb, segment: bool) -> Result<(), Failed> {
    for condition in [
        "m0.curg.stackguard0 - m0.curg.stack.lo == 928",
        "m0.curg.stack.hi - m0.curg.stack.lo == 262144",
        "(unsigned long)$sp > m0.curg.stack.lo && (unsigned long)$sp < m0.curg.stack.hi",
        match segment {
            true => "(unsigned long)(m0.curg.stktop + 1) == m0.curg.stack.hi",
            false => "m0.curg.stktop == 0 && (unsigned long)m0.curg < m0.curg.stack.hi",
        },
    ] {
        let value = gdb.command(&format!("with language c -- output {condition}"))?;
        ensure!(value.starts_with('1'), "{condition}: {value}");
    }
    Ok(())
}

/// The same of a goroutine that has been switched away, and where it waits: in
/// the first function that is not the runtime's, on the segment before.
fn a_goroutine_waits() -> Result<(), Failed> {
    let mut gdb = Gdb::start(Kind::Gort, &programs::path("testprog")?)?;
    gdb.commands(&[ONE_P, RUNTIME_FRAMES])?;
    let fault = gdb.command(&format!("r segments-wait {LEVELS}"))?;
    ensure!(fault.contains("received signal SIGSEGV"), "{fault}");
    let list = gdb.command("info goroutines")?;
    let waits = "testprog::segments::segments_wait::{closure#0}::{closure#0}";
    let here = |row: &Row| row.goid == 2 && row.state == "runnable" && row.place.starts_with(waits);
    ensure!(rows(&list)?.iter().any(here), "{list}");
    let text = gdb.command("goroutine 2 bt")?;
    let first = text.lines().next().unwrap_or_default();
    ensure!(first.contains(" at asm/switch_amd64.S:"), "{text}");
    whole(&text, Kind::Gort)?;
    gdb.command("kill")?;
    Ok(())
}

/// Checks that a backtrace has every level, every seam, and a root.
fn whole(text: &str, kind: Kind) -> Result<(), Failed> {
    let count = |function| text.lines().filter(|line| line.contains(function)).count();
    let levels = count(" testprog::segments::segments (");
    ensure!(levels == LEVELS + 1, "{levels} levels in\n{text}");
    let seam = match kind {
        Kind::Plain => " __morestack (",
        Kind::Gort => " runtime.morestack (",
    };
    let (seams, newstacks) = (count(seam), count("newstack ("));
    ensure!(
        seams >= SEGMENTS && seams == newstacks,
        "{seams} seams, {newstacks} times newstack in\n{text}"
    );
    let last = text.lines().last().unwrap_or_default();
    ensure!(last.contains(" runtime.goexit ("), "{text}");
    Ok(())
}
