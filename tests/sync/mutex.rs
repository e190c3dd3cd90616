//! The mutex.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::error::Error;
use core::hint::black_box;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gort::__private::nanotime;
use gort::runtime::gomaxprocs;
use gort::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use gort::thread;

use crate::{all, spawn, spawn_waiting, storms, until};

/// Two words that are the same while nobody has the lock.
struct Pair(usize, usize);

/// Adds one to both, in a way that shows who comes in between.
fn add_one(pair: &mut Pair) {
    assert_eq!(pair.0, pair.1);
    pair.0 = black_box(pair.0) + 1;
    black_box(&mut *pair);
    pair.1 = black_box(pair.1) + 1;
}

/// Has no value to clone or to compare: Mutex does not need one.
#[derive(Debug)]
struct Plain;

gort_test::test_module! {
    fn one_at_a_time() {
        storms(|_| {
            const ROUNDS: usize = 3_000;
            let pair = Arc::new(Mutex::new(Pair(0, 0)));
            let shared = Arc::clone(&pair);
            all(8, move |_| {
                for _ in 0..ROUNDS {
                    add_one(&mut shared.lock().unwrap());
                }
            });
            assert_eq!(pair.lock().unwrap().0, 8 * ROUNDS);
        });
    }

    fn one_at_a_time_that_gives_way_with_the_lock() {
        storms(|_| {
            const ROUNDS: usize = 300;
            let pair = Arc::new(Mutex::new(Pair(0, 0)));
            let shared = Arc::clone(&pair);
            all(8, move |_| {
                for _ in 0..ROUNDS {
                    let mut guard = shared.lock().unwrap();
                    add_one(&mut guard);
                    thread::yield_now();
                    add_one(&mut guard);
                }
            });
            assert_eq!(pair.lock().unwrap().1, 2 * 8 * ROUNDS);
        });
    }

    fn trying_and_waiting_at_the_same_time() {
        storms(|_| {
            const ROUNDS: usize = 1_000;
            let pair = Arc::new(Mutex::new(Pair(0, 0)));
            let shared = Arc::clone(&pair);
            all(6, move |number| {
                let mut done = 0;
                while done < ROUNDS {
                    if number % 2 == 0 {
                        add_one(&mut shared.lock().unwrap());
                    } else if let Ok(mut guard) = shared.try_lock() {
                        add_one(&mut guard);
                    } else {
                        thread::yield_now();
                        continue;
                    }
                    done += 1;
                }
            });
            assert_eq!(pair.lock().unwrap().0, 6 * ROUNDS);
        });
    }

    fn a_hog_starves_nobody() {
        // It takes the lock again at once, whenever it has given it back: without the
        // starving mode, on one P, the others would have it when it is preempted just in
        // between, which hardly happens.
        storms(|_| {
            static STOP: AtomicBool = AtomicBool::new(false);
            static TURNS: AtomicUsize = AtomicUsize::new(0);
            STOP.store(false, Ordering::Relaxed);
            TURNS.store(0, Ordering::Relaxed);
            let lock = Arc::new(Mutex::new(()));
            let (its, mine) = (Arc::clone(&lock), lock);
            let hog = spawn(move || {
                while !STOP.load(Ordering::Relaxed) {
                    let guard = its.lock().unwrap();
                    TURNS.fetch_add(1, Ordering::Relaxed);
                    thread::yield_now(); // with the lock
                    drop(guard);
                }
            });
            until(|| TURNS.load(Ordering::Relaxed) > 0);
            for _ in 0..20 {
                drop(mine.lock().unwrap());
            }
            STOP.store(true, Ordering::Relaxed);
            hog.join().unwrap();
        });
    }

    fn who_is_starving_gets_it_from_who_has_it() {
        // One P, and the hog never gives way without the lock: only a hand-over ends this.
        gomaxprocs(1);
        let lock = Arc::new(Mutex::new(0));
        let done = Arc::new(AtomicBool::new(false));
        let (its, its_done) = (Arc::clone(&lock), Arc::clone(&done));
        let guard = lock.lock().unwrap();
        let starving = spawn_waiting(move || {
            *its.lock().unwrap() += 1;
            its_done.store(true, Ordering::Relaxed);
        });
        drop(guard);
        let mut rounds = 0;
        while !done.load(Ordering::Relaxed) {
            let guard = lock.lock().unwrap();
            let end = nanotime() + 2_000_000; // longer than it takes to be starving
            while nanotime() < end {}
            thread::yield_now(); // it has been woken, in vain
            drop(guard);
            rounds += 1;
        }
        assert!(rounds <= 5, "{rounds} rounds");
        starving.join().unwrap();
        assert_eq!(*lock.lock().unwrap(), 1);
    }

    fn a_preempted_owner_keeps_nobody_spinning() {
        // Many more who want it than Ps, and who has it runs long: the others park.
        gomaxprocs(2);
        gort::__private::preempt_storm(true);
        let sum = Arc::new(Mutex::new(0_u64));
        let shared = Arc::clone(&sum);
        all(100, move |_| {
            let mut guard = shared.lock().unwrap();
            for n in 0..50_000 {
                *guard = black_box(*guard + n % 2);
            }
        });
        gort::__private::preempt_storm(false);
        assert_eq!(*sum.lock().unwrap(), 100 * 25_000);
    }

    fn try_lock_says_who_has_it() {
        let lock = Mutex::new(1);
        let guard = lock.try_lock().unwrap();
        assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
        drop(guard);
        *lock.try_lock().unwrap() += 1;
        assert_eq!(lock.into_inner().unwrap(), 2);
    }

    fn a_waiting_one_gets_it_from_the_owner() {
        let lock = Arc::new(Mutex::new(String::from("a")));
        let guard = lock.lock().unwrap();
        let its = Arc::clone(&lock);
        let waits = spawn_waiting(move || its.lock().unwrap().push('c'));
        {
            let mut guard = guard;
            guard.push('b');
        }
        waits.join().unwrap();
        assert_eq!(*lock.lock().unwrap(), "abc");
    }

    fn the_rest_of_it() {
        let mut lock = Mutex::from(3);
        *lock.get_mut().unwrap() += 1;
        lock.clear_poison();
        assert!(!lock.is_poisoned());
        assert_eq!(format!("{lock:?}"), "Mutex { data: 4, poisoned: false, .. }");
        let guard = lock.lock().unwrap();
        assert_eq!(format!("{guard:?} {guard}"), "4 4");
        assert_eq!(format!("{lock:?}"), "Mutex { data: \"<locked>\", poisoned: false, .. }");
        drop(guard);
        assert_eq!(*Mutex::<u8>::default().lock().unwrap(), 0);
        let _: Mutex<Plain> = Mutex::new(Plain);

        let unsized_one: Box<Mutex<[u8]>> = Box::new(Mutex::new([1, 2, 3]));
        unsized_one.lock().unwrap()[1] = 7;
        assert_eq!(*unsized_one.lock().unwrap(), [1, 7, 3]);
    }

    fn it_may_be_moved_and_is_small() {
        let lock = Mutex::new(5_u64);
        drop(lock.lock().unwrap());
        let moved = Box::new(lock);
        assert_eq!(*moved.lock().unwrap(), 5);
        assert_eq!(size_of::<Mutex<()>>(), 16);
    }

    fn guards_are_shared_and_not_sent() {
        fn shared<T: Sync>() {}
        fn sent<T: Send>() {}
        shared::<MutexGuard<'_, u8>>();
        shared::<Mutex<core::cell::Cell<u8>>>();
        sent::<Mutex<core::cell::Cell<u8>>>();
        // Ambiguous if it were Send.
        trait NotSend<A> { fn check() {} }
        impl<T: ?Sized> NotSend<()> for T {}
        struct IsSend;
        impl<T: ?Sized + Send> NotSend<IsSend> for T {}
        <MutexGuard<'_, u8> as NotSend<_>>::check();
    }

    fn errors_are_stds() {
        let mut error = PoisonError::new(3);
        *error.get_mut() += 1;
        assert_eq!(*error.get_ref(), 4);
        assert_eq!(format!("{error:?}"), "PoisonError { .. }");
        assert_eq!(format!("{error}"), "poisoned lock: another task failed inside");
        let poisoned = TryLockError::from(error);
        assert_eq!(format!("{poisoned:?}"), "\"Poisoned(..)\"");
        assert_eq!(format!("{poisoned}"), "poisoned lock: another task failed inside");
        let blocked: TryLockError<u8> = TryLockError::WouldBlock;
        assert_eq!(format!("{blocked:?}"), "\"WouldBlock\"");
        assert_eq!(format!("{blocked}"), "try_lock failed because the operation would block");
        let dynamic: &dyn Error = &blocked;
        assert!(dynamic.source().is_none());
        let TryLockError::Poisoned(error) = poisoned else { panic!("it was") };
        assert_eq!(error.into_inner(), 4);
    }

    fn who_was_woken_may_free_it() {
        // The last to have it drops it, while the one before is about to leave `unlock`.
        storms(|_| {
            for _ in 0..200 {
                let lock = Arc::new(Mutex::new(0));
                let handles = [(); 3].map(|()| {
                    let lock = Arc::clone(&lock);
                    spawn(move || {
                        let mut guard = lock.lock().unwrap();
                        *guard += 1;
                        thread::yield_now();
                    })
                });
                drop(lock);
                for handle in handles {
                    handle.join().unwrap();
                }
            }
        });
    }
}
