//! Notes: one thread sleeps until another says that something has happened.
//!
//! Go's counterparts: `noteclear`, `notesleep`, `notetsleep`, `notewakeup` in
//! `runtime/lock_futex.go`.
//!
//! Invariants:
//! 1. Between two `clear`s at most one party calls `wakeup`, once, and one sleeps.
//! 2. `clear` comes before whatever lets the other find the note: nobody wakes what
//!    is about to be cleared.
//! 3. What was done before `wakeup` is seen after the sleep.
//!
//! The file stands alone: what it uses of `super` are models in the tests under
//! loom. The struct is in `runtime2`, beside M, which has one.

use core::sync::atomic::Ordering;

use super::os::{futexsleep, futexwakeup, nanotime};
use super::runtime2::Note;
use super::throw;

/// Nothing has happened yet; a new note is that.
const CLEAR: u32 = 0;
/// `wakeup` was called.
const WOKEN: u32 = 1;

impl Note {
    /// Makes the note ready for the next sleep. Nobody sleeps on it, nobody is about to
    /// wake it.
    pub(crate) fn clear(&self) {
        // Relaxed: whatever leads the other party to the note orders this before it.
        self.key.store(CLEAR, Ordering::Relaxed);
    }

    /// Sleeps until [`wakeup`](Self::wakeup). Returns at once if that has been called.
    pub(crate) fn sleep(&self) {
        while !self.is_woken() {
            futexsleep(&self.key, CLEAR, -1);
        }
    }

    /// The same, for at most so many nanoseconds; for ever if that is negative. Tells
    /// whether it was woken.
    #[must_use]
    pub(crate) fn tsleep(&self, ns: i64) -> bool {
        if ns < 0 {
            self.sleep();
            return true;
        }
        let mut left = ns;
        let deadline = nanotime().saturating_add(ns);
        while !self.is_woken() {
            if left <= 0 {
                return false;
            }
            futexsleep(&self.key, CLEAR, left);
            left = deadline - nanotime();
        }
        true
    }

    /// Wakes who sleeps on the note, or will. From any thread, with or without a P.
    pub(crate) fn wakeup(&self) {
        // Release pairs with is_woken's acquire.
        if self.key.swap(WOKEN, Ordering::Release) != CLEAR {
            throw("notewakeup - double wakeup");
        }
        futexwakeup(&self.key, 1);
    }

    /// Tells whether it has happened.
    fn is_woken(&self) -> bool {
        self.key.load(Ordering::Acquire) != CLEAR // pairs with wakeup's release
    }
}
