//! A hasher for maps, keyed at random for each process: `std::hash`'s
//! `RandomState` and `DefaultHasher`, over the runtime's own hash function,
//! which uses the CPU's AES rounds where it has them.

pub use core::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};

use crate::boot;

/// Makes hashers with a seed of its own.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use core::hash::BuildHasher;
/// let state = gort::hash::RandomState::new();
/// assert_eq!(state.hash_one("key"), state.hash_one("key"));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RandomState {
    seed: u64,
}

impl RandomState {
    /// Draws a seed.
    pub fn new() -> Self {
        Self { seed: boot::rand() }
    }
}

impl Default for RandomState {
    fn default() -> Self {
        Self::new()
    }
}

impl BuildHasher for RandomState {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        DefaultHasher { state: self.seed }
    }
}

/// A hasher with a fixed seed: equal in this process, different in the next.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use core::hash::{Hash, Hasher};
/// use gort::hash::DefaultHasher;
///
/// let hash = |text: &str| {
///     let mut hasher = DefaultHasher::new();
///     text.hash(&mut hasher);
///     hasher.finish()
/// };
/// assert_eq!(hash("key"), hash("key"));
/// assert_ne!(hash("key"), hash("kez"));
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct DefaultHasher {
    state: u64,
}

impl DefaultHasher {
    /// Makes one with the seed 0.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Hasher for DefaultHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.state = boot::alg::memhash(bytes, self.state);
    }

    fn finish(&self) -> u64 {
        self.state
    }
}
