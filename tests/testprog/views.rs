//! What the boot has set up, as a program sees it.

use core::hash::BuildHasher as _;

use gort::process::{ExitCode, Termination};
use gort::{env, eprintln, println, runtime};

use crate::{Command, Failure, OK, number};

pub(crate) const COMMANDS: &[Command] = &[
    ("lines", lines),
    ("both", both),
    ("long-line", long_line),
    ("arguments", arguments),
    ("environment", environment),
    ("gomaxprocs", |_| say(runtime::gomaxprocs())),
    ("num-cpu", |_| say(runtime::num_cpu())),
    ("cpu", |_| say(runtime::current_cpu())),
    ("hash", |_| {
        say(gort::hash::RandomState::new().hash_one("vim-go"))
    }),
    ("terminations", terminations),
];

/// Prints a value on a line.
fn say(value: impl core::fmt::Display) -> Result<ExitCode, Failure> {
    println!("{value}");
    OK
}

/// Prints so many numbered lines.
fn lines(count: &str) -> Result<ExitCode, Failure> {
    for line in 0..number(count) {
        println!("line {line}");
    }
    OK
}

/// Prints on both streams.
fn both(_: &str) -> Result<ExitCode, Failure> {
    println!("to stdout");
    eprintln!("to stderr");
    OK
}

/// Prints a line of so many letters, by one call.
fn long_line(length: &str) -> Result<ExitCode, Failure> {
    println!("{}", "x".repeat(number(length)));
    OK
}

/// Counts the arguments, and the bytes in them.
fn arguments(_: &str) -> Result<ExitCode, Failure> {
    let bytes: usize = env::args_c().map(|argument| argument.count_bytes()).sum();
    println!("{} arguments, {bytes} bytes", env::args_c().len());
    OK
}

/// Counts the variables, and looks one up.
fn environment(name: &str) -> Result<ExitCode, Failure> {
    println!("{} variables, {:?}", env::vars_c().len(), env::var(name));
    OK
}

/// Prints the exit status that each type stands for which main may return.
fn terminations(_: &str) -> Result<ExitCode, Failure> {
    println!("{:?}", ().report());
    println!("{:?}", ExitCode::from(3).report());
    println!("{:?}", Ok::<(), Failure>(()).report());
    println!("{:?}", Ok::<ExitCode, Failure>(ExitCode::from(4)).report());
    println!("{:?}", Err::<ExitCode, &str>("a text").report());
    // A function that never returns: it is enough that this compiles.
    let _ = accepts::<fn() -> !, _>;
    OK
}

/// Takes what `main!` takes.
fn accepts<F: FnOnce() -> T, T: Termination>(_: F) {}
