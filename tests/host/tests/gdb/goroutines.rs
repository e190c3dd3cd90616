//! `info goroutines` and `goroutine N bt`, of goroutines that run, that wait to
//! go on, and that have not begun; in any build.

use std::collections::BTreeSet;
use std::fs;

use gort_host_tests::{ensure, programs};
use libtest_mimic::{Failed, Trial};

use crate::listing::{Row, rows};
use crate::session::{Gdb, Kind, ONE_P, RUNTIME_FRAMES};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test(
            "goroutines_are_listed_and_traced",
            goroutines_are_listed_and_traced,
        )
        .with_ignored_flag(!programs::native()),
        Trial::test("goroutines_are_finished", a_goroutine_is_finished)
            .with_ignored_flag(!programs::native()),
        Trial::test(
            "goroutines_are_traced_from_an_inlined_place",
            goroutines_are_traced_from_an_inlined_place,
        )
        .with_ignored_flag(!programs::native()),
        Trial::test("goroutines_are_on_several_threads", on_several_threads)
            .with_ignored_flag(!programs::native()),
        Trial::test(
            "goroutines_are_in_a_core_file",
            goroutines_are_in_a_core_file,
        )
        .with_ignored_flag(!programs::native()),
        Trial::test("goroutines_on_many_threads", goroutines_on_many_threads)
            .with_ignored_flag(!programs::native()),
        Trial::test(
            "goroutines_need_a_running_program",
            goroutines_need_a_running_program,
        )
        .with_ignored_flag(!programs::native()),
    ]
}

/// A goroutine has started another one, and main waits for both.
fn goroutines_are_listed_and_traced() -> Result<(), Failed> {
    let mut gdb = Gdb::start(Kind::Gort, &programs::path("goroutines")?)?;
    gdb.commands(&[ONE_P, RUNTIME_FRAMES, "b goroutines::descend", "r"])?;

    let list = gdb.command("info goroutines")?;
    let found = rows(&list)?;
    let [main, first, second] = found.as_slice() else {
        return Err(format!("three goroutines:\n{list}").into());
    };
    let told = |row: &Row| (row.current, row.state.clone(), row.m.clone());
    let waits = (false, "runnable".to_string(), String::new());
    let runs = (true, "running".to_string(), "m0".to_string());
    ensure!(main.goid == 1 && told(main) == waits, "{list}");
    ensure!(main.place.starts_with("goroutines::"), "{list}");
    ensure!(told(first) == runs, "{list}");
    let place = "goroutines::descend at examples/";
    ensure!(first.place.starts_with(place), "{list}");
    let made = ", created by goroutine 1 at examples/goroutines.rs:";
    ensure!(first.place.contains(made), "{list}");
    ensure!(told(second) == waits, "{list}");
    ensure!(second.place.starts_with("goroutines::main::"), "{list}");
    let made = ", not started, created by goroutine ";
    ensure!(second.place.contains(made), "{list}");
    let runnable = rows(&gdb.command("info goroutines runnable")?)?;
    ensure!(
        runnable == [main.clone(), second.clone()],
        "{runnable:?} of\n{list}"
    );
    let none = gdb.command("info goroutines nowhere")?;
    ensure!(
        none.contains("No goroutine is like nowhere, of 3."),
        "{none}"
    );

    let before = gdb.command("bt")?;
    let numbers = found.iter().map(|row| row.goid);
    let chains: [&[&str]; 3] = [
        &[
            SWITCH,
            "goroutines::main",
            "main.main",
            "runtime.main",
            "runtime.goexit",
        ],
        &[
            "goroutines::descend",
            // The closure has a frame, or, where its last call is a jump, a part of this name.
            "gort::sched::newproc::start::entry",
            "runtime.goexit",
        ],
        &["gort::sched::newproc::start::entry", "runtime.goexit"],
    ];
    for (number, chain) in numbers.zip(chains) {
        let text = gdb.command(&format!("goroutine {number} bt"))?;
        // What one that has not started begins with may be inlined there.
        let inlined = |line: &&str| chain[0].ends_with("::entry") && !line.contains(chain[0]);
        let frames: Vec<&str> = text.lines().skip_while(inlined).collect();
        goes_through(&frames.join("\n"), chain)?;
        let closure = "goroutines::main::{closure";
        ensure!(number != first.goid || text.contains(closure), "{text}");
        let all = gdb.command("goroutine all bt")?;
        ensure!(
            all.contains(&text),
            "goroutine all bt has another {number}:\n{all}\n--- than\n{text}"
        );
    }
    let after = gdb.command("bt")?;
    ensure!(
        before == after,
        "goroutine N bt changed what is selected:\n{before}\n---\n{after}"
    );

    let wrong = gdb.command("goroutine 99999 bt")?;
    ensure!(wrong.contains("There is no goroutine 99999."), "{wrong}");
    gdb.commands(&["delete", "kill"]).map_err(Into::into)
}

