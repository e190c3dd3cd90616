//! The trace of `cargo xtask bench fragmentation`: a day in the life of a heap.
//! 10 GB are allocated and freed, with 100 MB live, whose sizes shift from phase
//! to phase: a block that is to make room is a random one, so that a few of each
//! phase stay for long among those of the next ones.
//!
//! At the end of each phase: the resident memory of the whole process, without
//! the table of the blocks, divided by the bytes that are live. Every page of a
//! block is written to.

use alloc::vec::Vec;

use crate::block::Block;
use crate::platform;
use crate::random::Random;
use crate::subject;

/// Bytes that are live at most, and nearly always.
const LIVE: usize = 100_000_000;

/// The least that they may be in a quick look: the largest block must fit in.
const LEAST_LIVE: usize = 1_000_000;

/// Bytes that are allocated in a phase.
const CHURN: usize = 1_000_000_000;

/// The phases: a name, and the sizes as powers of two, the second one excluded.
const PHASES: [(&str, u32, u32); 10] = [
    SMALL, MEDIUM, LARGE, MIXED, SMALL, LARGE, MEDIUM, SMALL, MIXED, SMALL,
];

const SMALL: (&str, u32, u32) = ("small", 4, 8);
const MEDIUM: (&str, u32, u32) = ("medium", 8, 12);
const LARGE: (&str, u32, u32) = ("large", 12, 18);
const MIXED: (&str, u32, u32) = ("mixed", 4, 16);

/// A small block has 90 bytes on the average: there are never more than the live
/// bytes divided by this.
const LEAST_MEAN: usize = 64;

/// Runs the trace and prints what came of it.
pub(crate) fn run(scale: u64) -> bool {
    let mut heap = Heap::new((LIVE / scale as usize).max(LEAST_LIVE));
    let (mut worst, mut last) = (0.0_f64, 0.0);
    let start = platform::now();
    for (name, from, to) in PHASES {
        heap.phase(from, to, CHURN / scale as usize);
        last = heap.ratio();
        worst = worst.max(last);
        platform::print(format_args!(
            "# {name}: {last:.3}, {} blocks\n",
            heap.blocks.len()
        ));
    }
    let operations = heap.operations;
    let sum = heap.end();
    let time = platform::now() - start;
    subject::sample("fragmentation/last", last);
    subject::sample("fragmentation/worst", worst);
    subject::sample("fragmentation/time", time as f64 / operations as f64);
    subject::check(sum);
    true
}

/// The live blocks.
struct Heap {
    random: Random,
    blocks: Vec<Block>,
    /// How many bytes the table of them has, all of it resident.
    table: usize,
    /// How many bytes are live, and may be.
    live: usize,
    limit: usize,
    operations: u64,
    written: u64,
    found: u64,
}

impl Heap {
    /// Makes an empty one.
    fn new(limit: usize) -> Self {
        let capacity = limit / LEAST_MEAN;
        let mut blocks: Vec<Block> = Vec::with_capacity(capacity);
        for place in blocks.spare_capacity_mut() {
            // SAFETY: memory of the vector that it does not use yet.
            unsafe { place.as_mut_ptr().cast::<u8>().write_volatile(0) };
        }
        Self {
            random: Random::new(1),
            blocks,
            table: capacity * size_of::<Block>(),
            live: 0,
            limit,
            operations: 0,
            written: 0,
            found: 0,
        }
    }

    /// Allocates so many bytes in blocks of such sizes, and frees others.
    fn phase(&mut self, from: u32, to: u32, churn: usize) {
        let mut allocated = 0;
        while allocated < churn {
            let (size, mark) = (self.random.size(from, to), self.random.next());
            while self.live + size > self.limit {
                let index = self.random.below(self.blocks.len());
                let block = self.blocks.swap_remove(index);
                self.live -= block.size();
                self.found = self.found.wrapping_add(block.free());
            }
            let mut block = Block::new(size, mark);
            block.touch();
            assert!(self.blocks.len() < self.blocks.capacity());
            self.blocks.push(block);
            self.live += size;
            self.written = self.written.wrapping_add(mark);
            self.operations += 1;
            allocated += size;
        }
    }

    /// Divides what is resident by what is live.
    fn ratio(&self) -> f64 {
        let resident = platform::status(&["VmRSS:"]) - self.table as u64;
        resident as f64 / self.live as f64
    }

    /// Frees what is left, and returns the sum of the marks.
    fn end(mut self) -> u64 {
        for block in self.blocks {
            self.found = self.found.wrapping_add(block.free());
        }
        assert!(self.written == self.found, "what was written is not there");
        self.found
    }
}
