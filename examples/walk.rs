//! What the chapters of docs/walk step through in gdb: a part for each.
//!
//! ```console
//! cargo run --example walk -- queue
//! ```

#![no_std]
#![no_main]

use core::hint::{black_box, spin_loop};
use core::sync::atomic::{AtomicBool, Ordering};

use gort::prelude::v1::*;
use gort::time::Duration;
use gort::{channel, env, go, println, runtime, stack, thread};

gort::main!(main);

/// Somebody else has run.
static RAN: AtomicBool = AtomicBool::new(false);

fn main() {
    match env::args().nth(1).as_deref() {
        Some("switch") => switch(),
        Some("queue") => queue(),
        Some("park") => park(),
        Some("preempt") => preempt(),
        Some("grow") => grow(),
        Some("overflow") => overflow(),
        Some("heap") => heap(),
        Some("buffer") => buffer(),
        Some("blocking") => blocking(),
        Some("sleep") => sleep(),
        other => println!("which part? {other:?}"),
    }
}

/// Makes a place to stop at, where the runtime's watcher, sysmon, can be held: it comes
/// with the first `go`. What it has asked of us by then is done when this returns.
fn start() {
    go(|| ());
    while runtime::num_goroutine() > 1 {
        runtime::gosched();
    }
    hold();
    runtime::gosched();
}

/// The place.
#[inline(never)]
fn hold() {
    black_box(());
}

/// Two goroutines give way to each other.
fn switch() {
    let ping = || {
        for _ in 0..3 {
            runtime::gosched();
        }
    };
    go(ping);
    ping();
    println!("three times");
}

/// Three goroutines wait for their turn.
fn queue() {
    start();
    let (sender, receiver) = channel::unbounded();
    for name in ["first", "second", "third"] {
        let sender = sender.clone();
        go(move || sender.send(name).unwrap());
    }
    drop(sender);
    queued();
    let order: Vec<_> = receiver.iter().collect();
    println!("{order:?}");
}

/// A place for a breakpoint.
#[inline(never)]
fn queued() {
    black_box(());
}

/// The main goroutine waits for a value, which another one has.
fn park() {
    start();
    let (sender, receiver) = channel::bounded(0);
    go(move || sender.send(42).unwrap());
    println!("received {}", receiver.recv().unwrap());
}

/// The main goroutine never gives way by itself.
fn preempt() {
    start();
    go(|| RAN.store(true, Ordering::Relaxed));
    spin();
    println!("the other one has run");
}

/// Waits for another goroutine, and for nothing else.
fn spin() {
    while !RAN.load(Ordering::Relaxed) {
        spin_loop();
    }
}

/// A recursion that asks for more stack when it needs some.
fn grow() {
    println!("{} levels", down(10_000));
}

fn down(levels: usize) -> usize {
    match levels {
        0 => 0,
        _ => 1 + stack::grow(1 << 10, || down(levels - 1)),
    }
}

/// One that does not ask, and never ends.
fn overflow() {
    println!("{} levels", endless(0));
}

fn endless(level: usize) -> usize {
    let frame = black_box([0; 100]);
    match level {
        usize::MAX => 0,
        _ => 1 + endless(level + 1) + frame[0],
    }
}

/// What is freed is what is given out next.
fn heap() {
    let one = boxed(1);
    let two = boxed(2);
    drop(one);
    let three = boxed(3);
    let large = vec![4_u8; 100_000];
    println!("{} {} {}", two[0], three[0], large[0]);
}

/// Ninety-six bytes.
fn boxed(number: u64) -> Box<[u64; 12]> {
    Box::new([number; 12])
}

/// A channel with room for two.
fn buffer() {
    start();
    let (sender, receiver) = channel::bounded(2);
    go(move || (1..=5).for_each(|number| sender.send(number).unwrap()));
    let numbers: Vec<i32> = receiver.iter().collect();
    println!("{numbers:?}");
}

/// The main goroutine keeps its thread busy, as a slow system call would.
fn blocking() {
    start();
    go(|| RAN.store(true, Ordering::Relaxed));
    runtime::blocking(spin);
    println!("the other one has run");
}

/// The main goroutine waits for the time.
fn sleep() {
    thread::sleep(Duration::from_millis(20));
    println!("slept");
}
