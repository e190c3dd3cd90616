//! The standard streams: what is held back, and when it is written; what cannot be
//! written; input that comes slowly.

use core::sync::atomic::{AtomicBool, Ordering};

use gort::io::{self, BufRead as _, Write as _};
use gort::process::{self, ExitCode};
use gort::{env, eprintln, print, println, runtime};

use crate::{Command, Failure, OK, number};

pub(crate) const COMMANDS: &[Command] = &[
    ("half-line", half_line),
    ("cat", cat),
    ("cat-beside", cat_beside),
    ("write", write),
    ("write-error", write_error),
    ("is-terminal", is_terminal),
    ("variables", variables),
    ("lock-stdin-twice", lock_stdin_twice),
];

/// Prints a line and a half, and ends in some way.
fn half_line(how: &str) -> Result<ExitCode, Failure> {
    print!("whole\nhalf");
    match how {
        "return" => return OK,
        "error" => return Err(Failure { why: "asked" }),
        "exit" => process::exit(0),
        "exit-code" => ExitCode::SUCCESS.exit_process(),
        "abort" => process::abort(),
        "flush" => {
            io::stdout().flush().map_err(|_| Failure { why: "flush" })?;
            process::abort()
        }
        "panic" => panic!("in the midst of a line"),
        "locked" => {
            // Another goroutine has the stream: what it holds back is its affair.
            static LOCKED: AtomicBool = AtomicBool::new(false);
            let lock = io::stdout().lock();
            LOCKED.store(true, Ordering::SeqCst);
            gort::go(|| process::exit(0));
            gort::thread::park();
            drop(lock);
        }
        _ => runtime::goexit(),
    }
    OK
}

/// Copies its input to its output.
fn cat(_: &str) -> Result<ExitCode, Failure> {
    match io::copy(&mut io::stdin(), &mut io::stdout()) {
        Ok(count) => eprintln!("{count} bytes"),
        Err(error) => eprintln!("{error:?}"),
    }
    OK
}

/// The same by the line, while another goroutine says each time that it runs although
/// this one waits for a line.
fn cat_beside(_: &str) -> Result<ExitCode, Failure> {
    static READS: AtomicBool = AtomicBool::new(false);
    gort::go(|| {
        loop {
            if READS.swap(false, Ordering::Relaxed) {
                println!("beside");
            }
            runtime::gosched();
        }
    });
    let mut lines = io::stdin().lock().lines();
    loop {
        READS.store(true, Ordering::Relaxed);
        let Some(line) = lines.next() else { return OK };
        println!("{}", line.map_err(|_| Failure { why: "no line" })?);
    }
}

/// Writes so many letters by one call, in lines of 100.
fn write(count: &str) -> Result<ExitCode, Failure> {
    let mut text = "x".repeat(99) + "\n";
    text = text.repeat(number(count) / 100);
    let result = io::stdout().lock().write_all(text.as_bytes());
    result.map_err(|_| Failure { why: "it is full" })?;
    OK
}

/// Says what comes of writing.
fn write_error(_: &str) -> Result<ExitCode, Failure> {
    let result = writeln!(io::stdout(), "a line");
    eprintln!("{result:?}");
    if let Err(error) = result {
        eprintln!("{error}");
    }
    OK
}

/// Says which streams are terminals.
fn is_terminal(_: &str) -> Result<ExitCode, Failure> {
    use io::IsTerminal as _;
    let (input, output) = (io::stdin().is_terminal(), io::stdout().is_terminal());
    eprintln!("{input} {output} {}", io::stderr().is_terminal());
    OK
}

/// Prints the environment, and what `var` says of each.
fn variables(_: &str) -> Result<ExitCode, Failure> {
    for (name, value) in env::vars_os() {
        println!("{name:?} {value:?} {:?}", env::var(&name));
    }
    OK
}

/// Waits for itself.
fn lock_stdin_twice(_: &str) -> Result<ExitCode, Failure> {
    let _once = io::stdin().lock();
    let _twice = io::stdin().lock();
    OK
}
