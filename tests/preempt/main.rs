//! Goroutines that never give way are made to, between any two instructions.

#![no_std]
#![no_main]

extern crate alloc;

#[allow(unsafe_code, reason = "assembly that fills all registers")]
mod torture;

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::hint::{black_box, spin_loop};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gort::__private::{preempt_storm, preemptions};
use gort::go;
use gort::runtime::{gosched, num_goroutine};
use gort_test::{one_p, under_qemu};

/// Lets others run until only the caller is left.
fn until_alone() {
    while num_goroutine() > 1 {
        gosched();
    }
}

/// Has so many goroutines call `round` at once, again and again, while all are being
/// preempted, until each has called it often enough and there was enough of that.
fn storm(goroutines: usize, rounds: usize, round: fn(usize)) {
    const PREEMPTIONS: usize = 500;
    let before = preemptions();
    preempt_storm(true);
    for number in 0..goroutines {
        go(move || {
            let mut done = 0;
            while done < rounds || preemptions() - before < PREEMPTIONS {
                round(number);
                done += 1;
            }
        });
    }
    until_alone();
    preempt_storm(false);
    assert!(preemptions() - before >= PREEMPTIONS);
}

/// Returns how often a round is called that allocates: unoptimized and emulated less, where
/// it takes minutes, and the preemptions, of which there are as many, are closer together.
fn rounds(many: usize) -> usize {
    match under_qemu() && cfg!(debug_assertions) {
        true => many / 10,
        false => many,
    }
}

/// Calls itself so many times, and says whether each frame kept what it had.
#[inline(never)]
fn recurse(depth: usize) -> bool {
    let frame = black_box([depth; 16]);
    let below = depth == 0 || recurse(depth - 1);
    below && frame.iter().all(|&word| word == depth)
}

gort_test::tests! {
    fn an_empty_loop_does_not_keep_others_from_running() {
        static RAN: AtomicBool = AtomicBool::new(false);
        #[allow(clippy::empty_loop, reason = "the worst that a goroutine can do")]
        fn forever() {
            loop {}
        }
        for _ in 0..3 {
            go(forever);
        }
        gosched();
        go(|| RAN.store(true, Ordering::Relaxed));
        gosched();
        // Main comes back, though the three never give way; and so does the other.
        while !RAN.load(Ordering::Relaxed) {
            gosched();
        }
        // The program ends, though they go on.
    }

    fn main_itself_is_preempted() {
        static RAN: AtomicBool = AtomicBool::new(false);
        go(|| RAN.store(true, Ordering::Relaxed));
        while !RAN.load(Ordering::Relaxed) {
            spin_loop();
        }
        until_alone();
    }

    fn those_that_spin_share_fairly() {
        let _one = one_p(); // with more a turn is as short as another's store takes
        const SPINNERS: usize = 4;
        const TURNS: usize = 20;
        static SPUN: [AtomicUsize; SPINNERS] = [const { AtomicUsize::new(0) }; SPINNERS];
        static LAST: AtomicUsize = AtomicUsize::new(usize::MAX);
        static TURN: [AtomicUsize; SPINNERS] = [const { AtomicUsize::new(0) }; SPINNERS];
        static STOP: AtomicBool = AtomicBool::new(false);
        for number in 0..SPINNERS {
            go(move || {
                while !STOP.load(Ordering::Relaxed) {
                    SPUN[number].fetch_add(1, Ordering::Relaxed);
                    // A turn begins when somebody else ran before.
                    if LAST.swap(number, Ordering::Relaxed) != number {
                        TURN[number].fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        while TURN.iter().any(|turn| turn.load(Ordering::Relaxed) < TURNS) {}
        STOP.store(true, Ordering::Relaxed);
        until_alone();
        let turns = || TURN.iter().map(|turn| turn.load(Ordering::Relaxed));
        let (least, most) = (turns().min().unwrap_or(0), turns().max().unwrap_or(0));
        assert!(most <= 2 * least, "turns: {least} to {most}");
        assert!(SPUN.iter().all(|spun| spun.load(Ordering::Relaxed) > 0));
    }

    fn nothing_happens_to_one_that_was_not_asked() {
        go(|| {});
        until_alone();
        // Anybody may send the signal; sysmon, which asks first, does so rarely: more
        // often only where the machine is so busy that this takes seconds.
        let rarely = (0..10).any(|_| {
            let before = preemptions();
            for _ in 0..1000 {
                torture::send_sigurg();
            }
            preemptions() - before < 100
        });
        assert!(rarely, "each signal preempts");
    }

    fn all_registers_survive() {
        torture::until_interrupted(6, 60);
    }

    fn the_heap_survives() {
        storm(8, rounds(200), |number| {
            let mut kept: Vec<Box<[u8]>> = Vec::new();
            for size in (0..40).map(|at| at * 53 + number) {
                kept.push(vec![size as u8; size].into_boxed_slice());
                if size % 3 == 0 {
                    kept.swap_remove(0);
                }
                let zeros = vec![0u64; size];
                assert!(zeros.iter().all(|&word| word == 0));
            }
            for object in kept {
                assert!(object.iter().all(|&byte| byte == object.len() as u8));
            }
        });
    }

    fn the_usual_way_of_the_allocator_is_whole() {
        // Hardly anything but mallocgc and mfree: whoever is interrupted there, and
        // goes on with what was read before, has an object that others have too.
        storm(4, rounds(1000), |number| {
            for _ in 0..100 {
                let objects: [Box<usize>; 6] =
                    core::array::from_fn(|at| Box::new(black_box(8 * number + at)));
                let right = objects
                    .iter()
                    .enumerate()
                    .all(|(at, object)| **black_box(object) == 8 * number + at);
                assert!(right, "{objects:?}, in goroutine {number}");
            }
        });
    }

    fn large_objects_survive() {
        storm(4, 20, |number| {
            let mut large = vec![number; 20_000];
            large.resize(60_000, number);
            assert!(large.iter().all(|&word| word == number));
        });
    }

    fn segments_of_stack_survive() {
        storm(4, 50, |number| {
            let right = gort::stack::grow(64 << 10, || {
                recurse(100 + number) && gort::stack::grow(16 << 10, || recurse(50))
            });
            assert!(right);
        });
    }

    fn goroutines_are_made_and_end() {
        static RAN: AtomicUsize = AtomicUsize::new(0);
        static MADE: AtomicUsize = AtomicUsize::new(0);
        storm(4, 50, |_| {
            for _ in 0..20 {
                MADE.fetch_add(1, Ordering::Relaxed);
                go(|| {
                    RAN.fetch_add(1, Ordering::Relaxed);
                });
            }
            gosched();
        });
        assert_eq!(RAN.load(Ordering::Relaxed), MADE.load(Ordering::Relaxed));
    }

    fn threads_are_joined() {
        storm(4, 50, |number| {
            let other = gort::thread::spawn(move || {
                gort::thread::yield_now();
                number * 3
            });
            assert_eq!(other.join().ok(), Some(number * 3));
        });
    }
}
