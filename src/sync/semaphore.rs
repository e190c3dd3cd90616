//! [`Semaphore`]: the word is how many permits there are, and whether anybody waits.
//!
//! Go's counterpart: `golang.org/x/sync/semaphore`, which does all of it under a mutex.
//!
//! 1. While WAITERS is set, permits go to those in the queue alone, under its lock, the
//!    first first. It is set under the lock while there are too few for who sets it; and
//!    cleared there, when the queue is empty.
//! 2. Who gives permits back and finds WAITERS set comes for the lock, and gives them to
//!    those whose wishes are fulfilled by then. So does who leaves the queue because its
//!    time was over: it may have been in the way of others.

use core::fmt;
use core::mem::ManuallyDrop;
use core::time::Duration;

use super::atomic::Ordering;
use crate::sched::WaitReason;
use crate::sched::sema::{Locked, Sema, Sleeper};

/// Somebody waits.
pub(super) const WAITERS: u32 = 1 << 31;

/// A number of permits, of which goroutines take some, and wait until there are enough.
///
/// The names are tokio's, as far as there are such, the weights and the order are those of
/// Go's `semaphore.Weighted`: who comes first is served first, so that who wants many does
/// not starve. It cannot be closed, so that to acquire never fails.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::sync::Semaphore;
///
/// static SLOTS: Semaphore = Semaphore::new(3);
///
/// let two = SLOTS.acquire_many(2);
/// let one = SLOTS.acquire();
/// assert!(SLOTS.try_acquire().is_none());
/// drop(two);
/// assert_eq!(SLOTS.available_permits(), 2);
/// one.forget(); // it does not come back
/// SLOTS.release(5);
/// assert_eq!(SLOTS.available_permits(), 7);
/// # }
/// ```
pub struct Semaphore(Sema);

/// Permits of a [`Semaphore`]; dropping this gives them back.
#[must_use = "the permits are given back at once"]
#[clippy::has_significant_drop]
#[derive(Debug)]
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    permits: u32,
}

impl Semaphore {
    /// The most permits that there can be.
    pub const MAX_PERMITS: usize = (WAITERS - 1) as usize;

    /// Makes one with so many permits.
    ///
    /// # Panics
    ///
    /// If those are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[inline]
    pub const fn new(permits: usize) -> Self {
        assert!(permits <= Self::MAX_PERMITS, "too many permits");
        let sema = Sema::with_word(permits as u32);
        Self(sema)
    }

