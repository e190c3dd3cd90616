//! Vectors that grow by pushes, so that they are reallocated again and again.
//! Each length has the same share of the pushes.

use alloc::vec::Vec;
use core::hint::black_box;

use super::Workload;

/// Lengths in words, as powers of two: 128 bytes to 32 KiB.
pub(super) type Small = Growth<4, 12>;

/// 128 KiB to 8 MiB.
pub(super) type Large = Growth<14, 20>;

/// Vectors of 2^FROM words, of four times as many, and so on to 2^TO words.
pub(super) struct Growth<const FROM: u32, const TO: u32> {
    next: u64,
    sum: u64,
}

impl<const FROM: u32, const TO: u32> Growth<FROM, TO> {
    /// Returns the lengths.
    fn lengths() -> impl Iterator<Item = usize> {
        (FROM..=TO).step_by(2).map(|power| 1 << power)
    }

    /// Grows a vector, and looks at some of its words.
    fn grow(&mut self, length: usize) {
        let mut words = Vec::new();
        for word in self.next..self.next + length as u64 {
            words.push(word);
        }
        let words = black_box(words);
        assert!(words.len() == length);
        for place in [0, length / 3, length / 2, length - 1] {
            assert!(words[place] == self.next + place as u64);
        }
        self.sum = self.sum.wrapping_add(words[length - 1]);
        self.next += length as u64;
    }
}

impl<const FROM: u32, const TO: u32> Workload for Growth<FROM, TO> {
    const OPERATIONS: u64 = ((TO - FROM) / 2 + 1) as u64 * (1 << TO);

    fn new(seed: u64) -> Self {
        Self { next: seed, sum: 0 }
    }

    fn round(&mut self) {
        for length in Self::lengths() {
            for _ in 0..(1 << TO) / length {
                self.grow(length);
            }
        }
    }

    fn end(self) -> u64 {
        self.sum
    }
}
