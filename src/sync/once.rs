//! [`Once`]: a state, and those who wait for the last one.
//!
//! Go's counterpart: `sync/once.go`, a flag and a mutex. Here the word is the state, with a
//! bit for whether anybody waits:
//!
//! ```text
//!   INCOMPLETE ---call_once---> RUNNING ---its end---> COMPLETE
//!         + WAITERS: wait         + WAITERS: wait, call_once
//! ```
//!
//! WAITERS is set under the queue's lock while it is not yet COMPLETE. Who completes it
//! sees the bit and takes the whole queue: later nobody waits.

use core::cell::Cell;
use core::fmt;

use super::atomic::Ordering;
use crate::sched::WaitReason;
use crate::sched::sema::{Sema, Sleeper};

/// Nobody has called it.
#[allow(dead_code, reason = "a new word is all zeros")]
const INCOMPLETE: u32 = 0;
/// Somebody is at it.
const RUNNING: u32 = 1;
/// It is done.
const COMPLETE: u32 = 2;
/// Somebody waits until it is.
const WAITERS: u32 = 4;

/// What is to be done once, whoever comes first.
///
/// It is never poisoned: see [the module](super). If the goroutine that is at it ends by
/// [`goexit`](crate::runtime::goexit), all others wait for ever.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::sync::Once;
///
/// static START: Once = Once::new();
///
/// for _ in 0..3 {
///     START.call_once(|| gort::println!("once"));
/// }
/// assert!(START.is_completed());
/// # }
/// ```
pub struct Once(Sema);

/// What [`Once::call_once_force`] tells: nothing bad ever.
pub struct OnceState {
    /// It may not be shared, as std's may not.
    poisoned: Cell<bool>,
}

impl OnceState {
    /// Tells whether a call before this one has panicked: no.
    pub fn is_poisoned(&self) -> bool {
        self.poisoned.get()
    }
}

impl fmt::Debug for OnceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceState")
            .field("poisoned", &self.is_poisoned())
            .finish()
    }
}

impl Once {
    /// Makes one that is to be done.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self(Sema::new())
    }

    /// Calls `f` if nobody has called this before; else waits until that is done, so that
    /// what was done is seen when this returns. From any goroutine; not from `f`, which
    /// would wait for itself.
    #[inline]
    pub fn call_once<F: FnOnce()>(&self, f: F) {
        self.call_once_force(|_| f());
    }

    /// The same: what std makes of it after a panic does not happen.
    #[inline]
    pub fn call_once_force<F: FnOnce(&OnceState)>(&self, f: F) {
        if !self.is_completed() {
            let mut f = Some(f);
            self.call(&mut || {
                if let Some(f) = f.take() {
                    f(&OnceState {
                        poisoned: Cell::new(false),
                    });
                }
            });
        }
    }

    /// Tells whether it is done; if so, what was done is seen. From any goroutine.
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.0.word.load(Ordering::Acquire) == COMPLETE // pairs with the store of its end
    }

    /// Waits until somebody has done it. From any goroutine.
    pub fn wait(&self) {
        while !self.is_completed() {
            self.wait_once();
        }
    }

    /// The same: see [`call_once_force`](Self::call_once_force).
    pub fn wait_force(&self) {
        self.wait();
    }

    /// Calls `f`, or waits for who does.
    #[cold]
    fn call(&self, f: &mut dyn FnMut()) {
        let word = &self.0.word;
        let mut state = word.load(Ordering::Acquire); // as in is_completed
        while state != COMPLETE {
            if state & RUNNING != 0 {
                self.wait_once();
                state = word.load(Ordering::Acquire); // as above
                continue;
            }
            // Acquire: what others have left here before, by way of a `&mut`. The failure's
            // as above.
            match word.compare_exchange(
                state,
                state | RUNNING,
                Ordering::Acquire,
                Ordering::Acquire,
            ) {
                Ok(_) => {
                    f();
                    return self.complete();
                }
                Err(now) => state = now,
            }
        }
    }

    /// It is done: says so, and wakes all who wait for it.
    fn complete(&self) {
        // Release pairs with is_completed.
        if self.0.word.swap(COMPLETE, Ordering::Release) & WAITERS != 0 {
            let all = self.0.lock().take_all(0);
            all.ready(|| {});
        }
    }

    /// Waits, unless it is done.
    fn wait_once(&self) {
        let locked = self.0.lock();
        // Relaxed: who waits looks again, and who completes it sees the bit.
        let before = self
            .0
            .word
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |state| {
                (state != COMPLETE).then_some(state | WAITERS)
            });
        if before.is_ok() {
            let sleeper = Sleeper::new(0, 0);
            let _ = locked.park(0, &sleeper, false, WaitReason::ONCE);
        }
    }

    /// Makes it as if nobody had called it; for who has it alone.
    pub(super) fn reset(&mut self) {
        *self = Self::new();
    }
}

impl Default for Once {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").finish_non_exhaustive()
    }
}
