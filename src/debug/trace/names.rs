//! Numbers for texts that live as long as the program: reasons for waiting, and places in
//! the source. A number is given when a text is first met, and written to the file with
//! it, once.
//!
//! The file stands alone: `atomic` is `core::sync::atomic`, or what a test puts there.

use super::atomic::{AtomicUsize, Ordering};

/// The number of what there was no room for.
pub(crate) const UNKNOWN: u32 = 0;

/// Up to `ROOM` addresses and their numbers, which begin with 1. All zeros are none.
pub(crate) struct Names<const ROOM: usize> {
    /// A hash table; one that is taken never changes.
    addresses: [AtomicUsize; ROOM],
}

impl<const ROOM: usize> Names<ROOM> {
    /// Makes an empty one.
    pub(crate) const fn new() -> Self {
        Self {
            addresses: [const { AtomicUsize::new(0) }; ROOM],
        }
    }

    /// Returns the number of an address, which is not 0.
    pub(crate) fn number(&self, address: usize) -> u32 {
        let start = (address >> 3).wrapping_mul(0x9e37_79b9) >> 8;
        for step in 0..ROOM {
            let at = (start + step) % ROOM;
            let Some(slot) = self.addresses.get(at) else {
                break;
            };
            // Relaxed, all of it: the address is all there is; what it leads to was there
            // when the program began.
            let mut found = slot.load(Ordering::Relaxed);
            if found == 0 {
                found =
                    match slot.compare_exchange(0, address, Ordering::Relaxed, Ordering::Relaxed) {
                        Ok(_) => address,
                        Err(other) => other,
                    };
            }
            if found == address {
                return at as u32 + 1;
            }
        }
        UNKNOWN
    }

    /// Returns the address that has a number, if any.
    pub(crate) fn address(&self, number: u32) -> Option<usize> {
        let slot = self.addresses.get((number as usize).checked_sub(1)?)?;
        let address = slot.load(Ordering::Relaxed); // as above
        (address != 0).then_some(address)
    }
}
