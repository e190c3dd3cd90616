//! A machine without a system: its memory. With the feature `none` alone, booted by
//! `cargo xtask boot`.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;
use core::hint::black_box;

use gort::__private::free_memory;
use gort::{debug, go, thread, time};

const MIB: usize = 1 << 20;

/// What the runtime may have taken for itself meanwhile.
const SMALL: usize = MIB;

/// What the runtime may need of memory that is all but used up.
const LEFT: usize = 8 * MIB;

/// The size of a page.
const PAGE: usize = 4096;

/// Allocates so many bytes, and touches each page. None if there is no memory.
fn touched(bytes: usize) -> Option<Vec<u8>> {
    let mut memory = Vec::new();
    memory.try_reserve_exact(bytes).ok()?;
    for place in memory.spare_capacity_mut().iter_mut().step_by(PAGE) {
        place.write(1);
    }
    Some(black_box(memory))
}

gort_test::tests! {
    fn memory_given_back_is_free_again() {
        let (before, total) = free_memory();
        assert!(before <= total, "{before} of {total}");
        for _ in 0..5 {
            let memory = touched(16 * MIB).expect("16 MiB");
            let (taken, _) = free_memory();
            assert!(taken + 16 * MIB <= before, "{taken} of {before} are free");
            drop(memory);
            debug::free_os_memory();
            let (free, _) = free_memory();
            assert!(free + SMALL >= before, "{free} of {before} are free again");
        }
    }

    fn what_was_given_back_comes_as_zeros() {
        for round in 0..3 {
            let mut memory: Vec<u8> = alloc::vec![0; 4 * MIB];
            assert!(memory.iter().all(|&byte| byte == 0), "round {round}");
            memory.fill(0xff);
            drop(black_box(memory));
            debug::free_os_memory();
        }
    }

    fn more_than_there_is_is_refused() {
        let (_, total) = free_memory();
        assert!(touched(total).is_none(), "all of {total} bytes");
        let mut all = Vec::new();
        all.reserve(total / MIB + 1);
        // What is left is for the runtime: a thread that finds no memory is its end.
        while free_memory().0 > LEFT {
            all.push(touched(MIB).expect("there is more"));
        }
        assert!(all.len() * MIB >= total / 2, "{} MiB of {total}", all.len());
        assert!(touched(2 * LEFT).is_none(), "what is not there");
        drop(all);
        debug::free_os_memory();
        let (free, _) = free_memory();
        assert!(free >= total / 2, "{free} of {total} are free again");
        assert!(touched(total / 2).is_some(), "a half of {total}");
    }

    fn a_goroutine_costs_little_more_than_a_page() {
        const GOROUTINES: usize = 2000;
        go(|| ()); // what the first one brings
        thread::sleep(time::Duration::from_millis(20));
        let (before, _) = free_memory();
        let (stop, stopped) = gort::channel::bounded::<()>(0);
        for _ in 0..GOROUTINES {
            let stopped = stopped.clone();
            go(move || _ = stopped.recv());
        }
        while gort::__private::waiting() < GOROUTINES {
            gort::runtime::gosched();
        }
        let (after, _) = free_memory();
        let each = (before - after) / GOROUTINES;
        // A page of stack, its share of a page table, and a channel's waiter. In a debug
        // build the waiter may be on the stack's second page.
        assert!(each < 10_000, "{each} bytes for a goroutine");
        drop(stop);
    }
}
