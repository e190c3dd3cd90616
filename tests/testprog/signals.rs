//! Signals from outside: who gets them, and how they end a program.

use alloc::string::String;
use alloc::vec::Vec;

use gort::channel::{bounded, unbounded};
use gort::process::ExitCode;
use gort::signal::{self, Signal};
use gort::time::Duration;
use gort::{eprintln, println, runtime, thread};
use rustix::pipe::pipe;

use crate::{Command, Failure, OK, number};

pub(crate) const COMMANDS: &[Command] = &[
    ("notify", notify),
    ("notify-once", notify_once),
    ("ignored", ignored),
    ("reset", reset),
    ("dump", dump),
    ("write-elsewhere", write_elsewhere),
    ("error-lines", error_lines),
    ("broken-pipe", broken_pipe),
    ("breakpoint", breakpoint),
    ("panic-slowly", panic_slowly),
];

/// Reads signals' numbers.
fn signals(text: &str) -> Vec<Signal> {
    let numbers = text.split(',').map(|text| number(text) as i32);
    numbers.filter_map(Signal::from_raw).collect()
}

/// Prints each of some signals that comes.
fn notify(text: &str) -> Result<ExitCode, Failure> {
    let (sender, came) = unbounded();
    signal::notify(&sender, &signals(text));
    println!("ready");
    for signal in came {
        println!("{signal}");
    }
    OK
}

/// The same of the first one.
fn notify_once(text: &str) -> Result<ExitCode, Failure> {
    let (sender, came) = bounded(1);
    signal::notify(&sender, &signals(text));
    println!("ready");
    if let Ok(signal) = came.recv() {
        signal::stop(&sender);
        println!("{signal}");
    }
    wait()
}

/// Tells which are ignored.
fn ignored(text: &str) -> Result<ExitCode, Failure> {
    let ignored = signals(text)
        .into_iter()
        .filter(|&signal| signal::ignored(signal));
    let names: Vec<String> = ignored.map(|signal| alloc::format!("{signal:?}")).collect();
    println!("{}", names.join(" "));
    OK
}

/// Has had a wish for some, and sends them to itself.
fn reset(text: &str) -> Result<ExitCode, Failure> {
    let (sender, came) = unbounded();
    let signals = signals(text);
    signal::notify(&sender, &signals);
    for &signal in &signals {
        signal::raise(signal);
        println!("{signal} {:?}", came.recv());
    }
    signal::reset(&signals);
    for &signal in &signals {
        signal::raise(signal);
    }
    println!("still there");
    OK
}

/// Waits, with a goroutine in each state.
fn dump(how: &str) -> Result<ExitCode, Failure> {
    let (_sender, never) = bounded::<()>(0);
    gort::go(move || _ = never.recv());
    while gort::__private::waiting() < 1 {
        thread::yield_now();
    }
    if how == "stop" {
        // Who does not give way has to be stopped each time.
        gort::go(|| spin());
    }
    println!("ready");
    match how {
        "spin" => spin(),
        "stop" => loop {
            runtime::stack(&mut [0; 64], true);
        },
        _ => wait(),
    }
}

/// Never gives way.
fn spin() -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// Writes to a pipe of its own that nobody reads.
fn write_elsewhere(_: &str) -> Result<ExitCode, Failure> {
    let failed = Failure { why: "pipe" };
    let (reader, writer) = pipe().map_err(|_| failed)?;
    drop(reader);
    println!("{:?}", rustix::io::write(&writer, b"hello"));
    OK
}

/// Prints lines on standard error.
fn error_lines(count: &str) -> Result<ExitCode, Failure> {
    for line in 0..number(count) {
        eprintln!("line {line}");
    }
    OK
}

/// Prints where nobody reads, and says what came of it.
fn broken_pipe(how: &str) -> Result<ExitCode, Failure> {
    use gort::io::{Write as _, stdout};

    let (sender, came) = unbounded();
    match how {
        "ignored" => signal::ignore(&[Signal::PIPE]),
        _ => signal::notify(&sender, &[Signal::PIPE]),
    }
    let mut result = Ok(());
    while result.is_ok() {
        result = stdout().write_all(b"line\n");
    }
    eprintln!("{:?}", result.map_err(|error| error.kind()));
    if how != "ignored" {
        eprintln!("{:?}", came.recv());
    }
    // What is left to print finds nobody either, and the receiver is still there.
    gort::process::exit(0)
}

/// An instruction that traps.
#[allow(unsafe_code, reason = "the instruction")]
fn breakpoint(_: &str) -> Result<ExitCode, Failure> {
    // SAFETY: it changes nothing.
    unsafe { core::arch::asm!("int3") };
    OK
}

/// Panics, where a signal comes in the midst of it.
fn panic_slowly(_: &str) -> Result<ExitCode, Failure> {
    /// Is formatted for as long as it takes.
    struct Slow;

    impl core::fmt::Display for Slow {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            println!("ready");
            signal::raise(Signal::QUIT);
            f.write_str("slow")
        }
    }
    panic!("{Slow}")
}

/// Waits for the end.
fn wait() -> ! {
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}
