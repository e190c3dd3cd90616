//! Who waits on whom; and what threads and processors do.

use gort_host_tests::ensure;
use libtest_mimic::{Failed, Trial};

use super::{is_release, start};
use crate::session;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("crowd_who_waits_on_whom", who_waits_on_whom),
        Trial::test("crowd_threads_and_processors", threads_and_processors),
    ]
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
            " of u64: 2 of 2 values of 8 bytes",
            &[("waits to send", "chan_send", 6)],
        ),
        (
            "channel ",
            " of u64: 0 of 3 values of 8 bytes",
            &[
                ("waits to receive", "chan_recv", 6),
                ("waits to receive", "recv_timeout", 4),
            ],
        ),
        (
            "channel ",
            " of u64: 0 of 0 values of 8 bytes",
            &[
                ("waits to receive, in a select", "select_chans", 6),
                ("waits to receive, in a select", "select_time", 4),
            ],
        ),
        (
            "channel ",
            " of u64: 0 of any number of values of 8 bytes",
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
            "CONDVAR",
            &[("waits: sync.Cond.Wait", "waits_for_condition", 5)],
        ),
        (
            "lock ",
            "GROUP: 1 to wait for",
            &[("waits: sync.WaitGroup.Wait", "wait_group", 5)],
        ),
        (
            "lock ",
            "SEMAPHORE: 0 permits",
            &[("waits: semacquire", "semaphore", 3)],
        ),
    ];
    ensure!(found.len() == expected.len(), "{text}");
    for (kind, what, waiters) in expected {
        let it = found
            .iter()
            .find(|(heading, _)| heading.starts_with(kind) && heading.ends_with(what));
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
            // Who holds them is the one whose guards these are.
            (
                "goroutine 1 frame apply 4 -q info locals",
                "MutexGuard<u64> of lock 0x",
            ),
            (
                "goroutine 1 frame apply 4 -q info locals",
                "RwLockWriteGuard<()> of lock 0x",
            ),
            (
                "goroutine 1 frame apply 4 -q info locals",
                "RwLockReadGuard<()> of lock 0x",
            ),
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
