//! Random numbers that are the same in every program, in Go's too: SplitMix64.

/// A generator.
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// Makes a generator.
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Returns any number.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `limit`, which has at most 32 bits.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (((self.next() >> 32) * limit as u64) >> 32) as usize
    }

    /// Returns a size of at least 2^from and less than 2^to: each power of two is
    /// as likely, and so are the sizes from one to the next.
    pub(crate) fn size(&mut self, from: u32, to: u32) -> usize {
        let random = self.next();
        let power = from + (((random >> 32) * u64::from(to - from)) >> 32) as u32;
        (1 << power) + (random as usize & ((1 << power) - 1))
    }
}
