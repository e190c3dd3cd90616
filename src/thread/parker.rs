//! The token of park and unpark: one word, in which a goroutine that sleeps and
//! those that wake it meet.
//!
//! Go's counterpart: the semaphores `rg` and `wg` of `pollDesc` in
//! `runtime/netpoll.go`, whose word is empty, "ready", or a G, as this one.
//!
//! ```text
//!                 set                              set: returns the sleeper,
//!    +---------- EMPTY ----- wait(sleeper) ----+        who is to be woken
//!    v            ^                            v            |
//!   SET --take----+                         sleeper --------+---> SET
//!                 ^                            |
//!                 +--------- withdraw ---------+
//! ```
//!
//! Invariants:
//! 1. One party, the owner, calls [`Token::take`] and [`Token::wait`]; anybody may
//!    call [`Token::set`]; and where a time is set for the sleep, its timer, which is
//!    done before the owner goes on, calls [`Token::withdraw`].
//! 2. Tokens do not add up: SET is SET.
//! 3. The sleeper is in the word from its own `wait` until one `set`, or the timer, has
//!    taken it out: it is woken once for each time that it sleeps. A word whose owner is
//!    awake, or has ended, leads to nobody.
//! 4. What was done before any `set` is seen after the `take` that ends the wait:
//!    a `set` over a SET goes on with the release sequence of the one before.
//!
//! The file stands alone, generic over who sleeps and over its atomics: `atomic`
//! is `core::sync::atomic` here, and loom's in the tests.

use core::ptr;

use super::atomic::{AtomicPtr, Ordering};

/// The word. `T` is who sleeps.
pub(crate) struct Token<T> {
    /// Null is EMPTY, the address 1 is SET.
    state: AtomicPtr<T>,
}

/// No sleeper has this address.
const SET: usize = 1;

impl<T> Token<T> {
    /// Makes one that is not set.
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Takes the token, if it is set. Owner only.
    pub(crate) fn take(&self) -> bool {
        let (set, empty) = (ptr::without_provenance_mut(SET), ptr::null_mut());
        // Relaxed: a look, which spares who is about to sleep a locked instruction.
        if self.state.load(Ordering::Relaxed) != set {
            return false;
        }
        // Acquire pairs with set's release. Relaxed: nothing was learnt.
        self.state
            .compare_exchange(set, empty, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Leaves the sleeper to be found, unless the token is set: then this says
    /// false. Owner only, and asleep in every respect: it may be woken before this
    /// returns.
    pub(crate) fn wait(&self, sleeper: *mut T) -> bool {
        // Release pairs with set's acquire: whoever finds the sleeper sees it
        // asleep. Relaxed: the owner's `take` comes next.
        self.state
            .compare_exchange(
                ptr::null_mut(),
                sleeper,
                Ordering::Release,
                Ordering::Relaxed,
            )
            .is_ok()
    }

    /// Sets the token. Returns the sleeper that this has found, if there was one:
    /// the caller is who wakes it.
    pub(crate) fn set(&self) -> Option<*mut T> {
        // Release pairs with take's acquire, acquire with wait's release.
        let before = self
            .state
            .swap(ptr::without_provenance_mut(SET), Ordering::AcqRel);
        (before.addr() > SET).then_some(before)
    }

    /// Returns the sleeper, if there is one, and leaves it where it is.
    pub(crate) fn sleeper(&self) -> Option<*mut T> {
        let sleeper = self.state.load(Ordering::Acquire); // pairs with wait's release
        (sleeper.addr() > SET).then_some(sleeper)
    }

    /// Sets the token from which the caller has seen the sleeper, and is who wakes it. Only
    /// where nobody else ever sets the token, nor a timer takes the sleeper out: so without
    /// a locked instruction.
    pub(crate) fn set_for_sleeper(&self) {
        let set = ptr::without_provenance_mut(SET);
        self.state.store(set, Ordering::Release); // pairs with take's acquire
    }

    /// Takes the sleeper out again, without a token: the caller is who wakes it. False
    /// if it is there no more, and another wakes it.
    pub(crate) fn withdraw(&self, sleeper: *mut T) -> bool {
        // Acquire pairs with wait's release, as in set. Relaxed: nothing was learnt.
        self.state
            .compare_exchange(
                sleeper,
                ptr::null_mut(),
                Ordering::Acquire,
                Ordering::Relaxed,
            )
            .is_ok()
    }

    /// Tells whether the token is set.
    pub(crate) fn is_set(&self) -> bool {
        self.state.load(Ordering::Acquire).addr() == SET // pairs with set's release
    }
}
