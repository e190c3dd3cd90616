//! The examples: each prints what its text says, to the byte.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use gort_host_tests::ensure;
use gort_host_tests::programs::{excerpt, path, program, run, run_with};
use libtest_mimic::{Failed, Trial};

const NONE: [&str; 0] = [];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("examples::hello", hello),
        Trial::test("examples::goroutines", goroutines),
        Trial::test("examples::init_order", init_order),
        Trial::test("examples::init_order_traced", init_order_traced),
        Trial::test("examples::walk", walk),
        Trial::test("examples::args_env", args_env),
        Trial::test("examples::args_env_without_any", args_env_without_any),
        Trial::test("examples::args_env_with_odd_ones", args_env_with_odd_ones),
        Trial::test(
            "examples::args_env_with_a_long_one",
            args_env_with_a_long_one,
        ),
        Trial::test(
            "examples::args_env_with_many_variables",
            args_env_with_many_variables,
        ),
    ]
}

fn hello() -> Result<(), Failed> {
    run_with("hello", NONE)?.expect(0, "vim-go\n", "")?;
    run_with("hello", ["arguments", "it", "ignores"])?.expect(0, "vim-go\n", "")?;
    Ok(())
}

fn goroutines() -> Result<(), Failed> {
    let text = "\
        sum 50005000, steps 30000\n\
        1 goroutine\n\
        the first one ends by goexit\n\
        the second one runs to its end\n\
        done\n";
    run_with("goroutines", NONE)?.expect(0, text, "")?;
    Ok(())
}

/// Each part. In which order the three of the queue run is for the scheduler to say.
fn walk() -> Result<(), Failed> {
    for (part, text) in [
        ("switch", "three times\n"),
        ("queue", "[\"*\", \"*\", \"*\"]\n"),
        ("park", "received 42\n"),
        ("preempt", "the other one has run\n"),
        ("grow", "10000 levels\n"),
        ("heap", "2 3 4\n"),
        ("buffer", "[1, 2, 3, 4, 5]\n"),
        ("blocking", "the other one has run\n"),
        ("sleep", "slept\n"),
        ("no such", "which part? Some(\"no such\")\n"),
    ] {
        run_with("walk", [part])?.expect(0, text, "")?;
    }
    Ok(())
}

const SQUARES: &str = "init: squares::fill, 1 goroutine\ninit: squares::check, 1 goroutine\n";
const PRIMES: &str = "init: primes::fill, 1 goroutine\ninit: primes::check, 1 goroutine\n";
const MAIN: &str = "main: 4 tasks have run\nmain: 144 is 12 squared\nmain: 19 is the 8th prime\n";

/// Which module comes first is the linker's choice; within one it is ours.
fn init_order() -> Result<(), Failed> {
    let outcome = run_with("init_order", NONE)?;
    let squares_first = [SQUARES, PRIMES, MAIN].concat();
    let primes_first = [PRIMES, SQUARES, MAIN].concat();
    if outcome.expect(0, &squares_first, "").is_err() {
        outcome.expect(0, &primes_first, "")?;
    }
    Ok(())
}

/// `GODEBUG=inittrace=1`: a line in Go's format for each task as it ends.
fn init_order_traced() -> Result<(), Failed> {
    let outcome = run(program("init_order")?.env("GODEBUG", "inittrace=1"))?;
    let line = |task: &str| format!("init {task} @*.* ms, *.* ms clock\n");
    let tasks = |module: &str| {
        ["fill", "check"]
            .map(|task| line(&format!("init_order::{module}::{task}")))
            .concat()
    };
    let runtime = line("runtime::start_clock");
    let (first, second) = match outcome.stdout.starts_with(SQUARES.as_bytes()) {
        true => ("squares", "primes"),
        false => ("primes", "squares"),
    };
    outcome.expect(
        0,
        &"*\n".repeat(7),
        &[runtime, tasks(first), tasks(second)].concat(),
    )?;
    Ok(())
}

fn args_env() -> Result<(), Failed> {
    let mut command = program("args_env")?;
    let outcome = run(command
        .args(["one", "two words"])
        .env("HOME", "/home=gopher"))?;
    let text = format!(
        "3 arguments\n  0: {:?}\n  1: \"one\"\n  2: \"two words\"\n\
         HOME is /home=gopher\n1 variables\n  \"HOME=/home=gopher\"\n",
        path("args_env")?
    );
    outcome.expect(0, &text, "")?;
    Ok(())
}

fn args_env_without_any() -> Result<(), Failed> {
    let text = format!(
        "1 arguments\n  0: {:?}\nHOME: environment variable not found\n0 variables\n",
        path("args_env")?
    );
    run_with("args_env", NONE)?.expect(0, &text, "")?;
    Ok(())
}

/// Empty, not UTF-8, with every kind of character that Debug escapes.
fn args_env_with_odd_ones() -> Result<(), Failed> {
    let odd = OsStr::from_bytes(b"\xff\xfe\xc3(");
    let mut command = program("args_env")?;
    command
        .arg("")
        .arg(odd)
        .arg("a\tb\nc\"d\\e\u{7f}")
        .arg("")
        .env("HOME", odd);
    let text = format!(
        "5 arguments\n  0: {:?}\n  1: \"\"\n  2: \"\\xff\\xfe\\xc3(\"\n  3: \"a\\tb\\nc\\\"d\\\\e\\x7f\"\n  4: \"\"\n\
         HOME: environment variable was not valid unicode: \"\\xFF\\xFE\\xC3(\"\n\
         1 variables\n  \"HOME=\\xff\\xfe\\xc3(\"\n",
        path("args_env")?
    );
    run(&mut command)?.expect(0, &text, "")?;
    Ok(())
}

/// The kernel takes no single argument of 128 KiB or more.
fn args_env_with_a_long_one() -> Result<(), Failed> {
    let long = "x".repeat(100_000);
    let outcome = run_with("args_env", [&long])?;
    let wanted = format!("\n  1: \"{long}\"\nHOME: ");
    let text = String::from_utf8(outcome.stdout.clone())?;
    ensure!(
        outcome.status.success() && text.contains(&wanted),
        "{} {}",
        outcome.status,
        excerpt(&outcome.stderr)
    );
    Ok(())
}

/// All of them are there; in which order is the emulator's choice.
fn args_env_with_many_variables() -> Result<(), Failed> {
    let mut command = program("args_env")?;
    command
        .env("EMPTY", "")
        .envs((0..1000).map(|number| (format!("V{number}"), number.to_string())));
    let outcome = run(&mut command)?;
    let text = String::from_utf8(outcome.stdout)?;
    let mut got: Vec<&str> = text.lines().skip(4).collect();
    let mut wanted: Vec<String> = (0..1000)
        .map(|number| format!("  \"V{number}={number}\""))
        .collect();
    wanted.push("  \"EMPTY=\"".into());
    got.sort_unstable();
    wanted.sort_unstable();
    ensure!(
        text.contains("\n1001 variables\n") && got == wanted,
        "got {}",
        excerpt(text.as_bytes())
    );
    Ok(())
}
