//! What the boot has set up, as a program sees it.

use alloc::collections::BTreeSet;
use alloc::vec;
use core::arch::asm;
use core::hash::{BuildHasher as _, Hasher as _};
use core::sync::atomic::{AtomicUsize, Ordering};

use gort::process::{ExitCode, Termination};
use gort::thread::{self, Thread};
use gort::{env, eprintln, println, runtime};
use spin::mutex::Mutex;

use crate::{Command, Failure, OK, number};

pub(crate) const COMMANDS: &[Command] = &[
    ("lines", lines),
    ("both", both),
    ("long-line", long_line),
    ("arguments", arguments),
    ("environment", environment),
    ("gomaxprocs", |_| say(runtime::gomaxprocs(0))),
    ("num-cpu", |_| say(runtime::num_cpu())),
    ("cpu", |_| say(runtime::current_cpu())),
    ("hash", |_| {
        say(gort::hash::RandomState::new().hash_one("vim-go"))
    }),
    ("hashes", hashes),
    ("lines-init", |_| OK), // the lines come from an init task
    ("canary", |_| say(canary())),
    ("terminations", terminations),
    ("many-goroutines", |count| say(crowd(number(count)))),
    ("many-goroutines-again", |count| {
        for _ in 0..3 {
            println!("{}", crowd(number(count)));
            gort::__private::scavenge_stacks(usize::MAX);
        }
        OK
    }),
];

/// Has so many goroutines at once, each of which gives way, and counts them. Then they
/// wait, so that main, which makes them, need not go through all of them for each of its
/// time slices; whoever is woken wakes the one before.
fn crowd(count: usize) -> usize {
    static LAST: Mutex<Option<Thread>, GiveWay> = Mutex::new(None);
    static WAITING: AtomicUsize = AtomicUsize::new(0);
    WAITING.store(0, Ordering::Relaxed);
    for _ in 0..count {
        gort::go(move || {
            runtime::gosched();
            let before = LAST.lock().replace(thread::current());
            WAITING.fetch_add(1, Ordering::Relaxed);
            thread::park();
            if let Some(before) = before {
                before.unpark();
            }
        });
    }
    while WAITING.load(Ordering::Relaxed) < count {
        runtime::gosched();
    }
    let most = runtime::num_goroutine();
    let last = LAST.lock().take();
    if let Some(last) = last {
        last.unpark();
    }
    while runtime::num_goroutine() > 1 {
        runtime::gosched();
    }
    most
}

/// What is done while another holds a lock: it may have been preempted.
struct GiveWay;

impl spin::RelaxStrategy for GiveWay {
    fn relax() {
        runtime::gosched();
    }
}

/// Prints a value on a line.
fn say(value: impl core::fmt::Display) -> Result<ExitCode, Failure> {
    println!("{value}");
    OK
}

/// Hashes runs of zeros, and each of them with one bit set; counts the hashes.
fn hashes(_: &str) -> Result<ExitCode, Failure> {
    let state = gort::hash::RandomState::new();
    let (mut seen, mut count) = (BTreeSet::new(), 0);
    let mut add = |key: &[u8]| {
        let mut hasher = state.build_hasher();
        hasher.write(key);
        seen.insert(hasher.finish());
        count += 1;
        seen.len()
    };
    let mut distinct = 0;
    for length in 0..40 {
        let mut key = vec![0u8; length];
        add(&key);
        for bit in 0..length * 8 {
            key[bit / 8] ^= 1 << (bit % 8);
            distinct = add(&key);
            key[bit / 8] ^= 1 << (bit % 8);
        }
    }
    println!("{distinct} hashes of {count} keys");
    OK
}

/// Returns the stack canary.
fn canary() -> u64 {
    let word;
    // SAFETY: the runtime gives each thread a control block of 64 bytes at FS.
    unsafe { asm!("mov {}, fs:[0x28]", out(reg) word, options(nostack, readonly)) };
    word
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
    let _ = accepts::<fn() -> !>;
    OK
}

/// Takes what `main!` takes.
fn accepts<F: gort::process::Main>(_: F) {}
