//! The scheduler from outside: `GODEBUG=schedtrace=MS`, and how GOMAXPROCS follows the
//! CPUs that the process may use.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{ChildStderr, ChildStdout, Command, Stdio};
use std::thread;

use gort_host_tests::ensure;
use gort_host_tests::programs::{Running, find_tool, program, run, run_with, spawn, wait};
use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("schedtrace::a_line_each_time", a_line_each_time),
        Trial::test(
            "schedtrace::of_a_program_that_sleeps",
            of_a_program_that_sleeps,
        ),
        Trial::test("schedtrace::that_nobody_reads", that_nobody_reads),
        Trial::test("schedtrace::of_a_thousand_ps", of_a_thousand_ps),
        Trial::test("schedtrace::in_detail", in_detail),
        Trial::test("schedtrace::off_unless_asked_for", off_unless_asked_for),
        Trial::test(
            "sched::threads_that_end_leave_nothing",
            threads_that_end_leave_nothing,
        ),
        Trial::test("sched::an_init_task_sleeps", an_init_task_sleeps),
        Trial::test("gomaxprocs::follows_the_affinity", follows_the_affinity),
        Trial::test("gomaxprocs::follows_it_in_a_churn", follows_it_in_a_churn),
        Trial::test("gomaxprocs::once_set_it_stays", once_set_it_stays),
    ]
}

