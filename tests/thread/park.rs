//! Park and unpark, and below them the runtime's gopark and goready.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ffi::c_void;
use core::hint::black_box;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gort::__private::waiting;
use gort::runtime::{gomaxprocs, num_goroutine};
use gort::thread::{self, JoinHandle, Thread};
use gort_test::one_p;

use crate::{until, until_alone};

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
    for integer in integers {
        // SAFETY: both functions take what they get here.
        unsafe { gopark(Some(unlockf), (&raw const one).cast(), &"a test") };
        sum += integer;
    }
    sum == (0..12).map(|at| at * 0x9e37).sum() && one == 1
}

gort_test::test_module! {
    fn an_unlock_function_that_says_no_ends_the_wait_at_once() {
        let _one = one_p(); // on which nobody else runs meanwhile
        // Should sysmon end the time slice just there, another try will do.
        let at_once = (1..=100).any(|round| {
            let ran = Arc::new(AtomicBool::new(false));
            let its = Arc::clone(&ran);
            gort::go(move || its.store(true, Ordering::Relaxed));
            assert!(parks_and_keeps(says_no));
            assert_eq!(UNLOCKED.load(Ordering::Relaxed), 12 * round);
            let alone = !ran.load(Ordering::Relaxed);
            until_alone();
            alone
        });
        assert!(at_once, "somebody else runs each time");
    }

    fn an_unlock_function_that_says_no_gives_the_next_one_back() {
        // The short way is on the next one's stack already: who takes that one before
        // it has been left again spoils it.
        static RIGHT: AtomicUsize = AtomicUsize::new(0);
        gomaxprocs(4);
        for _ in 0..3 {
            gort::go(|| {
                for _ in 0..20_000 {
                    RIGHT.fetch_add(usize::from(parks_and_keeps(says_no)), Ordering::Relaxed);
                    thread::yield_now();
                }
            });
        }
        gort::__private::preempt_storm(true); // the way back is no place to be preempted in
        until_alone();
        gort::__private::preempt_storm(false);
        assert_eq!(RIGHT.load(Ordering::Relaxed), 3 * 20_000);
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
        until(|| waiting() == 1);
        assert_eq!(num_goroutine(), 2);
        assert_eq!(UNLOCKED.load(Ordering::Relaxed), 12);
    }

    fn unpark_comes_before_park() {
        thread::current().unpark();
        thread::park();
        let handle = thread::spawn(|| {
            thread::yield_now();
            thread::park();
        });
        handle.thread().unpark(); // it may not even have begun
        handle.join().unwrap();
    }

    fn tokens_do_not_add_up() {
        static SET: AtomicBool = AtomicBool::new(false);
        static PASSED: AtomicUsize = AtomicUsize::new(0);
        let handle = thread::spawn(|| {
            until(|| SET.load(Ordering::Relaxed)); // or it takes the first before the second
            thread::park();
            PASSED.fetch_add(1, Ordering::Relaxed);
            thread::park();
            PASSED.fetch_add(1, Ordering::Relaxed);
        });
        for _ in 0..3 {
            handle.thread().unpark();
        }
        SET.store(true, Ordering::Relaxed);
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
        // None, if it first ran when all was there.
        assert!(parks <= 8 * STEPS + 1, "{parks}");
        for storm in storms {
            storm.join().unwrap();
        }
    }

    fn an_unpark_of_one_that_has_ended_wakes_nobody() {
        let _one = one_p(); // which has its own list of dead goroutines
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

    fn a_pair_that_wakes_each_other_does_not_starve_a_third() {
        let _one = one_p(); // another would have the third at once
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
        let _one = one_p(); // on that P: another may steal it
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
}
