//! The workloads of `cargo xtask bench chan`: what all programs in Rust have in
//! common. Each program is the same on another runtime.
//!
//! | scenario | what happens | what is measured |
//! | --- | --- | --- |
//! | `ping-pong` | a number goes to another goroutine and back, by two channels without a buffer | a round trip |
//! | `buffered` | one sends, one receives, by a channel of 128 | a message |
//! | `many` | four send, four receive, by one channel of 128 | a message |
//! | `close` | 100 send by one channel of 128, until the last sender is gone | a message |
//! | `select` | two send, by a channel without a buffer each; one selects | a message |
//! | `select-buffered` | the same with channels of 128 | a message |
//! | `mutex` | eight change what one lock protects, and do nothing else | a time that it is locked |
//! | `mutex-yield` | the same, and whoever has the lock gives way | a time that it is locked |
//! | `skynet` | each goroutine starts ten more, down to a million that send their number to who started them, who sends the sum | until the whole sum is there |
//!
//! An eighth of the work goes before the time that counts. Skynet runs twice: for the
//! first goroutines the kernel has yet to find memory. What a runtime does not have is
//! done by what its users take instead; the program says so.

#[path = "../shared/command.rs"]
mod command;

pub(crate) use command::{Work, warm_up};

// So much of each that a sample takes some 50 ms at least: sysmon, and its like elsewhere,
// looks often in the first few of them.

/// Round trips.
const ROUND_TRIPS: u64 = 500_000;

/// Messages through the channel of one sender and one receiver.
const MESSAGES: u64 = 5_000_000;

/// How many send at the same time, how many receive, and what each sends.
pub(crate) const SENDERS: u64 = 4;
pub(crate) const RECEIVERS: u64 = 4;
const MANY: u64 = 1_000_000;

/// How many send until they are gone, and what each sends.
pub(crate) const LEAVERS: u64 = 100;
const LEAVES: u64 = 3_000;

/// What each of the two sends to the one that selects, without a buffer and with one.
const SELECTS: u64 = 250_000;
const BUFFERED_SELECTS: u64 = 1_000_000;

/// How many have one lock, and how often each takes it, and where who has it gives way.
pub(crate) const LOCKERS: u64 = 8;
const LOCKS: u64 = 1_000_000;
const YIELDING_LOCKS: u64 = 100_000;

/// The goroutines that start no others.
const TREE: u64 = 1_000_000;

/// How many the others start.
pub(crate) const CHILDREN: u64 = 10;

/// How many messages a buffer has room for.
pub(crate) const CAPACITY: usize = 128;

/// A workload, with its size.
#[derive(Clone, Copy)]
pub(crate) enum Load {
    /// So many round trips.
    PingPong(u64),
    /// So many messages.
    Buffered(u64),
    /// So many of each sender.
    Many(u64),
    /// The same.
    Close(u64),
    /// So many of each sender, by channels with so much room.
    Select(u64, usize),
    /// So often by each; whoever has the lock gives way, or does not.
    Mutex(u64, bool),
    /// So many at the lowest level.
    Skynet(u64),
}

impl Work<'_> {
    /// Returns the workload, if there is one of that name.
    pub(crate) fn load(&self) -> Option<Load> {
        Some(match self.scenario("chan")? {
            "ping-pong" => Load::PingPong(self.part(ROUND_TRIPS)),
            "buffered" => Load::Buffered(self.part(MESSAGES)),
            "many" => Load::Many(self.part(MANY)),
            "close" => Load::Close(self.part(LEAVES)),
            "select" => Load::Select(self.part(SELECTS), 0),
            "select-buffered" => Load::Select(self.part(BUFFERED_SELECTS), CAPACITY),
            "mutex" => Load::Mutex(self.part(LOCKS), false),
            "mutex-yield" => Load::Mutex(self.part(YIELDING_LOCKS), true),
            // All levels are full.
            "skynet" => Load::Skynet(CHILDREN.pow(self.part(TREE).ilog(CHILDREN))),
            _ => return None,
        })
    }
}

/// What the lock protects: a sequence in which each number comes of the one before, so
/// that no step may be lost, and none done twice. A step takes some ten cycles.
pub(crate) struct Sequence(u64);

impl Sequence {
    /// Makes one at its beginning.
    pub(crate) const fn new() -> Self {
        Self(88_172_645_463_325_252)
    }

    /// Goes a step on: Marsaglia's xorshift64.
    pub(crate) fn step(&mut self) {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
    }

    /// Returns the number where it is.
    pub(crate) fn number(&self) -> u64 {
        self.0
    }
}
