//! The lock for many readers or one writer, in phases: nobody starves anybody.
//!
//! Go's counterpart: `sync/rwmutex.go`. There it is a mutex for the writers, two
//! semaphores and two counts; here it is the exclusive lock of [`super::modes`], whose word
//! counts readers as well, so that each way in and each way out is one locked instruction.
//!
//! 1. A reader comes in while the word says nothing but how many readers there are. So as
//!    soon as a writer waits, all new readers wait behind it.
//! 2. A writer that leaves lets all readers in that wait then. So the next writer comes
//!    behind them, and no reader waits for more than one writer and those before it in
//!    their starving mode: those hand over among themselves only while no reader waits.
//! 3. The last reader that leaves wakes the first writer, or hands over to it.
//! 4. Who lets readers in is a reader himself until he has woken the last of them: so none
//!    of them ends the phase, and the list of them is his alone.
//! 5. Readers wait in a queue of their own, which is taken as a whole: nobody in there
//!    waits for the clock. Whoever is taken out is a reader when he goes on.
//!
//! The bits, and the rules for writers: see [`super::modes`].

use super::WaitReason;
use super::atomic::Ordering;
use super::modes::{
    BUSY, EXCLUSIVE, LOCKED, READER, READERS, WAITERS, hand_over, somebody_is_to_wake, wake,
};
use super::sema::{All, Locked, Sema, Sleeper};

/// The queue of the readers.
const SHARED: usize = 1;

/// More readers than this are a mistake: guards that were forgotten.
const MAX_READERS: u32 = 1 << 27;

/// Comes in as a reader, if nobody has it for himself, or waits.
#[inline]
pub(super) fn try_read(sema: &Sema<2>) -> bool {
    let mut state = sema.word.load(Ordering::Relaxed); // looked at again
    while state & !READERS == 0 {
        if state / READER >= MAX_READERS {
            too_many();
        }
        // Acquire pairs with the release of the writer before. Relaxed: nothing was learnt.
        match sema.word.compare_exchange_weak(
            state,
            state + READER,
            Ordering::Acquire,
            Ordering::Relaxed,
        ) {
            Ok(_) => return true,
            Err(now) => state = now,
        }
    }
    false
}

#[cold]
fn too_many() -> ! {
    panic!("too many readers of one lock");
}

/// Comes in as a reader, whatever it costs. From a goroutine.
#[cold]
pub(super) fn read_slow(sema: &Sema<2>, reason: WaitReason) {
    while !try_read(sema) {
        let locked = sema.lock();
        if announce(sema) {
            let sleeper = Sleeper::new(0, 0);
            let _ = locked.park(SHARED, &sleeper, false, reason);
            return; // a reader: who has woken us has seen to it
        }
    }
}

/// Says that there is one more who waits. False if it need not. Under the queues' lock.
fn announce(sema: &Sema<2>) -> bool {
    let mut state = sema.word.load(Ordering::Relaxed); // looked at again
    while state & !READERS != 0 {
        // Relaxed: who sees it comes for the queues' lock.
        match sema.word.compare_exchange(
            state,
            state | WAITERS,
            Ordering::Relaxed,
            Ordering::Relaxed,
        ) {
            Ok(_) => return true,
            Err(now) => state = now,
        }
    }
    false
}

/// Leaves, as a reader, and tells whether there is more to do.
#[inline(always)]
#[must_use]
pub(super) fn read_unlock_fast(sema: &Sema<2>) -> bool {
    // Release pairs with the acquire of the next writer, and of who wakes that.
    let state = sema.word.fetch_sub(READER, Ordering::Release) - READER;
    somebody_is_to_wake(state)
}

/// Does what the last reader has to do when somebody waits. From a goroutine.
#[cold]
pub(super) fn read_unlock_slow(sema: &Sema<2>) {
    let locked = sema.lock();
    if let Some(woken) = wake(sema, &locked) {
        hand_over(locked, woken);
    } else if somebody_is_to_wake(sema.word.load(Ordering::Relaxed)) {
        let_readers_in(sema, locked); // no writer waits; Relaxed: looked at again
    }
}

/// Does what a writer has to do that leaves when somebody waits. From a goroutine.
#[cold]
pub(super) fn write_unlock_slow(sema: &Sema<2>) {
    let locked = sema.lock();
    if !locked.is_empty(SHARED) {
        return let_readers_in(sema, locked);
    }
    if let Some(woken) = wake(sema, &locked) {
        hand_over(locked, woken);
    }
}

/// Lets all readers in that wait, unless somebody is in already: who leaves last will do
/// that.
fn let_readers_in(sema: &Sema<2>, locked: Locked<'_, 2>) {
    let mut state = sema.word.load(Ordering::Relaxed); // looked at again
    loop {
        if locked.is_empty(SHARED) || state & BUSY != 0 {
            return;
        }
        // Acquire pairs with the release of the writer before: those who are let in do not
        // look at the word.
        match sema.word.compare_exchange(
            state,
            after_readers_left_the_queue(&locked, state) + READER,
            Ordering::Acquire,
            Ordering::Relaxed,
        ) {
            Ok(_) => break,
            Err(now) => state = now,
        }
    }
    let readers = locked.take_all(SHARED);
    drop(locked);
    ready(sema, readers);
    if read_unlock_fast(sema) {
        read_unlock_slow(sema);
    }
}

/// Turns a writer into a reader, and lets those in that wait. From a goroutine.
pub(super) fn downgrade(sema: &Sema<2>) {
    // Release pairs with the acquire of readers.
    let before = sema.word.fetch_add(READER - LOCKED, Ordering::Release);
    if before & WAITERS == 0 {
        return;
    }
    let locked = sema.lock();
    if locked.is_empty(SHARED) {
        return;
    }
    let mut state = sema.word.load(Ordering::Relaxed); // looked at again
    // Relaxed: we are a reader, and what they are to see is ours.
    while let Err(now) = sema.word.compare_exchange(
        state,
        after_readers_left_the_queue(&locked, state),
        Ordering::Relaxed,
        Ordering::Relaxed,
    ) {
        state = now;
    }
    let readers = locked.take_all(SHARED);
    drop(locked);
    ready(sema, readers);
}

/// Returns what the word says when the readers are out of their queue.
fn after_readers_left_the_queue(locked: &Locked<'_, 2>, state: u32) -> u32 {
    if locked.is_empty(EXCLUSIVE) {
        state & !WAITERS
    } else {
        state
    }
}

/// Makes readers of them, and wakes them. By a reader.
fn ready(sema: &Sema<2>, readers: All) {
    readers.ready(|| {
        // Relaxed: goready hands over what they are to see.
        sema.word.fetch_add(READER, Ordering::Relaxed);
    });
}
