//! A lock for what is below the runtime: a thread that has it is not interrupted, and one
//! that waits for it spins. For a few hundred instructions.

use core::hint::spin_loop;

use spin::mutex::SpinMutex;
use x86_64::instructions::interrupts::{self, without_interrupts};

/// A value behind such a lock.
pub(super) struct Locked<T>(SpinMutex<T>);

impl<T> Locked<T> {
    /// Puts a value there.
    pub(super) const fn new(value: T) -> Self {
        Self(SpinMutex::new(value))
    }

    /// Calls `f` with the value, interrupts off. `f` must not fault, and must not take the
    /// same lock.
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let enabled = self.lock();
        // SAFETY: this CPU has the lock.
        let result = f(unsafe { &mut *self.0.as_mut_ptr() });
        // SAFETY: as above; it is what `lock` has returned.
        unsafe { self.unlock(enabled) };
        result
    }

    /// Takes the lock, and tells whether interrupts were on.
    #[inline(never)] // here and below: an emulator translates each copy
    fn lock(&self) -> bool {
        let enabled = interrupts::are_enabled();
        if enabled {
            interrupts::disable();
        }
        core::mem::forget(self.0.lock());
        enabled
    }

    /// Gives it back, and lets interrupts through if they were.
    ///
    /// # Safety
    ///
    /// This CPU must have the lock, and `enabled` be what [`lock`](Self::lock) has returned.
    #[inline(never)]
    unsafe fn unlock(&self, enabled: bool) {
        // SAFETY: the caller's promise.
        unsafe { self.0.force_unlock() };
        if enabled {
            interrupts::enable();
        }
    }

    /// The same without the value, for what may be done by two at a time rather than not at
    /// all: who has the lock may be whom we have interrupted by a fault.
    pub(super) fn with_luck<R>(&self, f: impl FnOnce() -> R) -> R {
        const PATIENCE: u32 = 10_000_000;
        without_interrupts(|| {
            let mut tries = 0;
            let guard = loop {
                let guard = self.0.try_lock();
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
