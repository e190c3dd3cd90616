//! Many Ps and many Ms: what runs at the same time, what waits for what, and what is
//! left behind. Go's own behaviours, as tests.
//!
//! Go's counterpart: `runtime/proc_test.go`, and what it says in prose.
//!
//! Nothing here depends on a time. What would be wrong hangs, or shows in a count.

#![no_std]
#![no_main]

extern crate alloc;

mod calls;
mod locked;
mod parallel;
mod storms;
mod system;
mod world;

use core::hint::spin_loop;

use gort::runtime::{gosched, num_goroutine};

/// Lets others run until only the caller is left.
fn until_alone() {
    while num_goroutine() > 1 {
        gosched();
    }
}

/// Lets others run until a condition holds.
fn until(condition: impl Fn() -> bool) {
    while !condition() {
        gosched();
    }
}

/// Keeps the P until a condition holds that others bring about.
fn spin_until(condition: impl Fn() -> bool) {
    while !condition() {
        spin_loop();
    }
}

gort_test::tests! {
    mod calls, locked, parallel, storms, world;
}
