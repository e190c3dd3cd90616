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
    /// How many words of the block are used up.
    used: usize,
}

impl ChaCha8 {
    /// Makes a generator from a key.
    pub(crate) const fn new(key: [u8; 32]) -> Self {
        let mut input = [0; 16];
        let mut at = 0;
        while at < 4 {
            input[at] = CONSTANTS[at];
            at += 1;
        }
        while at < 12 {
            let byte = (at - 4) * 4;
            input[at] = u32::from_le_bytes([key[byte], key[byte + 1], key[byte + 2], key[byte + 3]]);
            at += 1;
        }
        Self { input, block: [0; 16], used: 16 }
    }

    /// Draws 64 bits: two words of the key stream, the first one low.
    pub(crate) fn next_u64(&mut self) -> u64 {
        u64::from(self.next_u32()) | u64::from(self.next_u32()) << 32
    }

    /// Draws the next word of the key stream.
    #[inline(never)]
    fn next_u32(&mut self) -> u32 {
        if self.used >= self.block.len() {
            self.refill();
            self.used = 0;
        }
        let word = self.block[self.used & 15];
        self.used += 1;
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
