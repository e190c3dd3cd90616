//! A program on gort: a hundred goroutines, and a sum.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};

use gort::{println, runtime};

gort::main!(main);

fn main() {
    let sum = Arc::new(AtomicU64::new(0));
    for number in 1..=100 {
        let sum = Arc::clone(&sum);
        gort::go(move || {
            sum.fetch_add(number, Ordering::Relaxed);
        });
    }
    while runtime::num_goroutine() > 1 {
        runtime::gosched();
    }
    println!("hello from gort: {}", sum.load(Ordering::Relaxed));
}
