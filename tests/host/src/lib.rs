//! What the host-side tests of gort share: a source of random numbers that is
//! the same in each run, and the check that a test case makes.

#[path = "../../../xtask/src/processes.rs"]
mod processes;
pub mod programs;

/// Ends a test with a message if a condition does not hold: where a panic
/// aborts, it would take the other tests' results with it.
#[macro_export]
macro_rules! ensure {
    ($holds:expr, $($message:tt)+) => {
        if !$holds {
            return Err(format!($($message)+).into());
        }
    };
}

/// Marsaglia's xorshift64*: small, fast, and good enough to damage files with.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// Starts a sequence; equal seeds make equal ones.
    pub const fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// Gives the next number.
    pub const fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Gives a number below `limit`; 0 if that is 0.
    pub const fn below(&mut self, limit: usize) -> usize {
        match limit {
            0 => 0,
            _ => ((self.next() as u32 as u64 * limit as u64) >> 32) as usize,
        }
    }

    /// Gives one of `choices`.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Damages bytes in one of the ways in which files get damaged, and returns
    /// how many of them are left.
    pub fn damage(&mut self, bytes: &mut [u8]) -> usize {
        let length = bytes.len();
        match self.below(4) {
            0 => {
                for _ in 0..=self.below(3) {
                    if let Some(byte) = bytes.get_mut(self.below(length)) {
                        *byte ^= 1 << self.below(8);
                    }
                }
                length
            }
            1 => {
                let start = self.below(length);
                for byte in bytes.iter_mut().skip(start).take(1 + self.below(16)) {
                    *byte = self.next() as u8;
                }
                length
            }
            2 => self.below(length + 1),
            _ => {
                // A whole field becomes a number at the edge of something.
                let number = self.edge();
                let size = self.pick(&[1, 2, 4, 8]);
                let start = self.below(length) / size * size;
                for (byte, edge) in bytes
                    .iter_mut()
                    .skip(start)
                    .take(size)
                    .zip(number.to_le_bytes())
                {
                    *byte = edge;
                }
                length
            }
        }
    }

    /// Gives a number at which arithmetic goes wrong, or next to one.
    pub fn edge(&mut self) -> u64 {
        let edge = match self.below(8) {
            0 => 0,
            1 => u64::MAX,
            2 => 1 << 63,
            3 => 1 << 47,
            4 => 0x0040_0000 + (self.below(8) as u64) * 0x1000,
            5 => self.below(512) as u64,
            _ => 1 << self.below(64),
        };
        edge.wrapping_add(self.pick(&[0, 0, 1, u64::MAX]))
    }
}
