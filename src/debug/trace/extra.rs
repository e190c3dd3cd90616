//! Events of threads that have no P: sysmon, an M that goes to sleep, a goroutine that
//! comes back from a system call and finds none. One buffer for all of them, behind a lock
//! that is held for a few stores. They are rare, and each has its time.

use spin::mutex::SpinMutex;

use super::words::{Extra, extra};
use super::writer::is_on;
use crate::arch;
use crate::sched::{acquirem, releasem};

/// How many there is room for.
const ROOM: usize = 8192;

/// Those that are not in the file yet.
struct Buffer {
    events: [Extra; ROOM],
    count: usize,
    lost: u64,
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
    count: 0,
    lost: 0,
});

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
    let mut buffer = BUFFER.lock();
    let ticks = arch::cputicks(); // behind the lock: in the order of the times
    let count = buffer.count;
    match buffer.events.get_mut(count) {
        Some(slot) => {
            *slot = Extra { ticks, kind, a, b };
            buffer.count += 1;
        }
        None => buffer.lost += 1,
    }
    drop(buffer);
    releasem();
}

/// Takes some of them, at most as many as `into` has room for, and returns how many those
/// are. By the writer.
pub(super) fn take(into: &mut [Extra]) -> usize {
    acquirem(); // as above
    let mut guard = BUFFER.lock();
    let buffer = &mut *guard;
    if buffer.lost > 0 && buffer.count < ROOM {
        // There was no room for this either.
        buffer.events[buffer.count] = Extra {
            ticks: arch::cputicks(),
            kind: extra::LOST,
            a: 0,
            b: core::mem::take(&mut buffer.lost),
        };
        buffer.count += 1;
    }
    let count = buffer.count.min(into.len());
    for (to, from) in into.iter_mut().zip(&buffer.events[..count]) {
        *to = *from;
    }
    let end = buffer.count;
    buffer.events.copy_within(count..end, 0);
    buffer.count -= count;
    drop(guard);
    releasem();
    count
}
