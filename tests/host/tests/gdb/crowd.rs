//! The program with a hundred goroutines in all states: what is known of it, and how it is
//! brought to where they all are. What is asked about them then is in the modules below.

#[path = "crowd/bare.rs"]
mod bare;
#[path = "crowd/damaged.rs"]
mod damaged;
#[path = "crowd/frames.rs"]
mod frames;
#[path = "crowd/waiting.rs"]
mod waiting;

use std::fs;
use std::path::{Path, PathBuf};

use gort_host_tests::{ensure, programs};
use libtest_mimic::{Failed, Trial};

use crate::listing::{Row, rows};
use crate::session::{Gdb, Kind};

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

/// Where it stops in each round: the second is where all are there.
const STOPS: [&str; 2] = [
    "testprog::crowd::next_round",
    "testprog::crowd::everybody_is_there",
];

/// How often a census may go wrong: somebody was on the way from one state to another.
const ROUNDS: usize = 200;

pub(crate) fn trials() -> Vec<Trial> {
    let all = [
        frames::trials(),
        waiting::trials(),
        damaged::trials(),
        bare::trials(),
    ];
    let ignore = |trial: Trial| trial.with_ignored_flag(!programs::native());
    all.into_iter().flatten().map(ignore).collect()
}

/// Runs the program until all are where they belong.
fn start() -> Result<Gdb, Failed> {
    start_this(&programs::path("testprog")?, STOPS)
}

/// The same for a copy of it, in which these functions may have other names.
fn start_this(program: &Path, stops: [&str; 2]) -> Result<Gdb, Failed> {
    let mut gdb = begin(program, stops, "crowd 1")?;
    for _ in 0..ROUNDS {
        if census(&rows(&gdb.command("info goroutines")?)?).is_ok() {
            return Ok(gdb);
        }
        go_on(&mut gdb, stops)?;
    }
    census(&rows(&gdb.command("info goroutines")?)?)?;
    Ok(gdb)
}

/// Runs the program with these arguments until it stops for the first time.
fn begin(program: &Path, stops: [&str; 2], arguments: &str) -> Result<Gdb, Failed> {
    let mut gdb = Gdb::start(Kind::Gort, program)?;
    // The other setting: gdb leaves out of a core file what lies behind a guard in the same
    // mapping.
    gdb.command("set environment GODEBUG asyncpreemptoff=0,guardinstall=0")?;
    gdb.command(&format!("tbreak {}", stops[1]))?;
    let stop = gdb.command(&format!("r {arguments}"))?;
    ensure!(stop.contains("Temporary breakpoint "), "{stop}");
    Ok(gdb)
}

/// Runs it until it stops the next time.
fn go_on(gdb: &mut Gdb, stops: [&str; 2]) -> Result<(), Failed> {
    for function in stops {
        gdb.command(&format!("tbreak {function}"))?;
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

/// Says which build's programs are debugged.
fn is_release() -> bool {
    std::env::var("GORT_PROFILE").is_ok_and(|profile| profile == "release")
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
