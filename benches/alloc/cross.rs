//! Blocks that one side allocates and the other side frees. They go through a
//! ring of 256 places without locks; who finds it full, or empty, gives way.
//!
//! ```text
//!   taken                 put
//!     |   blocks in flight |
//!   --+--------------------+----------   both only grow; place = count % PLACES
//! ```
//!
//! The producer alone writes `put` and the places from there on, the consumer
//! alone writes `taken` and reads the places before `put`.

use alloc::sync::Arc;
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::{Outcome, WARM_UP, wait_for_all};
use crate::block::Block;
use crate::platform;
use crate::random::Random;

/// The sizes: at least two to the one power, less than two to the other.
const SIZES: (u32, u32) = (4, 12);

/// How many blocks can be under way.
const PLACES: usize = 256;

/// Runs both sides; the time is from the producer's start to the consumer's end.
pub(super) fn run(operations: u64) -> (Outcome, Option<Outcome>) {
    let operations = operations.max(1);
    let ring = Arc::new(Ring::new());
    let producer = Producer {
        ring: Arc::clone(&ring),
    };
    let consumer = Consumer { ring };
    let (written, found) = platform::both(
        move || produce(producer, operations),
        move || consume(consumer, operations),
    );
    assert!(written.sum == found.sum, "what was written is not there");
    let outcome = Outcome {
        end: found.end,
        ..written
    };
    (outcome, None)
}

/// Allocates.
fn produce(mut to: Producer, operations: u64) -> Outcome {
    let (mut random, mut sum) = (Random::new(1), 0_u64);
    let mut send = |count| {
        for _ in 0..count {
            let (size, mark) = (random.size(SIZES.0, SIZES.1), random.next());
            sum = sum.wrapping_add(mark);
            to.put(Block::new(size, mark));
        }
    };
    send(operations.div_ceil(WARM_UP));
    wait_for_all(2);
    let start = platform::now();
    send(operations);
    let end = platform::now();
    Outcome {
        start,
        end,
        operations,
        sum,
    }
}

/// Frees.
fn consume(mut from: Consumer, operations: u64) -> Outcome {
    let mut sum = 0_u64;
    let mut receive = |count| {
        for _ in 0..count {
            sum = sum.wrapping_add(from.take().free());
        }
    };
    receive(operations.div_ceil(WARM_UP));
    wait_for_all(2);
    let start = platform::now();
    receive(operations);
    let end = platform::now();
    Outcome {
        start,
        end,
        operations,
        sum,
    }
}

/// A count that has its cache lines to itself: processors fetch them in pairs.
#[repr(align(128))]
struct Count(AtomicUsize);

/// The ring.
struct Ring {
    put: Count,
    taken: Count,
    places: [UnsafeCell<MaybeUninit<Block>>; PLACES],
}

// SAFETY: see the head of this file: no place is used by both sides at once.
unsafe impl Sync for Ring {}

impl Ring {
    /// Makes an empty one.
    fn new() -> Self {
        Self {
            put: Count(AtomicUsize::new(0)),
            taken: Count(AtomicUsize::new(0)),
            places: [const { UnsafeCell::new(MaybeUninit::uninit()) }; PLACES],
        }
    }

    /// Returns the place of the block with that number.
    fn place(&self, count: usize) -> *mut Block {
        self.places[count % PLACES].get().cast()
    }
}

/// The side that puts blocks into the ring; there is one.
struct Producer {
    ring: Arc<Ring>,
}

impl Producer {
    /// Puts a block, once there is room.
    fn put(&mut self, block: Block) {
        let ring = &*self.ring;
        let put = ring.put.0.load(Ordering::Relaxed); // written here alone
        // Acquire pairs with the store in `take`: the place is free.
        while put - ring.taken.0.load(Ordering::Acquire) == PLACES {
            platform::yield_now();
        }
        // SAFETY: a free place, which only this side writes.
        unsafe { ring.place(put).write(block) };
        ring.put.0.store(put + 1, Ordering::Release); // pairs with the load in `take`
    }
}

/// The side that takes them; there is one.
struct Consumer {
    ring: Arc<Ring>,
}

impl Consumer {
    /// Takes a block, once there is one.
    fn take(&mut self) -> Block {
        let ring = &*self.ring;
        let taken = ring.taken.0.load(Ordering::Relaxed); // written here alone
        // Acquire pairs with the store in `put`: the block is there.
        while ring.put.0.load(Ordering::Acquire) == taken {
            platform::yield_now();
        }
        // SAFETY: a place with a block, which only this side reads, and once.
        let block = unsafe { ring.place(taken).read() };
        ring.taken.0.store(taken + 1, Ordering::Release); // pairs with the load in `put`
        block
    }
}
