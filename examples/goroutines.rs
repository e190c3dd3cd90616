//! Ten thousand goroutines, each with a stack of its own, that count together.
//!
//! A goroutine is a closure that is given to `gort::go`. These do without channels and
//! locks: they share atomics, and whoever waits for something lets others run until it
//! is there.

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicUsize, Ordering};

use gort::{println, runtime};

gort::main!(main);

/// How many goroutines there are.
const MANY: usize = 10_000;

/// How often each of them gives way.
const ROUNDS: usize = 3;

static SUM: AtomicUsize = AtomicUsize::new(0);
static STEPS: AtomicUsize = AtomicUsize::new(0);
static ENDED: AtomicUsize = AtomicUsize::new(0);

fn main() {
    for number in 1..=MANY {
        gort::go(move || count(number));
    }
    wait_for(MANY);
    println!(
        "sum {}, steps {}",
        SUM.load(Ordering::Relaxed),
        STEPS.load(Ordering::Relaxed)
    );
    wait_for_the_others(); // they have counted, but may not have ended
    println!("{} goroutine", runtime::num_goroutine());

    // A goroutine can start others, and end from deep inside.
    gort::go(|| {
        gort::go(|| {
            wait_for(MANY + 1);
            println!("the second one runs to its end");
        });
        descend(10);
    });
    wait_for_the_others();
    println!("done");
}

/// What each goroutine does: steps, between which others run, then its share.
fn count(number: usize) {
    for _ in 0..ROUNDS {
        STEPS.fetch_add(1, Ordering::Relaxed);
        runtime::gosched();
    }
    SUM.fetch_add(number, Ordering::Relaxed);
    ENDED.fetch_add(1, Ordering::Release); // pairs with wait_for
}

/// Lets others run until so many have counted themselves.
fn wait_for(count: usize) {
    // Acquire pairs with the end of `count`: what they did is seen here.
    while ENDED.load(Ordering::Acquire) < count {
        runtime::gosched();
    }
}

/// Lets others run until there are none.
fn wait_for_the_others() {
    while runtime::num_goroutine() > 1 {
        runtime::gosched();
    }
}

/// Calls itself so many times, and then ends the goroutine: no call returns.
fn descend(depth: usize) {
    if depth == 0 {
        println!("the first one ends by goexit");
        ENDED.fetch_add(1, Ordering::Release); // as in `count`
        runtime::goexit();
    }
    descend(depth - 1);
    println!("never printed");
}
