//! Channels: crossbeam-channel's names and semantics. What its documentation says of them,
//! and what must hold whatever happens at the same time.

#![no_std]
#![no_main]

extern crate alloc;

mod ends;
mod pairs;
mod select;
mod storm;
mod surface;
mod timed;

use core::sync::atomic::{AtomicUsize, Ordering};

use gort::runtime::num_goroutine;
use gort::thread;

/// Lets others run until a condition holds.
fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}

/// Lets others run until only the caller is left.
fn until_alone() {
    until(|| num_goroutine() == 1);
}

/// Lets others run until so many goroutines wait for something.
fn until_waiting(count: usize) {
    until(|| gort::__private::waiting() >= count);
}

/// How many there are of [`Counted`].
static ALIVE: AtomicUsize = AtomicUsize::new(0);

/// A message that is counted, so that none is lost and none there twice. `SIZE` words.
struct Counted<const SIZE: usize>([usize; SIZE]);

impl<const SIZE: usize> Counted<SIZE> {
    fn new(value: usize) -> Self {
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Self([value; SIZE])
    }

    fn value(&self) -> usize {
        assert!(self.0.iter().all(|&word| word == self.0[0]), "torn");
        self.0[0]
    }
}

impl<const SIZE: usize> Drop for Counted<SIZE> {
    fn drop(&mut self) {
        let before = ALIVE.fetch_sub(1, Ordering::Relaxed);
        assert!(before > 0 && before <= isize::MAX as usize, "dropped twice");
    }
}

fn alive() -> usize {
    ALIVE.load(Ordering::Relaxed)
}

gort_test::tests! {
    mod ends, pairs, select, storm, surface, timed;
}
