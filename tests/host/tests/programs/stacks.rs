//! Goroutines' stacks, as the kernel sees them: where the guards lie, how many there
//! can be, and what becomes of those that have no guard.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use gort_host_tests::ensure;
use gort_host_tests::programs::{
    Outcome, excerpt, like, native, program, release, run, run_with, spawn, wait,
};
use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    // An emulator's list of memory is its own.
    let native_only = [
        Trial::test("stacks::a_guard_below", a_guard_below),
        Trial::test("stacks::guards_are_no_mappings", guards_are_no_mappings),
        Trial::test("stacks::few_mappings", few_mappings),
        Trial::test("stacks::made_together", made_together),
    ];
    native_only
        .into_iter()
        .map(|trial| trial.with_ignored_flag(!native()))
        .chain([
            Trial::test("stacks::a_hundred_thousand", a_hundred_thousand),
            Trial::test("stacks::overflow_by_a_mapping", overflow_by_a_mapping),
            // Each shows twenty-five thousand goroutines.
            Trial::test("stacks::overflow_without_a_guard", overflow_without_a_guard)
                .with_ignored_flag(!native()),
            Trial::test("stacks::no_guard_twice", no_guard_twice),
            Trial::test("stacks::given_back_and_listed", given_back_and_listed),
        ])
        .collect()
}

/// Has guards be mappings.
const OLD: (&str, &str) = ("GODEBUG", "guardinstall=0");

/// A mapping of a process: its addresses, and its rights.
struct Mapping {
    lo: usize,
    hi: usize,
    rights: String,
}

/// Lists the mappings of a process. `7f0123450000-7f0123460000 rw-p …`
fn mappings(id: u32) -> Result<Vec<Mapping>, Failed> {
    let parse = |line: &str| {
        let (range, rest) = line.split_once(' ')?;
        let (lo, hi) = range.split_once('-')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        Some(Mapping {
            lo: number(lo)?,
            hi: number(hi)?,
            rights: rest.get(..4)?.into(),
        })
    };
    let text = fs::read_to_string(format!("/proc/{id}/maps"))?;
    Ok(text.lines().filter_map(parse).collect())
}

/// Starts a program that goes on until it is killed, and looks at its mappings until
/// there is what `find` looks for.
fn look<T>(
    environment: &[(&str, &str)],
    find: impl Fn(&[Mapping]) -> Option<T>,
) -> Result<T, Failed> {
    let mut command = program("testprog")?;
    command
        .arg("spin")
        .envs(environment.iter().copied())
        .stderr(Stdio::null());
    let mut child = spawn(&mut command)?;
    let start = Instant::now();
    let mut found = None;
    while found.is_none() && start.elapsed() < Duration::from_secs(60) {
        found = find(&mappings(child.id())?);
        thread::sleep(Duration::from_millis(1));
    }
    child.kill()?;
    wait(&mut child)?;
    found.ok_or_else(|| "there is nothing like that in the list".into())
}

const STACK: usize = 256 << 10;
const GUARD: usize = 32 << 10;
const FIRST: usize = 7 * (STACK + GUARD);

/// Where guards are mappings, 32 KiB without rights lie right below the main
/// goroutine's stack. Something else may lie below that, so that a fault would not
/// show it.
fn a_guard_below() -> Result<(), Failed> {
    look(&[OLD], |all| {
        all.windows(2).find(|pair| {
            let [below, above] = pair else { return false };
            let guard = below.rights == "---p" && below.hi - below.lo == GUARD;
            // What is above the first stack has not been opened yet.
            let stacks = above.rights == "rw-p" && above.hi - above.lo == FIRST - GUARD;
            guard && stacks && below.hi == above.lo
        })?;
        Some(())
    })
}

/// Tells whether this kernel has guards that are no mappings.
fn installs() -> Result<bool, Failed> {
    let version = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let mut numbers = version.split(|character: char| !character.is_ascii_digit());
    let mut number = || numbers.next().and_then(|text| text.parse::<u32>().ok());
    Ok((number(), number()) >= (Some(6), Some(13)))
}

/// Where they are not, there is one mapping.
fn guards_are_no_mappings() -> Result<(), Failed> {
    if !installs()? {
        return Ok(());
    }
    look(&[], |all| {
        let whole = |one: &&Mapping| one.rights == "rw-p" && one.hi - one.lo == FIRST;
        all.iter().find(whole)?;
        Some(())
    })
}

/// A hundred thousand goroutines, whatever the kernel's limit for mappings. In a debug
/// build that takes long: there, enough that some have no guard.
fn a_hundred_thousand() -> Result<(), Failed> {
    let count = if release() { 100_000 } else { 30_000 };
    for environment in [&[OLD][..], &[]] {
        let mut command = program("testprog")?;
        command
            .args(["many-goroutines", &count.to_string()])
            .envs(environment.iter().copied());
        run(&mut command)?
            .expect(0, &format!("{}\n", count + 1), "")
            .map_err(|error| format!("{environment:?}: {error}"))?;
    }
    Ok(())
}

