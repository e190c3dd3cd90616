//! Who has a hand on a goroutine's result, and who on the memory that it lies in: one
//! word for both.
//!
//! Two *parties* care for the result: the goroutine that leaves it, and the one
//! JoinHandle. The last of them drops what is left of it. Each party has a *handle* to
//! the memory, as has each `Thread`; the last handle frees it.
//!
//! ```text
//!    63        32 31         0
//!    [  parties  |  handles  ]     2, 2 --leave--> 1, 1 --leave_party, drop_handle--> freed
//! ```
//!
//! Invariants:
//! 1. Who sees one party, and is one, stays the last: parties only go away. Nor does it
//!    count itself off then. So who sees one handle, and has it.
//! 2. What a party did to the result, and anybody to the memory, is released with its
//!    leaving, and seen by whoever finds itself the last.
//!
//! In the usual case, a goroutine ends and its result is fetched then, there is one
//! locked instruction in all, [`Count::leave`]; and none where the other party is waiting
//! for it already.
//!
//! The file stands alone, generic over its atomics: `atomic` is `core::sync::atomic`
//! here, and loom's in the tests.

use super::atomic::{AtomicU64, Ordering, fence};

/// One handle.
const HANDLE: u64 = 1;

/// One party.
const PARTY: u64 = 1 << 32;

/// More handles than this are a mistake: some that were forgotten. It is far below where they
/// would count as parties.
const MAX_HANDLES: u64 = 1 << 31;

/// The word.
pub(crate) struct Count {
    word: AtomicU64,
}

impl Count {
    /// Makes one for that many parties, each with a handle.
    pub(crate) fn new(parties: u64) -> Self {
        Self {
            word: AtomicU64::new(parties * (PARTY + HANDLE)),
        }
    }

    /// Tells whether there is but one party, for good. By a party.
    pub(crate) fn one_party(&self) -> bool {
        // Acquire pairs with the releases of the others.
        self.word.load(Ordering::Acquire) / PARTY == 1
    }

    /// Tells whether there is but one party, and no handle besides its own, for good. By a
    /// party.
    pub(crate) fn is_alone(&self) -> bool {
        self.word.load(Ordering::Acquire) == PARTY + HANDLE // as above
    }

    /// A party leaves, and gives its handle back, unless it is the last: then this says
    /// false, and has done nothing. After true the memory is others'.
    #[must_use]
    pub(crate) fn leave(&self) -> bool {
        let before = self.word.load(Ordering::Relaxed); // the exchange decides
        // Release pairs with the acquire of the last party, and of the last handle.
        // Where it fails, for whatever reason, there is the other way.
        before / PARTY > 1
            && self
                .word
                .compare_exchange(
                    before,
                    before - PARTY - HANDLE,
                    Ordering::Release,
                    Ordering::Relaxed,
                )
                .is_ok()
    }

    /// A party leaves, and gives its handle back, while the other one does nothing until
    /// the caller wakes it. False if there are others who might: then this has done nothing.
    #[must_use]
    pub(crate) fn leave_to_sleeper(&self) -> bool {
        // Acquire: what others did who had handles. Who is woken sees it by the release.
        let both = self.word.load(Ordering::Acquire) == 2 * (PARTY + HANDLE);
        if both {
            // Nobody changes the word meanwhile: there is nobody else with a handle.
            self.word.store(PARTY + HANDLE, Ordering::Release); // pairs with is_alone
        }
        both
    }

    /// A party leaves, and keeps its handle. True if it was the last.
    #[must_use]
    pub(crate) fn leave_party(&self) -> bool {
        // AcqRel: as in one_party, and release pairs with that.
        self.one_party() || self.word.fetch_sub(PARTY, Ordering::AcqRel) / PARTY == 1
    }

    /// Adds a handle. By who has one. False if there are too many: the process must end.
    #[must_use]
    pub(crate) fn add_handle(&self) -> bool {
        // Relaxed: nobody frees it meanwhile.
        self.word.fetch_add(HANDLE, Ordering::Relaxed) % PARTY < MAX_HANDLES
    }

    /// Gives a handle back. True if it was the last: all is the caller's.
    #[must_use]
    pub(crate) fn drop_handle(&self) -> bool {
        // Acquire pairs with the releases of the others, here and below.
        if self.word.load(Ordering::Acquire) % PARTY == HANDLE {
            return true;
        }
        if self.word.fetch_sub(HANDLE, Ordering::Release) % PARTY > HANDLE {
            return false;
        }
        fence(Ordering::Acquire); // as above
        true
    }
}
