//! A lock for what is below the runtime: a thread that has it is not interrupted, and one
//! that waits for it spins. For a few hundred instructions.

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
}
