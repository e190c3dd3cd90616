//! thread_local!: values of each goroutine's own, and their destructors.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gort::__private::{preempt_storm, preemptions};
use gort::runtime::{goexit, lock_os_thread};
use gort::thread::{self, AccessError, Builder};
use gort::thread_local;

use crate::{Dropped, until, until_alone};

mod hidden {
    //! What visibility and attributes are for.

    use core::cell::Cell;

    gort::thread_local! {
        /// A number.
        #[allow(dead_code, reason = "an attribute")]
        pub(crate) static VISIBLE: Cell<u8> = const { Cell::new(5) };
        pub(super) static ABOVE: Cell<u8> = Cell::new(VISIBLE.get() + 1);
        #[cfg(any())]
        static LEFT_OUT: Nothing = nothing();
        static OWN: u8 = 7
    }

    /// Returns what is not visible.
    pub(crate) fn own() -> u8 {
        OWN.with(|own| *own)
    }
}

thread_local!();
thread_local!(static ALONE: Cell<u32> = const { Cell::new(1) });
thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static WORDS: RefCell<Vec<String>> = RefCell::new(Vec::new());
    static LARGE: RefCell<[u64; 1000]> = const { RefCell::new([3; 1000]) };
    static NOTHING: () = ();
}

/// Notes when it is dropped.
struct Noted(&'static str);

/// What was dropped, in order.
static NOTES: Notes = Notes::new();

/// Digits, the last to come the lowest.
struct Notes(AtomicUsize);

impl Notes {
    const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    fn add(&self, digit: usize) {
        let now = self.0.load(Ordering::Acquire);
        self.0
            .store(now.wrapping_mul(10) + digit, Ordering::Release); // one goroutine at a time
    }

    fn take(&self) -> usize {
        self.0.swap(0, Ordering::AcqRel)
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        NOTES.add(self.0.len());
    }
}

thread_local! {
    static FIRST: Noted = const { Noted("1") };
    static SECOND: Noted = Noted("22");
    static THIRD: Noted = Noted("333");
}

/// Uses values of both kinds, and says whether they are the goroutine's own.
fn own_values_hold(number: usize, steps: usize) -> bool {
    COUNT.set(number);
    WORDS.with_borrow_mut(Vec::clear);
    for step in 0..steps {
        WORDS.with_borrow_mut(|words| words.push((number + step).to_string()));
        COUNT.set(COUNT.get() + 1);
        if step % 5 == 0 {
            thread::yield_now();
        }
    }
    let words = WORDS.take();
    let whole = |(step, word): (usize, &String)| *word == (number + step).to_string();
    COUNT.get() == number + steps && words.len() == steps && words.iter().enumerate().all(whole)
}

gort_test::test_module! {
    fn each_goroutine_has_its_own() {
        COUNT.set(10);
        let other = thread::spawn(|| {
            assert_eq!(COUNT.get(), 0);
            COUNT.set(20);
            COUNT.get()
        });
        assert_eq!(other.join().unwrap(), 20);
        assert_eq!(COUNT.get(), 10);
        static SEEN: AtomicUsize = AtomicUsize::new(7);
        gort::go(|| SEEN.store(COUNT.get(), Ordering::Relaxed)); // one without a Thread
        until_alone();
        assert_eq!(SEEN.load(Ordering::Relaxed), 0);
    }

    fn the_next_one_with_that_stack_has_its_own() {
        for number in 1..100 {
            gort::go(move || {
                assert_eq!(COUNT.replace(number), 0);
                assert!(WORDS.take().is_empty());
                WORDS.with_borrow_mut(|words| words.push("left".into()));
            });
            until_alone();
        }
    }

    fn the_whole_grammar() {
        assert_eq!(hidden::VISIBLE.get(), 5);
        assert_eq!(hidden::ABOVE.get(), 6);
        assert_eq!(hidden::own(), 7);
        assert_eq!(ALONE.get(), 1);
        assert_eq!(LARGE.with_borrow(|large| large.iter().sum::<u64>()), 3000);
        NOTHING.with(|nothing| assert_eq!(*nothing, ()));
        // Inside of a function; the initialisers know what is around the macro, also what
        // is called as the macro's own items might be.
        fn init() -> u32 {
            17
        }
        const KEY: u32 = 4;
        thread_local! {
            static INNER: u32 = init() + KEY;
            static CONST: u32 = const { KEY + 1 };
        }
        let twice: &'static thread::LocalKey<u32> = &INNER;
        assert_eq!(twice.with(|inner| *inner), 21);
        assert_eq!(CONST.with(|value| *value), 5);
        assert_eq!(format!("{INNER:?}"), "LocalKey { .. }");
        // Two of one name are two.
        assert_ne!({
            thread_local!(static INNER: u32 = 1);
            INNER.with(|inner| *inner)
        }, INNER.with(|inner| *inner));
    }

    fn initialisers_run_once_and_when_asked() {
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        thread_local!(static LAZY: usize = RUNS.fetch_add(1, Ordering::Relaxed) + 100);
        assert_eq!(RUNS.load(Ordering::Relaxed), 0);
        let first = LAZY.with(|value| *value);
        assert_eq!((first, LAZY.with(|value| *value)), (100, 100));
        assert_eq!(LAZY.try_with(|value| *value), Ok(100));
        assert_eq!(thread::spawn(|| LAZY.with(|value| *value)).join().unwrap(), 101);
        assert_eq!(RUNS.load(Ordering::Relaxed), 2);
    }

    fn methods_of_cells() {
        thread_local! {
            static CELL: Cell<u32> = panic!("the initialiser is not called");
            static OPTION: Cell<Option<Box<u32>>> = Cell::new(Some(Box::new(1)));
        }
        CELL.set(4);
        assert_eq!(CELL.get(), 4);
        CELL.set(5);
        assert_eq!(CELL.replace(6), 5);
        assert_eq!(CELL.take(), 6);
        assert_eq!(CELL.get(), 0);
        assert_eq!(OPTION.replace(Some(Box::new(2))).as_deref(), Some(&1));
        assert_eq!(OPTION.take().as_deref(), Some(&2));
        assert_eq!(OPTION.take(), None);
    }

    fn methods_of_ref_cells() {
        thread_local! {
            static TEXT: RefCell<String> = panic!("the initialiser is not called");
            static OTHER: RefCell<String> = RefCell::new("other".into());
        }
        TEXT.set("set".into());
        assert_eq!(TEXT.with_borrow(String::len), 3);
        TEXT.with_borrow_mut(|text| text.push('s'));
        assert_eq!(TEXT.replace("new".into()), "sets");
        TEXT.set("again".into());
        assert_eq!(TEXT.take(), "again");
        assert_eq!(TEXT.take(), "");
        assert_eq!(OTHER.take(), "other");
    }

    #[should_panic(expected = "already borrowed")]
    fn a_value_that_is_borrowed_cannot_be_set() {
        WORDS.with_borrow(|_| WORDS.set(Vec::new()));
    }

    fn destructors_run_at_the_end_the_last_made_first() {
        thread::spawn(|| {
            SECOND.with(|_| ());
            FIRST.with(|_| ());
            THIRD.with(|_| assert_eq!(NOTES.take(), 0));
        })
        .join()
        .unwrap();
        assert_eq!(NOTES.take(), 312, "when join returns they have run");
        thread::spawn(|| {
            FIRST.with(|_| ());
            THIRD.with(|_| ());
            goexit();
        })
        .join()
        .unwrap_err();
        assert_eq!(NOTES.take(), 31, "with goexit as well");
        gort::go(|| SECOND.with(|_| ()));
        until_alone();
        assert_eq!(NOTES.take(), 2, "and on one that nobody joins");
        thread::scope(|scope| {
            scope.spawn(|| THIRD.with(|_| ()));
        });
        assert_eq!(NOTES.take(), 3, "and in a scope, before it ends");
        gort::go(|| {
            lock_os_thread(); // and on one that ends its thread
            FIRST.with(|_| ());
        });
        until_alone();
        assert_eq!(NOTES.take(), 1);
    }

    fn one_that_is_being_dropped_is_not_there() {
        static CHECKS: AtomicUsize = AtomicUsize::new(0);
        struct Asks;
        impl Drop for Asks {
            fn drop(&mut self) {
                let error: AccessError = ASKS.try_with(|_| ()).unwrap_err();
                assert_eq!(error.to_string(), "already destroyed");
                assert_eq!(format!("{error:?}"), "AccessError");
                // The one that was made later has been dropped already; the earlier one is
                // still there, and one that has no destructor is there to the last.
                assert!(LATER.try_with(|_| ()).is_err());
                assert!(EARLIER.try_with(|_| ()).is_ok());
                assert_eq!(COUNT.get(), 77);
                assert_eq!(thread::current().name(), Some("asking"));
                CHECKS.fetch_add(1, Ordering::Relaxed);
            }
        }
        thread_local! {
            static EARLIER: Box<u32> = Box::new(1);
            static ASKS: Asks = const { Asks };
            static LATER: Box<u32> = Box::new(2);
        }
        let body = || {
            EARLIER.with(|_| ());
            ASKS.with(|_| ());
            LATER.with(|_| ());
            COUNT.set(77);
        };
        Builder::new().name("asking".into()).spawn(body).unwrap().join().unwrap();
        assert_eq!(CHECKS.load(Ordering::Relaxed), 1);
    }

    #[should_panic(expected = "cannot access a Thread Local Storage value during or after destruction: AccessError")]
    fn with_panics_when_it_is_not_there() {
        struct Asks;
        impl Drop for Asks {
            fn drop(&mut self) {
                ASKS.with(|_| ());
            }
        }
        thread_local!(static ASKS: Asks = const { Asks });
        thread::spawn(|| ASKS.with(|_| ())).join().unwrap();
    }

    fn destructors_make_others() {
        // Of both kinds, and enough to move the table; those are dropped next.
        static MADE: AtomicUsize = AtomicUsize::new(0);
        struct Makes;
        impl Drop for Makes {
            fn drop(&mut self) {
                FIRST.with(|_| ());
                COUNT.set(COUNT.get() + 1);
                MANY.with_borrow_mut(|many| many.push(Dropped(&MADE)));
                SECOND.with(|_| ());
            }
        }
        thread_local! {
            static MAKES: Makes = const { Makes };
            static MANY: RefCell<Vec<Dropped>> = RefCell::new(Vec::new());
        }
        thread::spawn(|| {
            THIRD.with(|_| ());
            MAKES.with(|_| ());
        })
        .join()
        .unwrap();
        assert_eq!(NOTES.take(), 213);
        assert_eq!(MADE.load(Ordering::Relaxed), 1);
    }

    fn an_initialiser_may_use_others_and_itself() {
        static DROPS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static DEPTH: Cell<u32> = const { Cell::new(0) };
            static SELF: (u32, Dropped) = {
                DEPTH.set(DEPTH.get() + 1);
                let depth = DEPTH.get();
                if depth < 4 {
                    SELF.with(|(inner, _)| assert_eq!(*inner, depth + 1));
                }
                (depth, Dropped(&DROPS))
            };
        }
        thread::spawn(|| {
            SELF.with(|(depth, _)| assert_eq!(*depth, 1, "the last that was made stays"));
            assert_eq!(DROPS.load(Ordering::Relaxed), 3);
        })
        .join()
        .unwrap();
        assert_eq!(DROPS.load(Ordering::Relaxed), 4);
    }

    fn a_destructor_may_wait_and_spawn() {
        static DONE: AtomicBool = AtomicBool::new(false);
        struct Joins;
        impl Drop for Joins {
            fn drop(&mut self) {
                let word = String::from("word");
                let length = thread::scope(|scope| {
                    scope.spawn(thread::yield_now);
                    scope.spawn(|| word.len()).join().unwrap()
                });
                thread::sleep(gort::time::Duration::from_micros(10));
                DONE.store(length == 4, Ordering::Relaxed);
            }
        }
        thread_local!(static JOINS: Joins = const { Joins });
        thread::spawn(|| JOINS.with(|_| ())).join().unwrap();
        assert!(DONE.load(Ordering::Relaxed));
    }

    fn a_destructor_that_calls_goexit_keeps_none_from_running() {
        struct Exits;
        impl Drop for Exits {
            fn drop(&mut self) {
                NOTES.add(9);
                goexit();
            }
        }
        thread_local!(static EXITS: Exits = const { Exits });
        let handle = thread::spawn(|| {
            FIRST.with(|_| ());
            EXITS.with(|_| ());
            SECOND.with(|_| ());
            "result"
        });
        assert_eq!(handle.join().unwrap(), "result");
        assert_eq!(NOTES.take(), 291);
    }

    fn the_result_is_dropped_before_the_values() {
        // Where nobody wants it. Its destructor uses values, and has them made.
        static GONE: AtomicBool = AtomicBool::new(false);
        struct Uses(&'static str);
        impl Drop for Uses {
            fn drop(&mut self) {
                assert!(FIRST.try_with(|_| ()).is_ok());
                COUNT.set(COUNT.get() + 1);
                NOTES.add(self.0.len());
            }
        }
        drop(thread::spawn(|| {
            until(|| GONE.load(Ordering::Relaxed));
            SECOND.with(|_| ());
            Uses("88888888")
        }));
        GONE.store(true, Ordering::Relaxed);
        until_alone();
        assert_eq!(NOTES.take(), 812);
        // The handle is dropped at any time, by somebody else who has values of his own.
        for _ in 0..200 {
            let handle = thread::spawn(|| {
                COUNT.set(1);
                Uses("")
            });
            thread::spawn(move || drop(handle));
        }
        until_alone();
    }

    fn all_is_freed() {
        static DROPS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static BIG: RefCell<(Vec<u8>, Option<Dropped>)> = const { RefCell::new((Vec::new(), None)) };
        }
        let in_use = || gort::runtime::read_mem_stats().heap_alloc;
        let round = || {
            for _ in 0..64 {
                let body = || {
                    LARGE.with_borrow_mut(|large| large[0] += 1);
                    BIG.set((alloc::vec![1; 64 << 10], Some(Dropped(&DROPS))));
                };
                thread::spawn(body).join().unwrap();
            }
        };
        round();
        let before = in_use();
        for _ in 0..20 {
            round();
        }
        let after = in_use();
        assert_eq!(DROPS.load(Ordering::Relaxed), 21 * 64);
        assert!(after < before + (4 << 20), "{before}, then {after}");
    }

    fn many_goroutines_use_theirs_at_once() {
        let wrong = Arc::new(AtomicUsize::new(0));
        thread::scope(|scope| {
            for number in 0..500 {
                let wrong = &wrong;
                scope.spawn(move || {
                    let failed = usize::from(!own_values_hold(number * 1000, 50));
                    wrong.fetch_add(failed, Ordering::Relaxed);
                });
            }
        });
        assert_eq!(wrong.load(Ordering::Relaxed), 0);
    }

    fn values_are_their_goroutines_under_preemption() {
        static DROPS: AtomicUsize = AtomicUsize::new(0);
        static MADE: AtomicUsize = AtomicUsize::new(0);
        thread_local!(static DROPPED: Dropped = {
            MADE.fetch_add(1, Ordering::Relaxed);
            Dropped(&DROPS)
        });
        let before = preemptions();
        preempt_storm(true);
        let storms: Vec<_> = (0..8)
            .map(|number| {
                thread::spawn(move || {
                    let mut rounds = 0;
                    while rounds < 20 || preemptions() - before < 500 {
                        let body = move || {
                            DROPPED.with(|_| ());
                            own_values_hold(number, 40)
                        };
                        assert!(own_values_hold(number * 100, 20));
                        assert!(thread::spawn(body).join().unwrap());
                        rounds += 1;
                    }
                })
            })
            .collect();
        for storm in storms {
            storm.join().unwrap();
        }
        preempt_storm(false);
        assert!(MADE.load(Ordering::Relaxed) >= 160);
        assert_eq!(DROPS.load(Ordering::Relaxed), MADE.load(Ordering::Relaxed));
    }

    fn nobody_panics() {
        struct Asks;
        impl core::fmt::Display for Asks {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "panicking: {}", thread::panicking())
            }
        }
        assert_eq!(Asks.to_string(), "panicking: false");
        assert!(!thread::spawn(thread::panicking).join().unwrap());
    }

    #[should_panic(expected = "panicking: true")]
    fn who_panics_knows() {
        struct Asks;
        impl core::fmt::Display for Asks {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "panicking: {}", thread::panicking())
            }
        }
        panic!("{Asks}");
    }
}
