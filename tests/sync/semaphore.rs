//! The semaphore.

use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;

use gort::__private::waiting;
use gort::sync::{Mutex, Semaphore};
use gort::thread;

use crate::{LONG, SHORT, all, spawn, spawn_waiting, storms, until};

gort_test::test_module! {
    fn no_more_than_there_are() {
        storms(|_| {
            const PERMITS: usize = 5;
            let semaphore = Arc::new(Semaphore::new(PERMITS));
            let inside = Arc::new(AtomicUsize::new(0));
            let (its, counted) = (Arc::clone(&semaphore), Arc::clone(&inside));
            all(8, move |number| {
                for round in 0..300 {
                    let wants = (number + round) % PERMITS + 1;
                    let permit = its.acquire_many(wants as u32);
                    assert_eq!(permit.num_permits(), wants);
                    let before = counted.fetch_add(wants, Ordering::Relaxed);
                    assert!(before + wants <= PERMITS);
                    if round % 3 == 0 {
                        thread::yield_now();
                    }
                    counted.fetch_sub(wants, Ordering::Relaxed);
                    drop(permit);
                }
            });
            assert_eq!(semaphore.available_permits(), PERMITS);
        });
    }

    fn who_comes_first_is_served_first() {
        // A large one in front keeps small ones waiting, though there are enough for them.
        static ORDER: Mutex<Vec<u32>> = Mutex::new(Vec::new());
        let semaphore = Arc::new(Semaphore::new(3));
        let all_but_one = semaphore.acquire_many(2);
        let waiters = [3, 1, 2].map(|wants| {
            let semaphore = Arc::clone(&semaphore);
            spawn_waiting(move || {
                let permit = semaphore.acquire_many(wants);
                ORDER.lock().unwrap().push(wants);
                thread::yield_now();
                drop(permit);
            })
        });
        assert_eq!(semaphore.available_permits(), 1);
        assert!(semaphore.try_acquire().is_none(), "others wait");
        drop(all_but_one);
        for waiter in waiters {
            waiter.join().unwrap();
        }
        assert_eq!(ORDER.lock().unwrap()[0], 3);
        assert_eq!(semaphore.available_permits(), 3);
    }

    fn a_large_request_does_not_starve() {
        storms(|_| {
            let semaphore = Arc::new(Semaphore::new(4));
            let its = Arc::clone(&semaphore);
            all(5, move |number| {
                for _ in 0..100 {
                    let permit = its.acquire_many(if number == 0 { 4 } else { 1 });
                    thread::yield_now();
                    drop(permit);
                }
            });
            assert_eq!(semaphore.available_permits(), 4);
        });
    }

    fn a_time_that_is_over() {
        let semaphore = Semaphore::new(1);
        let permit = semaphore.acquire_timeout(LONG).unwrap();
        assert!(semaphore.acquire_timeout(SHORT).is_none());
        assert!(semaphore.acquire_many_timeout(2, Duration::ZERO).is_none());
        drop(permit);
        assert_eq!(semaphore.available_permits(), 1);
        assert!(semaphore.acquire_many_timeout(2, SHORT).is_none());
        assert!(semaphore.try_acquire().is_some(), "nobody waits any more");
    }

    fn who_gives_up_does_not_stay_in_the_way() {
        let semaphore = Arc::new(Semaphore::new(1));
        let its = Arc::clone(&semaphore);
        let before = waiting();
        let large = spawn(move || its.acquire_many_timeout(2, SHORT * 10).is_some());
        until(|| waiting() > before || large.is_finished());
        let its = Arc::clone(&semaphore);
        let small = thread::spawn(move || drop(its.acquire())); // behind it, or after
        assert!(!large.join().unwrap());
        small.join().unwrap();
        assert_eq!(semaphore.available_permits(), 1);
    }

    fn no_permit_is_lost_to_a_time_that_is_over() {
        storms(|_| {
            let semaphore = Arc::new(Semaphore::new(2));
            let its = Arc::clone(&semaphore);
            all(6, move |number| {
                for round in 0..200_u64 {
                    let timeout = Duration::from_micros(round % 30);
                    let wants = number as u32 % 2 + 1;
                    if let Some(permit) = its.acquire_many_timeout(wants, timeout) {
                        thread::yield_now();
                        drop(permit);
                    }
                }
            });
            assert_eq!(semaphore.available_permits(), 2);
            drop(semaphore.try_acquire_many(2).unwrap());
        });
    }

    fn the_rest_of_it() {
        static SEMAPHORE: Semaphore = Semaphore::new(2);
        SEMAPHORE.acquire().forget();
        assert_eq!(format!("{SEMAPHORE:?}"), "Semaphore { permits: 1 }");
        assert!(SEMAPHORE.try_acquire_many(2).is_none());
        SEMAPHORE.release(3);
        let permit = SEMAPHORE.try_acquire_many(4).unwrap();
        assert_eq!((permit.num_permits(), SEMAPHORE.available_permits()), (4, 0));
        drop(SEMAPHORE.acquire_many(0));
        drop(permit);
        assert_eq!(SEMAPHORE.available_permits(), 4);
    }

    #[should_panic(expected = "too many permits")]
    fn there_is_a_most() {
        let semaphore = Semaphore::new(Semaphore::MAX_PERMITS);
        semaphore.release(1);
    }
}
