//! A lock for what is below the runtime: a thread that has it is not interrupted, and one
//! that waits for it spins. For a few hundred instructions.

use core::cell::UnsafeCell;
use core::hint::spin_loop;

use spin::mutex::SpinMutex;
use x86_64::instructions::interrupts::{self, without_interrupts};

/// A value behind such a lock.
pub(super) struct Locked<T> {
    lock: SpinMutex<()>,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached by who has the lock, one CPU at a time.
unsafe impl<T: Send> Sync for Locked<T> {}

impl<T> Locked<T> {
    /// Puts a value there.
    pub(super) const fn new(value: T) -> Self {
        Self {
            lock: SpinMutex::new(()),
            value: UnsafeCell::new(value),
        }
    }

    /// Calls `f` with the value, interrupts off. `f` must not fault, and must not take the
    /// same lock.
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let enabled = self.lock();
        // SAFETY: this CPU has the lock.
        let result = f(unsafe { self.value() });
        // SAFETY: as above; it is what `lock` has returned.
        unsafe { self.unlock(enabled) };
        result
    }

    /// Takes the lock, and tells whether interrupts were on: the first part of
    /// [`with`](Self::with).
    pub(super) fn lock(&self) -> bool {
        lock(&self.lock)
    }

    /// Returns the value.
    ///
    /// # Safety
    ///
    /// This CPU must have the lock; or be the only one, and not interrupted.
    #[allow(clippy::mut_from_ref, reason = "as the lock's")]
    pub(super) unsafe fn value(&self) -> &mut T {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.value.get() }
    }

    /// Gives the lock back, and lets interrupts through if they were.
    ///
    /// # Safety
    ///
    /// This CPU must have the lock, and `enabled` be what [`lock`](Self::lock) has returned.
    pub(super) unsafe fn unlock(&self, enabled: bool) {
        // SAFETY: the caller's promise.
        unsafe { unlock(&self.lock, enabled) };
    }

    /// The same without the value, for what may be done by two at a time rather than not at
    /// all: who has the lock may be whom we have interrupted by a fault.
    pub(super) fn with_luck<R>(&self, f: impl FnOnce() -> R) -> R {
        const PATIENCE: u32 = 10_000_000;
        without_interrupts(|| {
            let mut tries = 0;
            let guard = loop {
                let guard = self.lock.try_lock();
                if guard.is_some() || tries == PATIENCE {
                    break guard;
                }
                tries += 1;
                spin_loop();
            };
            let result = f();
            drop(guard);
            result
        })
    }
}

/// Takes a lock, and tells whether interrupts were on.
#[inline(never)] // here and below: an emulator translates each copy
fn lock(lock: &SpinMutex<()>) -> bool {
    let enabled = interrupts::are_enabled();
    interrupts::disable();
    match lock.try_lock() {
        Some(guard) => core::mem::forget(guard),
        None => core::mem::forget(lock.lock()),
    }
    enabled
}

/// Gives it back, and lets interrupts through if they were.
///
/// # Safety
///
/// This CPU must have the lock, and `enabled` be what [`lock`] has returned.
#[inline(never)]
unsafe fn unlock(lock: &SpinMutex<()>, enabled: bool) {
    // SAFETY: the caller's promise.
    unsafe { lock.force_unlock() };
    if enabled {
        interrupts::enable();
    }
}
