//! What a select has selected, until it is completed.
//!
//! crossbeam's counterpart: `Token` in `src/select.rs`. Go's select moves the value itself:
//! there it is known where to. Here the message of a send is made, and the place of a
//! received one known, after an operation has been selected; see `select_ops` for how the
//! two halves are held together.

use core::alloc::Layout;
use core::mem::MaybeUninit;

use super::scheduler::Instant;
use super::waitq::Outcome;

/// A place for a small value, of whatever type.
#[repr(C, align(16))]
struct Slot(MaybeUninit<[u8; 32]>);

/// The values that fit into a token.
const INLINE: Layout = Layout::new::<Slot>();

/// Tells whether a value has a place in a token.
pub(super) const fn fits(value: Layout) -> bool {
    value.size() <= INLINE.size() && value.align() <= INLINE.align()
}

/// What has been selected, and the value, if it was received already.
pub(super) struct Token {
    pub(super) outcome: Outcome,
    slot: Slot,
}

impl Token {
    /// Makes one for nothing.
    pub(super) fn new() -> Self {
        Self {
            outcome: Outcome::Pending,
            slot: Slot(MaybeUninit::uninit()),
        }
    }

    /// Returns the place for a value that fits.
    pub(super) fn slot(&mut self) -> *mut u8 {
        self.slot.0.as_mut_ptr().cast()
    }

    /// Puts the clock's message there.
    pub(super) fn put_instant(&mut self, message: Instant) {
        const { assert!(size_of::<Instant>() <= INLINE.size()) };
        // SAFETY: there is room for it, aligned for all that fits.
        unsafe { self.slot().cast::<Instant>().write(message) };
        self.outcome = Outcome::Done;
    }

    /// Returns the clock's message.
    pub(super) fn instant(&mut self) -> Instant {
        // SAFETY: what put_instant put there, for one of the clock's channels.
        unsafe { self.slot().cast::<Instant>().read() }
    }
}
