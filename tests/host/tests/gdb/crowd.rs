//! A hundred goroutines in all states, in a process and in core files: each one's frames are
//! its own, down to the function that it began with, and its registers are what they were.
//! And who waits on whom, what threads and processors do.

use std::fs;
use std::path::{Path, PathBuf};

use gort_host_tests::{ensure, programs};
use libtest_mimic::{Failed, Trial};

use crate::listing::{Row, rows};
use crate::session::{self, Gdb, Kind};

/// What tests/testprog/crowd.rs has: the kind, how many of it, how often its `middle` is
/// called, and what it is doing.
const KINDS: &[(&str, usize, usize, &str)] = &[
    ("chan_send", 6, 1, "chan send"),
    ("chan_recv", 6, 2, "chan receive"),
    ("recv_timeout", 4, 3, "chan receive"),
    ("select_chans", 6, 4, "select"),
    ("select_time", 4, 5, "select"),
    ("sleeps", 6, 1, "sleep"),
    ("lock_mutex", 6, 2, "sync.Mutex.Lock"),
    ("read_lock", 5, 3, "sync.RWMutex.RLock"),
    ("write_lock", 4, 4, "sync.RWMutex.Lock"),
    ("waits_for_condition", 5, 5, "sync.Cond.Wait"),
    ("wait_group", 5, 1, "sync.WaitGroup.Wait"),
    ("parks", 8, 2, "thread::park"),
    ("joins", 4, 3, "JoinHandle::join"),
    ("semaphore", 3, 4, "semacquire"),
    ("locked", 3, 5, "thread::park, locked to thread"),
    ("registers", 3, 1, "thread::park"),
    ("spins", 4, 2, "runnable"),
    ("syscalls", 5, 3, "syscall"),
    ("yields", 6, 4, "runnable"),
];

/// Those and main, and those that have not begun.
const LATE: usize = 6;
const ALL: usize = 100;

/// How often a census may go wrong: somebody was on the way from one state to another.
const ROUNDS: usize = 200;

/// What is asked of a process and of the core file that was made of it.
const QUESTIONS: [&str; 5] = [
    "info goroutines",
    "goroutine all bt",
    "info chans",
    "info ps",
    "info sched",
];

pub(crate) fn trials() -> Vec<Trial> {
    let trials = vec![
        Trial::test("crowd_in_a_process_and_its_core", in_a_process_and_its_core),
        Trial::test("crowd_in_the_kernels_core", in_the_kernels_core),
        Trial::test("crowd_on_several_ps", on_several_ps),
        Trial::test("crowd_who_waits_on_whom", who_waits_on_whom),
        Trial::test("crowd_threads_and_processors", threads_and_processors),
        Trial::test("crowd_registers", registers),
        Trial::test("crowd_damaged", damaged),
        Trial::test("crowd_stripped", stripped),
        Trial::test("crowd_of_ten_thousand", of_ten_thousand),
    ];
    let ignore = |trial: Trial| trial.with_ignored_flag(!programs::native());
    trials.into_iter().map(ignore).collect()
}

/// Runs the program until all are where they belong.
fn start() -> Result<Gdb, Failed> {
    let mut gdb = begin("crowd 1")?;
    for _ in 0..ROUNDS {
        if census(&rows(&gdb.command("info goroutines")?)?).is_ok() {
            return Ok(gdb);
        }
        go_on(&mut gdb)?;
    }
    census(&rows(&gdb.command("info goroutines")?)?)?;
    Ok(gdb)
}

/// Runs the program with these arguments until it stops for the first time.
fn begin(arguments: &str) -> Result<Gdb, Failed> {
    let mut gdb = Gdb::start(Kind::Gort, &programs::path("testprog")?)?;
    // The other setting: gdb leaves out of a core file what lies behind a guard in the same
    // mapping.
    gdb.command("set environment GODEBUG asyncpreemptoff=0,guardinstall=0")?;
    gdb.command("tbreak testprog::crowd::everybody_is_there")?;
    let stop = gdb.command(&format!("r {arguments}"))?;
    ensure!(stop.contains("Temporary breakpoint "), "{stop}");
    Ok(gdb)
}

/// Runs it until it stops the next time.
fn go_on(gdb: &mut Gdb) -> Result<(), Failed> {
    for function in ["next_round", "everybody_is_there"] {
        gdb.command(&format!("tbreak testprog::crowd::{function}"))?;
        let stop = gdb.command("c")?;
        ensure!(stop.contains("Temporary breakpoint "), "{stop}");
    }
    Ok(())
}

