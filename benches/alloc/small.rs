//! Small blocks, of mixed sizes or of one.

use alloc::vec::Vec;
use core::hint::black_box;

use super::Workload;
use crate::block::Block;
use crate::random::Random;

/// The sizes: at least two to the one power, less than two to the other.
const SIZES: (u32, u32) = (4, 12);

/// The marks that were written and those that were found again.
#[derive(Default)]
struct Marks {
    written: u64,
    found: u64,
}

impl Marks {
    /// Allocates a block of a random size with a random mark.
    fn allocate(&mut self, random: &mut Random) -> Block {
        let (size, mark) = (random.size(SIZES.0, SIZES.1), random.next());
        self.written = self.written.wrapping_add(mark);
        Block::new(size, mark)
    }

    /// Frees a block.
    fn free(&mut self, block: Block) {
        self.found = self.found.wrapping_add(block.free());
    }

    /// Returns the sum, if it is the same.
    fn check(self) -> u64 {
        assert!(self.written == self.found, "what was written is not there");
        self.found
    }
}

/// A random block of many is replaced.
pub(super) struct Mixed {
    random: Random,
    marks: Marks,
    live: Vec<Block>,
}

/// How many blocks are live.
const LIVE: usize = 10_000;

impl Workload for Mixed {
    const OPERATIONS: u64 = 1_000;

    fn new(seed: u64) -> Self {
        let (mut random, mut marks) = (Random::new(seed), Marks::default());
        let live = (0..LIVE).map(|_| marks.allocate(&mut random)).collect();
        Self {
            random,
            marks,
            live,
        }
    }

    fn round(&mut self) {
        for _ in 0..Self::OPERATIONS {
            let index = self.random.below(LIVE);
            let old = self.live.swap_remove(index);
            self.marks.free(old);
            self.live.push(self.marks.allocate(&mut self.random));
        }
    }

    fn end(mut self) -> u64 {
        for block in self.live {
            self.marks.free(block);
        }
        self.marks.check()
    }
}

/// Many are allocated, then all are freed.
pub(super) struct Batches {
    random: Random,
    marks: Marks,
    batch: Vec<Block>,
}

/// How many.
const BATCH: usize = 1_000;

impl Batches {
    /// Allocates a batch.
    fn fill(&mut self) {
        for _ in 0..BATCH {
            self.batch.push(self.marks.allocate(&mut self.random));
        }
    }
}

impl Workload for Batches {
    const OPERATIONS: u64 = 2 * BATCH as u64;

    fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            marks: Marks::default(),
            batch: Vec::with_capacity(BATCH),
        }
    }

    fn round(&mut self) {
        self.fill();
        for block in self.batch.drain(..) {
            self.marks.free(block);
        }
        self.fill();
        while let Some(block) = self.batch.pop() {
            self.marks.free(block);
        }
    }

    fn end(self) -> u64 {
        self.marks.check()
    }
}

/// One block, again and again.
pub(super) struct Pairs {
    marks: Marks,
    next: u64,
}

/// Its size.
const PAIR: usize = 64;

impl Workload for Pairs {
    const OPERATIONS: u64 = 1_000;

    fn new(seed: u64) -> Self {
        Self {
            marks: Marks::default(),
            next: seed,
        }
    }

    fn round(&mut self) {
        for _ in 0..Self::OPERATIONS {
            self.next += 1;
            self.marks.written = self.marks.written.wrapping_add(self.next);
            // Seen by nobody, an allocation may be left out.
            self.marks.free(black_box(Block::new(PAIR, self.next)));
        }
    }

    fn end(self) -> u64 {
        self.marks.check()
    }
}
