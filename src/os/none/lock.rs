//! A lock for what is below the runtime: a thread that has it is not interrupted, and one
//! that waits for it spins. For a few hundred instructions.

use core::hint::spin_loop;

use spin::Mutex;
use x86_64::instructions::interrupts::without_interrupts;

/// A value behind such a lock.
pub(super) struct Locked<T>(Mutex<T>);

impl<T> Locked<T> {
    /// Puts a value there.
    pub(super) const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Calls `f` with the value, interrupts off. `f` must not fault, and must not take the
    /// same lock.
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        without_interrupts(|| f(&mut self.0.lock()))
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
