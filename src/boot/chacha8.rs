//! The ChaCha stream cipher with 8 rounds, as a generator of random numbers.
//!
//! D. J. Bernstein, "ChaCha, a variant of Salsa20"; the layout of the state is
//! that of RFC 8439 with a counter of 64 bits and a nonce of zeros. One block
//! of 64 bytes at a time; the key never changes, so that this is for short
//! streams of one process and forgets nothing.

/// What the first row holds: "expand 32-byte k".
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// The rounds, two a pass.
const PASSES: usize = 4;

/// The state: the input of the next block, and what is left of the last.
pub(crate) struct ChaCha8 {
    input: [u32; 16],
    block: [u32; 16],
    /// How many words of the block are left.
    left: usize,
}

impl ChaCha8 {
    /// Makes a generator without a key, all zeros.
    pub(crate) const fn unseeded() -> Self {
        Self {
            input: [0; 16],
            block: [0; 16],
            left: 0,
        }
    }

    /// Starts the stream of a key.
    pub(crate) fn seed(&mut self, key: &[u64; 4]) {
        self.left = 0;
        let words = key
            .iter()
            .flat_map(|&word| [word as u32, (word >> 32) as u32]);
        let input = CONSTANTS.into_iter().chain(words).chain([0; 4]);
        self.input
            .iter_mut()
            .zip(input)
            .for_each(|(to, from)| *to = from);
    }

    /// Draws 64 bits: two words of the key stream, the first one low.
    pub(crate) fn next_u64(&mut self) -> u64 {
        u64::from(self.next_u32()) | u64::from(self.next_u32()) << 32
    }

    /// Draws the next word of the key stream.
    #[inline(never)]
    fn next_u32(&mut self) -> u32 {
        if self.left == 0 {
            self.refill();
            self.left = self.block.len();
        }
        let word = self.block[(self.block.len() - self.left) & 15];
        self.left -= 1;
        word
    }

    /// Makes the next block.
    #[inline(never)]
    fn refill(&mut self) {
        self.block = self.input;
        for _ in 0..PASSES {
            // The columns, then the diagonals: in the second half row r begins
            // r places further on.
            for shift in [0, 1] {
                for column in 0..4 {
                    let at = |row: usize| row * 4 + ((column + row * shift) & 3);
                    self.quarter_round(at(0), at(1), at(2), at(3));
                }
            }
        }
        for (word, input) in self.block.iter_mut().zip(self.input) {
            *word = word.wrapping_add(input);
        }
        let (low, carry) = self.input[12].overflowing_add(1);
        self.input[12] = low;
        self.input[13] = self.input[13].wrapping_add(carry.into());
    }

    /// Mixes four words: add, exclusive-or, rotate, by 16, 12, 8 and 7 bits.
    #[inline(never)]
    fn quarter_round(&mut self, a: usize, b: usize, c: usize, d: usize) {
        let x = &mut self.block;
        for (to, from, other, bits) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
            x[to & 15] = x[to & 15].wrapping_add(x[from & 15]);
            x[other & 15] = (x[other & 15] ^ x[to & 15]).rotate_left(bits);
        }
    }
}
