//! The environment's words to the runtime, misspelt: each is named in one line
//! on stderr and ignored.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use gort_host_tests::ensure;
use gort_host_tests::programs::{program, run};
use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("settings::gomaxprocs", gomaxprocs),
        Trial::test(
            "settings::gomaxprocs_not_understood",
            gomaxprocs_not_understood,
        ),
        Trial::test("settings::gomaxprocs_too_large", gomaxprocs_too_large),
        Trial::test(
            "settings::gomaxprocs_runs_goroutines",
            gomaxprocs_runs_goroutines,
        ),
        Trial::test("settings::godebug_not_understood", godebug_not_understood),
        Trial::test("settings::gomemlimit", gomemlimit),
        Trial::test(
            "settings::gomemlimit_not_understood",
            gomemlimit_not_understood,
        ),
        Trial::test("settings::gomemlimit_of_no_use", gomemlimit_of_no_use),
        Trial::test("settings::set_memory_limit", set_memory_limit),
        Trial::test("settings::endless_values", endless_values),
    ]
}

/// What GOMAXPROCS is without the variable.
fn default() -> Result<String, Failed> {
    let outcome = run(program("testprog")?.arg("gomaxprocs"))?;
    Ok(String::from_utf8(
        outcome.expect(0, "*\n", "")?.stdout.clone(),
    )?)
}

/// Checks what the program says, and then uses, for a value of GOMAXPROCS.
fn with(value: &str, procs: &str, complaint: &str) -> Result<(), Failed> {
    let outcome = run(program("testprog")?
        .arg("gomaxprocs")
        .env("GOMAXPROCS", value))?;
    outcome
        .expect(0, procs, complaint)
        .map_err(|error| format!("GOMAXPROCS={value:?}: {error}"))?;
    Ok(())
}

fn gomaxprocs() -> Result<(), Failed> {
    for value in ["1", "2", "3", "64", "1024"] {
        with(value, &format!("{value}\n"), "")?;
    }
    with("007", "7\n", "")?;
    with("", &default()?, "")
}

fn gomaxprocs_not_understood() -> Result<(), Failed> {
    let default = default()?;
    for value in [
        "abc",
        "0",
        "-1",
        "1e9",
        "+3",
        " 2",
        "2 ",
        "0x4",
        "1.5",
        "99999999999999999999999",
    ] {
        with(
            value,
            &default,
            &format!("gort: GOMAXPROCS={value}: expected a whole number from 1 to 1024\n"),
        )?;
    }
    // What is no text does not spoil the line.
    with(
        "a\nb\u{1b}[2Jc",
        &default,
        "gort: GOMAXPROCS=a?b?[2Jc: expected a whole number from 1 to 1024\n",
    )
}

fn gomaxprocs_too_large() -> Result<(), Failed> {
    for value in ["1025", "1000000000", "2147483648", "18446744073709551615"] {
        with(
            value,
            "1024\n",
            &format!("gort: GOMAXPROCS={value}: expected a whole number from 1 to 1024\n"),
        )?;
    }
    Ok(())
}

fn gomaxprocs_runs_goroutines() -> Result<(), Failed> {
    for value in ["1", "2", "1024"] {
        let outcome = run(program("goroutines")?.env("GOMAXPROCS", value))?;
        let done = outcome.status.success() && outcome.stdout.ends_with(b"done\n");
        ensure!(
            done && outcome.stderr.is_empty(),
            "GOMAXPROCS={value}: {outcome:?}"
        );
    }
    Ok(())
}

/// What GODEBUG may say.
const EXPECTED: &str = "expected boottrace=N, inittrace=N, asyncpreemptoff=N, clobberfree=N, \
                        guardinstall=N, schedtrace=N, scheddetail=N or updatemaxprocs=N, N a whole \
                        number";

fn godebug_not_understood() -> Result<(), Failed> {
    let cases: [(&str, &[&str]); 9] = [
        ("nonsense=1", &["nonsense=1"]),
        ("boottrace", &["boottrace"]),
        ("boottrace=yes,inittrace=0", &["boottrace=yes"]),
        ("=", &["="]),
        ("a=1,,b=2,boottrace=0", &["a=1", "b=2"]),
        ("inittrace=1.5", &["inittrace=1.5"]),
        ("schedtrace=-1", &["schedtrace=-1"]),
        (
            "schedtrace=1s,scheddetail=",
            &["schedtrace=1s", "scheddetail="],
        ),
        (
            "updatemaxprocs=off,updatemaxprocs=0",
            &["updatemaxprocs=off"],
        ),
    ];
    for (value, named) in cases {
        let line = |name: &&str| format!("gort: GODEBUG: {name}: {EXPECTED}\n");
        let lines: String = named.iter().map(line).collect();
        let outcome = run(program("hello")?.env("GODEBUG", value))?;
        outcome
            .expect(0, "vim-go\n", &lines)
            .map_err(|error| format!("GODEBUG={value}: {error}"))?;
    }
    Ok(())
}

