//! The queues' lock: one of loom's, which is taken and given back by calls.

use std::cell::UnsafeCell;
use std::ffi::c_void;

use loom::sync::{Mutex, MutexGuard};

use super::runtime2::G;

/// The lock.
pub(super) struct ParkLock {
    guard: UnsafeCell<Option<MutexGuard<'static, ()>>>,
    mutex: Box<Mutex<()>>,
}

// SAFETY: the guard is touched by who has the lock.
unsafe impl Sync for ParkLock {}
// SAFETY: as above.
unsafe impl Send for ParkLock {}

impl ParkLock {
    pub(super) fn new() -> Self {
        Self {
            guard: UnsafeCell::new(None),
            mutex: Box::new(Mutex::new(())),
        }
    }

    pub(super) fn lock(&self) {
        let mutex: *const Mutex<()> = &raw const *self.mutex;
        // SAFETY: the guard goes before the box does.
        let guard = unsafe { &*mutex }.lock().unwrap();
        // SAFETY: we have the lock.
        unsafe { *self.guard.get() = Some(guard) };
    }

    pub(super) fn unlock(&self) {
        // SAFETY: we have the lock.
        let guard = unsafe { &mut *self.guard.get() }.take();
        drop(guard.expect("nobody has the lock"));
    }
}

/// gopark's unlock function for who has taken a lock.
pub(super) unsafe fn open<L>(_: &'static G, lock: *const c_void) -> bool {
    // SAFETY: the caller's promise.
    unsafe { &*lock.cast::<ParkLock>() }.unlock();
    true
}
