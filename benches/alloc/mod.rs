//! The workloads of `cargo xtask bench alloc`. An operation is an allocation and
//! its free; in the two that grow a vector, it is a push.
//!
//! | scenario | what happens |
//! | --- | --- |
//! | `mixed` | 10,000 blocks live, of 16 to 4,095 bytes; a random one is replaced |
//! | `batches` | 1,000 such blocks, freed in the same order; then in the reverse |
//! | `cross` | one side allocates, hands over through a ring, the other side frees |
//! | `growth` | vectors that grow to 128 B, 512 B, 2 KiB, 8 KiB and 32 KiB |
//! | `growth-large` | to 128 KiB, 512 KiB, 2 MiB and 8 MiB |
//! | `pairs` | 64 bytes, freed at once |
//!
//! On two processors two workers do the same at the same time, each with blocks
//! of its own, and the time of an operation is what the program needs for it: it
//! halves where the workers don't hinder each other. `cross` has two sides on any
//! number of processors. A part of the work goes before the time that counts.

mod cross;
mod growth;
mod small;

use core::sync::atomic::{AtomicU64, Ordering};

use crate::platform;
use crate::subject;

/// Rounds of a workload that go before those that count: one in so many.
const WARM_UP: u64 = 8;

/// What a worker does, in rounds.
trait Workload {
    /// Operations of a round.
    const OPERATIONS: u64;
    /// Prepares, from random numbers that begin with the seed.
    fn new(seed: u64) -> Self;
    /// Does a round.
    fn round(&mut self);
    /// Frees what is left, checks what was in the blocks, and returns the sum of
    /// all that was.
    fn end(self) -> u64;
}

/// What came of a worker.
struct Outcome {
    start: u64,
    end: u64,
    operations: u64,
    sum: u64,
}

/// Runs a scenario and prints its sample; false if there is none of that name.
pub(crate) fn run(scenario: &str, workers: u64, scale: u64) -> bool {
    let (first, second) = match scenario {
        "mixed" => workload::<small::Mixed>(workers, 2_000 / scale),
        "batches" => workload::<small::Batches>(workers, 1_500 / scale),
        "cross" => cross::run(1_000_000 / scale),
        "growth" => workload::<growth::Small>(workers, 1_500 / scale),
        "growth-large" => workload::<growth::Large>(workers, 20 / scale),
        "pairs" => workload::<small::Pairs>(workers, 10_000 / scale),
        _ => return false,
    };
    let (mut start, mut end) = (first.start, first.end);
    let (mut operations, mut sum) = (first.operations, first.sum);
    if let Some(second) = second {
        start = start.min(second.start);
        end = end.max(second.end);
        operations += second.operations;
        sum = sum.wrapping_add(second.sum);
    }
    let time = (end - start) as f64 / operations as f64;
    subject::sample(format_args!("alloc/{scenario}"), time);
    subject::check(sum);
    true
}

/// Has one or two workers do as many rounds each.
fn workload<W: Workload>(workers: u64, rounds: u64) -> (Outcome, Option<Outcome>) {
    let rounds = rounds.max(1);
    if workers == 1 {
        (work::<W>(1, rounds, 1), None)
    } else {
        let (first, second) = platform::both(
            move || work::<W>(1, rounds, 2),
            move || work::<W>(2, rounds, 2),
        );
        (first, Some(second))
    }
}

/// What a worker does.
fn work<W: Workload>(seed: u64, rounds: u64, workers: u64) -> Outcome {
    let mut workload = W::new(seed);
    for _ in 0..rounds.div_ceil(WARM_UP) {
        workload.round();
    }
    wait_for_all(workers);
    let start = platform::now();
    for _ in 0..rounds {
        workload.round();
    }
    let end = platform::now();
    Outcome {
        start,
        end,
        operations: rounds * W::OPERATIONS,
        sum: workload.end(),
    }
}

/// Waits until so many workers have come here.
fn wait_for_all(workers: u64) {
    static ARRIVED: AtomicU64 = AtomicU64::new(0);
    ARRIVED.fetch_add(1, Ordering::AcqRel); // pairs with the load of the others
    // Acquire pairs with the others' addition.
    while ARRIVED.load(Ordering::Acquire) < workers {
        platform::yield_now();
    }
}
