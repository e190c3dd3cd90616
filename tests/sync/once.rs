//! Once, and what is over it.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use core::cell::Cell;
use core::sync::atomic::{AtomicUsize, Ordering};

use gort::sync::{LazyLock, Once, OnceLock};
use gort::thread;

use crate::{all, spawn_waiting, storms, until};

static LAZY: LazyLock<String> = LazyLock::new(|| "made".to_string());
static LOCK: OnceLock<Box<u32>> = OnceLock::new();

/// Counts how often it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

gort_test::test_module! {
    fn once_it_is_and_all_see_what_was_done() {
        storms(|_| {
            for _ in 0..50 {
                let (once, calls) = (Arc::new(Once::new()), Arc::new(AtomicUsize::new(0)));
                assert!(!once.is_completed());
                let (its, counted) = (Arc::clone(&once), Arc::clone(&calls));
                all(6, move |number| {
                    match number {
                        0 => its.wait(),
                        1 => its.wait_force(),
                        2 => its.call_once_force(|state| {
                            assert!(!state.is_poisoned());
                            thread::yield_now();
                            counted.fetch_add(1, Ordering::Relaxed);
                        }),
                        _ => its.call_once(|| {
                            thread::yield_now();
                            counted.fetch_add(1, Ordering::Relaxed);
                        }),
                    }
                    assert_eq!(counted.load(Ordering::Relaxed), 1);
                    assert!(its.is_completed());
                });
                once.call_once(|| unreachable!());
                assert_eq!(calls.load(Ordering::Relaxed), 1);
            }
        });
    }

    fn who_waits_before_the_first_call() {
        let once = Arc::new(Once::default());
        let its = Arc::clone(&once);
        let waiter = spawn_waiting(move || its.wait());
        assert_eq!(format!("{once:?}"), "Once { .. }");
        once.call_once_force(|state| assert_eq!(format!("{state:?}"), "OnceState { poisoned: false }"));
        waiter.join().unwrap();
    }

    fn a_value_is_set_once() {
        storms(|_| {
            for _ in 0..50 {
                let lock = Arc::new(OnceLock::new());
                let set = Arc::new(AtomicUsize::new(0));
                let (its, counted) = (Arc::clone(&lock), Arc::clone(&set));
                all(6, move |number| {
                    let value = match number {
                        0 => its.wait(),
                        1 | 2 => {
                            if its.set(number) == Ok(()) {
                                counted.fetch_add(1, Ordering::Relaxed);
                            }
                            its.get().unwrap()
                        }
                        _ => its.get_or_init(|| {
                            thread::yield_now();
                            counted.fetch_add(1, Ordering::Relaxed);
                            number
                        }),
                    };
                    assert_eq!(its.get(), Some(value));
                });
                assert_eq!(set.load(Ordering::Relaxed), 1);
            }
        });
    }

    fn a_once_lock_is_stds() {
        assert_eq!(LOCK.get(), None);
        assert_eq!(**LOCK.get_or_init(|| Box::new(3)), 3);
        assert_eq!(LOCK.set(Box::new(4)), Err(Box::new(4)));

        let mut lock = OnceLock::default();
        assert_eq!(format!("{lock:?}"), "OnceLock(<uninit>)");
        assert_eq!(lock.get_mut(), None);
        assert_eq!(lock.clone().into_inner(), None);
        assert_eq!(lock.take(), None);
        assert_eq!(lock.set(5), Ok(()));
        *lock.get_mut().unwrap() += 1;
        assert_eq!(format!("{lock:?}"), "OnceLock(6)");
        assert!(lock == OnceLock::from(6) && lock != OnceLock::new() && lock.clone() == lock);
        assert_eq!(lock.take(), Some(6));
        assert_eq!(*lock.get_or_init(|| 7), 7, "as good as new");
        assert_eq!(lock.into_inner(), Some(7));

        let drops = Arc::new(AtomicUsize::new(0));
        let lock = OnceLock::new();
        assert!(lock.set(Counted(Arc::clone(&drops))).is_ok());
        assert!(lock.set(Counted(Arc::clone(&drops))).is_err());
        assert_eq!(drops.load(Ordering::Relaxed), 1);
        drop(lock);
        assert_eq!(drops.load(Ordering::Relaxed), 2);
    }

    fn a_lazy_value_is_made_once() {
        storms(|_| {
            static MADE: AtomicUsize = AtomicUsize::new(0);
            MADE.store(0, Ordering::Relaxed);
            let lazy: Arc<LazyLock<usize>> = Arc::new(LazyLock::new(|| {
                thread::yield_now();
                MADE.fetch_add(1, Ordering::Relaxed) + 1
            }));
            all(8, move |_| assert_eq!(**lazy, 1));
            assert_eq!(MADE.load(Ordering::Relaxed), 1);
        });
    }

    fn a_lazy_lock_is_stds() {
        assert_eq!(LazyLock::get(&LAZY), None);
        assert_eq!(format!("{:?}", *LAZY), "\"made\"");
        assert_eq!(LazyLock::force(&LAZY), "made");

        let calls = Cell::new(0);
        let mut lazy = LazyLock::new(|| {
            calls.set(calls.get() + 1);
            calls.get() + 10
        });
        assert_eq!(format!("{lazy:?}"), "LazyLock(<uninit>)");
        assert_eq!(LazyLock::get(&lazy), None);
        assert_eq!(LazyLock::get_mut(&mut lazy), None);
        *LazyLock::force_mut(&mut lazy) += 1;
        assert_eq!(LazyLock::get(&lazy), Some(&12));
        assert_eq!(LazyLock::get_mut(&mut lazy), Some(&mut 12));
        *lazy += 1;
        assert_eq!((*lazy, calls.get()), (13, 1));
        assert_eq!(format!("{lazy:?}"), "LazyLock(13)");
        assert_eq!(*LazyLock::<u8>::default(), 0);

        let drops = Arc::new(AtomicUsize::new(0));
        let (one, other) = (Counted(Arc::clone(&drops)), Counted(Arc::clone(&drops)));
        let lazy = LazyLock::new(move || one);
        LazyLock::force(&lazy);
        drop(lazy);
        drop(LazyLock::new(move || other));
        assert_eq!(drops.load(Ordering::Relaxed), 2);
    }

    fn others_wait_for_a_slow_one() {
        static LOCK: OnceLock<usize> = OnceLock::new();
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let slow = thread::spawn(|| {
            *LOCK.get_or_init(|| {
                STARTED.store(1, Ordering::Relaxed);
                thread::park();
                1
            })
        });
        until(|| STARTED.load(Ordering::Relaxed) == 1);
        let others = [(); 3].map(|()| spawn_waiting(|| *LOCK.get_or_init(|| 2)));
        assert_eq!(LOCK.get(), None);
        slow.thread().unpark();
        for other in others {
            assert_eq!(other.join().unwrap(), 1);
        }
        assert_eq!(slow.join().unwrap(), 1);
    }
}
