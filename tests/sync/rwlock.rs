//! The lock for many readers or one writer.

use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use core::hint::black_box;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gort::runtime::gomaxprocs;
use gort::sync::{RwLock, RwLockWriteGuard, TryLockError};
use gort::thread;

use crate::{all, spawn, spawn_waiting, storms, until};

/// Reads and writes by turns; `gives_way` does so with the lock.
fn mixed(goroutines: usize, rounds: usize, gives_way: bool) {
    let pair = Arc::new(RwLock::new((0_usize, 0_usize)));
    let shared = Arc::clone(&pair);
    all(goroutines, move |number| {
        for round in 0..rounds {
            if (number + round) % 3 == 0 {
                let mut pair = shared.write().unwrap();
                pair.0 = black_box(pair.0) + 1;
                if gives_way {
                    thread::yield_now();
                }
                pair.1 = black_box(pair.1) + 1;
            } else {
                let pair = shared.read().unwrap();
                let first = black_box(pair.0);
                if gives_way {
                    thread::yield_now();
                }
                assert_eq!(first, black_box(pair.1));
            }
        }
    });
    let writes = (0..goroutines).map(|number| {
        (0..rounds)
            .filter(|round| (number + round) % 3 == 0)
            .count()
    });
    assert_eq!(pair.read().unwrap().0, writes.sum());
}

