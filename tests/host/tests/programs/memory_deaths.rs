//! What goes wrong with memory, and what is said then: frees that are none, use
//! after a free, memory that is not to be had, and memory that is not needed.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};

use gort_host_tests::ensure;
use gort_host_tests::programs::{
    Outcome, in_shell, native, program, release, run, run_with, spawn, wait,
};
use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    // Limits would hit an emulator itself, whose memory is not ours either.
    let native_only = |trial: Trial| trial.with_ignored_flag(!native());
    vec![
        Trial::test("memory::double_free", double_free),
        Trial::test("memory::wild_free", wild_free),
        Trial::test("memory::use_after_free", use_after_free),
        Trial::test("memory::clobberfree", clobberfree),
        Trial::test("memory::out_of_memory", out_of_memory),
        Trial::test("memory::a_panic_of_its_own", a_panic_of_its_own),
        native_only(Trial::test(
            "memory::limits_are_used_up",
            limits_are_used_up,
        )),
        native_only(Trial::test("memory::out_of_limits", out_of_limits)),
        native_only(Trial::test("memory::gomemlimit_holds", gomemlimit_holds)),
        native_only(Trial::test("memory::given_back", given_back)),
    ]
}

const MAIN: &str = "\ngoroutine 1 *[running]:\n**";

/// Debug builds check each free.
fn checked() -> bool {
    !release()
}

/// Checks a death whose message names the address that the program announced: as
/// `@` in the pattern.
fn names_the_address(outcome: &Outcome, stderr: &str) -> Result<(), Failed> {
    let address = String::from_utf8_lossy(&outcome.stdout);
    let stderr = stderr.replace('@', address.trim_end());
    outcome.expect(2, "0x*\n", &stderr)?;
    Ok(())
}

/// What a release build says of a free that cannot be right: of large objects
/// alone, since it looks for their span in any case.
fn not_in_the_heap() -> String {
    format!("fatal error: free of memory that is not in the heap\n{MAIN}")
}

fn double_free() -> Result<(), Failed> {
    let twice =
        format!("runtime: free of @, which is free already\nfatal error: double free\n{MAIN}");
    // The second time there is no span any more.
    let gone = format!(
        "runtime: free of @, which is no object of the heap, or no longer\n\
         fatal error: invalid free\n{MAIN}"
    );
    for (size, text) in [
        ("8", &twice),
        ("100", &twice),
        ("1024", &twice),
        ("32768", &twice),
        ("32769", &gone),
        ("10000000", &gone),
    ] {
        let outcome = || run_with("testprog", ["double-free", size]);
        if checked() {
            names_the_address(&outcome()?, text)?;
        } else if text == &gone {
            names_the_address(&outcome()?, &not_in_the_heap())?;
        }
    }
    Ok(())
}

fn wild_free() -> Result<(), Failed> {
    let none = "which is no object of the heap, or no longer\nfatal error: invalid free";
    let inside = "which is inside of the object at 0x*\nfatal error: invalid free";
    let twice = "which is free already\nfatal error: double free";
    let other = "with another size or alignment than it was allocated with\n\
                 fatal error: invalid free";
    // What it is; what a debug build says; whether a release build notices.
    let cases = [
        ("stack", none, false),
        ("static", none, false),
        ("null", none, false),
        ("inside", inside, false),
        ("class", other, false),
        ("never", twice, false),
        ("small-as-large", other, true),
        ("large-as-small", other, false),
        ("large-size", other, false),
        ("inside-large", inside, true),
        ("page-of-large", none, true),
        ("no-arena", none, true),
        ("no-address", none, true),
    ];
    for (what, text, noticed) in cases {
        let outcome = || run_with("testprog", ["wild-free", what]);
        let fail = |error: Failed| Failed::from(format!("{what}: {}", message(&error)));
        if checked() {
            let comma = if text == other { "" } else { "," };
            let text = format!("runtime: free of @{comma} {text}\n{MAIN}");
            names_the_address(&outcome()?, &text).map_err(fail)?;
        } else if noticed {
            names_the_address(&outcome()?, &not_in_the_heap()).map_err(fail)?;
        }
    }
    Ok(())
}

/// What a failure says.
fn message(failed: &Failed) -> &str {
    failed.message().unwrap_or_default()
}

/// Debug builds look at each link that the program could have spoilt.
fn use_after_free() -> Result<(), Failed> {
    if !checked() {
        return Ok(());
    }
    let text = format!(
        "runtime: @, which is free, should lead to another free object; it leads to 0x*\n\
         fatal error: the heap is damaged: freed memory was written to\n{MAIN}"
    );
    for how in ["text", "object", "inside"] {
        names_the_address(&run_with("testprog", ["use-after-free", how])?, &text)?;
    }
    Ok(())
}

/// All but the first word, which leads from free object to free object.
fn clobberfree() -> Result<(), Failed> {
    for size in [8, 16, 100, 1024, 32768, 32769, 1_000_000] {
        let words = (size / 4_usize).saturating_sub(2);
        let with = |value: &str| {
            run(program("testprog")?
                .args(["clobbered", &size.to_string()])
                .env("GODEBUG", value))
        };
        let filled = format!("{words} words filled, 0 as they were\n");
        with("clobberfree=1")?.expect(0, &filled, "")?;
        let kept = format!("0 words filled, {words} as they were\n");
        with("clobberfree=0")?.expect(0, &kept, "")?;
        with("")?.expect(0, &kept, "")?;
    }
    Ok(())
}

