//! The runtime's own goroutines: nobody counts them, and no traceback and no deadlock's
//! report shows them.
//!
//! Go's counterpart: `isSystemGoroutine` in `runtime/traceback.go`, which goes by the
//! names of functions.

use core::sync::atomic::{AtomicU64, Ordering};

use super::runtime2::G;

/// One of them: its number, or 0 before it is started.
pub(super) struct SystemGoroutine(AtomicU64);

/// What gives free memory back.
pub(super) static SCAVENGER: SystemGoroutine = SystemGoroutine(AtomicU64::new(0));

/// What hands signals on.
pub(super) static SIGNAL_RECEIVER: SystemGoroutine = SystemGoroutine(AtomicU64::new(0));

impl SystemGoroutine {
    /// It has been started.
    pub(super) fn set(&self, goid: u64) {
        self.0.store(goid, Ordering::Relaxed); // a number, for those who count
    }

    /// Tells whether it has been started.
    pub(super) fn exists(&self) -> bool {
        self.get() != 0
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed) // as above
    }
}

/// Counts the runtime's own goroutines.
pub(super) fn system_goroutines() -> usize {
    usize::from(SCAVENGER.exists()) + usize::from(SIGNAL_RECEIVER.exists())
}

/// Tells whether a goroutine is the runtime's own; no goroutine is number 0.
pub(super) fn is_system(gp: &G) -> bool {
    let goid = gp.goid.get();
    // Where there is never a receiver the compiler knows, and leaves this out.
    goid == SCAVENGER.get() || SIGNAL_RECEIVER.exists() && goid == SIGNAL_RECEIVER.get()
}