gort_test::test_module! {
    fn readers_and_writers() {
        storms(|_| mixed(8, 2_000, false));
    }

    fn readers_and_writers_that_give_way() {
        storms(|_| mixed(8, 200, true));
    }

    fn many_read_at_a_time() {
        let lock = Arc::new(RwLock::new(1));
        let inside = Arc::new(AtomicUsize::new(0));
        let (its, counted) = (Arc::clone(&lock), Arc::clone(&inside));
        all(5, move |_| {
            let guard = its.read().unwrap();
            counted.fetch_add(*guard, Ordering::Relaxed);
            until(|| counted.load(Ordering::Relaxed) == 5); // all are in, or this hangs
        });
        assert!(lock.try_write().is_ok());
    }

    fn readers_do_not_starve_writers() {
        // There is always a reader in: each leaves when another has come, or cannot.
        storms(|_| {
            static STOP: AtomicBool = AtomicBool::new(false);
            static READERS: AtomicUsize = AtomicUsize::new(0);
            STOP.store(false, Ordering::Relaxed);
            let lock = Arc::new(RwLock::new(0));
            let readers = [(); 4].map(|()| {
                let lock = Arc::clone(&lock);
                spawn(move || {
                    while !STOP.load(Ordering::Relaxed) {
                        let guard = lock.read().unwrap();
                        READERS.fetch_add(1, Ordering::Relaxed);
                        for _ in 0..3 {
                            thread::yield_now();
                        }
                        READERS.fetch_sub(1, Ordering::Relaxed);
                        drop(guard);
                    }
                })
            });
            until(|| READERS.load(Ordering::Relaxed) > 0);
            for _ in 0..50 {
                let mut guard = lock.write().unwrap();
                assert_eq!(READERS.load(Ordering::Relaxed), 0);
                *guard += 1;
            }
            STOP.store(true, Ordering::Relaxed);
            for reader in readers {
                reader.join().unwrap();
            }
            assert_eq!(*lock.read().unwrap(), 50);
        });
    }

    fn a_new_reader_waits_behind_a_writer_that_waits() {
        gomaxprocs(2);
        let lock = Arc::new(RwLock::new(0));
        let first = lock.read().unwrap();
        let its = Arc::clone(&lock);
        let writer = spawn_waiting(move || *its.write().unwrap() += 1);
        assert!(matches!(lock.try_read(), Err(TryLockError::WouldBlock)));
        let its = Arc::clone(&lock);
        let second = spawn_waiting(move || *its.read().unwrap());
        drop(first);
        writer.join().unwrap();
        assert_eq!(second.join().unwrap(), 1, "the writer came first");
    }

    fn writers_do_not_starve_readers() {
        storms(|_| {
            static STOP: AtomicBool = AtomicBool::new(false);
            static WRITTEN: AtomicUsize = AtomicUsize::new(0);
            STOP.store(false, Ordering::Relaxed);
            WRITTEN.store(0, Ordering::Relaxed);
            let lock = Arc::new(RwLock::new(0_usize));
            let writers = [(); 3].map(|()| {
                let lock = Arc::clone(&lock);
                spawn(move || {
                    while !STOP.load(Ordering::Relaxed) {
                        let mut guard = lock.write().unwrap();
                        *guard += 1;
                        thread::yield_now();
                        WRITTEN.store(*guard, Ordering::Relaxed);
                    }
                })
            });
            until(|| WRITTEN.load(Ordering::Relaxed) > 0);
            for _ in 0..50 {
                let _ = *lock.read().unwrap();
            }
            STOP.store(true, Ordering::Relaxed);
            for writer in writers {
                writer.join().unwrap();
            }
        });
    }

    fn a_writer_lets_all_readers_in_that_wait() {
        let lock = Arc::new(RwLock::new(0));
        let inside = Arc::new(AtomicUsize::new(0));
        let guard = lock.write().unwrap();
        let readers = [(); 4].map(|()| {
            let (lock, inside) = (Arc::clone(&lock), Arc::clone(&inside));
            spawn_waiting(move || {
                let _guard = lock.read().unwrap();
                inside.fetch_add(1, Ordering::Relaxed);
                until(|| inside.load(Ordering::Relaxed) == 4);
            })
        });
        let its = Arc::clone(&lock);
        let writer = spawn_waiting(move || *its.write().unwrap() += 1);
        drop(guard);
        for reader in readers {
            reader.join().unwrap();
        }
        writer.join().unwrap();
        assert_eq!(*lock.read().unwrap(), 1);
    }

    fn a_writer_becomes_a_reader() {
        storms(|_| {
            let lock = Arc::new(RwLock::new(0_usize));
            let shared = Arc::clone(&lock);
            all(6, move |number| {
                for _ in 0..200 {
                    let mut guard = shared.write().unwrap();
                    *guard += 1;
                    let mine = *guard;
                    if number % 2 == 0 {
                        let guard = RwLockWriteGuard::downgrade(guard);
                        thread::yield_now();
                        assert_eq!(*guard, mine, "somebody has written in between");
                    }
                }
            });
            assert_eq!(*lock.write().unwrap(), 6 * 200);
        });
    }

    fn who_downgrades_lets_readers_in() {
        let lock = Arc::new(RwLock::new(0));
        let guard = lock.write().unwrap();
        let its = Arc::clone(&lock);
        let reader = spawn_waiting(move || *its.read().unwrap());
        let its = Arc::clone(&lock);
        let writer = spawn_waiting(move || *its.write().unwrap() = 7);
        let guard = RwLockWriteGuard::downgrade(guard);
        assert_eq!(reader.join().unwrap(), 0, "in, while we are");
        assert!(lock.try_read().is_err(), "the writer waits still");
        drop(guard);
        writer.join().unwrap();
        assert_eq!(*lock.read().unwrap(), 7);
    }

    fn trying() {
        let lock = RwLock::new(1);
        let (one, two) = (lock.try_read().unwrap(), lock.try_read().unwrap());
        assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
        drop(one);
        assert!(lock.try_write().is_err());
        drop(two);
        let guard = lock.try_write().unwrap();
        assert!(lock.try_read().is_err() && lock.try_write().is_err());
        drop(guard);
        assert_eq!(lock.into_inner().unwrap(), 1);
    }

    fn the_rest_of_it() {
        let mut lock = RwLock::from(3);
        *lock.get_mut().unwrap() += 1;
        lock.clear_poison();
        assert!(!lock.is_poisoned());
        assert_eq!(format!("{lock:?}"), "RwLock { data: 4, poisoned: false, .. }");
        let guard = lock.read().unwrap();
        assert_eq!(format!("{guard:?} {guard}"), "4 4");
        drop(guard);
        let guard = lock.write().unwrap();
        assert_eq!(format!("{guard:?} {guard}"), "4 4");
        assert_eq!(format!("{lock:?}"), "RwLock { data: <locked>, poisoned: false, .. }");
        drop(guard);
        assert_eq!(*RwLock::<u8>::default().read().unwrap(), 0);
        let unsized_one: Box<RwLock<[u8]>> = Box::new(RwLock::new([1, 2, 3]));
        unsized_one.write().unwrap()[1] = 7;
        assert_eq!(*unsized_one.read().unwrap(), [1, 7, 3]);
    }
}