fn out_of_memory() -> Result<(), Failed> {
    let text = format!("fatal error: runtime: out of memory\n{MAIN}");
    let most = isize::MAX as usize;
    for size in [1 << 45, 1 << 46, 1 << 47, 1 << 50, most - 4095, most] {
        let size = size.to_string();
        run_with("testprog", ["out-of-memory", &size])?.expect(2, "", &text)?;
        run_with("testprog", ["try-reserve", &size])?.expect(0, "err\n", "")?;
    }
    // More than memory and swap space, where the system says so.
    if native() && fs::read_to_string("/proc/sys/vm/overcommit_memory")?.trim() != "1" {
        run_with("testprog", ["try-reserve", &(1_u64 << 43).to_string()])?
            .expect(0, "err\n", "")?;
    }
    run_with("testprog", ["try-reserve", "1000000"])?.expect(0, "ok\n", "")?;
    Ok(())
}

/// What panics in a file of such a name need not be about memory.
fn a_panic_of_its_own() -> Result<(), Failed> {
    let text = "panic: no lack of memory\n\ngoroutine 1 [running]:\n**tests/testprog/alloc/src/alloc.rs:*\n**";
    run_with("testprog", ["panic-alloc"])?.expect(2, "", text)?;
    Ok(())
}

/// Runs a command of testprog under a limit of the shell's, on one P: what lies in
/// another's cache is not to be had.
fn limited(limit: &str, arguments: &[&str]) -> Result<Outcome, String> {
    let mut command = in_shell(limit, "testprog")?;
    command.args(arguments).env("GOMAXPROCS", "1");
    run(&mut command).map_err(|error| format!("{limit}: {error}"))
}

/// Where no arena can be had, the heap grows by the megabyte, up to the limit; what
/// is freed can be had again; and nothing is damaged. What the runtime has beside
/// the heap is less than 16 MiB, and objects fill most of the rest: of small ones
/// the heap has to write down more, for which there may be no room at last.
fn limits_are_used_up() -> Result<(), Failed> {
    let cases: [(&str, &[usize]); 2] = [("-v", &[20, 64, 74, 140]), ("-d", &[20, 74])];
    for (limit, limits) in cases {
        for &mib in limits {
            let limit = format!("ulimit {limit} {}", mib << 10);
            for (size, percent) in [(100, 60), (50_000, 80), (1_000_000, 90)] {
                let outcome = limited(&limit, &["fill-memory", &size.to_string()])?;
                outcome
                    .expect(0, "*\n", "")
                    .map_err(|error| format!("{limit}, {size}: {error}"))?;
                let got: usize = String::from_utf8_lossy(&outcome.stdout).trim().parse()?;
                let least = mib.saturating_sub(16) * percent / 100;
                ensure!(
                    (least..mib).contains(&got),
                    "{limit}: {got} MiB in objects of {size}, expected {least} at least"
                );
            }
        }
    }
    Ok(())
}

/// The clear death, or an error for who asks; whether some was to be had or none.
fn out_of_limits() -> Result<(), Failed> {
    let text = format!("fatal error: runtime: out of memory\n{MAIN}");
    for limit in ["-v", "-d"] {
        for mib in [10, 20, 70] {
            let limit = format!("ulimit {limit} {}", mib << 10);
            for size in ["1000", "100000", "3000000000"] {
                limited(&limit, &["out-of-memory", size])?
                    .expect(2, "", &text)
                    .map_err(|error| format!("{limit}, {size}: {error}"))?;
            }
            limited(&limit, &["try-reserve", "3000000000"])?.expect(0, "err\n", "")?;
        }
    }
    Ok(())
}

/// Waits until a program says that it is ready; returns its resident memory in
/// MiB, the most that it ever was and what it is now.
fn resident(command: &mut Command) -> Result<(usize, usize), Failed> {
    let mut child = spawn(command.stdout(Stdio::piped()))?;
    let mut ready = [0; 6];
    let said = child
        .stdout
        .take()
        .map(|mut from| from.read_exact(&mut ready));
    let status = fs::read_to_string(format!("/proc/{}/status", child.id()));
    child.kill()?;
    wait(&mut child)?;
    ensure!(matches!(said, Some(Ok(()))), "it was never ready");
    let status = status?;
    let number = |name: &str| -> Option<usize> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    };
    match (number("VmHWM:"), number("VmRSS:")) {
        (Some(most), Some(now)) => Ok((most >> 10, now >> 10)),
        _ => Err(format!("no numbers in {status}").into()),
    }
}

/// 96 MiB are in use and as many lie in holes. Without a limit they are given back
/// in their time; with one so many as are over it, before more is taken.
fn gomemlimit_holds() -> Result<(), Failed> {
    let cases = [
        ("off", 150..200),
        ("1GiB", 150..200),
        ("120MiB", 110..122),
        ("1MiB", 96..104), // less than is in use: what is free, and no more
    ];
    for (limit, expected) in cases {
        let mut command = program("testprog")?;
        let (most, now) = resident(command.arg("holes").env("GOMEMLIMIT", limit))?;
        ensure!(
            (190..200).contains(&most) && expected.contains(&now),
            "GOMEMLIMIT={limit}: {most} MiB at most, then {now} MiB, expected {expected:?}"
        );
    }
    Ok(())
}

fn given_back() -> Result<(), Failed> {
    let (most, now) = resident(program("testprog")?.arg("give-back"))?;
    ensure!(
        most >= 95 && now < 8,
        "{most} MiB at most, and {now} MiB when they were given back"
    );
    Ok(())
}
