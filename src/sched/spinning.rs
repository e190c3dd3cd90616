//! Who looks for work: how many Ms spin, how many Ps are idle, and the protocol by
//! which a goroutine that is ready never lies in a queue while a P lies idle.
//!
//! Go's counterpart: "Worker thread parking/unparking", `sched.nmspinning`,
//! `sched.npidle`, `wakep`, `resetspinning` and the "delicate dance" of
//! `findRunnable` in `runtime/proc.go`.
//!
//! An M *spins* while it holds a P, has nothing to run, and looks for something in
//! the others' queues. Who queues a goroutine wakes another M only if none spins: the
//! one that spins will find it, and the last to stop spinning with something to run
//! wakes the next. Three parties, and what each does in which order:
//!
//! ```text
//!   who queues          who stops with something     who stops with nothing
//!   (goready, newproc)  (resetspinning)              (findRunnable, its end)
//!
//!   queue it            nmspinning -= 1              P onto the idle list, npidle += 1
//!                                                    nmspinning -= 1, if it spun
//!   ---- fence ----     ---- fence ----              ---- fence ----
//!   npidle?             npidle?                      nmspinning?
//!   nmspinning?         nmspinning?                  0: look into all queues again
//!   claim, startm       claim, startm                what is there: claim a P, spin
//! ```
//!
//! Each writes, fences, and reads what the others write. Of two fences one comes
//! first, and who has the second sees what was written before the first. So
//! 1. who queues while a P goes idle: either sees the idle P, or the other sees what
//!    was queued, when it looks again;
//! 2. who sees an M that spins may rely on it: that one's stop comes later than what
//!    was seen, and so does its fence; and the last to stop looks at all there is;
//! 3. who claims the right to start an M and finds no idle P gives it back as if it
//!    had spun ([`Spinning::unclaim`]): another may have relied on it meanwhile.
//!
//! Here Go differs: an M that did not spin does not look again, which a flag,
//! `needspinning`, makes good for, and for that `wakep` takes the scheduler's lock
//! whenever no M spins, though all Ps are busy. Here all look again, if nobody
//! spins, the flag is gone, and who queues while all Ps are busy reads one word.
//!
//! One goroutine alone, or two, may be left to the P that has them, for a while
//! (`wakep_for_new` and `wakep_for_ready` in `idle`): 1 holds for sysmon then, which looks at
//! the queue later, and wakes as if it had queued them.
//!
//! The file stands alone, generic over its atomics: `atomic` is
//! `core::sync::atomic` here, and loom's in the tests.

use super::atomic::{AtomicI32, Ordering, fence};

/// The counts. All zeros are those of a scheduler without idle Ps.
pub(super) struct Spinning {
    /// How many Ms spin, those included that are started to spin.
    pub(super) nmspinning: AtomicI32,
    /// How many Ps are on the idle list.
    pub(super) npidle: AtomicI32,
}

impl Spinning {
    /// Makes one for a scheduler without idle Ps.
    #[cfg(not(test))] // loom's atomics are no constants
    pub(super) const fn new() -> Self {
        Self {
            nmspinning: AtomicI32::new(0),
            npidle: AtomicI32::new(0),
        }
    }

    /// The same for the models.
    #[cfg(test)]
    pub(super) fn new() -> Self {
        Self {
            nmspinning: AtomicI32::new(0),
            npidle: AtomicI32::new(0),
        }
    }

    /// Returns how many Ps are idle: exact under the lock of their list, elsewhere a
    /// hint.
    pub(super) fn idle(&self) -> i32 {
        self.npidle.load(Ordering::Relaxed) // claim and rest have the fences
    }

    /// A P was put on the idle list (1), or taken from it (-1). Under the lock of
    /// that list.
    pub(super) fn add_idle(&self, by: i32) {
        let idle = self.idle() + by; // nobody else writes it
        debug_assert!(idle >= 0, "negative npidle");
        self.npidle.store(idle, Ordering::Relaxed); // as above
    }

    /// Returns how many Ms spin: a hint.
    pub(super) fn spinning(&self) -> i32 {
        self.nmspinning.load(Ordering::Relaxed) // claim and rest have the fences
    }

    /// Tells whether the caller, who has queued something or has stopped spinning
    /// with something to run, is to wake a P: there is an idle one, and no M spins.
    /// If so, one counts as spinning from now on: the caller takes an idle P and has
    /// an M spin with it, or calls [`Spinning::unclaim`].
    ///
    /// A caller that holds the only P there is may leave all of this out.
    #[must_use]
    pub(super) fn claim(&self) -> bool {
        // Pairs with rest's and unclaim's, and with another's here.
        fence(Ordering::SeqCst);
        self.idle() > 0
            && self.spinning() == 0
            // Relaxed: the fence stands before, the lock of the list of Ps comes next.
            && self
                .nmspinning
                .compare_exchange(0, 1, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Gives back what [`Spinning::claim`] gave, since there was no idle P any more.
    /// True if that is to be tried again: there is one again, whose M may have gone
    /// to sleep trusting in us.
    #[must_use]
    pub(super) fn unclaim(&self) -> bool {
        self.leave();
        self.claim()
    }

    /// Starts to spin, unless enough do: half as many as there are busy Ps. By an M
    /// that holds a P and does not spin. `procs` is how many Ps there are.
    #[must_use]
    pub(super) fn join(&self, procs: i32) -> bool {
        if 2 * self.spinning() >= procs - self.idle() {
            return false; // whoever goes to sleep for this looks again: `rest`
        }
        self.add();
        true
    }

    /// An M begins to spin: by itself, or because it is woken to do so.
    pub(super) fn add(&self) {
        self.nmspinning.fetch_add(1, Ordering::Relaxed); // those who stop have the fences
    }

    /// An M that spun has found something and stops. True if it was the last; it then
    /// goes on with [`Spinning::claim`], as if it had queued something.
    pub(super) fn leave(&self) -> bool {
        let before = self.nmspinning.fetch_sub(1, Ordering::Relaxed); // claim has the fence
        debug_assert!(before > 0, "negative nmspinning");
        before == 1
    }

    /// An M that found nothing has put its P on the idle list and goes to sleep; it
    /// stops spinning if it did. True if it must look into all queues again, since no
    /// M spins that would. If it finds something there, it takes an idle P under the
    /// lock, spins ([`Spinning::add`]) and searches; if there is no idle P, all are
    /// busy, and whoever lets the next one go comes by here.
    #[must_use]
    pub(super) fn rest(&self, spinning: bool) -> bool {
        if spinning {
            self.leave();
        }
        fence(Ordering::SeqCst); // pairs with claim's
        self.spinning() == 0
    }
}
