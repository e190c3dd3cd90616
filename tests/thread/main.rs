//! Threads: std's names for goroutines. What std's documentation says of them.

#![no_std]
#![no_main]

extern crate alloc;

#[allow(unsafe_code, reason = "parks and readies as the runtime does")]
mod park;

mod local;
mod scope;
mod timeout;

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::hash::BuildHasher as _;
use core::hint::black_box;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gort::io::ErrorKind;
use gort::runtime::{goexit, num_goroutine};
use gort::thread::{self, Builder, SpawnError};
use gort_test::one_p;

/// Lets others run until only the caller is left.
fn until_alone() {
    while num_goroutine() > 1 {
        thread::yield_now();
    }
}

/// Lets others run until a condition holds.
fn until(condition: impl Fn() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}

/// Counts how often it is dropped.
struct Dropped(&'static AtomicUsize);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Calls itself until the stack has grown by `size` bytes; counts the frames that
/// do not hold what was put into them.
#[inline(never)]
fn spoilt_frames(top: usize, size: usize, depth: usize) -> usize {
    let frame = black_box([depth; 16]);
    let deeper = if top - frame.as_ptr().addr() >= size {
        0
    } else {
        spoilt_frames(top, size, depth + 1)
    };
    deeper + usize::from(frame[depth % 16] != depth)
}

/// Uses so many bytes of the current stack, and says whether they kept what was
/// put there.
fn deep(size: usize) -> bool {
    let top = black_box(0u8);
    spoilt_frames((&raw const top).addr(), size, 0) == 0
}

gort_test::tests! {
    mod park, local, scope, timeout;

    fn join_waits_for_what_has_not_finished() {
        static STEPS: AtomicUsize = AtomicUsize::new(0);
        static ASKED: AtomicBool = AtomicBool::new(false);
        let handle = thread::spawn(|| {
            until(|| ASKED.load(Ordering::Relaxed));
            for _ in 0..10 {
                STEPS.fetch_add(1, Ordering::Relaxed);
                thread::yield_now();
            }
            String::from("result")
        });
        assert!(!handle.is_finished());
        ASKED.store(true, Ordering::Relaxed);
        assert_eq!(handle.join().unwrap(), "result");
        assert_eq!(STEPS.load(Ordering::Relaxed), 10);
    }

    fn join_returns_at_once_what_has_finished() {
        let handle = thread::spawn(|| 17);
        until(|| handle.is_finished());
        until_alone();
        assert!(handle.is_finished());
        assert_eq!(handle.join().unwrap(), 17);
    }

    fn results_of_any_size_arrive_whole() {
        let large = thread::spawn(|| core::array::from_fn::<u64, 2000, _>(|at| at as u64 * 3));
        let aligned = thread::spawn(|| {
            #[repr(align(128))]
            struct Line([u8; 128]);
            Line([7; 128])
        });
        let nested = thread::spawn(|| thread::spawn(|| Box::new(5)));
        thread::spawn(|| ()).join().unwrap();
        assert!(large.join().unwrap().iter().enumerate().all(|(at, &value)| value == at as u64 * 3));
        let aligned = aligned.join().unwrap();
        assert_eq!((&raw const aligned).addr() % 128, 0);
        assert_eq!(aligned.0, [7; 128]);
        assert_eq!(*nested.join().unwrap().join().unwrap(), 5);
    }

    fn a_result_is_dropped_once() {
        static DROPS: AtomicUsize = AtomicUsize::new(0);
        let dropped = || DROPS.load(Ordering::Relaxed);
        // Taken by join.
        let result = thread::spawn(|| Dropped(&DROPS)).join().unwrap();
        until_alone();
        assert_eq!(dropped(), 0);
        drop(result);
        assert_eq!(dropped(), 1);
        // By the goroutine, whose handle is gone.
        static LEFT: AtomicBool = AtomicBool::new(false);
        drop(thread::spawn(|| {
            until(|| LEFT.load(Ordering::Relaxed));
            Dropped(&DROPS)
        }));
        assert_eq!(dropped(), 1);
        LEFT.store(true, Ordering::Relaxed);
        until_alone();
        assert_eq!(dropped(), 2);
        // By the handle, which nobody joined.
        let handle = thread::spawn(|| Dropped(&DROPS));
        until_alone();
        assert_eq!(dropped(), 2);
        drop(handle);
        assert_eq!(dropped(), 3);
    }

    fn what_the_closure_holds_is_dropped_once() {
        static DROPS: AtomicUsize = AtomicUsize::new(0);
        let value = Dropped(&DROPS);
        thread::spawn(move || drop(value)).join().unwrap();
        assert_eq!(DROPS.load(Ordering::Relaxed), 1);
        let value = Dropped(&DROPS);
        let error = Builder::new().stack_size(usize::MAX).spawn(move || drop(value));
        assert!(error.is_err());
        assert_eq!(DROPS.load(Ordering::Relaxed), 2);
    }

    fn one_that_is_left_to_itself_goes_on() {
        static DONE: AtomicBool = AtomicBool::new(false);
        drop(thread::spawn(|| {
            thread::yield_now();
            DONE.store(true, Ordering::Relaxed);
        }));
        until_alone();
        assert!(DONE.load(Ordering::Relaxed));
    }

    fn one_that_ends_by_goexit_has_no_result() {
        // Before join, and after it has begun.
        let early = thread::spawn(|| -> u32 { goexit() });
        until(|| early.is_finished());
        static ASKED: AtomicBool = AtomicBool::new(false);
        let late = thread::spawn(|| -> u32 {
            until(|| ASKED.load(Ordering::Relaxed));
            goexit()
        });
        assert!(!late.is_finished());
        ASKED.store(true, Ordering::Relaxed);
        for handle in [early, late] {
            let payload = handle.join().unwrap_err();
            assert!(payload.downcast_ref::<&str>().unwrap().contains("goexit"));
        }
    }

    fn a_handle_is_the_goroutines_own_and_not_its_successors() {
        let _one = one_p(); // which has its own list of dead goroutines
        // Goroutines that ended, one by goexit, and one that has their G.
        let first = thread::spawn(thread::current).join().unwrap();
        until_alone();
        static SECOND: AtomicBool = AtomicBool::new(false);
        gort::go(move || {
            let second = thread::current();
            assert_ne!(first.id(), second.id());
            assert_eq!(second.id(), thread::current().id());
            assert_eq!(second.name(), None);
            SECOND.store(true, Ordering::Relaxed);
        });
        until(|| SECOND.load(Ordering::Relaxed));
    }

    fn the_memory_of_one_that_has_ended_is_used_again() {
        // Its name is where it was, so that few places see a thousand of them, also
        // where nothing is dropped but what the runtime itself holds.
        let mut places = BTreeSet::new();
        for round in 0..100 {
            let handles: Vec<_> = (0..10)
                .map(|_| {
                    let named = Builder::new().name("x".repeat(64 << 10));
                    let handle = named.spawn(move || {
                        assert_eq!(thread::current().name().map(str::len), Some(64 << 10));
                        if round % 2 == 0 {
                            goexit();
                        }
                    });
                    handle.unwrap()
                })
                .collect();
            for handle in handles {
                places.insert(handle.thread().name().unwrap().as_ptr().addr());
                assert_eq!(handle.join().is_err(), round % 2 == 0);
            }
            until_alone();
        }
        assert!(places.len() < 100, "{} places", places.len());
    }

    fn names_are_what_the_builder_said() {
        assert_eq!(thread::current().name(), Some("main"));
        assert_eq!(thread::spawn(|| thread::current().name().map(String::from)).join().unwrap(), None);
        let named = Builder::new().name("a name".into());
        let handle = named.spawn(|| thread::current().name().map(String::from)).unwrap();
        assert_eq!(handle.thread().name(), Some("a name"));
        let thread = handle.thread().clone();
        assert_eq!(handle.join().unwrap().as_deref(), Some("a name"));
        assert_eq!(thread.name(), Some("a name"), "the handle outlives the goroutine");
        let expected = format!("Thread {{ id: {:?}, name: Some(\"a name\"), .. }}", thread.id());
        assert_eq!(format!("{thread:?}"), expected);
        assert_eq!(format!("{:?}", thread::spawn(|| ())), "JoinHandle { .. }");
    }

    #[should_panic(expected = "thread name may not contain interior null bytes")]
    fn a_name_with_a_null_byte_panics() {
        let _ = Builder::new().name("a\0b".into()).spawn(|| ());
    }

    fn ids_are_of_one_goroutine_alone() {
        let main = thread::current().id();
        let mut ids = BTreeSet::from([format!("{main:?}")]);
        let state = gort::hash::RandomState::new();
        for round in 0..20 {
            let handles: Vec<_> = (0..50).map(|_| thread::spawn(|| thread::current().id())).collect();
            for handle in handles {
                let known = handle.thread().id();
                let own = handle.join().unwrap();
                assert_eq!(known, own, "in round {round}");
                assert_eq!(state.hash_one(known), state.hash_one(own));
                assert_ne!(own, main);
                assert!(ids.insert(format!("{own:?}")), "{own:?} a second time");
            }
        }
        assert_eq!(thread::current().id(), main);
        assert_eq!(format!("{main:?}"), "ThreadId(1)");
    }

    fn a_stack_of_8_mib_is_that_deep() {
        const SIZE: usize = 8 << 20;
        for _ in 0..3 {
            let builder = Builder::new().stack_size(SIZE);
            let handle = builder.spawn(|| deep(SIZE - (16 << 10))).unwrap();
            assert!(handle.join().unwrap());
        }
    }

    fn stacks_of_any_size_up_to_1_gib() {
        for size in [0, 1, 4096, 256 << 10, (256 << 10) + 1, 1 << 20, 100 << 20, 1 << 30] {
            let handle = Builder::new().stack_size(size).spawn(|| deep(200 << 10)).unwrap();
            assert!(handle.join().unwrap(), "with {size} bytes");
        }
        for size in [(1 << 30) + 1, 2 << 30, usize::MAX - 4096, usize::MAX] {
            let error = Builder::new().stack_size(size).spawn(|| ()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let why = error.get_ref().unwrap().downcast_ref();
            assert_eq!(why, Some(&SpawnError::StackTooLarge { size }));
            let text = error.to_string();
            assert!(text.contains(&size.to_string()) && text.contains("1073741824"), "{text}");
        }
        until_alone(); // what could not be is not counted
    }

    fn there_is_room_for_one_at_least() {
        let count = thread::available_parallelism().unwrap().get();
        assert_eq!(count, gort::runtime::gomaxprocs(0));
    }

    #[should_panic(expected = "in a spawned one")]
    fn a_panic_in_one_ends_the_program() {
        let handle = thread::spawn(|| panic!("in a spawned one"));
        let _ = handle.join();
    }
}