/// `finish` comes back on whichever thread the goroutine goes on with.
fn a_goroutine_is_finished() -> Result<(), Failed> {
    for procs in ["1", "4"] {
        let mut gdb = Gdb::start(Kind::Gort, &programs::path("goroutines")?)?;
        gdb.commands(&[
            &format!("set environment GOMAXPROCS {procs}"),
            "b goroutines::descend",
            "r",
            "delete",
        ])?;
        let before = gdb.command("goroutine 1 bt")?;
        let text = gdb.command("goroutine 1 finish")?;
        ensure!(text.contains("Run till exit from #"), "{text}");
        let text = format!("{before}{text}");
        let here = gdb.command("bt 1")?;
        // Where main called the last function that is not the runtime's, or behind that.
        ensure!(here.contains("#0 "), "{text}{here}");
        let goid = gdb.command("p $goid()")?;
        let over = text.contains("exited normally");
        ensure!(goid.contains("= 1\n") && !over, "{text}{goid}{here}");
        gdb.command("kill")?;
    }
    Ok(())
}

/// The place where the thread is may itself be several frames to gdb.
fn goroutines_are_traced_from_an_inlined_place() -> Result<(), Failed> {
    let mut gdb = Gdb::start(Kind::Gort, &programs::path("testprog")?)?;
    gdb.commands(&[ONE_P, RUNTIME_FRAMES])?;
    let fault = gdb.command("r nil-goroutine")?;
    ensure!(fault.contains("testprog::deaths::load ("), "{fault}");
    let text = gdb.command("goroutine 1 bt")?;
    goes_through(
        &text,
        &[
            SWITCH,
            "testprog::main",
            "main.main",
            "runtime.main",
            "runtime.goexit",
        ],
    )?;
    gdb.command("kill")?;
    Ok(())
}

/// Each thread has its own: that is where its goroutine is, running or in the system.
fn goroutines_on_many_threads() -> Result<(), Failed> {
    let mut gdb = Gdb::start(Kind::Gort, &programs::path("testprog")?)?;
    // So that nobody is on the way from one thread to another.
    gdb.commands(&["set environment GODEBUG asyncpreemptoff=1", RUNTIME_FRAMES])?;
    let fault = gdb.command("r nil-busy")?;
    ensure!(fault.contains("testprog::deaths::load ("), "{fault}");
    let list = gdb.command("info goroutines")?;
    let all = rows(&list)?;
    let numbers = |state: &str, place: &str| -> Vec<u64> {
        let such = all
            .iter()
            .filter(|row| row.state == state && row.place.contains(place));
        such.map(|row| row.goid).collect()
    };
    ensure!(all.len() == 7, "{list}");
    let spinning = numbers("running", "testprog::threads::spin ");
    ensure!(spinning.len() == 2, "{list}");
    let blocked = numbers("syscall", "");
    ensure!(blocked.len() == 3, "{list}");
    let waiting = numbers("thread::park, locked to thread", "");
    ensure!(waiting.len() == 1, "{list}");
    let ms: BTreeSet<&str> = all.iter().map(|row| row.m.as_str()).collect();
    ensure!(ms.len() == 7, "all but one are on a thread:\n{list}");
    let stars: Vec<&Row> = all.iter().filter(|row| row.current).collect();
    ensure!(stars.len() == 1 && stars[0].goid == 1, "{list}");
    for (numbers, place) in [
        (spinning, "testprog::threads::spin ("),
        (blocked, "testprog::threads::nap ("),
        (waiting, "runtime.mcall ("), // what called it may have jumped there
    ] {
        for number in numbers {
            let text = gdb.command(&format!("goroutine {number} bt"))?;
            ensure!(text.contains(place), "{text}");
            let root = text.lines().last().unwrap_or_default();
            ensure!(root.contains(" runtime.goexit ("), "{text}");
        }
    }
    gdb.command("kill")?;
    Ok(())
}

