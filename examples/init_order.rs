//! Functions that run before `main`: `gort::init!` has them called one after
//! another, on the main goroutine, before the program proper begins.
//!
//! Within a module they run in the order in which they are written. Which module
//! comes first is the linker's choice, so that no module should rely on another's
//! having run: here each keeps its own table.

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicUsize, Ordering};

use gort::{println, runtime};

gort::main!(main);

/// How many tasks have run.
static DONE: AtomicUsize = AtomicUsize::new(0);

fn main() {
    println!("main: {} tasks have run", DONE.load(Ordering::Relaxed));
    println!("main: {} is {} squared", squares::of(12), 12);
    println!("main: {} is the 8th prime", primes::nth(8));
}

/// Says which task this is, and that no other goroutine exists yet.
fn report(task: &str) {
    DONE.fetch_add(1, Ordering::Relaxed); // one goroutine
    println!("init: {task}, {} goroutine", runtime::num_goroutine());
}

/// The squares of small numbers.
mod squares {
    use core::sync::atomic::{AtomicUsize, Ordering};

    static TABLE: [AtomicUsize; 16] = [const { AtomicUsize::new(0) }; 16];

    gort::init!(fill);
    gort::init!(check);

    fn fill() {
        super::report("squares::fill");
        for (number, square) in TABLE.iter().enumerate() {
            square.store(number * number, Ordering::Relaxed);
        }
    }

    /// Comes after `fill`, as it is written after it.
    fn check() {
        super::report("squares::check");
        assert_eq!(of(5), 25);
    }

    /// Returns the square of a number below 16.
    pub(crate) fn of(number: usize) -> usize {
        TABLE[number].load(Ordering::Relaxed)
    }
}

/// The first primes.
mod primes {
    use core::sync::atomic::{AtomicUsize, Ordering};

    static TABLE: [AtomicUsize; 8] = [const { AtomicUsize::new(0) }; 8];

    gort::init!(fill);
    gort::init!(check);

    fn fill() {
        super::report("primes::fill");
        let is_prime = |&number: &usize| (2..number).all(|divisor| number % divisor != 0);
        for (prime, number) in TABLE.iter().zip((2..).filter(is_prime)) {
            prime.store(number, Ordering::Relaxed);
        }
    }

    fn check() {
        super::report("primes::check");
        assert_eq!(nth(3), 5);
    }

    /// Returns the n-th prime, for n from 1 to 8.
    pub(crate) fn nth(n: usize) -> usize {
        TABLE[n - 1].load(Ordering::Relaxed)
    }
}
