//! Locks, groups and semaphores for C. They lie in memory of C's, which is as good as
//! new when it is all zeros; gort.h makes room for them.

use core::ffi::c_int;
use core::time::Duration;

use super::errno;
use crate::debug::fatal::fatal;
use crate::sync::Semaphore;
use crate::sync::go::WaitGroup;
use crate::sync::raw::lock_api::{RawMutex as _, RawRwLock as _};
use crate::sync::raw::{RawMutex, RawRwLock};

/// Checks that C makes room for one in so many words.
const fn room<T>(words: usize) {
    assert!(size_of::<T>() == words * size_of::<u64>());
    assert!(align_of::<T>() <= align_of::<u64>());
}

const _: () = room::<RawMutex>(2);
const _: () = room::<RawRwLock>(3);
const _: () = room::<WaitGroup>(2);
const _: () = room::<Semaphore>(2);

/// Takes the lock.
#[unsafe(no_mangle)]
extern "C" fn gort_mutex_lock(mutex: &RawMutex) {
    mutex.lock();
}

/// Takes the lock, if it is open: 0 or -EBUSY.
#[unsafe(no_mangle)]
extern "C" fn gort_mutex_try_lock(mutex: &RawMutex) -> c_int {
    if mutex.try_lock() { 0 } else { -errno::EBUSY }
}

/// Opens the lock.
#[unsafe(no_mangle)]
extern "C" fn gort_mutex_unlock(mutex: &RawMutex) {
    if !mutex.is_locked() {
        fatal("sync: unlock of unlocked mutex");
    }
    // SAFETY: it is locked, and whoever has it may open it.
    unsafe { mutex.unlock() };
}

/// Takes the lock for oneself.
#[unsafe(no_mangle)]
extern "C" fn gort_rwlock_lock(lock: &RawRwLock) {
    lock.lock_exclusive();
}

/// Takes the lock for oneself, if it is open: 0 or -EBUSY.
#[unsafe(no_mangle)]
extern "C" fn gort_rwlock_try_lock(lock: &RawRwLock) -> c_int {
    if lock.try_lock_exclusive() {
        0
    } else {
        -errno::EBUSY
    }
}

/// Opens the lock.
#[unsafe(no_mangle)]
extern "C" fn gort_rwlock_unlock(lock: &RawRwLock) {
    if !lock.is_locked_exclusive() {
        fatal("sync: unlock of unlocked rwlock");
    }
    // SAFETY: a writer has it, who may open it.
    unsafe { lock.unlock_exclusive() };
}

/// Takes the lock as a reader.
#[unsafe(no_mangle)]
extern "C" fn gort_rwlock_rlock(lock: &RawRwLock) {
    lock.lock_shared();
}

/// Takes the lock as a reader, if no writer has it or wants it: 0 or -EBUSY.
#[unsafe(no_mangle)]
extern "C" fn gort_rwlock_try_rlock(lock: &RawRwLock) -> c_int {
    if lock.try_lock_shared() {
        0
    } else {
        -errno::EBUSY
    }
}

/// Gives up being a reader.
#[unsafe(no_mangle)]
extern "C" fn gort_rwlock_runlock(lock: &RawRwLock) {
    if !lock.is_locked() || lock.is_locked_exclusive() {
        fatal("sync: runlock of rwlock without readers");
    }
    // SAFETY: a reader has it, who may give that up.
    unsafe { lock.unlock_shared() };
}

/// Adds to the count.
#[unsafe(no_mangle)]
extern "C" fn gort_waitgroup_add(group: &WaitGroup, delta: c_int) {
    group.add(delta);
}

/// Takes one off the count.
#[unsafe(no_mangle)]
extern "C" fn gort_waitgroup_done(group: &WaitGroup) {
    group.done();
}

/// Waits until the count is 0.
#[unsafe(no_mangle)]
extern "C" fn gort_waitgroup_wait(group: &WaitGroup) {
    group.wait();
}

/// Takes so many permits.
#[unsafe(no_mangle)]
extern "C" fn gort_semaphore_acquire(semaphore: &Semaphore, permits: u32) {
    semaphore.acquire_many(permits).forget();
}

/// Takes so many permits, if they are there: 0 or -EAGAIN.
#[unsafe(no_mangle)]
extern "C" fn gort_semaphore_try_acquire(semaphore: &Semaphore, permits: u32) -> c_int {
    match semaphore.try_acquire_many(permits) {
        Some(permit) => {
            permit.forget();
            0
        }
        None => -errno::EAGAIN,
    }
}

/// Takes so many permits, if they are there within that time.
#[unsafe(no_mangle)]
extern "C" fn gort_semaphore_acquire_timeout(
    semaphore: &Semaphore,
    permits: u32,
    timeout_ns: i64,
) -> c_int {
    let timeout = match timeout_ns {
        0 => return gort_semaphore_try_acquire(semaphore, permits),
        1.. => Duration::from_nanos(timeout_ns.unsigned_abs()),
        _ => Duration::MAX, // for ever
    };
    match semaphore.acquire_many_timeout(permits, timeout) {
        Some(permit) => {
            permit.forget();
            0
        }
        None => -errno::ETIMEDOUT,
    }
}

/// Gives so many permits back, or makes them.
#[unsafe(no_mangle)]
extern "C" fn gort_semaphore_release(semaphore: &Semaphore, permits: u32) {
    semaphore.release(permits as usize);
}