/// Checks what limit a program has for a value of GOMEMLIMIT, when it asks before
/// it has allocated anything and when it asks later.
fn with_limit(value: &str, limit: u64, complaint: &str) -> Result<(), Failed> {
    for order in ["first", "later"] {
        let outcome = run(program("testprog")?
            .args(["memory-limit", order])
            .env("GOMEMLIMIT", value))?;
        outcome
            .expect(0, &format!("{limit}\n"), complaint)
            .map_err(|error| format!("GOMEMLIMIT={value:?}: {error}"))?;
    }
    Ok(())
}

/// No limit: the largest number of Go's int64.
const UNLIMITED: u64 = i64::MAX as u64;

fn gomemlimit() -> Result<(), Failed> {
    for (value, limit) in [
        ("off", UNLIMITED),
        ("", UNLIMITED),
        ("0", 0),
        ("10B", 10),
        ("1000000000", 1_000_000_000),
        ("100KiB", 100 << 10),
        ("64MiB", 64 << 20),
        ("1GiB", 1 << 30),
        ("003TiB", 3 << 40),
        ("8388607TiB", 8_388_607 << 40),
        ("9223372036854775807", UNLIMITED),
        ("9223372036854775806B", UNLIMITED - 1),
    ] {
        with_limit(value, limit, "")?;
    }
    Ok(())
}

/// What is said of a value of GOMEMLIMIT, as it is shown.
fn limit_complaint(shown: &str) -> String {
    format!(
        "gort: GOMEMLIMIT={shown}: expected off, or a whole number with an optional unit, \
         B, KiB, MiB, GiB or TiB\n"
    )
}

fn gomemlimit_not_understood() -> Result<(), Failed> {
    for value in [
        "12XB",
        "-1",
        "+1",
        "1.5GiB",
        "999999999999999999999999999999",
        "KiB",
        "B",
        "64 MiB",
        " 64MiB",
        "64MiB ",
        "64mib",
        "64MB",
        "64MiBB",
        "0x40",
        "Off",
        "none",
        // Beyond what Go's int64 holds, and what any number does.
        "9223372036854775808",
        "18446744073709551615",
        "8388608TiB",
        "16777216TiB",
        "18446744073709551615TiB",
    ] {
        with_limit(value, UNLIMITED, &limit_complaint(value))?;
    }
    // What is no text does not spoil the line.
    with_limit(
        "6\n4\u{1b}[2JMiB\u{7f}",
        UNLIMITED,
        &limit_complaint("6?4?[2JMiB?"),
    )
}

/// A program that has no heap does not read it.
fn gomemlimit_of_no_use() -> Result<(), Failed> {
    run(program("hello")?.env("GOMEMLIMIT", "12XB"))?.expect(0, "vim-go\n", "")?;
    Ok(())
}

/// Each call returns what was before; a negative number only asks. What is set
/// before the first allocation holds when that comes, whatever GOMEMLIMIT says.
fn set_memory_limit() -> Result<(), Failed> {
    for (value, first) in [("", UNLIMITED), ("64MiB", 64 << 20)] {
        for order in ["first", "later"] {
            let outcome = run(program("testprog")?
                .args(["set-memory-limit", order])
                .env("GOMEMLIMIT", value))?;
            let answers = "1073741824, 1073741824, 4096, 0, 0, 9223372036854775807";
            outcome.expect(0, &format!("[{first}, {answers}] 50\n"), "")?;
        }
    }
    Ok(())
}

/// A hundred thousand bytes, no UTF-8 among them: one line of bearable length.
fn endless_values() -> Result<(), Failed> {
    let endless = [0xff; 100_000];
    for (name, example, arguments) in [
        ("GOMAXPROCS", "hello", &[][..]),
        ("GODEBUG", "hello", &[]),
        ("GOTRACEBACK", "hello", &[]),
        ("GOMEMLIMIT", "testprog", &["long-line", "6"]),
    ] {
        let outcome = run(program(example)?
            .args(arguments)
            .env(name, OsStr::from_bytes(&endless)))?;
        let lines = outcome
            .stderr
            .split_inclusive(|&byte| byte == b'\n')
            .count();
        let short = outcome.stderr.len() < 512 && outcome.stderr.starts_with(b"gort: ");
        ensure!(
            outcome.status.success() && outcome.stdout.len() == "vim-go\n".len(),
            "{name}: {outcome:?}"
        );
        ensure!(lines == 1 && short, "{name}: {outcome:?}");
    }
    Ok(())
}
