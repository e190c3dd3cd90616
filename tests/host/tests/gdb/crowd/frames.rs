//! Each one's frames are its own, down to the function that it began with, and its registers
//! are what they were: in a process and in core files.

use std::fs;

use gort_host_tests::{ensure, programs};
use libtest_mimic::{Failed, Trial};

use super::{ALL, Directory, KINDS, LATE, STOPS, begin, census, go_on, is_of, start};
use crate::listing::{Row, rows};
use crate::session::{Gdb, Kind};

/// What is asked of a process and of the core file that was made of it.
const QUESTIONS: [&str; 5] = [
    "info goroutines",
    "goroutine all bt",
    "info chans",
    "info ps",
    "info sched",
];

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("crowd_in_a_process_and_its_core", in_a_process_and_its_core),
        Trial::test("crowd_in_the_kernels_core", in_the_kernels_core),
        Trial::test("crowd_on_several_ps", on_several_ps),
        Trial::test("crowd_registers", registers),
        Trial::test("crowd_of_ten_thousand", of_ten_thousand),
    ]
}

/// Checks that the text of `goroutine all bt` has everybody with all frames.
fn frames_are_whole(text: &str) -> Result<(), Failed> {
    let all: Vec<&str> = text.split("\nGoroutine ").skip(1).collect();
    ensure!(all.len() == ALL, "{} of {ALL}:\n{text}", all.len());
    let mut late = 0;
    let mut counts = vec![0; KINDS.len()];
    for goroutine in all {
        let mut lines = goroutine.lines().filter(|line| !line.is_empty());
        let heading = lines.next().unwrap_or_default();
        let frames: Vec<&str> = lines.collect();
        let last = frames.last().copied().unwrap_or_default();
        ensure!(last.contains(" runtime.goexit ("), "no root in {goroutine}");
        let entry = |line: &&str| line.contains("::entry (");
        let Some(kind) = frames.iter().find(|line| entry(line)) else {
            late += usize::from(goroutine.contains("newproc::start::entry<"));
            continue;
        };
        let (at, (kind, _, levels, state)) = KINDS
            .iter()
            .enumerate()
            .find(|(_, (kind, ..))| kind_of(kind, goroutine))
            .ok_or_else(|| format!("of no kind: {kind} in {goroutine}"))?;
        counts[at] += 1;
        ensure!(heading.ends_with(&format!("[{state}]:")), "{goroutine}");
        let functions = [
            (format!(" testprog::crowd::{kind}::deepest ("), 1),
            (format!(" testprog::crowd::{kind}::middle ("), *levels),
            (format!(" testprog::crowd::{kind}::entry ("), 1),
        ];
        // In this order, and nothing else of the crowd's below `deepest`.
        let mut rest = frames.iter().skip_while(|l| !l.contains(&functions[0].0));
        for (function, count) in &functions {
            for _ in 0..*count {
                let line = rest.next().copied().unwrap_or_default();
                ensure!(line.contains(function), "no {function} in {goroutine}");
            }
        }
        let more = rest.filter(|line| line.contains(" testprog::crowd::"));
        ensure!(more.count() == 0, "too many frames in {goroutine}");
    }
    for ((kind, count, ..), there) in KINDS.iter().zip(counts) {
        ensure!(there == *count, "{there} of {count} {kind} in\n{text}");
    }
    ensure!(late == LATE, "{late} of {LATE} are late in\n{text}");
    Ok(())
}

/// Tells whether a goroutine's frames are of a kind.
fn kind_of(kind: &str, frames: &str) -> bool {
    frames.contains(&format!(" testprog::crowd::{kind}::entry ("))
}

/// The process, and what gdb saves of it.
fn in_a_process_and_its_core() -> Result<(), Failed> {
    let mut gdb = start()?;
    let answers = |gdb: &mut Gdb| -> Result<Vec<String>, String> {
        QUESTIONS.iter().map(|line| gdb.command(line)).collect()
    };
    let before = gdb.command("bt")?;
    let live = answers(&mut gdb)?;
    census(&rows(&live[0])?)?;
    frames_are_whole(&live[1])?;
    let after = gdb.command("bt")?;
    ensure!(before == after, "another frame is selected:\n{after}");

    let directory = Directory::new("live")?;
    let core = directory.0.join("core");
    let saved = gdb.command(&format!("generate-core-file {}", core.display()))?;
    gdb.command("kill")?;
    ensure!(saved.contains("Saved corefile"), "{saved}");
    gdb.command(&format!("core-file {}", core.display()))?;
    let dead = answers(&mut gdb)?;
    for (question, (live, dead)) in QUESTIONS.iter().zip(live.iter().zip(&dead)) {
        ensure!(
            live == dead,
            "{question}, in the core file\n{dead}\nin the process\n{live}"
        );
    }
    let refused = gdb.command("goroutine 2 finish")?;
    ensure!(
        refused.contains("The program is not being run."),
        "{refused}"
    );
    ensure!(gdb.command("info goroutines")? == dead[0], "{refused}");
    Ok(())
}