/// Where there is no guard, giving memory back must leave the canary alone.
fn no_guard_twice() -> Result<(), Failed> {
    let count = guards()? + 2000;
    let mut command = program("testprog")?;
    command
        .args(["many-goroutines-again", &count.to_string()])
        .env("GOMAXPROCS", "1") // all of them at once, which is what counts
        .envs([OLD]);
    run(&mut command)?.expect(0, &format!("{}\n", count + 1).repeat(3), "")?;
    Ok(())
}

/// How many guards there can be that are mappings.
fn guards() -> Result<usize, Failed> {
    let limit = fs::read_to_string("/proc/sys/vm/max_map_count")?;
    Ok(limit.trim().parse::<usize>()? / 8 * 3)
}

/// What runs into the stack below, where there is no guard, is seen when it gives way,
/// at the latest, or at the guard of its group.
fn overflow_without_a_guard() -> Result<(), Failed> {
    let count = guards()? + 400;
    for (command, printed) in [
        ("overflow-late-and-back", ""),
        ("overflow-late-and-end", "nobody has noticed\n"),
        ("overflow-late-and-stay", ""),
        ("overflow-late-for-ever", ""),
    ] {
        // One in 128 has a guard: not two in a row.
        let mut guarded = true;
        for count in [count, count + 1] {
            if !guarded {
                break; // that has been seen; each takes seconds
            }
            let mut late = program("testprog")?;
            late.args([command, &count.to_string()]).envs([OLD]);
            let outcome = run(&mut late)?;
            let text = "runtime: goroutine stack exceeds 262144-byte limit\n\
                runtime: sp=0x* stack=[0x*, 0x*]\nfatal error: stack overflow\n\n\
                goroutine * *[*]:\n**\ncreated by * in goroutine 1\n**";
            if !like(&outcome.stderr, text.as_bytes()) {
                return Err(format!("{command} {count}: {}", excerpt(&outcome.stderr)).into());
            }
            // The guard's own report has an sp right below the stack. Who is preempted
            // down there gives way before it prints anything.
            guarded = guard_met(&outcome)?;
            ensure!(
                guarded || outcome.stdout == printed.as_bytes() || outcome.stdout.is_empty(),
                "{command}: printed {}",
                excerpt(&outcome.stdout)
            );
            ensure!(outcome.status.code() == Some(2), "{command}: {outcome:?}");
        }
        ensure!(!guarded, "{command}: all met a guard of their own");
    }
    Ok(())
}

/// Tells whether the guard right below the stack ended the program: by the sp of the
/// report.
fn guard_met(outcome: &Outcome) -> Result<bool, Failed> {
    let text = String::from_utf8_lossy(&outcome.stderr);
    let mut numbers = text
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter_map(|word| usize::from_str_radix(word.strip_prefix("0x")?, 16).ok());
    let (Some(sp), Some(lo)) = (numbers.next(), numbers.next()) else {
        return Err(format!("no numbers in {text}").into());
    };
    Ok(sp.abs_diff(lo) <= 4096)
}

/// With guards that are mappings, they do their work, natively and emulated.
fn overflow_by_a_mapping() -> Result<(), Failed> {
    for command in ["overflow", "overflow-goroutine"] {
        let outcome = run(program("testprog")?.arg(command).envs([OLD]))?;
        let text = "runtime: goroutine stack exceeds 262144-byte limit\n\
            runtime: sp=0x* stack=[0x*, 0x*]\nfatal error: stack overflow\n\n*\n";
        let head: Vec<u8> = outcome
            .stderr
            .split_inclusive(|&byte| byte == b'\n')
            .take(5)
            .flatten()
            .copied()
            .collect();
        ensure!(
            like(&head, text.as_bytes()) && guard_met(&outcome)?,
            "{command}: {}",
            excerpt(&outcome.stderr)
        );
    }
    Ok(())
}

/// Where guards are no mappings, the last of a large crowd has one, too.
fn few_mappings() -> Result<(), Failed> {
    if !installs()? {
        return Ok(());
    }
    let count = (guards()? + 10_000).to_string();
    let outcome = run_with("testprog", ["overflow-late-for-ever", &count])?;
    ensure!(
        guard_met(&outcome)?,
        "a goroutine without a guard: {outcome:?}"
    );
    Ok(())
}

/// Of those that were made together each has a guard.
fn made_together() -> Result<(), Failed> {
    if !installs()? {
        return Ok(());
    }
    for count in (150..170).step_by(4) {
        let count = count.to_string();
        let arguments = ["overflow-late-for-ever", &count];
        let outcome = run(program("testprog")?
            .args(arguments)
            .env("GOTRACEBACK", "none"))?;
        ensure!(guard_met(&outcome)?, "behind {count}: {outcome:?}");
    }
    Ok(())
}

/// Goroutines whose memory went back to the system are no goroutines any more.
fn given_back_and_listed() -> Result<(), Failed> {
    let text = "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [*]:\n**\n\n\
        goroutine 20* [*]:\n**\n\ngoroutine 20* [*]:\n**";
    // Each P has numbers of its own.
    run(program("testprog")?
        .arg("deadlock-scavenged")
        .env("GOMAXPROCS", "1"))?
    .expect(2, "", text)?;
    Ok(())
}
