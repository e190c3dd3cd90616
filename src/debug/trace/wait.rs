//! Who waits for the writer: a P whose ring is nearly full, a thread that finds no room for
//! an event without a P, and who ends the program.
//!
//! Go's counterpart: a full `traceBuf` is replaced by a new one, however many there are, and
//! `StopTrace` waits for the reader. Here the memory is bounded, and so the program waits: as
//! it would for a lock, whatever it holds, since the writer needs nothing of that
//! (invariant 4 of `writer`). It is not the P that writes: a write into a pipe that nobody
//! reads does not come back.
//!
//! Invariant: nobody waits for ever. A file that has not got on for [`PATIENCE`] stands
//! still: from then on, until it gets on, nobody waits for room: what finds none is counted.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::ring::{FEW, Ring};
use super::writer;
use crate::os;

/// After how long without a write that comes through the file stands still, in nanoseconds.
/// Also a thread that shares its CPU with many gets its turn within that.
const PATIENCE: i64 = 2_000_000_000;

/// How long a P sleeps between two looks, in nanoseconds.
const NAP: u64 = 100_000;

/// The same for who ends the program, whom the writer wakes.
const LONG_NAP: i64 = 10_000_000;

/// At how many eighths the writer is to come at once.
pub(super) const MANY: u64 = FEW;

/// At how many eighths a P begins to wait, and from how many on it goes on waiting: so that
/// it does not wait for every few events.
pub(super) const FULL: u64 = 7;
const STILL_FULL: u64 = 6;

/// Above the exit status: the program is at its end.
const AT_END: u64 = 1 << 32;

/// Counts the writes that have come through.
static PROGRESS: AtomicU32 = AtomicU32::new(0);

/// What PROGRESS was when somebody found that the file stands still, plus one.
static STILL_AT: AtomicU32 = AtomicU32::new(0);

/// The exit status, and [`AT_END`]; 0 before.
static END: AtomicU64 = AtomicU64::new(0);

/// Not 0 once the end is in the file. What its waiters sleep on.
static ENDED: AtomicU32 = AtomicU32::new(0);

/// How long somebody goes on waiting.
pub(super) struct Patience {
    seen: u32,
    since: i64,
}

impl Patience {
    /// From now on.
    pub(super) fn new() -> Self {
        Self {
            seen: PROGRESS.load(Ordering::Relaxed), // a counter, all of them
            since: os::nanotime(),
        }
    }

    /// Tells whether the file stands still.
    pub(super) fn is_over(&mut self) -> bool {
        let now = PROGRESS.load(Ordering::Relaxed); // as above
        if now != self.seen {
            *self = Self::new();
            return false;
        }
        if os::nanotime() - self.since < PATIENCE {
            return false;
        }
        STILL_AT.store(now.wrapping_add(1), Ordering::Relaxed); // as above
        true
    }
}

/// A write has come through.
pub(super) fn got_on() {
    PROGRESS.fetch_add(1, Ordering::Relaxed); // a counter
}

/// Tells whether somebody has found that the file stands still, and it has not got on since.
fn stands_still() -> bool {
    // Relaxed: counters, ordered with nothing.
    STILL_AT.load(Ordering::Relaxed) == PROGRESS.load(Ordering::Relaxed).wrapping_add(1)
}

/// Waits until a ring has some room. From a thread that writes to it.
#[cold]
#[inline(never)]
pub(super) fn for_ring(ring: &Ring) {
    for_room(|| ring.eighths() >= STILL_FULL);
}

/// Waits until there is room, or none can be hoped for. From any thread but the writer's.
pub(super) fn for_room(is_full: impl Fn() -> bool) {
    if stands_still() {
        writer::hurry();
        return;
    }
    let mut patience = Patience::new();
    // Where there is no trace any more nobody looks at what comes.
    while is_full() && writer::is_on() && !patience.is_over() {
        if !writer::write_now() {
            writer::hurry();
            os::nap(NAP);
        }
    }
}

/// Ends the trace: the program is about to exit with that status. From any stack.
#[cold]
pub(crate) fn finish(status: i32) {
    if !writer::is_on() {
        return;
    }
    os::set_mask(!0);
    let end = AT_END | u64::from(status as u32);
    // The first counts. Release and acquire: the file has what each P has done until here.
    let _ = END.compare_exchange(0, end, Ordering::Release, Ordering::Relaxed);
    let mut patience = Patience::new();
    while writer::is_on() {
        if patience.is_over() {
            writer::complain_of_end();
            break;
        }
        if !writer::write_now() {
            writer::hurry();
            os::futexsleep(&ENDED, 0, LONG_NAP);
        }
    }
}

/// Returns the exit status if the program is at its end. By the writer.
pub(super) fn end() -> Option<i32> {
    let end = END.load(Ordering::Acquire); // pairs with finish
    (end & AT_END != 0).then_some(end as i32)
}

/// The end is in the file. By the writer.
pub(super) fn ended() {
    ENDED.store(1, Ordering::Relaxed); // who sleeps looks at the trace
    os::futexwakeup(&ENDED, i32::MAX as u32);
}
