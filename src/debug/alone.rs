//! How the only P that is in use takes a lock without a locked instruction.
//!
//! Go has no counterpart. Of many Ps often one alone runs goroutines: they talk with each
//! other, and are left to it, while all the others are idle. Nobody else can want a
//! [`ParkLock`](super::lock::ParkLock) then, since who takes one holds a P. And the
//! compare-and-swap is most of what an operation on a channel costs.
//!
//! ```text
//!    the P's owner                  who takes an idle P, and has none
//!    taking = true                  alone = false
//!    (no fence)                     membarrier: a fence, there and here
//!    alone? is the word OPEN?       taking? wait until it is not
//!       word = LOCKED
//!    taking = false
//! ```
//!
//! Invariants:
//! 1. `alone` is set, under the lock of the list of idle Ps, while all but one are on it, or
//!    all; and taken back under that lock before a second one leaves it.
//! 2. Who sees it set, and holds a P, holds the only one in use, and does as long as it keeps
//!    it: another's next look comes after a P has changed hands, or after it was taken back.
//!    Should the system have no barrier for us any more, the P stays idle, and LEAVING asks the
//!    owner to take `alone` back, by whom alone it then is.
//! 3. At the barrier the owner is either before its second look, which says no then, or it
//!    has said before that it is `taking`; who waits for the end of that finds LOCKED in the
//!    word. Who takes `alone` back on the owner's own thread, with the P in its hands, is
//!    not in between: that needs no barrier, and is the usual case.
//!
//! The file stands alone: `atomic` and `os` are the runtime's here, and models of them in the
//! tests under loom.

use super::atomic::{AtomicBool, AtomicU32, Ordering};
use super::futex_lock::{LOCKED, OPEN};
use super::os::{light_barrier, membarrier, nap, osyield};

/// What is known: nothing; that there is but one P in any case; that all others are idle; the
/// same, and its owner shall say that it is over.
const MANY: u32 = 0;
const ONE: u32 = 1;
const ALONE: u32 = 2;
const LEAVING: u32 = 3;

/// How often to let others run who may have lost their CPU, before to sleep instead, and for how
/// many nanoseconds: they may have a lower priority.
const YIELDS: u32 = 10;
const NAP: u64 = 20_000;

/// Whether there is such a P. A line of its own: its owner writes here at each lock.
#[repr(align(64))]
pub(crate) struct Alone {
    state: AtomicU32,
    /// The P's owner is in [`take`](Alone::take).
    taking: AtomicBool,
}

impl Alone {
    /// Makes one that says no.
    #[cfg(not(test))] // loom's atomics are no constants
    pub(crate) const fn new() -> Self {
        Self {
            state: AtomicU32::new(MANY),
            taking: AtomicBool::new(false),
        }
    }

    /// The same for the models.
    #[cfg(test)]
    pub(super) fn new() -> Self {
        Self {
            state: AtomicU32::new(MANY),
            taking: AtomicBool::new(false),
        }
    }

    /// Tells whether there is one. Under the lock of the list it stays so; elsewhere a hint.
    #[inline(always)]
    pub(crate) fn is_set(&self) -> bool {
        self.state() != MANY
    }

    #[inline(always)]
    fn state(&self) -> u32 {
        self.state.load(Ordering::Acquire) // pairs with begin
    }

    /// Takes the lock of that word, if it is open and the caller's P is the only one in use.
    /// By who holds a P and keeps it.
    #[inline(always)]
    pub(super) fn take(&self, word: &AtomicU32) -> bool {
        let state = self.state();
        if state == MANY {
            return false;
        }
        if state == ONE {
            // Until the world is stopped, which it is not while we hold our P.
            let open = word.load(Ordering::Relaxed) == OPEN;
            if open {
                word.store(LOCKED, Ordering::Relaxed); // the next owner of the P is after us
            }
            return open;
        }
        self.taking.store(true, Ordering::Relaxed); // the barrier is for the next line
        light_barrier(); // pairs with membarrier in `end`
        // Acquire: what other Ps did under the lock they did before `begin`.
        let state = self.state();
        let takes = state == ALONE && word.load(Ordering::Relaxed) == OPEN;
        if takes {
            word.store(LOCKED, Ordering::Relaxed); // handed over by the next store
        }
        self.taking.store(false, Ordering::Release); // pairs with end
        if state == LEAVING {
            self.leave();
        }
        takes
    }

    /// Takes it back, as somebody has asked for.
    #[cold]
    fn leave(&self) {
        self.state.store(MANY, Ordering::Release); // pairs with state
    }

    /// From here on there is one. Under the lock of the list, and only where there is
    /// membarrier.
    pub(crate) fn begin(&self) {
        self.state.store(ALONE, Ordering::Release); // pairs with state
    }

    /// There is one P, or are several. At boot, or with the world stopped.
    pub(crate) fn only(&self, one: bool) {
        self.state
            .store(if one { ONE } else { MANY }, Ordering::Release); // pairs with state
    }

    /// From here on there is none: by who has the P in its hands, or has stopped the world.
    pub(crate) fn end_own(&self) {
        // Relaxed: who takes the idle P gets it with release and acquire, after this.
        self.state.store(MANY, Ordering::Relaxed);
    }

    /// The same by anybody else. Under the lock of the list. False if the system has no
    /// barrier for us any more, a program may have locked itself in: then there still is one.
    #[cold]
    pub(crate) fn end(&self) -> bool {
        if self.is_leaving() {
            return false;
        }
        self.end_own(); // the barrier is for that
        if !membarrier() {
            // Release, as begin: it is the owner's again, who alone ends it.
            self.state.store(LEAVING, Ordering::Release);
            return false;
        }
        let mut times = 0;
        while self.taking.load(Ordering::Acquire) {
            // Its owner has lost its CPU: it has some instructions left.
            if times < YIELDS {
                osyield();
            } else {
                nap(NAP);
            }
            times += 1;
        }
        true
    }

    /// Tells whether [`end`](Alone::end) has failed, and the owner has not yet heard of it.
    pub(crate) fn is_leaving(&self) -> bool {
        self.state.load(Ordering::Acquire) == LEAVING // pairs with leave
    }
}
