//! Go's own form of what has another one beside it: [`WaitGroup`].
//!
//! Go's counterpart: `sync/waitgroup.go`. The word counts in twos, and its last bit says
//! that somebody waits:
//!
//! 1. The bit is set under the queue's lock, while the count is not 0.
//! 2. Where it is set, the count is brought to 0 under that lock alone, together with the
//!    bit, and with the whole queue being taken. So who waits has come before that 0, and
//!    whoever counts up again begins a new round: those before need not have left.

use core::fmt;

use super::atomic::Ordering;
use crate::sched::WaitReason;
use crate::sched::sema::{Sema, Sleeper};

/// Somebody waits.
const WAITERS: u32 = 1;
/// One more to wait for.
pub(super) const ONE: u32 = 2;

/// A count of what is to be waited for: Go's `sync.WaitGroup`. It may be a `static`, or
/// borrowed by goroutines of a scope; [`crate::sync::WaitGroup`] is the one that is counted
/// by its clones.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::sync::go::WaitGroup;
///
/// static GROUP: WaitGroup = WaitGroup::new();
///
/// for n in 0..3 {
///     GROUP.add(1);
///     gort::go(move || {
///         gort::println!("goroutine {n}");
///         GROUP.done();
///     });
/// }
/// GROUP.wait();
/// # }
/// ```
pub struct WaitGroup(Sema);

impl WaitGroup {
    /// Makes one with a count of 0.
    #[inline]
    pub const fn new() -> Self {
        Self(Sema::new())
    }

    /// Adds to the count, which wakes all who wait if it is 0 then. What is to be waited
    /// for is added before the wait begins. From any goroutine.
    ///
    /// # Panics
    ///
    /// If the count becomes negative, or more than 2^31 - 1.
    #[inline]
    pub fn add(&self, delta: i32) {
        // Release hands over what was done to who waits; relaxed: nothing was learnt.
        let word = self
            .0
            .word
            .fetch_update(Ordering::Release, Ordering::Relaxed, |word| {
                let next = added(word, delta);
                (next != WAITERS).then_some(next)
            });
        if word.is_err() {
            self.add_locked(delta);
        }
    }

    /// Takes one off the count: `add(-1)`. From any goroutine.
    ///
    /// # Panics
    ///
    /// If the count becomes negative.
    #[inline]
    pub fn done(&self) {
        self.add(-1);
    }

    /// Waits until the count is 0. From any goroutine.
    pub fn wait(&self) {
        // Acquire pairs with add's release.
        if self.0.word.load(Ordering::Acquire) / ONE == 0 {
            return;
        }
        let locked = self.0.lock();
        // Relaxed: who brings it to 0 comes for the lock, and wakes us. Acquire as above.
        let waits = self
            .0
            .word
            .fetch_update(Ordering::Relaxed, Ordering::Acquire, |word| {
                (word / ONE != 0).then_some(word | WAITERS)
            });
        if waits.is_ok() {
            let sleeper = Sleeper::new(0, 0);
            let _ = locked.park(0, &sleeper, false, WaitReason::SYNC_WAIT_GROUP_WAIT);
        }
    }

    /// Returns the count.
    pub(super) fn count(&self) -> u32 {
        self.0.word.load(Ordering::Acquire) / ONE // pairs with add's release
    }

    /// Adds to the count, under the queue's lock.
    #[cold]
    fn add_locked(&self, delta: i32) {
        let locked = self.0.lock();
        // AcqRel: who waits is handed over what all have done, and looks at nothing more.
        let before = self
            .0
            .word
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |word| {
                let next = added(word, delta);
                Some(if next == WAITERS { 0 } else { next })
            });
        let now_zero = before.is_ok_and(|word| added(word, delta) == WAITERS);
        let all = now_zero.then(|| locked.take_all(0));
        drop(locked);
        if let Some(all) = all {
            all.ready(|| {});
        }
    }
}

/// Returns the word with so much more.
fn added(word: u32, delta: i32) -> u32 {
    let count = i64::from(word / ONE) + i64::from(delta);
    match u32::try_from(count) {
        Ok(count) if count <= u32::MAX / ONE => (count * ONE) | (word & WAITERS),
        Ok(_) => panic!("too large WaitGroup counter"),
        Err(_) => panic!("negative WaitGroup counter"),
    }
}

impl Default for WaitGroup {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for WaitGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitGroup")
            .field("count", &self.count())
            .finish()
    }
}
