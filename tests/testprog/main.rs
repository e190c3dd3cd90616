//! A program with a command for each way to die, and for each way to look at
//! what the boot has set up: the host-side tests run it and compare what it
//! prints and how it ends.
//!
//! Go's counterpart: `runtime/testdata/testprog`.
//!
//! ```text
//! cargo run --example testprog -- panic
//! ```

#![no_std]
#![no_main]

extern crate alloc;

#[allow(unsafe_code, reason = "registers with numbers in them")]
mod crowd;
#[allow(unsafe_code, reason = "instructions that fault")]
mod deaths;
#[allow(
    unsafe_code,
    reason = "instructions that only a machine's own program may use"
)]
mod machine;
#[allow(unsafe_code, reason = "uses memory as nobody should")]
mod memory;
#[allow(unsafe_code, reason = "calls a function of gort.h's")]
mod preempt;
mod sched;
mod segments;
mod signals;
mod streams;
mod threads;
#[allow(
    unsafe_code,
    reason = "instructions that fault, and smash the stack first"
)]
mod traces;
#[allow(unsafe_code, reason = "reads thread-local storage")]
mod views;
mod waits;

use alloc::string::String;

use gort::process::ExitCode;
use gort::time::Duration;
use gort::{env, println, runtime, thread};

gort::init!(before_main);
gort::main!(main);

/// What a command does before main begins.
fn before_main() {
    match env::args().nth(1).as_deref() {
        Some("goexit-init") => runtime::goexit(),
        Some("locked-init") => runtime::lock_os_thread(),
        Some("sleep-init") => thread::sleep(Duration::from_millis(20)),
        Some("lines-init") => (0..20_000).for_each(|line| println!("line {line}")),
        _ => {}
    }
}

/// A command: what the command line calls it, and what it does with the next
/// argument.
type Command = (&'static str, fn(&str) -> Result<ExitCode, Failure>);

/// An error of main's, to see how it is printed.
#[derive(Debug)]
#[allow(dead_code, reason = "what Debug prints")]
pub(crate) struct Failure {
    why: &'static str,
}

fn main() -> Result<ExitCode, Failure> {
    let mut arguments = env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let argument: String = arguments.next().unwrap_or_default();
    match commands().find(|(known, _)| *known == name) {
        Some((_, command)) => command(&argument),
        None => {
            for (known, _) in commands() {
                println!("{known}");
            }
            Err(Failure {
                why: "no such command",
            })
        }
    }
}

/// Goes through all commands.
fn commands() -> impl Iterator<Item = &'static Command> {
    let some = deaths::COMMANDS.iter().chain(segments::COMMANDS);
    let more = some.chain(memory::COMMANDS).chain(views::COMMANDS);
    let more = more.chain(preempt::COMMANDS).chain(threads::COMMANDS);
    let more = more.chain(sched::COMMANDS).chain(streams::COMMANDS);
    let more = more.chain(waits::COMMANDS).chain(crowd::COMMANDS);
    let more = more.chain(signals::COMMANDS).chain(traces::COMMANDS);
    more.chain(machine::COMMANDS)
}

/// What a command returns that has nothing to say.
pub(crate) const OK: Result<ExitCode, Failure> = Ok(ExitCode::SUCCESS);

/// Reads a number, 0 if it is none.
pub(crate) fn number(text: &str) -> usize {
    text.parse().unwrap_or(0)
}
