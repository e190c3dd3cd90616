//! Events of threads that have no P: sysmon, an M that goes to sleep, a goroutine that
//! comes back from a system call and finds none. One buffer for all of them, behind a lock
//! that is held for a few stores. They are rare, and each has its time.
//!
//! Ten thousand Ms that go to sleep at once are more than there is room for: where there is
//! none they wait for the writer, without the lock, as a P does for its ring. What finds
//! none nevertheless is counted.

use core::sync::atomic::{AtomicU64, Ordering};

use spin::mutex::{SpinMutex, SpinMutexGuard};

use super::wait;
use super::words::{Extra, extra};
use super::writer::{hurry, is_on};
use crate::sched::{acquirem, releasem};
use crate::{arch, os};

/// How many there is room for.
const ROOM: usize = 8192;

/// At how many the writer is to come at once.
const MANY: usize = ROOM / 4;

/// For how long the lock is waited for, in nanoseconds: as long as a thread that has it may
/// get no CPU.
const PATIENCE: i64 = 500_000_000;

/// Those that are not in the file yet: `count` of them from `first` on, around the end.
struct Buffer {
    events: [Extra; ROOM],
    first: usize,
    count: usize,
}

/// No event.
pub(super) const NONE: Extra = Extra {
    ticks: 0,
    kind: 0,
    a: 0,
    b: 0,
};

static BUFFER: SpinMutex<Buffer> = SpinMutex::new(Buffer {
    events: [NONE; ROOM],
    first: 0,
    count: 0,
});

/// How many there was no room for that the file does not say yet.
static LOST: AtomicU64 = AtomicU64::new(0);

impl Buffer {
    /// Appends one; false if there is no room.
    fn add(&mut self, event: Extra) -> bool {
        if self.count == ROOM {
            return false;
        }
        self.events[(self.first + self.count) % ROOM] = event;
        self.count += 1;
        true
    }
}

/// Notes an event, if there is a trace. From any thread that has a g.
#[inline(always)]
pub(super) fn put(kind: u32, a: u32, b: u64) {
    if is_on() {
        note(kind, a, b);
    }
}

#[cold]
#[inline(never)]
fn note(kind: u32, a: u32, b: u64) {
    acquirem(); // who has the lock is not preempted
    // Once more when it has waited.
    if !try_note(kind, a, b) {
        wait::for_room(|| lock().is_none_or(|buffer| buffer.count == ROOM));
        if !try_note(kind, a, b) {
            LOST.fetch_add(1, Ordering::Relaxed); // a counter
        }
    }
    releasem();
}

/// Notes an event; false if there is no room.
fn try_note(kind: u32, a: u32, b: u64) -> bool {
    let Some(mut buffer) = lock() else {
        return false;
    };
    let ticks = arch::cputicks(); // behind the lock: in the order of the times
    let noted = buffer.add(Extra { ticks, kind, a, b });
    let many = buffer.count >= MANY;
    drop(buffer);
    if many {
        hurry();
    }
    noted
}

/// Takes the lock. None if whoever has it does not open it: it was interrupted with it in
/// hand, by what ends the program.
fn lock() -> Option<SpinMutexGuard<'static, Buffer>> {
    if let Some(guard) = BUFFER.try_lock() {
        return Some(guard);
    }
    let deadline = os::nanotime() + PATIENCE;
    while os::nanotime() < deadline {
        os::osyield(); // it may share our CPU
        if let Some(guard) = BUFFER.try_lock() {
            return Some(guard);
        }
    }
    None
}

/// Takes some of them, at most as many as `into` has room for, and returns how many those
/// are. By the writer.
pub(super) fn take(into: &mut [Extra]) -> usize {
    acquirem(); // as above
    let count = lock().map_or(0, |mut guard| {
        let buffer = &mut *guard;
        let lost = LOST.load(Ordering::Relaxed); // a counter
        let event = Extra {
            ticks: arch::cputicks(),
            kind: extra::LOST,
            a: 0,
            b: lost,
        };
        if lost > 0 && buffer.add(event) {
            LOST.fetch_sub(lost, Ordering::Relaxed); // as above
        }
        let count = buffer.count.min(into.len());
        for (at, to) in into[..count].iter_mut().enumerate() {
            *to = buffer.events[(buffer.first + at) % ROOM];
        }
        buffer.first = (buffer.first + count) % ROOM;
        buffer.count -= count;
        count
    });
    releasem();
    count
}
