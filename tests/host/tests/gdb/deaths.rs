//! Deaths that gdb has made worse: what a program says that cannot even print, and what a dump
//! says of goroutines that gdb has changed.

use gort_host_tests::{ensure, programs};
use libtest_mimic::{Failed, Trial};

use crate::listing::rows;
use crate::session::{Gdb, Kind, ONE_P};

/// A minute, in nanoseconds.
const MINUTE: i64 = 60_000_000_000;

pub(crate) fn trials() -> Vec<Trial> {
    // Functions that are inlined in release builds.
    let ignored = programs::release() || !programs::native();
    vec![
        Trial::test("deaths_while_dying", while_dying).with_ignored_flag(ignored),
        Trial::test("deaths_of_changed_goroutines", changed).with_ignored_flag(ignored),
    ]
}

/// Each time something is printed a wild jump comes in its place: the fourth death is the end
/// of it, with a status of its own, and none of them is the kernel's work.
fn while_dying() -> Result<(), Failed> {
    for way in ["nil", "panic 1", "overflow"] {
        let mut gdb = Gdb::start(Kind::Gort, &programs::path("testprog")?)?;
        gdb.commands(&[
            ONE_P,
            "handle SIGSEGV nostop noprint pass",
            "b gort::debug::print::say",
        ])?;
        let mut stop = gdb.command(&format!("r {way}"))?;
        let mut deaths = 0;
        while stop.contains("Breakpoint 1") {
            deaths += 1;
            ensure!(deaths <= 3, "{way}: the fourth one prints, too: {stop}");
            gdb.command("set var $pc = 0")?;
            stop = gdb.command("c")?;
        }
        ensure!(
            deaths == 3 && stop.contains("exited with code 05]"),
            "{way}: {deaths} deaths, then {stop}"
        );
    }
    Ok(())
}

/// One that has waited for so long, one that has waited for less than a minute, and one whose
/// own record makes no sense.
fn changed() -> Result<(), Failed> {
    let mut gdb = Gdb::start(Kind::Gort, &programs::path("testprog")?)?;
    gdb.commands(&[
        "set environment GODEBUG asyncpreemptoff=0",
        "handle SIGQUIT nostop noprint pass",
        "tbreak testprog::crowd::everybody_is_there",
        "r crowd 1",
    ])?;
    let list = gdb.command("info goroutines")?;
    let waits: Vec<_> = rows(&list)?
        .into_iter()
        .filter(|row| row.state == "chan receive")
        .map(|row| row.goid)
        .collect();
    let [long, short, damaged, ..] = waits.as_slice() else {
        return Err(format!("nobody waits: {list}").into());
    };
    for (goid, change) in [
        (long, format!("waitsince -= {}", 2 * MINUTE + MINUTE / 2)),
        (short, format!("waitsince -= {}", MINUTE / 3)),
        (damaged, "sched.g = 0".into()),
    ] {
        gdb.command(&format!("goroutine {goid} set $g = $getg()"))?;
        let answer = gdb.command(&format!("set var $g.{change}"))?;
        ensure!(answer.is_empty(), "{change}: {answer}");
    }
    let dump = gdb.command("signal SIGQUIT")?;
    let headers = |goid: &u64, end: &str| {
        let begin = format!("goroutine {goid} ");
        let is_one = |line: &&str| line.starts_with(&begin) && line.ends_with(end);
        dump.lines().filter(is_one).count()
    };
    for (what, found, expected) in [
        (
            "the long wait",
            headers(long, " [chan receive, 2 minutes]:"),
            1,
        ),
        ("the short one", headers(short, " [chan receive]:"), 1),
        ("the damaged one", headers(damaged, ":"), 0),
        ("minutes", dump.matches(" minutes").count(), 1),
        (
            "the word for damage",
            dump.matches("(a goroutine that another one's overflow has written over)")
                .count(),
            1,
        ),
    ] {
        ensure!(
            found == expected,
            "{what}: {found} times, not {expected}:\n{dump}"
        );
    }
    Ok(())
}