/// Tells whether a row is of a kind.
fn is_of(row: &Row, kind: &str) -> bool {
    let made_in = |function: &str| {
        let place = row.place.strip_prefix("testprog::crowd::");
        let rest = place.and_then(|place| place.strip_prefix(function));
        rest.is_some_and(|rest| rest.starts_with([' ', ',', ':']))
    };
    match kind {
        "registers" => made_in("park"),
        "spins" => made_in("spin_with_registers"),
        "syscalls" => made_in("read_for_ever"),
        _ => made_in(&format!("{kind}::deepest")),
    }
}

/// Checks that each is where it belongs.
fn census(all: &[Row]) -> Result<(), String> {
    for (kind, count, _, state) in KINDS {
        let such = all.iter().filter(|row| is_of(row, kind));
        let there = such.filter(|row| row.state == *state).count();
        ensure!(
            there == *count,
            "{there} of {count} {kind} are [{state}]: {all:#?}"
        );
    }
    let late = |row: &&Row| row.place.contains(", not started, created by");
    let late = all.iter().filter(late).count();
    ensure!(late == LATE, "{late} of {LATE} are late: {all:#?}");
    ensure!(all.len() == ALL, "{} of {ALL}: {all:#?}", all.len());
    Ok(())
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
    let mut gdb = begin("crowd 3")?;
    for _ in 0..5 {
        let text = gdb.command("goroutine all bt")?;
        let all = text.split("\nGoroutine ").skip(1);
        let lost: Vec<&str> = all
            .filter(|text| !text.trim_end().lines().last().is_some_and(ends))
            .collect();
        ensure!(lost.is_empty(), "{lost:#?}");
        go_on(&mut gdb)?;
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

/// Channels, with what is in them, and locks; the first that waits is the first told of.
fn who_waits_on_whom() -> Result<(), Failed> {
    let mut gdb = start()?;
    let text = gdb.command("info chans")?;
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        match found.last_mut() {
            Some((_, waiters)) if line.starts_with("    ") => waiters.push(line.trim()),
            _ => found.push((line, Vec::new())),
        }
    }
    /// How a line begins and ends, and what the lines below it say, whose they are and how many.
    type Channel = (
        &'static str,
        &'static str,
        &'static [(&'static str, &'static str, usize)],
    );
    let expected: &[Channel] = &[
        (
            "channel ",
            ": 2 of 2 values of 8 bytes",
            &[("waits to send", "chan_send", 6)],
        ),
        (
            "channel ",
            ": 0 of 3 values of 8 bytes",
            &[
                ("waits to receive", "chan_recv", 6),
                ("waits to receive", "recv_timeout", 4),
            ],
        ),
        (
            "channel ",
            ": 0 of 0 values of 8 bytes",
            &[
                ("waits to receive, in a select", "select_chans", 6),
                ("waits to receive, in a select", "select_time", 4),
            ],
        ),
        (
            "channel ",
            ": 0 of any number of values of 8 bytes",
            &[("waits to receive, in a select", "select_chans", 6)],
        ),
        (
            "lock ",
            "MUTEX: locked, somebody waits",
            &[("waits: sync.Mutex.Lock", "lock_mutex", 6)],
        ),
        (
            "lock ",
            "WRITTEN: locked, somebody waits",
            &[("waits: sync.RWMutex.RLock", "read_lock", 5)],
        ),
        (
            "lock ",
            "READ: 1 reader, somebody waits",
            &[("waits: sync.RWMutex.Lock", "write_lock", 4)],
        ),
        (
            "lock ",
            "CONDVAR, its word is ",
            &[("waits: sync.Cond.Wait", "waits_for_condition", 5)],
        ),
        (
            "lock ",
            "GROUP, its word is ",
            &[("waits: sync.WaitGroup.Wait", "wait_group", 5)],
        ),
        (
            "lock ",
            "SEMAPHORE, its word is ",
            &[("waits: semacquire", "semaphore", 3)],
        ),
    ];
    ensure!(found.len() == expected.len(), "{text}");
    for (kind, what, waiters) in expected {
        let it = found
            .iter()
            .find(|(heading, _)| heading.starts_with(kind) && heading.contains(what));
        let Some((heading, there)) = it else {
            return Err(format!("no {kind}{what} in\n{text}").into());
        };
        let total: usize = waiters.iter().map(|(.., count)| count).sum();
        ensure!(there.len() == total, "{heading}: {there:#?}");
        let mut before = 0;
        for (line, (how, kind, _)) in there.iter().zip(
            waiters
                .iter()
                .flat_map(|waiter| std::iter::repeat_n(waiter, waiter.2)),
        ) {
            let place = format!("testprog::crowd::{kind}::deepest");
            ensure!(
                line.contains(how) && line.contains(&place),
                "{how}, {kind}: {line}"
            );
            let number = line.split(' ').nth(1).and_then(|word| word.parse().ok());
            let number: u64 = number.ok_or_else(|| format!("no number in {line}"))?;
            ensure!(number > before, "not in order: {there:#?}");
            before = number;
        }
    }
    let typed = text.contains(" of u64: 2 of 2");
    ensure!(typed, "which type?\n{text}");
    gdb.command("kill")?;
    Ok(())
}

/// `info ms`, `info ps`, `info sched`, what the printers say, and the two functions.
fn threads_and_processors() -> Result<(), Failed> {
    let mut gdb = start()?;
    let ms = gdb.command("info ms")?;
    let count = |text: &str| ms.lines().filter(|line| line.contains(text)).count();
    ensure!(
        count(" [syscall] testprog::crowd::read_for_ever") == 5,
        "{ms}"
    );
    ensure!(count(" runtime.sysmon") == 1, "{ms}");
    ensure!(count(", which is locked to it") == 3, "{ms}");
    let stars: Vec<&str> = ms.lines().filter(|line| line.starts_with('*')).collect();
    ensure!(
        stars.len() == 1
            && stars[0].contains(" p0 goroutine 1 [running] testprog::crowd::everybody"),
        "{ms}"
    );
    let ps = gdb.command("info ps")?;
    ensure!(ps.lines().count() == 2, "{ps}");
    let p0 = ps.lines().last().unwrap_or_default();
    ensure!(p0.trim_start().starts_with("p0 running m"), "{ps}");
    ensure!(p0.contains(" (next) "), "{ps}");
    let sched = gdb.command("info sched")?;
    for line in [
        "goroutines: 100: ",
        "Ps: 1, 0 idle",
        "idle Ps: none",
        "global queue: ",
    ] {
        ensure!(sched.contains(line), "no {line:?} in\n{sched}");
    }
    ensure!(sched.contains("6 chan send"), "{sched}");

    for (command, expected) in [
        ("p $goid()", "= 1\n"),
        ("p $getg()->goid", "= 1\n"),
        ("p $getg()->m->curg == $getg()", "= true\n"),
        ("p *$getg()", "= goroutine 1 [running] = {stack = "),
        ("p $getg()->m", " (m"),
        ("p allp[0]", " (p0 [running])\n"),
        ("p runtime.sched.npidle", "= 0\n"),
        ("goroutine 2 p $goid()", "= 2\n"),
        ("goroutine 2 p $getg()", " (goroutine 2 [chan send])\n"),
        ("p $goid()", "= 1\n"),
        (
            "goroutine 2",
            "  2 chan send  testprog::crowd::chan_send::deepest ",
        ),
        (
            "goroutine 2 frame",
            " testprog::crowd::chan_send::deepest (",
        ),
        ("goroutine 2 up", " testprog::crowd::chan_send::middle ("),
        (
            "goroutine 2 next",
            "Goroutine 2 waits for its turn: `next` is for a thread.",
        ),
    ] {
        // C's language takes the arrow, and both have the same values.
        let answer = gdb.command(&command.replace("->", "."))?;
        ensure!(answer.contains(expected), "{command}: {answer}");
    }
    if !is_release() {
        for (command, expected) in [
            ("goroutine 2 info locals", "level = 1\n"),
            (
                "p testprog::crowd::MUTEX",
                "Mutex<u64> (locked, somebody waits) = {value = 7}",
            ),
            (
                "p testprog::crowd::READ",
                "RwLock<()> (1 reader, somebody waits)",
            ),
            (
                "p testprog::crowd::FULL",
                "2 of 2 values of 8 bytes, 6 wait to send",
            ),
            ("goroutine 14 bt 1", "timeout=3600s"),
        ] {
            let answer = gdb.command(command)?;
            ensure!(answer.contains(expected), "{command}: {answer}");
        }
    }
    // The frames that are left out have their numbers, and can be seen.
    let short = gdb.command("goroutine 2 bt")?;
    gdb.command(session::RUNTIME_FRAMES)?;
    let long = gdb.command("goroutine 2 bt")?;
    ensure!(
        long.ends_with(&short) && long.contains(" in runtime."),
        "{long}"
    );
    let waits = short
        .lines()
        .next()
        .is_some_and(|line| line.contains(" runtime."));
    ensure!(!waits, "{short}");
    gdb.command("kill")?;
    Ok(())
}

/// Says which build's programs are debugged.
fn is_release() -> bool {
    std::env::var("GORT_PROFILE").is_ok_and(|profile| profile == "release")
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

/// Lists that lead nowhere, or in a circle, and a goroutine whose stack pointer is wild: they
/// end with a message, and the rest is there.
fn damaged() -> Result<(), Failed> {
    let mut gdb = start()?;
    let whole = gdb.command("info goroutines")?;
    let says =
        |gdb: &mut Gdb, damage: &str, command: &str, message: &str| -> Result<String, Failed> {
            gdb.command(damage)?;
            let answer = gdb.command(command)?;
            ensure!(answer.contains(message), "{damage}; {command}: {answer}");
            Ok(answer)
        };
    gdb.command("set $next = runtime.allgs.next")?;
    says(
        &mut gdb,
        "set var runtime.allgs.next = 8",
        "info goroutines",
        "The list of stacks is damaged at 0x8: what comes behind is not shown.",
    )?;
    gdb.command("set var runtime.allgs.next = &runtime.allgs")?;
    let answer = gdb.command("info goroutines")?;
    ensure!(
        answer.contains("The list of stacks is damaged at 0x"),
        "{answer}"
    );
    gdb.command("set var runtime.allgs.next = $next")?;
    let answer = gdb.command("info goroutines")?;
    ensure!(answer == whole, "{answer}");
    gdb.command("set $next = runtime.sched.allm.alllink")?;
    says(
        &mut gdb,
        "set var runtime.sched.allm.alllink = 16",
        "info ms",
        "The list of Ms is damaged at 0x10",
    )?;
    gdb.command("set var runtime.sched.allm.alllink = $next")?;
    // Those of which the stack pointer is nonsense, one by one.
    let row = rows(&whole)?
        .into_iter()
        .find(|row| is_of(row, "chan_recv"))
        .ok_or("nobody")?;
    for field in ["sp", "bp", "pc"] {
        let goid = row.goid;
        gdb.command(&format!("goroutine {goid} set $g = $getg()"))?;
        gdb.command(&format!("set $kept = $g.sched.{field}"))?;
        for value in [
            "0",
            "1",
            "0xdeadbeefdeadbeef",
            "$g.stack.hi - 8",
            "$g.stack.lo",
        ] {
            gdb.command(&format!("set var $g.sched.{field} = {value}"))?;
            let list = gdb.command("info goroutines")?;
            let known = rows(&list)?;
            ensure!(
                known.iter().any(|row| row.goid == goid),
                "{field} = {value}: {list}"
            );
            gdb.command(&format!("goroutine {goid} bt 20"))?;
            let other = gdb.command("goroutine 2 bt")?;
            ensure!(
                other.contains(" runtime.goexit ("),
                "{field} = {value}: {other}"
            );
        }
        gdb.command(&format!("set var $g.sched.{field} = $kept"))?;
    }
    let text = gdb.command(&format!("goroutine {} bt", row.goid))?;
    ensure!(text.contains(" runtime.goexit ("), "{text}");
    gdb.command("kill")?;
    Ok(())
}

/// A program without symbols has no script; and with the script from elsewhere there is a
/// line that says why nothing works.
fn stripped() -> Result<(), Failed> {
    let directory = Directory::new("stripped")?;
    let program = directory.0.join("hello");
    let strip = programs::run(
        std::process::Command::new("strip")
            .arg("-o")
            .arg(&program)
            .arg(programs::path("hello")?),
    )?;
    ensure!(strip.status.success(), "strip: {}", strip.status);
    let mut gdb = Gdb::start(Kind::Gort, &program)?;
    gdb.command("starti")?;
    for command in [
        "info goroutines",
        "goroutine 1 bt",
        "info chans",
        "info ms",
        "info sched",
    ] {
        let answer = gdb.command(command)?;
        ensure!(
            answer.lines().count() == 1 && answer.contains("or it was stripped"),
            "{command}: {answer}"
        );
    }
    let answer = gdb.command("p $goid()")?;
    ensure!(answer.contains("= 0"), "{answer}");
    gdb.command("kill")?;
    Ok(())
}

/// Ten thousand are listed, and some of them traced.
fn of_ten_thousand() -> Result<(), Failed> {
    let mut gdb = begin("crowd-many 10000")?;
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

/// A directory for a test's files.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Result<Self, Failed> {
        let path = std::env::temp_dir().join(format!("gort-{name}-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(AsRef::<Path>::as_ref(&self.0));
    }
}
