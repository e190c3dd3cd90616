//! Goroutines: made, run, ended, used again.

#![no_std]
#![no_main]
#![allow(unsafe_code, reason = "looks at a stack that has been left")]

extern crate alloc;

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::hint::black_box;
use core::sync::atomic::{AtomicUsize, Ordering};

use gort::go;
use gort::runtime::{goexit, gosched, num_goroutine};
use gort_test::one_p;

/// Lets others run until only the caller is left.
fn until_alone() {
    while num_goroutine() > 1 {
        gosched();
    }
}

/// Counts how often it is dropped.
struct Dropped(&'static AtomicUsize);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Calls itself until the stack has grown by `size` bytes, some 300 a frame; then
/// says how many frames still hold what was put into them.
#[inline(never)]
fn recurse(top: usize, size: usize, depth: usize) -> (usize, usize) {
    let frame = black_box([depth as u8; 256]);
    let here = frame.as_ptr().addr();
    let (right, frames) = if top - here >= size {
        (0, 0)
    } else {
        recurse(top, size, depth + 1)
    };
    (
        right + usize::from(frame[depth % 256] == depth as u8),
        frames + 1,
    )
}

/// Uses so many bytes of the current stack, and says whether they kept what was
/// put there.
fn deep(size: usize) -> bool {
    let top = black_box(0u8);
    let (right, frames) = recurse((&raw const top).addr(), size, 0);
    right == frames && frames > 100
}

/// Keeps many values alive over a switch, of both register files, and says
/// whether they are what they were.
#[inline(never)]
fn registers_survive(seed: u64) -> bool {
    let integers: [u64; 12] =
        core::array::from_fn(|at| black_box(seed.wrapping_mul(at as u64 + 3)));
    let floats: [f64; 12] = core::array::from_fn(|at| black_box(seed as f64 / (at as f64 + 7.0)));
    let mut sums = (integers[0], floats[0]);
    for round in 0..20 {
        gosched();
        sums.0 = sums.0.wrapping_add(integers[round % 12]);
        sums.1 += floats[round % 12];
    }
    let mut expected = (integers[0], floats[0]);
    for round in 0..20 {
        expected.0 = expected
            .0
            .wrapping_add(seed.wrapping_mul((round % 12) as u64 + 3));
        expected.1 += seed as f64 / ((round % 12) as f64 + 7.0);
    }
    sums.0 == expected.0 && sums.1.to_bits() == expected.1.to_bits()
}

/// Starts two goroutines at a time, down to depth 0.
fn tree(depth: usize, leaves: &'static AtomicUsize) {
    if depth == 0 {
        leaves.fetch_add(1, Ordering::Relaxed);
        return;
    }
    go(move || tree(depth - 1, leaves));
    go(move || tree(depth - 1, leaves));
}

gort_test::tests! {
    fn ten_thousand_live_at_once() {
        static ARRIVED: AtomicUsize = AtomicUsize::new(0);
        for _ in 0..10_000 {
            go(|| {
                ARRIVED.fetch_add(1, Ordering::Relaxed);
                while ARRIVED.load(Ordering::Relaxed) < 10_000 {
                    gosched();
                }
            });
        }
        until_alone();
        assert_eq!(ARRIVED.load(Ordering::Relaxed), 10_000);
    }

    fn a_tree_of_them_grows_its_leaves() {
        static LEAVES: AtomicUsize = AtomicUsize::new(0);
        tree(10, &LEAVES);
        until_alone();
        assert_eq!(LEAVES.load(Ordering::Relaxed), 1024);
    }

    fn dead_ones_are_used_again() {
        let _one = one_p(); // it has its own list of dead ones
        static PLACES: AtomicUsize = AtomicUsize::new(0);
        static LAST: AtomicUsize = AtomicUsize::new(0);
        for _ in 0..1000 {
            go(|| {
                let local = 0u8;
                let here = (&raw const *black_box(&local)).addr();
                if LAST.swap(here, Ordering::Relaxed) != here {
                    PLACES.fetch_add(1, Ordering::Relaxed);
                }
            });
            until_alone();
        }
        assert_eq!(PLACES.load(Ordering::Relaxed), 1, "one stack serves them all");
    }

    fn the_closure_is_dropped_once() {
        static DROPS: AtomicUsize = AtomicUsize::new(0);
        for _ in 0..100 {
            let value = Dropped(&DROPS);
            go(move || drop(value));
            let value = Dropped(&DROPS);
            go(move || {
                let _keep = &value;
            });
        }
        until_alone();
        assert_eq!(DROPS.load(Ordering::Relaxed), 200);
    }

    fn closures_of_any_size_arrive_whole() {
        static RIGHT: AtomicUsize = AtomicUsize::new(0);
        fn send<const SIZE: usize>() {
            let bytes: [u8; SIZE] = core::array::from_fn(|at| (at * 7 + SIZE) as u8);
            go(move || {
                let whole = bytes.iter().enumerate().all(|(at, &byte)| byte == (at * 7 + SIZE) as u8);
                RIGHT.fetch_add(usize::from(whole), Ordering::Relaxed);
            });
        }
        send::<0>();
        send::<1>();
        send::<15>();
        send::<16>();
        send::<4095>();
        send::<8192>();
        send::<8193>();
        send::<20_000>();
        until_alone();
        assert_eq!(RIGHT.load(Ordering::Relaxed), 8);
    }

    fn closures_keep_their_alignment() {
        static RIGHT: AtomicUsize = AtomicUsize::new(0);
        #[repr(align(64))]
        struct Line([u8; 64]);
        #[repr(align(4096))]
        struct Page([u8; 4096]);
        let (line, page) = (Line([1; 64]), Page([2; 4096]));
        go(move || {
            let right = (&raw const line).addr() % 64 == 0 && line.0 == [1; 64];
            RIGHT.fetch_add(usize::from(right), Ordering::Relaxed);
        });
        go(move || {
            let right = (&raw const page).addr() % 4096 == 0 && page.0 == [2; 4096];
            RIGHT.fetch_add(usize::from(right), Ordering::Relaxed);
        });
        until_alone();
        assert_eq!(RIGHT.load(Ordering::Relaxed), 2);
    }

    fn registers_survive_the_switches() {
        static RIGHT: AtomicUsize = AtomicUsize::new(0);
        for seed in 1..=50 {
            go(move || {
                RIGHT.fetch_add(usize::from(registers_survive(seed * 0x9e37)), Ordering::Relaxed);
            });
        }
        assert!(registers_survive(99));
        until_alone();
        assert_eq!(RIGHT.load(Ordering::Relaxed), 50);
    }

    fn a_stack_is_200_kib_deep_and_more() {
        static RIGHT: AtomicUsize = AtomicUsize::new(0);
        assert!(deep(220 << 10));
        for _ in 0..20 {
            go(|| {
                RIGHT.fetch_add(usize::from(deep(220 << 10)), Ordering::Relaxed);
            });
        }
        until_alone();
        assert_eq!(RIGHT.load(Ordering::Relaxed), 20);
    }

    fn goexit_ends_one_from_deep_inside_and_drops_nothing() {
        static DROPS: AtomicUsize = AtomicUsize::new(0);
        fn deep(depth: usize) {
            if depth == 0 {
                goexit();
            }
            let _kept = Dropped(&DROPS);
            deep(depth - 1);
        }
        for _ in 0..100 {
            go(|| {
                deep(20);
                DROPS.fetch_add(1000, Ordering::Relaxed);
            });
        }
        until_alone();
        assert_eq!(DROPS.load(Ordering::Relaxed), 0);
    }

    fn the_stack_of_one_that_ended_by_goexit_is_nobodys() {
        static PLACE: AtomicUsize = AtomicUsize::new(0);
        go(|| {
            let value = black_box(0x5ca1_ab1eu64);
            PLACE.store((&raw const value).expose_provenance(), Ordering::Relaxed);
            black_box(&value);
            goexit();
        });
        until_alone();
        let place = PLACE.load(Ordering::Relaxed);
        for _ in 0..100 {
            go(move || {
                let here = 0u8;
                assert!((&raw const *black_box(&here)).addr().abs_diff(place) > 100 << 10);
                assert!(deep(100 << 10));
            });
            until_alone();
        }
        let value: *const u64 = core::ptr::with_exposed_provenance(place);
        // SAFETY: the stack stays, and nobody has written to it since.
        assert_eq!(unsafe { value.read() }, 0x5ca1_ab1e);
    }

    fn many_dead_ones_are_used_again() {
        let _one = one_p(); // as above
        const MANY: usize = 1000;
        static PLACES: [AtomicUsize; MANY] = [const { AtomicUsize::new(0) }; MANY];
        let mut stacks = BTreeSet::new();
        for _ in 0..3 {
            for place in &PLACES {
                go(move || {
                    let local = 0u8;
                    place.store((&raw const *black_box(&local)).addr(), Ordering::Relaxed);
                });
            }
            until_alone();
            stacks.extend(PLACES.iter().map(|place| place.load(Ordering::Relaxed)));
        }
        // Through the list of the P, and through the one that all share.
        assert!(stacks.len() <= MANY, "{} stacks for {MANY} at a time", stacks.len());
    }

    fn they_allocate_and_free_what_others_made() {
        static SUM: AtomicUsize = AtomicUsize::new(0);
        for number in 0..500usize {
            let values: Vec<usize> = (0..number).collect();
            go(move || {
                let doubled: Box<[usize]> = values.iter().map(|value| value * 2).collect();
                drop(values);
                gosched();
                SUM.fetch_add(doubled.iter().sum::<usize>(), Ordering::Relaxed);
            });
        }
        until_alone();
        let expected: usize = (0..500usize).map(|number| number * number.saturating_sub(1)).sum();
        assert_eq!(SUM.load(Ordering::Relaxed), expected);
    }

    #[should_panic(expected = "in a goroutine, 3 deep")]
    fn a_panic_in_one_ends_the_program() {
        go(|| {
            go(|| {
                go(|| panic!("in a goroutine, {} deep", 3));
            });
        });
        loop {
            gosched();
        }
    }
}
