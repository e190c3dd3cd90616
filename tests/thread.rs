//! Threads: std's names for goroutines. What std's documentation says of them.

#![no_std]
#![no_main]
#![allow(unsafe_code, reason = "parks and readies as the runtime does")]

extern crate alloc;

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ffi::c_void;
use core::hash::BuildHasher as _;
use core::hint::black_box;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gort::runtime::{goexit, num_goroutine};
use gort::thread::{self, Builder, JoinHandle, SpawnError, Thread};

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

/// Waits for a turn, `rounds` times, and gives it to the partner each time.
fn bounce(turn: &AtomicUsize, me: usize, rounds: usize, partner: &Thread) {
    for _ in 0..rounds {
        while turn.load(Ordering::Acquire) % 2 != me {
            thread::park();
        }
        turn.fetch_add(1, Ordering::Release);
        partner.unpark();
    }
}

/// A pair that wakes each other until told to stop: each is the other's runnext.
fn endless_pair(stop: &'static AtomicBool, rounds: &'static AtomicUsize) -> JoinHandle<()> {
    thread::spawn(move || {
        let first = thread::current();
        let second = thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                first.unpark();
                thread::park();
            }
            first.unpark();
        });
        while !stop.load(Ordering::Relaxed) {
            rounds.fetch_add(1, Ordering::Relaxed);
            second.thread().unpark();
            thread::park();
        }
        second.thread().unpark();
        second.join().unwrap();
    })
}

/// What gopark calls: the G is an address here.
type UnlockFn = unsafe fn(*const c_void, *const c_void) -> bool;

// SAFETY: the runtime's own functions, below all that is tested here.
unsafe extern "Rust" {
    #[link_name = "runtime.gopark"]
    fn gopark(unlockf: Option<UnlockFn>, lock: *const c_void, reason: &'static &'static str);
    #[link_name = "runtime.goready"]
    fn goready(gp: *const c_void);
}

/// How often one of the two functions below was called.
static UNLOCKED: AtomicUsize = AtomicUsize::new(0);

/// Says that the goroutine need not wait after all.
///
/// # Safety
///
/// For gopark, which gives it a `*const usize` on the goroutine's stack.
unsafe fn says_no(_: *const c_void, lock: *const c_void) -> bool {
    let here = 0u8;
    // We are on another stack.
    assert!((&raw const *black_box(&here)).addr().abs_diff(lock.addr()) > 4096);
    // SAFETY: the caller's promise.
    UNLOCKED.fetch_add(unsafe { lock.cast::<usize>().read() }, Ordering::Relaxed);
    false
}

/// Readies the goroutine before gopark is done with it, as another M may.
///
/// # Safety
///
/// For gopark.
unsafe fn readies_at_once(gp: *const c_void, lock: *const c_void) -> bool {
    // SAFETY: the caller's promise.
    UNLOCKED.fetch_add(unsafe { lock.cast::<usize>().read() }, Ordering::Relaxed);
    // SAFETY: gopark gives a G that waits, and that nobody else knows of.
    unsafe { goready(gp) };
    true
}

/// Parks with many values in the registers; says whether they are what they were.
#[inline(never)]
fn parks_and_keeps(unlockf: UnlockFn) -> bool {
    let one = black_box(1usize);
    let integers: [u64; 12] = core::array::from_fn(|at| black_box(at as u64 * 0x9e37));
    let mut sum = 0u64;
    for at in 0..12 {
        // SAFETY: both functions take what they get here.
        unsafe { gopark(Some(unlockf), (&raw const one).cast(), &"a test") };
        sum += integers[at];
    }
    sum == (0..12).map(|at| at * 0x9e37).sum() && one == 1
}