    /// Takes a permit; waits until there is one. From any goroutine.
    #[inline]
    pub fn acquire(&self) -> SemaphorePermit<'_> {
        self.acquire_many(1)
    }

    /// Takes so many permits at a time; waits until there are as many, and all who came
    /// before have theirs. Where there will never be as many, that is for ever. From any
    /// goroutine.
    #[inline]
    pub fn acquire_many(&self, permits: u32) -> SemaphorePermit<'_> {
        if !self.try_take(permits) {
            self.wait(permits, 0);
        }
        self.permit(permits)
    }

    /// Takes a permit, if there is one and nobody waits. From any goroutine.
    #[inline]
    pub fn try_acquire(&self) -> Option<SemaphorePermit<'_>> {
        self.try_acquire_many(1)
    }

    /// Takes so many permits, if there are as many and nobody waits. From any goroutine.
    #[inline]
    pub fn try_acquire_many(&self, permits: u32) -> Option<SemaphorePermit<'_>> {
        self.try_take(permits).then(|| self.permit(permits))
    }

    /// Takes a permit; waits for it for that long at most. From any goroutine.
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<SemaphorePermit<'_>> {
        self.acquire_many_timeout(1, timeout)
    }

    /// Takes so many permits at a time; waits for them for that long at most. From any
    /// goroutine.
    pub fn acquire_many_timeout(
        &self,
        permits: u32,
        timeout: Duration,
    ) -> Option<SemaphorePermit<'_>> {
        let taken = self.try_take(permits) || self.wait(permits, super::deadline(timeout));
        taken.then(|| self.permit(permits))
    }

    /// Returns how many permits there are for whoever comes. From any goroutine.
    pub fn available_permits(&self) -> usize {
        (self.0.word.load(Ordering::Relaxed) & !WAITERS) as usize // a moment's truth
    }

    /// Adds permits, whether those have been taken before or not. From any goroutine.
    ///
    /// # Panics
    ///
    /// If there are more than [`MAX_PERMITS`](Self::MAX_PERMITS) then.
    #[inline]
    pub fn release(&self, permits: usize) {
        // Release pairs with the acquire of who takes them.
        let before = self
            .0
            .word
            .fetch_update(Ordering::Release, Ordering::Relaxed, |word| {
                let sum = ((word & !WAITERS) as usize).checked_add(permits)?;
                (sum <= Self::MAX_PERMITS).then_some((sum as u32) | (word & WAITERS))
            });
        match before {
            Ok(word) if word & WAITERS == 0 => {}
            Ok(_) => self.serve(self.0.lock()),
            Err(_) => panic!("too many permits released"),
        }
    }

    /// Returns permits that were taken.
    fn permit(&self, permits: u32) -> SemaphorePermit<'_> {
        SemaphorePermit {
            semaphore: self,
            permits,
        }
    }

    /// Takes permits, if there are as many and nobody waits.
    #[inline]
    fn try_take(&self, permits: u32) -> bool {
        // Acquire pairs with release. Relaxed: nothing was learnt.
        self.0
            .word
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, |word| {
                if word & WAITERS == 0 {
                    word.checked_sub(permits)
                } else {
                    None
                }
            })
            .is_ok()
    }

    /// Waits for permits; false if the time was over.
    #[cold]
    fn wait(&self, permits: u32, deadline: i64) -> bool {
        let sleeper = Sleeper::new(permits, deadline);
        let locked = self.0.lock();
        // Acquire as in try_take. Relaxed: nothing was learnt.
        let before = self
            .0
            .word
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, |word| {
                if word & WAITERS == 0 {
                    word.checked_sub(permits).or(Some(word | WAITERS))
                } else {
                    Some(word)
                }
            });
        if before.is_ok_and(|word| word & WAITERS == 0 && word >= permits) {
            return true;
        }
        match locked.park(0, &sleeper, false, WaitReason::SEMACQUIRE) {
            Ok(_) => true,
            Err(locked) => {
                self.serve(locked);
                false
            }
        }
    }

    /// Gives permits to the first of those who wait, as far as they go.
    #[cold]
    fn serve<'a>(&'a self, mut locked: Locked<'a, 1>) {
        loop {
            // Acquire pairs with the release of all who have given some: who is served looks
            // at nothing more.
            let there = self.0.word.load(Ordering::Acquire) & !WAITERS;
            let served = locked.pop_if(0, |wants| wants <= there);
            // Relaxed: nobody else takes any, as WAITERS is set; who gives some more comes
            // for the lock.
            if let Some(woken) = &served {
                self.0.word.fetch_sub(woken.note(), Ordering::Relaxed);
            }
            let more = !locked.is_empty(0);
            if !more {
                self.0.word.fetch_and(!WAITERS, Ordering::Relaxed);
            }
            let Some(woken) = served else { return };
            locked.ready(woken);
            if !more {
                return;
            }
            locked = self.0.lock();
        }
    }
}

impl SemaphorePermit<'_> {
    /// Takes the permits off the semaphore for good.
    pub fn forget(self) {
        let _ = ManuallyDrop::new(self);
    }

    /// Returns how many there are.
    pub fn num_permits(&self) -> usize {
        self.permits as usize
    }
}

impl Drop for SemaphorePermit<'_> {
    fn drop(&mut self) {
        self.semaphore.release(self.permits as usize);
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("permits", &self.available_permits())
            .finish()
    }
}
