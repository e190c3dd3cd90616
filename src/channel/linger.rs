//! Why a sender that finds the buffer full does not always park at once.
//!
//! Where many send to one, all but a few are parked, and the buffer is always full: what is
//! received makes room for the value of one of them. That one is readied, another P steals it,
//! and with its next value it finds the buffer full. So each value costs a wake-up, a theft and
//! a park, and so much of the receiver's time that it never gets to the end of those who are
//! parked. It does, and empties the buffer besides, if it is left alone with the channel for
//! some microseconds; then each sender puts in many, one after the other.
//!
//! Go has nothing of the kind. It is as with the lock of `sync`: only while another P runs
//! goroutines, and a few times at most. Where the receiver has other things to do it would be
//! in vain; so that is noted, and the next ones park at once.

use core::cell::Cell;

use super::hchan::Hchan;
use super::scheduler::{can_linger, do_spin};

/// How often one who lingers spins before it looks: some 4 µs.
const SPINS: u32 = 3;

/// How many are received meanwhile by one who does little else. They would have cost their
/// senders about that time.
const MANY: usize = 4;

/// How many times in a row it is noted that there were fewer.
const MAX_FAILURES: u8 = 3;

/// Whether those who find the buffer full are to park at once. Behind the channel's lock.
pub(super) struct Haste {
    /// How many times in a row it was in vain to linger.
    failures: Cell<u8>,
    /// How many are to park at once, therefore: one more than twice as many each time.
    next_ones: Cell<u8>,
}

impl Haste {
    /// Makes that of a new channel: the first one lingers.
    pub(super) fn new() -> Self {
        Self {
            failures: Cell::new(0),
            next_ones: Cell::new(0),
        }
    }

    /// Tells one who finds the buffer full whether it is to park at once.
    fn parks_at_once(&self) -> bool {
        let next_ones = self.next_ones.get();
        self.next_ones.set(next_ones.saturating_sub(1));
        next_ones != 0
    }

    /// Notes what came of lingering.
    fn note(&self, success: bool) {
        let failures = if success {
            0
        } else {
            (self.failures.get() + 1).min(MAX_FAILURES)
        };
        self.failures.set(failures);
        self.next_ones.set((1 << failures) - 1);
    }
}

impl Hchan {
    /// Does nothing for a moment, if the full buffer may have room then; for one who has done
    /// so some `times`. False if it is to park. With the lock held, and again when this returns.
    #[cold]
    pub(super) fn lingers(&self, times: u32) -> bool {
        if self.capacity <= MANY || !can_linger(times) || self.haste.parks_at_once() {
            return false;
        }
        let before = self.buffer.popped();
        self.leave();
        (0..SPINS).for_each(|_| do_spin());
        self.enter();
        self.haste.note(self.buffer.popped_since(before) >= MANY);
        true
    }
}
