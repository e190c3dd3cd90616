//! The raw locks, under the crate lock_api's types.

use alloc::format;
use alloc::sync::Arc;

use gort::sync::raw::lock_api::{
    self, GetThreadId as _, RawMutex as _, RawRwLock as _, RwLockWriteGuard,
};
use gort::sync::raw::{RawMutex, RawRwLock, RawThreadId};
use gort::thread;

use crate::{all, spawn, storms};

type Mutex<T> = lock_api::Mutex<RawMutex, T>;
type RwLock<T> = lock_api::RwLock<RawRwLock, T>;
type ReentrantMutex<T> = lock_api::ReentrantMutex<RawMutex, RawThreadId, T>;

gort_test::test_module! {
    fn a_mutex() {
        static SUM: Mutex<usize> = Mutex::new(0);
        storms(|_| {
            *SUM.lock() = 0;
            all(6, |_| {
                for _ in 0..500 {
                    *SUM.lock() += 1;
                }
            });
            assert_eq!(*SUM.lock(), 6 * 500);
        });
        let guard = SUM.lock();
        assert!(SUM.is_locked() && SUM.try_lock().is_none());
        drop(guard);
        assert!(!SUM.is_locked());
    }

    fn a_lock_for_readers_and_a_writer() {
        static SUM: RwLock<usize> = RwLock::new(0);
        storms(|_| {
            *SUM.write() = 0;
            all(6, |number| {
                for _ in 0..500 {
                    if number % 2 == 0 {
                        *SUM.write() += 1;
                    } else {
                        assert!(*SUM.read() <= 3 * 500);
                    }
                }
            });
            assert_eq!(*SUM.read(), 3 * 500);
        });
        let guard = SUM.write();
        assert!(SUM.is_locked() && SUM.is_locked_exclusive() && SUM.try_read().is_none());
        let guard = RwLockWriteGuard::downgrade(guard);
        assert!(SUM.is_locked() && !SUM.is_locked_exclusive() && SUM.try_read().is_some());
        drop(guard);
        assert!(!SUM.is_locked());
    }

    fn a_reentrant_mutex_is_the_goroutines() {
        storms(|_| {
            let lock = Arc::new(ReentrantMutex::new(core::cell::Cell::new(0)));
            let shared = Arc::clone(&lock);
            all(4, move |_| {
                for _ in 0..100 {
                    let outer = shared.lock();
                    thread::yield_now(); // maybe to another thread
                    let inner = shared.lock();
                    inner.set(outer.get() + 1);
                }
            });
            assert_eq!(lock.lock().get(), 400);
            let guard = lock.lock();
            let its = Arc::clone(&lock);
            assert!(spawn(move || its.try_lock().is_none()).join().unwrap());
            drop(guard);
        });
        let other = spawn(|| RawThreadId::INIT.nonzero_thread_id()).join().unwrap();
        assert_ne!(RawThreadId::INIT.nonzero_thread_id(), other);
    }

    fn the_locks_alone() {
        static MUTEX: RawMutex = RawMutex::INIT;
        assert!(MUTEX.try_lock() && !MUTEX.try_lock());
        assert_eq!(format!("{MUTEX:?}"), "RawMutex { locked: true, .. }");
        // SAFETY: we have it.
        unsafe { MUTEX.unlock() };
        static LOCK: RawRwLock = RawRwLock::INIT;
        LOCK.lock_shared();
        assert_eq!(format!("{LOCK:?}"), "RawRwLock { locked: true, .. }");
        // SAFETY: we are in.
        unsafe { LOCK.unlock_shared() };
        assert!(LOCK.try_lock_exclusive());
        // SAFETY: we have it.
        unsafe { LOCK.unlock_exclusive() };
    }
}
