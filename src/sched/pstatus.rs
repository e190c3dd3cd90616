//! What a P is doing, and who gets it when its M is in a system call.
//!
//! Go's counterpart: `p.status`, `p.syscalltick` and their uses in `reentersyscall`,
//! `exitsyscallfast`, `retake` and `stopTheWorldWithSema` of `runtime/proc.go`.
//!
//! An M that goes into a system call leaves its P where it is, with the status
//! Syscall. If it is back soon it goes on with it; until then sysmon may have taken it
//! away, or whoever stops the world:
//!
//! ```text
//!               enter_syscall                retake (sysmon)
//!            +-----------------> Syscall ---------------------> Idle
//!   Running  |                     |  |
//!            +<--------------------+  +-----------------------> Gcstop
//!               exit_syscall                 retake (stop the world)
//! ```
//!
//! Invariants:
//! 1. Out of Syscall there are only compare-and-swaps: one of the rivals gets the P.
//!    All other edges have one party that can make them, who stores.
//! 2. Who gets the P sees all that was done with it before `enter_syscall`.
//! 3. A P in Syscall belongs to nobody. The M that left it there may come back when it
//!    has been through other hands and is in another M's system call: it takes it all
//!    the same, and the other M finds it gone.
//!
//! The file stands alone, generic over its atomics: `atomic` is
//! `core::sync::atomic` here, and loom's in the tests.

use super::atomic::{AtomicU32, Ordering, fence};

/// A P's status, with Go's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum PStatus {
    /// On the idle list, or on its way there or from there.
    Idle = 0,
    /// An M runs goroutines with it, or looks for some.
    Running = 1,
    /// Its M is in a system call.
    Syscall = 2,
    /// The world is stopped.
    Gcstop = 3,
    /// GOMAXPROCS was made smaller.
    Dead = 4,
}

/// The status, and which system call it is. All zeros are an idle P's.
#[repr(C)]
pub(crate) struct PState {
    pub(super) status: AtomicU32,
    pub(super) syscalltick: AtomicU32,
}

impl PState {
    /// Makes an idle P's.
    #[cfg(test)] // elsewhere a P is made of zeros
    pub(crate) fn new() -> Self {
        Self {
            status: AtomicU32::new(PStatus::Idle as u32),
            syscalltick: AtomicU32::new(0),
        }
    }

    /// Tells whether the P is in a status. By the P's owner, or as a hint.
    pub(crate) fn is(&self, status: PStatus) -> bool {
        self.status.load(Ordering::Acquire) == status as u32 // pairs with set
    }

    /// Returns the status and the system call that it is in, or was in last, as numbers
    /// to look at.
    #[allow(
        dead_code,
        reason = "for the scheduler's trace, which some builds lack"
    )]
    pub(crate) fn numbers(&self) -> (u32, u32) {
        // Ordered with nothing.
        (
            self.status.load(Ordering::Relaxed),
            self.syscalltick.load(Ordering::Relaxed),
        )
    }

    /// Sets the status, by whoever holds the P: its M, or under the scheduler's lock
    /// whoever takes it from a list. Not for a P in a system call.
    pub(crate) fn set(&self, status: PStatus) {
        debug_assert!(!self.is(PStatus::Syscall), "the P is everybody's");
        self.status.store(status as u32, Ordering::Release); // pairs with is
    }

    /// Leaves the P where it is, since its M goes into a system call. By its M, in
    /// Running, which from now on does not touch it.
    ///
    /// The M has to look afterwards whether the world is to be stopped, and whether
    /// sysmon sleeps: who stops the world says so, fences, and looks at the status. One
    /// of them sees the other.
    pub(crate) fn enter_syscall(&self) {
        let tick = self.syscalltick.load(Ordering::Relaxed).wrapping_add(1); // only the owner writes it
        self.syscalltick.store(tick, Ordering::Relaxed); // published by the next line
        // Release pairs with retake's and exit_syscall's acquire.
        self.status
            .store(PStatus::Syscall as u32, Ordering::Release);
        fence(Ordering::SeqCst); // pairs with that of who stops the world
    }

    /// Takes the P back after a system call; false if somebody else has it. By the M
    /// that left it.
    #[must_use]
    pub(crate) fn exit_syscall(&self) -> bool {
        self.leave_syscall(PStatus::Running)
    }

    /// Returns which system call the P is in, if it is in one, for
    /// [`PState::retake_from`]. For all.
    pub(crate) fn syscall(&self) -> Option<u32> {
        // Acquire pairs with enter_syscall: the tick is that call's, or a later one's.
        (self.status.load(Ordering::Acquire) == PStatus::Syscall as u32)
            .then(|| self.syscalltick.load(Ordering::Relaxed))
    }

    /// Takes the P away from its M if that is in a system call, and makes it the
    /// caller's, as Idle or as Gcstop.
    #[must_use]
    pub(crate) fn retake(&self, to: PStatus) -> bool {
        self.leave_syscall(to)
    }

    /// The same, as Idle, if the P is in the system call that [`PState::syscall`] told
    /// of. Best effort: one that has just begun may be taken for the one that has just
    /// ended, which costs its M a P, and nothing else.
    #[must_use]
    pub(crate) fn retake_from(&self, syscall: u32) -> bool {
        self.syscall() == Some(syscall) && self.retake(PStatus::Idle)
    }

    /// Takes the P out of a system call, if it is in one.
    fn leave_syscall(&self, to: PStatus) -> bool {
        // Acquire pairs with enter_syscall, maybe another M's than we think; release
        // with `is`. Relaxed: nothing was learnt.
        self.status
            .compare_exchange(
                PStatus::Syscall as u32,
                to as u32,
                Ordering::AcqRel,
                Ordering::Relaxed,
            )
            .is_ok()
    }
}