/// What the kernel saves, of a program that dies and that shall leave a core.
fn in_the_kernels_core() -> Result<(), Failed> {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern")?;
    let pattern = pattern.trim();
    if pattern.starts_with(['|', '/']) || pattern.is_empty() {
        println!("core files go to {pattern:?} here: the kernel's is not looked at");
        return Ok(());
    }
    let directory = Directory::new("crash")?;
    let program = programs::path("testprog")?;
    let mut command = programs::in_shell("ulimit -c unlimited", "testprog")?;
    command
        .arg("crowd-dies")
        .current_dir(&directory.0)
        .env("GOTRACEBACK", "crash");
    let outcome = programs::run(&mut command)?;
    let errors = String::from_utf8_lossy(&outcome.stderr);
    ensure!(errors.contains("panic: that is all"), "{errors}");
    let Some(Ok(core)) = fs::read_dir(&directory.0)?.next() else {
        println!("no core file here ({}): not looked at", outcome.status);
        return Ok(());
    };

    let mut gdb = Gdb::start(Kind::Gort, &program)?;
    gdb.command(&format!("core-file {}", core.path().display()))?;
    let list = gdb.command("info goroutines")?;
    // As many as can be relied on: those that wait.
    let all = rows(&list)?;
    for (kind, count, levels, state) in KINDS {
        if matches!(*state, "runnable" | "syscall") {
            continue;
        }
        let such: Vec<&Row> = all.iter().filter(|row| is_of(row, kind)).collect();
        ensure!(such.len() == *count, "{} {kind} in\n{list}", such.len());
        let text = gdb.command(&format!("goroutine {} bt", such[0].goid))?;
        let function = format!(" testprog::crowd::{kind}::middle (");
        let middles = text.lines().filter(|line| line.contains(&function));
        ensure!(middles.count() == *levels, "{kind}:\n{text}");
        let last = text.lines().last().unwrap_or_default();
        ensure!(last.contains(" runtime.goexit ("), "{kind}:\n{text}");
    }
    Ok(())
}

/// With more Ps some that never give way are on other threads, and who is late may have
/// been stolen: everybody has a root all the same.
fn on_several_ps() -> Result<(), Failed> {
    let mut gdb = begin(&programs::path("testprog")?, STOPS, "crowd 3")?;
    for _ in 0..5 {
        let text = gdb.command("goroutine all bt")?;
        let all = text.split("\nGoroutine ").skip(1);
        let lost: Vec<&str> = all
            .filter(|text| !text.trim_end().lines().last().is_some_and(ends))
            .collect();
        ensure!(lost.is_empty(), "{lost:#?}");
        go_on(&mut gdb, STOPS)?;
    }
    gdb.command("kill")?;
    Ok(())
}

/// Tells whether a line is of a goroutine's root, or of the stack that its thread
/// schedules on, where it is between two goroutines.
fn ends(line: &str) -> bool {
    [
        " runtime.goexit (",
        " runtime.mcall (",
        " runtime.gosave_gogo (",
        " runtime.clone (",
    ]
    .iter()
    .any(|root| line.contains(root))
}

/// The registers that functions preserve, of one that waits; all of one that was preempted.
fn registers() -> Result<(), Failed> {
    let mut gdb = start()?;
    let all = rows(&gdb.command("info goroutines")?)?;
    let of = |kind: &str| all.iter().find(|row| is_of(row, kind)).map(|row| row.goid);
    let preserved = [
        ("rbx", 0x101),
        ("r12", 0x112),
        ("r13", 0x113),
        ("r14", 0x114),
        ("r15", 0x115),
    ];
    let every = [
        ("rax", 0x200),
        ("rbx", 0x201),
        ("rcx", 0x202),
        ("rdx", 0x203),
        ("rsi", 0x204),
        ("rdi", 0x205),
        ("r8", 0x208),
        ("r9", 0x209),
        ("r10", 0x20a),
        ("r11", 0x20b),
        ("r12", 0x20c),
        ("r13", 0x20d),
        ("r14", 0x20e),
        ("r15", 0x20f),
    ];
    for (kind, registers) in [("registers", &preserved[..]), ("spins", &every[..])] {
        let goid = of(kind).ok_or("nobody")?;
        // Where the numbers are: in the caller of the first that is not the runtime's, or there.
        let text = gdb.command(&format!("goroutine {goid} bt"))?;
        let frame = text.lines().find(|line| line.contains("_with_registers ("));
        let level = frame.and_then(|line| line.trim_start_matches('#').split(' ').next());
        let level = level.ok_or_else(|| format!("no frame in\n{text}"))?;
        for (register, value) in registers {
            let command = format!("goroutine {goid} frame apply level {level} -q p/x ${register}");
            let answer = gdb.command(&command)?;
            ensure!(
                answer.contains(&format!(" = {value:#x}\n")),
                "{command}: {answer}"
            );
        }
    }
    gdb.command("kill")?;
    Ok(())
}

/// Ten thousand are listed, and some of them traced.
fn of_ten_thousand() -> Result<(), Failed> {
    let mut gdb = begin(&programs::path("testprog")?, STOPS, "crowd-many 10000")?;
    let all = rows(&gdb.command("info goroutines chan_recv::deepest")?)?;
    ensure!(all.len() == 10_000, "{}", all.len());
    for row in all.iter().step_by(999) {
        let text = gdb.command(&format!("goroutine {} bt", row.goid))?;
        let last = text.lines().last().unwrap_or_default();
        ensure!(last.contains(" runtime.goexit ("), "{text}");
    }
    // Those that have arrived last may not be in the queue yet: one on each P.
    let lines = gdb.command("info chans")?.lines().count();
    ensure!((9_990..=10_001).contains(&lines), "{lines}");
    gdb.command("kill")?;
    Ok(())
}
