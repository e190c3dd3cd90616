//! [`Condvar`]: a queue of those who wait for a condition.
//!
//! Go's counterparts: `sync/cond.go`, and `notifyList` in `runtime/sema.go`, where a ticket
//! is drawn before the mutex is given back, so that no notification gets lost in between.
//! Here the queue's lock is taken before that and opened when the goroutine is parked, and
//! there are no tickets, whose order would be lost when they have come around:
//!
//! 1. The mutex is unlocked with the queue's lock held: the only place where one such lock
//!    is taken with another, and always in that order.
//! 2. The word is how many wait: who is notified is counted off by who notifies, who comes
//!    back because of the time does that himself. It is changed under the lock, and before
//!    the mutex is given back; so who has changed the condition under the mutex and finds
//!    0 has nobody to notify.
//! 3. Those whose time runs out are claimed by the clock or by a notification, never both:
//!    what was claimed by the clock is passed over.
//! 4. Who notifies all wakes as many as waited when he began, the first first: so all of
//!    those, and where the time of some was over meanwhile, maybe some who came later.

use core::fmt;
use core::time::Duration;

use lock_api::RawMutex as _;

use super::atomic::Ordering;
use super::mutex::MutexGuard;
use super::poison::LockResult;
use crate::sched::WaitReason;
use crate::sched::sema::{Sema, Sleeper};

/// Goroutines that wait until what a [`Mutex`](super::Mutex) protects has changed.
///
/// Who waits first is notified first. It need not always be the same mutex.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::sync::{Condvar, Mutex};
/// use gort::thread;
///
/// static READY: Mutex<bool> = Mutex::new(false);
/// static CHANGED: Condvar = Condvar::new();
///
/// thread::spawn(|| {
///     *READY.lock().unwrap() = true;
///     CHANGED.notify_one();
/// });
/// let ready = READY.lock().unwrap();
/// let ready = CHANGED.wait_while(ready, |ready| !*ready).unwrap();
/// assert!(*ready);
/// # }
/// ```
pub struct Condvar(Sema);

/// Whether a wait has ended because its time was over.
#[derive(Debug, PartialEq, Eq, Copy, Clone)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Tells whether it has.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    /// Makes one for which nobody waits.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self(Sema::new())
    }

    /// Gives the mutex back, waits for a notification, and takes it again. From any
    /// goroutine.
    ///
    /// There is a notification for each return; code that is to work with std as well
    /// allows for others.
    ///
    /// # Errors
    ///
    /// None; see [the module](super).
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.wait_until(&guard, 0);
        Ok(guard)
    }

    /// Waits while the condition is true: looks before, and after each notification. From
    /// any goroutine.
    ///
    /// # Errors
    ///
    /// None; see [the module](super).
    pub fn wait_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: F,
    ) -> LockResult<MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        while condition(&mut *guard) {
            self.wait_until(&guard, 0);
        }
        Ok(guard)
    }

    /// Waits as [`wait`](Self::wait) does, for so many milliseconds at most; false if that
    /// time was over. From any goroutine.
    ///
    /// # Errors
    ///
    /// None; see [the module](super).
    #[deprecated(
        since = "0.1.0",
        note = "replaced by `Condvar::wait_timeout`, as in std"
    )]
    pub fn wait_timeout_ms<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        ms: u32,
    ) -> LockResult<(MutexGuard<'a, T>, bool)> {
        let timeout = super::deadline(Duration::from_millis(ms.into()));
        let notified = self.wait_until(&guard, timeout);
        Ok((guard, notified))
    }

    /// Waits as [`wait`](Self::wait) does, for that long at most. From any goroutine.
    ///
    /// # Errors
    ///
    /// None; see [the module](super).
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        dur: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let notified = self.wait_until(&guard, super::deadline(dur));
        Ok((guard, WaitTimeoutResult(!notified)))
    }

    /// Waits as [`wait_while`](Self::wait_while) does, for that long at most: whether the
    /// time was over says that the condition is still true. From any goroutine.
    ///
    /// # Errors
    ///
    /// None; see [the module](super).
    pub fn wait_timeout_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        dur: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
    where
        F: FnMut(&mut T) -> bool,
    {
        let deadline = super::deadline(dur);
        let mut notified = true;
        loop {
            if !condition(&mut *guard) {
                return Ok((guard, WaitTimeoutResult(false)));
            }
            if !notified {
                return Ok((guard, WaitTimeoutResult(true)));
            }
            notified = self.wait_until(&guard, deadline);
        }
    }

    /// Wakes who has waited longest, if anybody does. From any goroutine.
    #[inline]
    pub fn notify_one(&self) {
        if self.waiting() != 0 {
            self.wake_one();
        }
    }

    /// Wakes all who wait by now. From any goroutine.
    pub fn notify_all(&self) {
        // The lock is not held for all of them at once.
        for _ in 0..self.waiting() {
            if !self.wake_one() {
                return;
            }
        }
    }

    /// Returns how many wait.
    fn waiting(&self) -> u32 {
        self.0.word.load(Ordering::Relaxed) // the mutex orders it
    }

    /// One more, or one less, waits. Under the lock.
    fn count(&self, waiting: u32) {
        self.0.word.store(waiting, Ordering::Relaxed); // as in `waiting`
    }

    /// Wakes the first; false if there is nobody.
    #[inline(never)]
    fn wake_one(&self) -> bool {
        let locked = self.0.lock();
        let Some(woken) = locked.pop(0) else {
            return false;
        };
        self.count(self.waiting() - 1);
        locked.ready(woken);
        true
    }

    /// Waits, and tells whether that was for a notification, not for the time.
    fn wait_until<T>(&self, guard: &MutexGuard<'_, T>, deadline: i64) -> bool {
        let mutex = guard.raw();
        let locked = self.0.lock();
        self.count(self.waiting() + 1);
        let sleeper = Sleeper::new(0, deadline);
        // SAFETY: the guard is ours, and of no use to anybody until this returns.
        unsafe { mutex.unlock() };
        let result = locked.park(0, &sleeper, false, WaitReason::SYNC_COND_WAIT);
        let notified = match result {
            Ok(_) => true,
            Err(_locked) => {
                self.count(self.waiting() - 1);
                false
            }
        };
        mutex.lock();
        notified
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}
