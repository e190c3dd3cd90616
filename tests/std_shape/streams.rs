//! The locks of the standard streams: goroutines wait for them, in turn, and others run
//! meanwhile. What reaches a pipe is the host-side tests' business.

use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gort::runtime::gosched;
use gort::{runtime, thread};
use gort_test::Command;
use std::io::{self, IsTerminal, Read as _, Write as _};
use std::prelude::v1::*;

/// Lets others run until a condition holds.
fn until(condition: impl Fn() -> bool) {
    while !condition() {
        gosched();
    }
}

/// Prints while it is formatted.
struct Prints;

impl fmt::Display for Prints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print!("inner, ");
        writeln!(io::stdout().lock(), "of the inner").map_err(|_| fmt::Error)?;
        f.write_str("outer")
    }
}

/// Gives way while it is formatted.
struct GivesWay;

impl fmt::Display for GivesWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in ["one ", "two ", "three"] {
            f.write_str(part)?;
            gosched();
        }
        Ok(())
    }
}

/// Runs a test of this file again with a variable set, and returns what it prints.
fn again(name: &str) -> Option<String> {
    if std::env::var_os("GORT_STD_SHAPE_AGAIN").is_some() {
        return None;
    }
    let mut command = Command::this_program();
    command.args(["--force-run-in-process", "--nocapture", "--exact", name]);
    let output = command.env("GORT_STD_SHAPE_AGAIN", "1").output().unwrap();
    Some(output.stdout)
}

gort_test::test_module! {
    fn who_prints_waits_for_who_has_the_stream() {
        static PRINTED: AtomicUsize = AtomicUsize::new(0);
        static BEGUN: AtomicUsize = AtomicUsize::new(0);
        let lock = io::stdout().lock();
        let second = io::stdout().lock(); // the same goroutine's
        let printers: Vec<_> = (0..20)
            .map(|_| {
                thread::spawn(|| {
                    BEGUN.fetch_add(1, Ordering::SeqCst);
                    println!("printed");
                    PRINTED.fetch_add(1, Ordering::SeqCst);
                })
            })
            .collect();
        // All of them park: they are counted as waiting, and the P is others'.
        until(|| BEGUN.load(Ordering::SeqCst) == 20 && gort::__private::waiting() >= 20);
        drop(lock);
        for _ in 0..100 {
            gosched();
        }
        assert_eq!(PRINTED.load(Ordering::SeqCst), 0);
        println!("first"); // whoever has it may print
        drop(second);
        for printer in printers {
            printer.join().unwrap();
        }
        assert_eq!(PRINTED.load(Ordering::SeqCst), 20);
    }

    fn lines_never_mix() {
        match again("streams::lines_never_mix") {
            None => {
                let printers: Vec<_> = (0..8)
                    .map(|_| thread::spawn(|| (0..50).for_each(|_| println!("{GivesWay}"))))
                    .collect();
                for printer in printers {
                    printer.join().unwrap();
                }
            }
            Some(printed) => {
                let whole = printed.lines().filter(|line| *line == "one two three").count();
                assert_eq!(whole, 400, "{printed}");
            }
        }
    }

    fn what_is_printed_may_print() {
        match again("streams::what_is_printed_may_print") {
            None => println!("before {Prints} after"),
            Some(printed) => {
                assert!(printed.contains("before inner, of the inner\nouter after\n"), "{printed}");
            }
        }
    }

    fn standard_error_has_a_lock_too() {
        static DONE: AtomicBool = AtomicBool::new(false);
        let lock = io::stderr().lock();
        let other = thread::spawn(|| {
            eprintln!("late");
            DONE.store(true, Ordering::SeqCst);
        });
        until(|| gort::__private::waiting() > 0);
        assert!(!DONE.load(Ordering::SeqCst));
        writeln!(&io::stderr(), "first").unwrap();
        io::stderr().write_all(b"second\n").unwrap();
        io::stderr().flush().unwrap();
        drop(lock);
        other.join().unwrap();
        assert!(DONE.load(Ordering::SeqCst));
    }

    /// Standard input is /dev/null here.
    fn standard_input_is_read_in_turn() {
        static READ: AtomicUsize = AtomicUsize::new(0);
        let mut lock = io::stdin().lock();
        let readers: Vec<_> = (0..5)
            .map(|_| {
                thread::spawn(|| {
                    assert_eq!(io::stdin().read(&mut [0; 3]).unwrap(), 0);
                    READ.fetch_add(1, Ordering::SeqCst);
                })
            })
            .collect();
        until(|| gort::__private::waiting() >= 5);
        assert_eq!(io::BufRead::fill_buf(&mut lock).unwrap(), b"");
        assert_eq!(READ.load(Ordering::SeqCst), 0);
        drop(lock);
        for reader in readers {
            reader.join().unwrap();
        }
        assert_eq!(READ.load(Ordering::SeqCst), 5);
        assert_eq!(io::read_to_string(io::stdin()).unwrap(), "");
        assert_eq!(io::stdin().lines().count(), 0);
        let mut line = String::new();
        assert_eq!(io::stdin().read_line(&mut line).unwrap(), 0);
        assert!((&io::stdin()).read_exact(&mut [0]).is_err());
    }

    /// A storm of short holds: each is alone.
    fn one_at_a_time() {
        static INSIDE: AtomicUsize = AtomicUsize::new(0);
        static ROUNDS: AtomicUsize = AtomicUsize::new(0);
        let goroutines: Vec<_> = (0..16)
            .map(|which| {
                thread::spawn(move || {
                    for round in 0..500 {
                        let lock = io::stderr().lock();
                        assert_eq!(INSIDE.fetch_add(1, Ordering::SeqCst), 0);
                        if (round + which) % 7 == 0 {
                            gosched();
                        }
                        assert_eq!(INSIDE.fetch_sub(1, Ordering::SeqCst), 1);
                        drop(lock);
                        ROUNDS.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        for goroutine in goroutines {
            goroutine.join().unwrap();
        }
        assert_eq!(ROUNDS.load(Ordering::SeqCst), 8000);
    }

    /// Also by who has left the P for a system call.
    fn printing_where_the_thread_may_block() {
        static DONE: AtomicBool = AtomicBool::new(false);
        let lock = io::stdout().lock();
        let other = thread::spawn(|| {
            runtime::blocking(|| println!("from a system call"));
            DONE.store(true, Ordering::SeqCst);
        });
        until(|| gort::__private::waiting() > 0);
        assert!(!DONE.load(Ordering::SeqCst));
        drop(lock);
        other.join().unwrap();
    }

    fn output_here_is_no_terminal() {
        assert!(!io::stdout().is_terminal() && !io::stdout().lock().is_terminal());
        assert!(!io::stderr().is_terminal() && !io::stderr().lock().is_terminal());
        assert!(!io::stdin().is_terminal() && !io::stdin().lock().is_terminal());
        assert_eq!(format!("{:?} {:?}", io::stdin(), io::stdin().lock()), "Stdin { .. } StdinLock { .. }");
        assert_eq!(format!("{:?} {:?}", io::stdout(), io::stdout().lock()), "Stdout { .. } StdoutLock { .. }");
        assert_eq!(format!("{:?} {:?}", io::stderr(), io::stderr().lock()), "Stderr { .. } StderrLock { .. }");
    }
}