/// Starts testprog, with settings, to be watched.
fn watch(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Running, Failed> {
    let mut command = program("testprog")?;
    command
        .args(arguments)
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok(Running(spawn(&mut command)?))
}

/// sysmon is stuck in a write then, and nobody waits for it to help.
fn that_nobody_reads() -> Result<(), Failed> {
    let (reader, writer) = std::io::pipe()?;
    let mut other = writer.try_clone()?;
    // Much more than a pipe has room for: it stays full until we drop our end.
    let filler = thread::spawn(move || _ = other.write_all(&[0; 2 << 20]));
    let mut command = program("testprog")?;
    command
        .arg("left-alone")
        .envs([("GODEBUG", "schedtrace=1"), ("GOMAXPROCS", "2")])
        .stderr(writer);
    let status = wait(&mut spawn(&mut command)?)?;
    drop(reader);
    let _ = filler.join();
    ensure!(status.success(), "{status}");
    Ok(())
}

/// The lines of the trace as they come.
fn trace(running: &mut Running) -> Result<Lines<BufReader<ChildStderr>>, Failed> {
    let stderr = running.0.stderr.take().ok_or("no pipe")?;
    Ok(BufReader::new(stderr).lines())
}

/// What a line says: its numbers and words by their names, and its lists.
#[derive(Debug)]
struct Fields {
    /// What stands before the first colon.
    head: String,
    values: BTreeMap<String, String>,
    /// The queues' lengths.
    queues: Vec<u64>,
    ticks: Vec<u64>,
}

impl Fields {
    /// Takes a line apart; it must have these names, in this order, and no others.
    fn parse(line: &str, names: &[&str]) -> Result<Self, Failed> {
        let wrong = || format!("not a line of the trace: {line:?}");
        let (head, rest) = line.split_once(": ").ok_or_else(wrong)?;
        let (mut values, mut found) = (BTreeMap::new(), Vec::new());
        let mut lists = [Vec::new(), Vec::new()];
        let mut words = rest.split(' ');
        while let Some(word) = words.next() {
            // "[ 0 1 ]", and "schedticks=[ 12 3 ]".
            if let Some(name) = word.strip_suffix('[') {
                let list = if name.is_empty() { 0 } else { 1 };
                ensure!(["", "schedticks="][list] == name, "{}", wrong());
                for number in words.by_ref().take_while(|word| *word != "]") {
                    lists[list].push(number.parse()?);
                }
                continue;
            }
            let (name, value) = word.split_once('=').ok_or_else(wrong)?;
            found.push(name);
            values.insert(name.to_owned(), value.to_owned());
        }
        ensure!(found == names, "expected {names:?} in {line:?}");
        let [queues, ticks] = lists;
        Ok(Self {
            head: head.into(),
            values,
            queues,
            ticks,
        })
    }

    fn word(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    fn number(&self, name: &str) -> Result<u64, Failed> {
        let word = self.word(name);
        let number = word.parse();
        Ok(number.map_err(|_| format!("{name} is no number in {self:?}"))?)
    }

    /// The number in `SCHED 123ms`.
    fn milliseconds(&self) -> Result<u64, Failed> {
        let text = self.head.strip_prefix("SCHED ");
        let text = text.and_then(|text| text.strip_suffix("ms"));
        Ok(text.ok_or("no SCHED")?.parse()?)
    }
}

const SUMMARY: [&str; 7] = [
    "gomaxprocs",
    "idleprocs",
    "threads",
    "spinningthreads",
    "needspinning",
    "idlethreads",
    "runqueue",
];

/// Takes a summary apart, and checks what holds in each.
fn summary(line: &str) -> Result<Fields, Failed> {
    let fields = Fields::parse(line, &SUMMARY)?;
    let procs = fields.number("gomaxprocs")?;
    ensure!(
        fields.queues.len() as u64 == procs && fields.ticks.len() as u64 == procs,
        "not a number for each P: {line}"
    );
    ensure!(
        fields.number("idleprocs")? <= procs
            && fields.number("spinningthreads")? <= procs
            && fields.number("needspinning")? == 0
            && fields.number("threads")? >= 2
            && fields.number("idlethreads")? < fields.number("threads")?
            && fields.queues.iter().all(|&length| length <= 257),
        "not plausible: {line}"
    );
    Ok(fields)
}

/// Reads summaries until one of them, and the one before, is as the test wants it.
fn find(running: &mut Running, wanted: impl Fn(&Fields, &Fields) -> bool) -> Result<(), Failed> {
    let mut before: Option<Fields> = None;
    for line in trace(running)? {
        let fields = summary(&line?)?;
        if let Some(before) = before
            && wanted(&before, &fields)
        {
            return Ok(());
        }
        before = Some(fields);
    }
    Err("the program ended, and no line was as it should be".into())
}

/// The first line is at 0; each later one by what was asked for, or more where the
/// machine is busy. What runs makes the ticks rise, and the threads be there, sooner or
/// later.
fn a_line_each_time() -> Result<(), Failed> {
    let variables = [("GODEBUG", "schedtrace=40"), ("GOMAXPROCS", "2")];
    let mut running = watch(&["sched-work", "100000"], &variables)?;
    let mut lines = trace(&mut running)?;
    let mut next = || -> Result<Fields, Failed> { summary(&lines.next().ok_or("no line")??) };
    let first = next()?;
    ensure!(first.milliseconds()? == 0, "{first:?}");
    let (mut before, mut least) = (first, u64::MAX);
    let (mut rose, mut threads) = (false, 0);
    // sysmon looks every 10 ms at least. QEMU, and a machine with other things to do, may
    // make more of that. The threads: sysmon, main and its P's other M, the one in a system
    // call, the locked one.
    let mut lines = 0;
    while lines < 8 || least >= 200 || !rose || threads < 4 {
        let fields = next().map_err(|error| {
            let so_far = format!("{least} ms at least, {threads} threads, ran: {rose}");
            format!("{error:?} after {lines} lines: {so_far}")
        })?;
        let passed = fields.milliseconds()? - before.milliseconds()?;
        ensure!(passed >= 39, "{passed} ms after {before:?}: {fields:?}");
        least = least.min(passed);
        let rises = |(now, then): (&u64, &u64)| now > then;
        rose |= fields.ticks.iter().zip(&before.ticks).any(rises);
        ensure!(fields.number("gomaxprocs")? == 2, "{fields:?}");
        threads = fields.number("threads")?;
        lines += 1;
        before = fields;
    }
    Ok(())
}

/// Nobody runs, and still there is a line each time.
fn of_a_program_that_sleeps() -> Result<(), Failed> {
    let variables = [("GODEBUG", "schedtrace=30"), ("GOMAXPROCS", "4")];
    let mut running = watch(&["idle", "100000"], &variables)?;
    find(&mut running, |before, now| {
        let idle = |fields: &Fields| fields.word("idleprocs") == "4";
        idle(before) && idle(now) && before.ticks == now.ticks
    })
}

/// The longest line there is goes out whole.
fn of_a_thousand_ps() -> Result<(), Failed> {
    let variables = [("GODEBUG", "schedtrace=30"), ("GOMAXPROCS", "1024")];
    let mut running = watch(&["idle", "100000"], &variables)?;
    find(&mut running, |_, now| now.word("gomaxprocs") == "1024")
}

/// A P, M or goroutine, and everything else on its line.
const P: [&str; 7] = [
    "status",
    "schedtick",
    "syscalltick",
    "m",
    "runqsize",
    "gfreecnt",
    "timerslen",
];
const M: [&str; 10] = [
    "p",
    "curg",
    "mallocing",
    "throwing",
    "preemptoff",
    "locks",
    "dying",
    "spinning",
    "blocked",
    "lockedg",
];
const G: [&str; 3] = ["status", "m", "lockedm"];

/// One look at everything.
#[derive(Debug, Default)]
struct Detail {
    ps: Vec<Fields>,
    ms: Vec<Fields>,
    gs: Vec<Fields>,
}

/// Each P, M and goroutine has a line. The goroutines are what the program has made of
/// them, sooner or later, all at the same time.
fn in_detail() -> Result<(), Failed> {
    let variables = [
        ("GODEBUG", "schedtrace=50,scheddetail=1"),
        ("GOMAXPROCS", "3"),
    ];
    let mut running = watch(&["sched-work", "100000"], &variables)?;
    let mut names: Vec<&str> = SUMMARY.to_vec();
    names.extend(["gcwaiting", "nmidlelocked", "stopwait", "sysmonwait"]);
    let mut detail = Detail::default();
    let mut count = 0;
    for line in trace(&mut running)? {
        let line = line?;
        let Some(part) = line.strip_prefix("  ") else {
            let fields = Fields::parse(&line, &names)?;
            ensure!(fields.word("gcwaiting") == "false", "{line}");
            ensure!(fields.word("sysmonwait") == "false", "{line}");
            if count > 0 && is_whole(&detail)? {
                return Ok(());
            }
            detail = Detail::default();
            count += 1;
            continue;
        };
        let (list, names): (_, &[&str]) = match part.get(..1) {
            Some("P") => (&mut detail.ps, &P),
            Some("M") => (&mut detail.ms, &M),
            Some("G") => (&mut detail.gs, &G),
            _ => return Err(format!("not a line of the trace: {line:?}").into()),
        };
        list.push(Fields::parse(part, names)?);
    }
    Err(format!("after {count} times it ends with {detail:?}").into())
}

/// Checks what always holds, and tells whether all goroutines are where they get to.
fn is_whole(detail: &Detail) -> Result<bool, Failed> {
    let heads = |list: &[Fields]| -> Vec<String> {
        list.iter().map(|fields| fields.head.clone()).collect()
    };
    ensure!(heads(&detail.ps) == ["P0", "P1", "P2"], "{detail:?}");
    let mut ms = heads(&detail.ms);
    ms.reverse();
    let expected: Vec<String> = (0..ms.len()).map(|id| format!("M{id}")).collect();
    ensure!(ms == expected && ms.len() >= 2, "{detail:?}");
    // Main, and those that it has made so far.
    ensure!((1..=5).contains(&detail.gs.len()), "{detail:?}");
    // Who is in that state; its number depends on the P that main was on when it made it.
    let who = |status: &str| {
        let mut gs = detail.gs.iter();
        gs.find(|gp| gp.word("status") == status && gp.head != "G1")
            .and_then(|gp| gp.head.strip_prefix('G'))
    };
    let m_with = |field: &str, goid: &str| {
        let mut ms = detail.ms.iter();
        ms.find(|mp| mp.word(field) == goid)
    };
    // Running main; asleep; parked, on its thread; in a system call, without a P.
    let main = |gp: &Fields| gp.head == "G1" && gp.word("status") == "2()";
    let locked = who("4(thread::park)").and_then(|goid| m_with("lockedg", goid));
    let calls = who("3()").and_then(|goid| m_with("curg", goid));
    Ok(detail.gs.iter().any(main)
        && who("4(sleep)").is_some()
        && detail.ps.iter().any(|pp| pp.word("timerslen") == "1")
        && locked.is_some_and(|mp| mp.word("blocked") == "true")
        && calls.is_some_and(|mp| mp.word("p") == "nil"))
}

fn off_unless_asked_for() -> Result<(), Failed> {
    for off in ["", "schedtrace=0", "scheddetail=1", "schedtrace=-1"] {
        let outcome = run(program("testprog")?
            .args(["idle", "30"])
            .env("GODEBUG", off))?;
        let text = String::from_utf8(outcome.stderr)?;
        ensure!(!text.contains("SCHED"), "GODEBUG={off}: {text}");
        ensure!(
            outcome.status.success(),
            "GODEBUG={off}: {}",
            outcome.status
        );
    }
    Ok(())
}

/// A signal that was on its way to a thread that ended is not waited for by the next one
/// in its place: that one can be preempted.
fn threads_that_end_leave_nothing() -> Result<(), Failed> {
    for _ in 0..4 {
        run_with("testprog", ["threads-end", "30"])?.expect(0, "stopped\n", "")?;
    }
    Ok(())
}

/// The main thread is locked to the main goroutine, and another has to see to the time.
fn an_init_task_sleeps() -> Result<(), Failed> {
    run_with("testprog", ["sleep-init"])?.expect(0, "", "")?;
    Ok(())
}

/// Has a process's threads run on these CPUs alone, or returns false if there are not
/// so many.
fn pin(running: &Running, cpus: &str) -> Result<bool, Failed> {
    let taskset = find_tool("taskset").ok_or("taskset is not there: apt-get install util-linux")?;
    // It goes through the threads, and fails where one has ended in between.
    for _ in 0..1000 {
        let outcome = run(Command::new(&taskset)
            .args(["-a", "-p", "-c", cpus])
            .arg(running.0.id().to_string()))?;
        if outcome.status.success() {
            return Ok(true);
        }
        if !String::from_utf8_lossy(&outcome.stderr).contains("No such process") {
            return Ok(false);
        }
    }
    Ok(false)
}

/// The values of GOMAXPROCS that the program sees.
fn values(running: &mut Running) -> Result<Lines<BufReader<ChildStdout>>, Failed> {
    let stdout = running.0.stdout.take().ok_or("no pipe")?;
    Ok(BufReader::new(stdout).lines())
}

/// The number goes down and up with the CPUs that the process may use.
fn follow(arguments: &[&str], variables: &[(&str, &str)]) -> Result<(), Failed> {
    let mut running = watch(arguments, variables)?;
    let mut values = values(&mut running)?;
    let mut next = || -> Result<u64, Failed> { Ok(values.next().ok_or("it ended")??.parse()?) };
    let mut all = next()?;
    if all < 2 || !pin(&running, "0,1")? {
        return Ok(()); // there is nothing to follow
    }
    if all != 2 {
        all = next()?;
        ensure!(all == 2, "{all} Ps on two CPUs");
    }
    for _ in 0..2 {
        ensure!(pin(&running, "0")?, "taskset failed");
        let one = next()?;
        ensure!(one == 1, "{one} Ps on one CPU");
        ensure!(pin(&running, "0,1")?, "taskset failed");
        let two = next()?;
        ensure!(two == 2, "{two} Ps on two CPUs");
    }
    Ok(())
}

fn follows_the_affinity() -> Result<(), Failed> {
    follow(&["watch-gomaxprocs"], &[])?;
    // Also when that has been asked for again.
    follow(&["watch-gomaxprocs-default", "7"], &[("GOMAXPROCS", "5")])
}

/// The same while goroutines are locked to threads, and go into system calls.
fn follows_it_in_a_churn() -> Result<(), Failed> {
    follow(&["watch-gomaxprocs-locked"], &[])
}

/// A number that the environment or the program has set stays what it is, and so does
/// one that shall not be updated. The trace tells when there was time to change it.
fn once_set_it_stays() -> Result<(), Failed> {
    let cases: [(&[&str], &str, &str, &str); 3] = [
        (&["watch-gomaxprocs"], "3", "schedtrace=200", "3"),
        (&["watch-gomaxprocs-set", "4"], "", "schedtrace=200", "4"),
        (
            &["watch-gomaxprocs-default", "6"],
            "6",
            "schedtrace=200,updatemaxprocs=0",
            "",
        ),
    ];
    for (arguments, environment, godebug, expected) in cases {
        let variables = [("GOMAXPROCS", environment), ("GODEBUG", godebug)];
        let mut running = watch(arguments, &variables)?;
        let first = values(&mut running)?.next().ok_or("it ended")??;
        ensure!(
            expected.is_empty() || first == expected,
            "{arguments:?}: {first}"
        );
        ensure!(pin(&running, "0")?, "taskset failed");
        let mut since = None;
        for line in trace(&mut running)? {
            let fields = summary(&line?)?;
            let now = fields.milliseconds()?;
            ensure!(
                fields.word("gomaxprocs") == first || since.is_none(),
                "{arguments:?}: {fields:?}"
            );
            if now - *since.get_or_insert(now) > 2500 {
                break;
            }
        }
    }
    Ok(())
}
