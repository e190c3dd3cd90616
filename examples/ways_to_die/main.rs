//! A command for each way in which a program can die, to see what it says then: who debugs
//! a program for the first time has seen its last words before.
//!
//! ```text
//! cargo run --example ways_to_die
//! cargo run --example ways_to_die -- nil
//! GOTRACEBACK=all cargo run --example ways_to_die -- panic-goroutine
//! ```
//!
//! What each prints stands in `tests/host/tests/ways_to_die`, and a test compares them.

#![no_std]
#![no_main]

mod ends;
#[allow(unsafe_code, reason = "instructions that fault")]
mod faults;
mod limits;
mod panics;

use gort::env;
use gort::prelude::v1::*;
use gort::process::{self, ExitCode};
use gort::{eprintln, println};

gort::main!(main);

/// What the command line calls it, what it is, and what it does with the next argument.
type Command = (&'static str, &'static str, fn(&str) -> Result<(), Failure>);

/// What main returns if it returns an error.
#[derive(Debug)]
#[allow(dead_code, reason = "what Debug prints")]
struct Failure {
    why: &'static str,
}

fn main() -> Result<ExitCode, Failure> {
    let mut arguments = env::args().skip(1);
    let Some(name) = arguments.next() else {
        for (name, what, _) in commands() {
            println!("{name:24} {what}");
        }
        return Ok(ExitCode::SUCCESS);
    };
    let Some((_, _, command)) = commands().find(|(known, ..)| *known == name) else {
        eprintln!("ways_to_die: no way is called {name}");
        process::exit(2);
    };
    command(&arguments.next().unwrap_or_default())?;
    println!("{name}: still alive");
    Ok(ExitCode::SUCCESS)
}

/// Goes through all of them.
fn commands() -> impl Iterator<Item = &'static Command> {
    let both = ends::COMMANDS.iter().chain(panics::COMMANDS);
    both.chain(faults::COMMANDS).chain(limits::COMMANDS)
}
