//! The ChaCha stream cipher with 8 rounds, as a generator of random numbers.
//!
//! D. J. Bernstein, "ChaCha, a variant of Salsa20"; the layout of the state is
//! that of RFC 8439 with a counter of 64 bits and a nonce of zeros. One block
//! of 64 bytes at a time; the key never changes, so that this is for short
//! streams of one process and forgets nothing.

use core::hint;

/// What the first row holds: "expand 32-byte k".
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// The rounds, two a pass.
const PASSES: usize = 4;

/// The state: the input of the last block, and what is left of that: the sum of both is the key
/// stream.
#[repr(C)] // what is short comes first: it takes shorter instructions to get at
pub(crate) struct ChaCha8 {
    /// How many pairs of words of the block are left.
    left: usize,
    input: [u32; 16],
    block: [u32; 16],
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
        self.input[..4].copy_from_slice(&CONSTANTS);
        let (pairs, _) = self.input[4..12].as_chunks_mut();
        for (pair, word) in pairs.iter_mut().zip(key) {
            *pair = [*word as u32, (word >> 32) as u32];
        }
        // The counter is that of the block before the first.
        self.input[12..14].fill(u32::MAX);
        self.input[14..].fill(0);
    }

    /// Draws 64 bits: two words of the key stream, the first one low, from the
    /// block's end.
    #[inline(never)] // for its size: many callers
    pub(crate) fn next_u64(&mut self) -> u64 {
        // Hides that there is only one: its address is longer than a register.
        let this = hint::black_box(self);
        if this.left == 0 {
            this.left = this.block.len() / 2;
            this.refill();
        }
        this.left -= 1;
        let at = this.left % (this.block.len() / 2) * 2;
        let word = |at: usize| u64::from(this.block[at].wrapping_add(this.input[at]));
        word(at) | word(at + 1) << 32
    }

    /// Makes the next block.
    fn refill(&mut self) {
        let (low, carry) = self.input[12].overflowing_add(1);
        self.input[12] = low;
        self.input[13] = self.input[13].wrapping_add(u32::from(carry));
        let block = &mut self.block;
        *block = self.input;
        // The columns and then the diagonals, eight quarter rounds a pass: in the
        // second half row r begins r places further on.
        for quarter in 0..PASSES * 8 {
            let shift = quarter >> 2 & 1;
            let at = |row: usize| row * 4 + ((quarter + row * shift) & 3);
            let (a, b, c, d) = (at(0), at(1), at(2), at(3));
            let (mut x, mut y, mut z, mut w) = (block[a], block[b], block[c], block[d]);
            x = x.wrapping_add(y);
            w = (w ^ x).rotate_left(16);
            z = z.wrapping_add(w);
            y = (y ^ z).rotate_left(12);
            x = x.wrapping_add(y);
            w = (w ^ x).rotate_left(8);
            z = z.wrapping_add(w);
            y = (y ^ z).rotate_left(7);
            (block[a], block[b], block[c], block[d]) = (x, y, z, w);
        }
    }
}
