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

fn godebug_not_understood() -> Result<(), Failed> {
    let cases: [(&str, &[&str]); 6] = [
        ("nonsense=1", &["nonsense=1"]),
        ("boottrace", &["boottrace"]),
        ("boottrace=yes,inittrace=0", &["boottrace=yes"]),
        ("=", &["="]),
        ("a=1,,b=2,boottrace=0", &["a=1", "b=2"]),
        ("inittrace=1.5", &["inittrace=1.5"]),
    ];
    for (value, named) in cases {
        let line = |name: &&str| {
            format!(
                "gort: GODEBUG: {name}: expected boottrace=N, inittrace=N or guardinstall=N, N a whole number\n"
            )
        };
        let lines: String = named.iter().map(line).collect();
        let outcome = run(program("hello")?.env("GODEBUG", value))?;
        outcome
            .expect(0, "vim-go\n", &lines)
            .map_err(|error| format!("GODEBUG={value}: {error}"))?;
    }
    Ok(())
}

/// A hundred thousand bytes, no UTF-8 among them: one line of bearable length.
fn endless_values() -> Result<(), Failed> {
    let endless = [0xff; 100_000];
    for name in ["GOMAXPROCS", "GODEBUG", "GOTRACEBACK"] {
        let outcome = run(program("hello")?.env(name, OsStr::from_bytes(&endless)))?;
        let lines = outcome
            .stderr
            .split_inclusive(|&byte| byte == b'\n')
            .count();
        let short = outcome.stderr.len() < 512 && outcome.stderr.starts_with(b"gort: ");
        ensure!(
            outcome.status.success() && outcome.stdout == b"vim-go\n",
            "{name}: {outcome:?}"
        );
        ensure!(lines == 1 && short, "{name}: {outcome:?}");
    }
    Ok(())
}
