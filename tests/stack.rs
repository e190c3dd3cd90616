//! More stack: `gort::stack`.

#![no_std]
#![no_main]
#![allow(unsafe_code, reason = "calls what only C is meant to call")]

extern crate alloc;

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use core::arch::asm;
use core::cell::RefCell;
use core::hint::black_box;
use core::sync::atomic::{AtomicUsize, Ordering};

use gort::go;
use gort::runtime::{goexit, gosched, num_goroutine};
use gort::stack::{self, MARGIN};
use gort_test::one_p;

/// Lets others run until only the caller is left.
fn until_alone() {
    while num_goroutine() > 1 {
        gosched();
    }
}

/// Runs `f` on a goroutine of its own, to its end.
fn on_goroutine(f: impl FnOnce() + Send + 'static) {
    go(f);
    until_alone();
}

/// Returns an address on the current stack.
#[inline(never)]
fn here() -> usize {
    let local = 0u8;
    (&raw const *black_box(&local)).addr()
}

/// Counts how often it is dropped.
struct Dropped(&'static AtomicUsize);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Uses `size` bytes of stack, and hardly more, in frames of some 300 or 600; then
/// calls `f`. No frame loses what is in it meanwhile.
fn below<R>(size: usize, f: &mut dyn FnMut() -> R) -> R {
    fn down<R>(end: usize, f: &mut dyn FnMut() -> R) -> R {
        let frame = black_box([end as u8; 256]);
        let result = if frame.as_ptr().addr() <= end {
            f()
        } else {
            down(end, f)
        };
        assert!(frame[end % 256] == end as u8 && frame[255] == end as u8);
        result
    }
    down(here() - size, f)
}

/// Calls `f` where fewer than [`MARGIN`] bytes are left of the stack.
fn near_the_end<R>(f: &mut dyn FnMut() -> R) -> R {
    below(
        stack::remaining().saturating_sub(MARGIN - 8192),
        &mut || {
            assert!(stack::remaining() < MARGIN && stack::remaining() > MARGIN / 2);
            f()
        },
    )
}

/// Goes `depth` calls deep with `size`, and counts them on the way back.
#[inline(never)]
fn count(depth: usize, size: usize) -> usize {
    let kept = black_box(depth);
    if depth == 0 {
        return 0;
    }
    let deeper = stack::grow(size, || count(depth - 1, size));
    assert_eq!(black_box(kept), depth);
    deeper + 1
}

/// Goes `depth` calls deep in large frames, and gives way at each level, on the
/// way down and on the way up.
fn give_way_at_each_level(depth: usize, seed: usize) -> usize {
    let frame: [usize; 1024] = core::array::from_fn(|at| at.wrapping_mul(seed + depth));
    let left = stack::remaining();
    gosched();
    let sum = match depth {
        0 => 0,
        _ => stack::grow(0, || give_way_at_each_level(depth - 1, seed)),
    };
    gosched();
    assert_eq!(stack::remaining(), left, "back on the same piece of stack");
    for (at, &word) in black_box(&frame).iter().enumerate() {
        assert_eq!(word, at.wrapping_mul(seed + depth));
    }
    sum + frame[1]
}

/// What [`give_way_at_each_level`] returns.
fn expected(depth: usize, seed: usize) -> usize {
    (0..=depth).map(|depth| seed + depth).sum()
}

/// Calls `f` with marks in the registers that the ABI has it preserve, but rbp, and
/// returns what is in them then.
fn preserved_by(f: extern "C" fn()) -> [usize; 5] {
    let mut after = [1usize, 2, 3, 4, 5];
    let [rbx, r12, r13, r14, r15] = &mut after;
    // SAFETY: calls a function that takes nothing; rbx, which the compiler keeps
    // for itself, is put back.
    unsafe {
        asm!(
            "push rbx",
            "push rbx", // twice for the alignment
            "mov ebx, 1",
            "call rax",
            "mov rax, rbx",
            "pop rbx",
            "pop rbx",
            inout("rax") f as usize => *rbx,
            inout("r12") *r12,
            inout("r13") *r13,
            inout("r14") *r14,
            inout("r15") *r15,
            clobber_abi("C"),
        );
    }
    after
}

// SAFETY: the runtime's own function, which takes nothing and does not return.
unsafe extern "C" {
    /// What C calls to end a goroutine.
    fn gort_goexit() -> !;
}

gort_test::tests! {
    fn a_new_goroutine_has_its_256_kib() {
        let plausible = |left: usize| left < 256 << 10 && left > 250 << 10;
        assert!(stack::remaining() > 200 << 10 && stack::remaining() < 256 << 10);
        on_goroutine(move || assert!(plausible(stack::remaining()), "{}", stack::remaining()));
    }

    fn what_remains_is_what_can_be_used() {
        let left = stack::remaining();
        below(100 << 10, &mut || {
            let used = left - stack::remaining();
            assert!((100 << 10..110 << 10).contains(&used), "{used} bytes used");
        });
        assert_eq!(stack::remaining(), left);
        // All of it but a page, for this frame and the last.
        on_goroutine(|| below(stack::remaining() - (20 << 10), &mut || {
            assert!(stack::remaining() < 20 << 10);
        }));
    }

    fn with_room_enough_it_is_a_call() {
        let (left, place) = (stack::remaining(), here());
        let (inside, there) = stack::grow(MARGIN, || (stack::remaining(), here()));
        assert!(left.abs_diff(inside) < 1024 && place.abs_diff(there) < 1024);
        let there = stack::grow(0, here);
        assert!(place.abs_diff(there) < 1024);
    }

    fn with_less_than_a_margin_it_is_a_segment() {
        for size in [0, 1, MARGIN, MARGIN + 1, 1 << 20, (1 << 20) + 1, 100 << 20] {
            near_the_end(&mut || {
                let (place, before) = (here(), stack::remaining());
                stack::grow(size, || {
                    let left = stack::remaining();
                    assert!(left >= size.max(MARGIN) + (190 << 10), "{left} bytes for {size}");
                    assert!(left <= 2 * size.max(MARGIN) + (1 << 20), "{left} bytes for {size}");
                    assert!(here().abs_diff(place) > MARGIN);
                    below(size.min(4 << 20), &mut || ());
                });
                assert_eq!(stack::remaining(), before);
            });
        }
    }

    fn as_much_as_asked_for_is_there_from_anywhere() {
        for size in [255 << 10, 1 << 20, 5 << 20, 1 << 30] {
            let left = stack::grow(size, || {
                below(size.min(8 << 20), &mut || ());
                stack::remaining()
            });
            assert!(left >= size, "{left} of {size} bytes");
        }
    }

    fn a_million_calls_deep() {
        assert_eq!(count(1_000_000, 1 << 20), 1_000_000);
        on_goroutine(|| assert_eq!(count(1_000_000, 0), 1_000_000));
        on_goroutine(|| assert_eq!(count(1_000_000, 64 << 20), 1_000_000));
    }

    fn frames_up_to_the_margin_fit() {
        fn deep(depth: usize) -> usize {
            // A leaf that needs a lot, at each level, behind the check.
            below(MARGIN - (12 << 10), &mut || ());
            match depth {
                0 => 0,
                _ => stack::grow(0, || deep(depth - 1)) + 1,
            }
        }
        on_goroutine(|| assert_eq!(deep(10_000), 10_000));
    }

    fn sizes_within_sizes() {
        fn deep(sizes: &[usize]) -> usize {
            let Some((&size, rest)) = sizes.split_first() else {
                return 0;
            };
            near_the_end(&mut || stack::grow(size, || {
                let left = stack::remaining();
                assert!(left >= size.max(MARGIN));
                let depth = deep(rest);
                assert_eq!(stack::remaining(), left);
                depth + 1
            }))
        }
        let sizes = [0, 1 << 20, 0, 300 << 10, 4 << 20, 1, 1 << 20];
        on_goroutine(move || {
            assert_eq!(deep(&sizes), 7);
            assert_eq!(deep(&sizes), 7);
        });
    }

    fn what_is_captured_is_moved_and_dropped_once() {
        static DROPS: AtomicUsize = AtomicUsize::new(0);
        near_the_end(&mut || {
            let (one, two) = (Dropped(&DROPS), Dropped(&DROPS));
            // One is dropped on the segment, and the other comes back.
            let back = stack::grow(0, move || {
                drop(one);
                assert_eq!(DROPS.load(Ordering::Relaxed) % 2, 1);
                two
            });
            assert_eq!(DROPS.load(Ordering::Relaxed) % 2, 1);
            drop(back);
            assert_eq!(DROPS.load(Ordering::Relaxed) % 2, 0);
        });
        assert_eq!(DROPS.load(Ordering::Relaxed), 2);
        // The same where it is but a call.
        let (one, two) = (Dropped(&DROPS), Dropped(&DROPS));
        drop(stack::grow(0, move || {
            drop(one);
            two
        }));
        assert_eq!(DROPS.load(Ordering::Relaxed), 4);
    }

    fn what_is_borrowed_can_be_changed() {
        let mut numbers = alloc::vec![0u32; 10];
        near_the_end(&mut || {
            let numbers = &mut numbers;
            stack::grow(0, || numbers.iter_mut().zip(1..).for_each(|(to, number)| *to += number));
        });
        assert!(numbers.iter().copied().eq(1..=10));
    }

    fn results_of_any_size() {
        #[derive(PartialEq, Debug)]
        struct Nothing;
        #[repr(align(4096))]
        struct Page([u8; 4096]);
        stack::grow(1 << 20, || {
            near_the_end(&mut || {
                assert_eq!(stack::grow(0, || Nothing), Nothing);
                stack::grow(0, || ());
                assert_eq!(stack::grow(0, || 7u8), 7);
                assert_eq!(stack::grow(0, || Box::new([1u64; 100]))[99], 1);
                assert_eq!(stack::grow(0, || "text"), "text");
                let page = stack::grow(0, || Page([9; 4096]));
                assert!((&raw const page).addr() % 4096 == 0 && page.0 == [9; 4096]);
            });
        });
        // Large ones, in both directions; they take room where grow is called.
        stack::grow(16 << 20, || {
            let bytes: [u8; 100_000] = black_box(core::array::from_fn(|at| (at * 7) as u8));
            let back = stack::grow(32 << 20, move || {
                let mut back = bytes;
                back[0] = 1;
                back
            });
            assert!(back[0] == 1 && (1..100_000).all(|at| back[at] == (at * 7) as u8));
        });
    }

    fn registers_survive_the_seam() {
        extern "C" fn over_the_seam() {
            assert!(stack::grow(0, stack::remaining) > 2 * MARGIN);
        }
        assert_eq!(near_the_end(&mut || preserved_by(over_the_seam)), [1, 2, 3, 4, 5]);
    }

    fn several_goroutines_deep_in_segments_take_turns() {
        static RIGHT: AtomicUsize = AtomicUsize::new(0);
        const DEPTH: usize = 150;
        for seed in 1..=8 {
            go(move || {
                let right = give_way_at_each_level(DEPTH, seed) == expected(DEPTH, seed);
                RIGHT.fetch_add(usize::from(right), Ordering::Relaxed);
            });
        }
        assert_eq!(give_way_at_each_level(DEPTH, 99), expected(DEPTH, 99));
        until_alone();
        assert_eq!(RIGHT.load(Ordering::Relaxed), 8);
    }

    fn a_goroutine_may_end_on_a_segment() {
        static DROPS: AtomicUsize = AtomicUsize::new(0);
        static PLACES: [AtomicUsize; 20] = [const { AtomicUsize::new(0) }; 20];
        fn deep(depth: usize, place: &AtomicUsize) {
            let _kept = Dropped(&DROPS);
            near_the_end(&mut || stack::grow(0, || match depth {
                0 => {
                    let value = black_box(0x5ca1_ab1eusize);
                    place.store((&raw const value).expose_provenance(), Ordering::Relaxed);
                    black_box(&value);
                    goexit()
                }
                _ => deep(depth - 1, place),
            }));
        }
        for place in &PLACES {
            on_goroutine(|| deep(3, place));
        }
        // Nothing was dropped, so that it may still be borrowed: nobody gets the
        // segments.
        for _ in 0..10 {
            on_goroutine(|| assert_eq!(count(20_000, 0), 20_000));
        }
        assert_eq!(DROPS.load(Ordering::Relaxed), 0);
        for place in &PLACES {
            let value: *const usize = core::ptr::with_exposed_provenance(place.load(Ordering::Relaxed));
            // SAFETY: the segment stays, and nobody has written to it since.
            assert_eq!(unsafe { value.read() }, 0x5ca1_ab1e);
        }
    }

    fn c_may_end_one_there_and_all_is_used_again() {
        // One at a time; without reuse each would have places of its own.
        static PLACES: RefCellSync<BTreeSet<usize>> = RefCellSync(RefCell::new(BTreeSet::new()));
        fn deep(depth: usize) {
            PLACES.0.borrow_mut().insert(here());
            near_the_end(&mut || stack::grow(0, || match depth {
                // SAFETY: no frame of this goroutine has anything to drop, and
                // nothing of it is borrowed elsewhere.
                0 => unsafe { gort_goexit() },
                _ => deep(depth - 1),
            }));
        }
        let _one = one_p(); // each has its own free stacks
        on_goroutine(|| deep(3));
        let first = PLACES.0.borrow().len();
        for _ in 0..50 {
            on_goroutine(|| deep(3));
            // The stack came back with its own bounds.
            on_goroutine(|| {
                let left = stack::remaining();
                assert!(left > 250 << 10 && left < 256 << 10, "{left}");
            });
        }
        assert_eq!(first, 4);
        assert!(PLACES.0.borrow().len() < 10, "{:x?}", PLACES.0.borrow());
    }

    fn goroutines_may_be_started_there() {
        static RAN: AtomicUsize = AtomicUsize::new(0);
        near_the_end(&mut || stack::grow(0, || {
            for _ in 0..100 {
                go(|| {
                    let left = stack::remaining();
                    assert!(left > 250 << 10 && left < 256 << 10);
                    RAN.fetch_add(count(10_000, 0), Ordering::Relaxed);
                });
            }
            until_alone();
        }));
        assert_eq!(RAN.load(Ordering::Relaxed), 1_000_000);
    }

    fn a_million_times_over_one_seam() {
        on_goroutine(|| near_the_end(&mut || {
            let first = stack::grow(0, here);
            for _ in 0..1_000_000 {
                assert_eq!(stack::grow(0, here), first, "the same segment each time");
            }
        }));
    }

    fn segments_that_were_given_back_are_used_first() {
        fn places(depth: usize, seen: &mut BTreeSet<usize>) {
            seen.insert(here() >> 16);
            if depth > 0 {
                near_the_end(&mut || stack::grow(1 << 20, || places(depth - 1, seen)));
            }
        }
        let mut seen = BTreeSet::new();
        places(10, &mut seen);
        let first = seen.len();
        for _ in 0..20 {
            places(10, &mut seen);
        }
        assert_eq!((first, seen.len()), (11, 11));
    }

    #[should_panic(expected = "on a segment")]
    fn a_panic_there_ends_the_program() {
        near_the_end(&mut || stack::grow(0, || panic!("on a segment")));
    }
}

/// A RefCell for tests, which one thread runs.
struct RefCellSync<T>(RefCell<T>);

// SAFETY: one thread runs all goroutines, and none gives way with it borrowed.
unsafe impl<T> Sync for RefCellSync<T> {}
