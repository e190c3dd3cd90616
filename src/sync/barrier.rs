//! [`Barrier`]: the word counts those who are there; the last one wakes the others.
//!
//! It is changed under the queue's lock alone. The last takes the whole queue and sets the
//! word to 0, under one lock: who comes then belongs to the next generation.

use core::fmt;

use super::atomic::Ordering;
use crate::sched::WaitReason;
use crate::sched::sema::{Sema, Sleeper};

/// A place where so many goroutines wait for each other, again and again.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::sync::Barrier;
/// use gort::thread;
///
/// static START: Barrier = Barrier::new(3);
///
/// let others = [(); 2].map(|()| thread::spawn(|| START.wait().is_leader()));
/// let mut leaders = usize::from(START.wait().is_leader());
/// for other in others {
///     leaders += usize::from(other.join().unwrap());
/// }
/// assert_eq!(leaders, 1);
/// # }
/// ```
pub struct Barrier {
    there: Sema,
    all: usize,
}

/// What [`Barrier::wait`] returns.
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// Tells whether this is the one of its generation that is told so.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl fmt::Debug for BarrierWaitResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierWaitResult")
            .field("is_leader", &self.is_leader())
            .finish()
    }
}

impl Barrier {
    /// Makes one for `n` goroutines; 0 is as 1.
    #[inline]
    #[must_use]
    pub const fn new(n: usize) -> Self {
        Self {
            there: Sema::new(),
            all: n,
        }
    }

    /// Waits until as many are here as belong to it. The last that comes is the leader.
    /// From any goroutine.
    pub fn wait(&self) -> BarrierWaitResult {
        let locked = self.there.lock();
        let there = self.there.word.load(Ordering::Relaxed) + 1; // under the lock
        if (there as usize) < self.all {
            self.there.word.store(there, Ordering::Relaxed); // under the lock
            let sleeper = Sleeper::new(0, 0);
            let _ = locked.park(0, &sleeper, false, WaitReason::BARRIER);
            return BarrierWaitResult(false);
        }
        self.there.word.store(0, Ordering::Relaxed); // under the lock
        let others = locked.take_all(0);
        drop(locked);
        others.ready(|| {});
        BarrierWaitResult(true)
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").finish_non_exhaustive()
    }
}