/// One goroutine runs here, one is in a system call, and two share another thread: one of
/// those was preempted.
fn on_several_threads() -> Result<(), Failed> {
    let mut gdb = Gdb::start(Kind::Gort, &programs::path("testprog")?)?;
    gdb.commands(&["set environment GODEBUG asyncpreemptoff=0", RUNTIME_FRAMES])?;
    let fault = gdb.command("r fault-in-company")?;
    ensure!(fault.contains("received signal SIGSEGV"), "{fault}");
    let threads = gdb.command("info threads")?;
    let list = gdb.command("info goroutines")?;
    let before = gdb.command("bt")?;

    let kinds: [(&str, &[&str]); 3] = [
        (
            "running",
            &["testprog::threads::fault_in_company", "main.main"],
        ),
        (
            "syscall",
            &["testprog::threads::nap", "gort::runtime::blocking"],
        ),
        ("", &["testprog::threads::spin"]),
    ];
    let mut found = [0; 3];
    let mut preempted = 0;
    for row in rows(&list)? {
        let kind = match row.place.contains("testprog::threads::spin") {
            true => 2,
            false => kinds
                .iter()
                .position(|(state, _)| *state == row.state)
                .ok_or_else(|| format!("{row:?} in\n{list}"))?,
        };
        found[kind] += 1;
        let runnable = row.state == "runnable";
        ensure!(row.m.is_empty() == runnable, "{row:?} in\n{list}");
        let text = gdb.command(&format!("goroutine {} bt", row.goid))?;
        let last = text.lines().last().unwrap_or_default();
        ensure!(
            last.contains(" runtime.goexit ("),
            "{row:?}: no root in\n{text}"
        );
        for function in kinds[kind].1 {
            ensure!(text.contains(function), "{row:?}: no {function} in\n{text}");
        }
        if runnable {
            ensure!(text.contains(" runtime.asyncPreempt ("), "{row:?}: {text}");
            preempted += 1;
        }
    }
    ensure!(found == [1, 1, 2] && preempted > 0, "{list}");
    for (command, text) in [("bt", before), ("info threads", threads)] {
        let after = gdb.command(command)?;
        ensure!(
            after == text,
            "{command}: another thread is selected\n{text}\n---\n{after}"
        );
    }
    gdb.command("kill")?;
    Ok(())
}

/// The same as in the process that it was made of.
fn goroutines_are_in_a_core_file() -> Result<(), Failed> {
    let program = programs::path("testprog")?;
    let core = std::env::temp_dir().join(format!("gort-core-{}", std::process::id()));
    let commands = ["info goroutines", "goroutine all bt"];
    let answers = |gdb: &mut Gdb| commands.map(|command| gdb.command(command));

    let mut gdb = Gdb::start(Kind::Gort, &program)?;
    // gdb leaves out what lies behind a guard in the same mapping; the kernel does not.
    gdb.commands(&["set environment GODEBUG guardinstall=0", ONE_P])?;
    let fault = gdb.command("r nil-goroutine")?;
    ensure!(fault.contains("received signal SIGSEGV"), "{fault}");
    let live = answers(&mut gdb);
    let saved = gdb.command(&format!("generate-core-file {}", core.display()))?;
    gdb.command("kill")?;
    ensure!(saved.contains("Saved corefile"), "{saved}");

    gdb.command(&format!("core-file {}", core.display()))?;
    let dead = answers(&mut gdb);
    fs::remove_file(&core)?;
    ensure!(
        live == dead && live[0].is_ok(),
        "in the core file\n{dead:#?}\nin the process\n{live:#?}"
    );
    Ok(())
}

/// Checks that a backtrace goes through functions in an order, from its first
/// frame to its last.
fn goes_through(text: &str, functions: &[&str]) -> Result<(), Failed> {
    let frames: Vec<&str> = text.lines().collect();
    let mut rest = frames.as_slice();
    for (index, function) in functions.iter().enumerate() {
        let at = rest.iter().position(|frame| names(frame, function));
        let Some(at) = at else {
            return Err(format!("{function} is not in its place in\n{text}").into());
        };
        ensure!(
            index > 0 || at == 0,
            "{function} is not the first frame of\n{text}"
        );
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    ensure!(
        rest.is_empty(),
        "the last frame should be {:?}'s in\n{text}",
        functions.last()
    );
    Ok(())
}

/// Where a goroutine is that has given way: in one of the routines that do so.
const SWITCH: &str = "a switch";

/// Tells whether a line of a backtrace names a function.
fn names(frame: &str, function: &str) -> bool {
    match function {
        SWITCH => [
            "runtime.mcall (",
            "runtime.gosave_gogo (",
            "runtime.Gosched (",
        ]
        .iter()
        .any(|function| frame.contains(&format!(" {function}"))),
        _ => frame.contains(&format!(" {function}")),
    }
}

fn goroutines_need_a_running_program() -> Result<(), Failed> {
    let mut gdb = Gdb::start(Kind::Gort, &programs::path("hello")?)?;
    for command in ["info goroutines", "goroutine 1 bt"] {
        let answer = gdb.command(command)?;
        ensure!(
            answer.contains("The program is not running."),
            "{command}: {answer}"
        );
    }
    gdb.commands(&["b runtime.schedinit", "r"])?;
    for command in [
        "info goroutines",
        "goroutine 1 bt",
        "info chans",
        "info sched",
    ] {
        let answer = gdb.command(command)?;
        ensure!(
            answer.contains("the runtime has not started."),
            "{command}: {answer}"
        );
    }
    for command in ["info ms", "info ps"] {
        let answer = gdb.command(command)?;
        ensure!(answer.lines().count() == 1, "{command}: {answer}");
    }
    let answer = gdb.command("goroutine")?;
    ensure!(
        answer.contains("usage: goroutine N CMD"),
        "goroutine: {answer}"
    );
    Ok(())
}