gort_test::tests! {
    fn an_unlock_function_that_says_no_ends_the_wait_at_once() {
        static OTHERS: AtomicUsize = AtomicUsize::new(0);
        gort::go(|| _ = OTHERS.fetch_add(1, Ordering::Relaxed));
        assert!(parks_and_keeps(says_no));
        assert_eq!(UNLOCKED.load(Ordering::Relaxed), 12);
        assert_eq!(OTHERS.load(Ordering::Relaxed), 0, "nobody else has run");
        until_alone();
    }

    fn one_that_is_readied_before_it_has_parked_goes_on() {
        for round in 1..=100 {
            assert!(parks_and_keeps(readies_at_once));
            assert_eq!(UNLOCKED.load(Ordering::Relaxed), 12 * round);
        }
    }

    fn an_unlock_function_is_for_one_wait() {
        // The second wait must not find the first one's function.
        assert!(parks_and_keeps(says_no));
        // SAFETY: nothing is called.
        gort::go(|| unsafe { gopark(None, core::ptr::null(), &"a test") });
        for _ in 0..10 {
            thread::yield_now();
        }
        assert_eq!(num_goroutine(), 2);
        assert_eq!(UNLOCKED.load(Ordering::Relaxed), 12);
    }

    fn join_waits_for_what_has_not_finished() {
        static STEPS: AtomicUsize = AtomicUsize::new(0);
        let handle = thread::spawn(|| {
            for _ in 0..10 {
                STEPS.fetch_add(1, Ordering::Relaxed);
                thread::yield_now();
            }
            String::from("result")
        });
        assert!(!handle.is_finished());
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
        drop(thread::spawn(|| Dropped(&DROPS)));
        assert_eq!(dropped(), 1, "it has not run yet");
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
        let late = thread::spawn(|| -> u32 {
            thread::yield_now();
            goexit()
        });
        assert!(!late.is_finished());
        for handle in [early, late] {
            let payload = handle.join().unwrap_err();
            assert!(payload.downcast_ref::<&str>().unwrap().contains("goexit"));
        }
    }

    fn unpark_comes_before_park() {
        thread::current().unpark();
        thread::park();
        let handle = thread::spawn(|| {
            thread::yield_now();
            thread::park();
        });
        handle.thread().unpark(); // it has not even begun
        handle.join().unwrap();
    }

    fn tokens_do_not_add_up() {
        static PASSED: AtomicUsize = AtomicUsize::new(0);
        let handle = thread::spawn(|| {
            thread::park();
            PASSED.fetch_add(1, Ordering::Relaxed);
            thread::park();
            PASSED.fetch_add(1, Ordering::Relaxed);
        });
        for _ in 0..3 {
            handle.thread().unpark();
        }
        until(|| PASSED.load(Ordering::Relaxed) == 1);
        for _ in 0..10 {
            thread::yield_now();
        }
        assert_eq!(PASSED.load(Ordering::Relaxed), 1, "the second park has nothing to take");
        handle.thread().unpark();
        handle.join().unwrap();
        assert_eq!(PASSED.load(Ordering::Relaxed), 2);
    }

    fn join_does_not_take_the_token() {
        thread::current().unpark();
        thread::spawn(|| ()).join().unwrap();
        thread::park();
        // Nor does an unpark end a join.
        let main = thread::current();
        let handle = thread::spawn(move || {
            thread::yield_now();
            main.unpark();
            thread::yield_now();
            3
        });
        assert_eq!(handle.join().unwrap(), 3);
        thread::park();
    }

    fn a_pair_wakes_each_other_100_000_times() {
        const ROUNDS: usize = 100_000;
        let turn = Arc::new(AtomicUsize::new(0));
        let (main, its_turn) = (thread::current(), Arc::clone(&turn));
        let partner = thread::spawn(move || bounce(&its_turn, 1, ROUNDS, &main));
        bounce(&turn, 0, ROUNDS, partner.thread());
        partner.join().unwrap();
        assert_eq!(turn.load(Ordering::Acquire), 2 * ROUNDS);
    }

    fn ten_thousand_park_and_are_all_woken() {
        static PARKING: AtomicUsize = AtomicUsize::new(0);
        static WOKEN: AtomicUsize = AtomicUsize::new(0);
        let sleepers: Vec<_> = (0..10_000usize)
            .map(|number| {
                thread::spawn(move || {
                    PARKING.fetch_add(1, Ordering::Relaxed);
                    thread::park();
                    WOKEN.fetch_add(1, Ordering::Relaxed);
                    number
                })
            })
            .collect();
        until(|| PARKING.load(Ordering::Relaxed) == sleepers.len());
        thread::yield_now();
        assert_eq!(WOKEN.load(Ordering::Relaxed), 0);
        for sleeper in &sleepers {
            sleeper.thread().unpark();
        }
        let numbers = sleepers.into_iter().map(|sleeper| sleeper.join().unwrap());
        assert!(numbers.eq(0..10_000));
        assert_eq!(WOKEN.load(Ordering::Relaxed), 10_000);
    }

    fn storms_of_unparks_lose_nobody() {
        // Eight goroutines fill a counter each and unpark the ninth at each step;
        // it sleeps until all is there, whichever unparks it gets.
        const STEPS: usize = 2000;
        static DONE: AtomicUsize = AtomicUsize::new(0);
        let sleeper = thread::spawn(|| {
            let mut parks = 0usize;
            while DONE.load(Ordering::Acquire) < 8 * STEPS {
                thread::park();
                parks += 1;
            }
            parks
        });
        let storms: Vec<_> = (0..8)
            .map(|number| {
                let target = sleeper.thread().clone();
                thread::spawn(move || {
                    for step in 0..STEPS {
                        DONE.fetch_add(1, Ordering::Release);
                        target.unpark();
                        if step % (number + 2) == 0 {
                            thread::yield_now();
                        }
                    }
                })
            })
            .collect();
        let parks = sleeper.join().unwrap();
        assert!((1..=8 * STEPS + 1).contains(&parks));
        for storm in storms {
            storm.join().unwrap();
        }
    }

    fn an_unpark_of_one_that_has_ended_wakes_nobody() {
        static WOKEN: AtomicUsize = AtomicUsize::new(0);
        let ended = thread::spawn(thread::current);
        let ghost = ended.join().unwrap();
        until_alone();
        // These have its G, and its stack.
        for _ in 0..10 {
            thread::spawn(|| {
                thread::park();
                WOKEN.fetch_add(1, Ordering::Relaxed);
            });
        }
        thread::yield_now();
        for _ in 0..10 {
            ghost.unpark();
            thread::yield_now();
        }
        assert_eq!(WOKEN.load(Ordering::Relaxed), 0);
    }

    fn a_goroutine_that_go_has_made_can_be_unparked() {
        static WOKEN: AtomicBool = AtomicBool::new(false);
        let main = thread::current();
        gort::go(move || {
            let me = thread::current();
            let waker = thread::spawn(move || me.unpark());
            thread::park();
            waker.join().unwrap();
            WOKEN.store(true, Ordering::Release);
            main.unpark();
        });
        while !WOKEN.load(Ordering::Acquire) {
            thread::park();
        }
    }

    fn a_handle_is_the_goroutines_own_and_not_its_successors() {
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
            assert_eq!(error, SpawnError::StackTooLarge { size });
            let text = error.to_string();
            assert!(text.contains(&size.to_string()) && text.contains("1073741824"), "{text}");
        }
        // As without one.
        assert_eq!(num_goroutine(), 1);
    }

    fn a_pair_that_wakes_each_other_does_not_starve_a_third() {
        // Both go on with one time slice, which sysmon ends. The third waits in the
        // queue, and main, that gave way, in the global one.
        static STOP: AtomicBool = AtomicBool::new(false);
        static ROUNDS: AtomicUsize = AtomicUsize::new(0);
        static RAN: AtomicUsize = AtomicUsize::new(0);
        let third = thread::spawn(|| {
            for _ in 0..5 {
                RAN.fetch_add(1, Ordering::Relaxed);
                thread::yield_now();
            }
        });
        let pair = endless_pair(&STOP, &ROUNDS);
        until(|| RAN.load(Ordering::Relaxed) == 5);
        third.join().unwrap();
        assert!(!pair.is_finished());
        let before = ROUNDS.load(Ordering::Relaxed);
        until(|| ROUNDS.load(Ordering::Relaxed) > before + 10);
        STOP.store(true, Ordering::Relaxed);
        pair.join().unwrap();
    }

    fn who_is_unparked_runs_next() {
        // As in Go: ready puts it in front of the queue. Should sysmon end the time
        // slice just there, another try will do.
        let in_front = (0..100).any(|_| {
            let order = Arc::new(AtomicUsize::new(0));
            let spawn = |digit: usize, parks: bool| {
                let order = Arc::clone(&order);
                thread::spawn(move || {
                    if parks {
                        thread::park();
                    }
                    order.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |so_far| Some(so_far * 10 + digit))
                })
            };
            let sleeper = spawn(1, true);
            thread::yield_now();
            let others = [spawn(2, false), spawn(3, false)];
            sleeper.thread().unpark();
            sleeper.join().unwrap().unwrap();
            for other in others {
                other.join().unwrap().unwrap();
            }
            order.load(Ordering::Relaxed) == 123
        });
        assert!(in_front);
    }

    fn there_is_room_for_one_at_least() {
        let count = thread::available_parallelism().unwrap().get();
        assert_eq!(count, gort::runtime::gomaxprocs());
    }

    #[should_panic(expected = "in a spawned one")]
    fn a_panic_in_one_ends_the_program() {
        let handle = thread::spawn(|| panic!("in a spawned one"));
        let _ = handle.join();
    }
}
