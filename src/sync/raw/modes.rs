//! The exclusive lock: Go's mutex with its two modes, for [`super::RawMutex`] and for the
//! writers of [`super::RawRwLock`], which add what readers there are.
//!
//! Go's counterpart: `internal/sync/mutex.go`. The word:
//!
//! ```text
//!   31 ............ 4        3         2        1        0
//!   how many readers   WAITERS  STARVING    WOKEN   LOCKED
//! ```
//!
//! *Normally* who unlocks wakes the first that waits, and that one takes the lock if
//! nobody else has meanwhile: whoever runs is faster, which is where the speed comes from.
//! WOKEN says that one is awake and after the lock; as long as it is, nobody else is
//! woken. Who was woken in vain goes to the queue's front.
//!
//! *Starving*: who was woken in vain and has waited for more than a millisecond says
//! STARVING. From there on nobody takes the lock by himself: it is handed over to the
//! queue's first, until one has waited for less, or is the last.
//!
//! Invariants:
//! 1. WAITERS is set while somebody is in a queue: set by who goes into it, under the
//!    queue's lock and while the word says that there is something to wait for; cleared
//!    by who takes the last out, under the lock. So whoever opens the lock after that sees
//!    it, and comes for the queue's lock, or leaves that to 2.
//! 2. Who opens it and finds it taken again, or WOKEN, leaves the queue to that one: who
//!    has taken it opens it, and who is awake takes it, or clears WOKEN under the queue's
//!    lock while it is taken, and then who has it will see that.
//! 3. While STARVING is set there is somebody in the (writers') queue.
//! 4. While STARVING is set and LOCKED is not, and no reader is there, the word is changed
//!    under the queue's lock alone.
//!
//! `sema`, `spin` and `nanotime` are the runtime's here, and models of them in the tests
//! under loom.

use super::atomic::Ordering;
use super::sema::{Locked, Sema, Sleeper, Woken};
use super::spin::{can_spin, do_spin};
use super::{WaitReason, nanotime};

/// Somebody has it for himself.
pub(super) const LOCKED: u32 = 1;
/// One that waited is awake, or one that spins says that he is.
pub(super) const WOKEN: u32 = 2;
/// It is handed over to the first of the queue.
pub(super) const STARVING: u32 = 4;
/// There is somebody in a queue.
pub(super) const WAITERS: u32 = 8;
/// One reader.
pub(super) const READER: u32 = 16;
/// All of the readers' bits.
pub(super) const READERS: u32 = !(READER - 1);

/// What keeps others from having it for themselves.
pub(super) const BUSY: u32 = LOCKED | READERS;

/// The queue of those who want it for themselves.
pub(super) const EXCLUSIVE: usize = 0;

/// How long a goroutine waits until it is starving, in nanoseconds.
const STARVATION_THRESHOLD: i64 = 1_000_000;

/// What a goroutine is given that has the lock.
const OWNED: u32 = 1;

/// Takes the lock if it is free.
#[inline]
pub(super) fn try_lock<const N: usize>(sema: &Sema<N>) -> bool {
    let mut state = sema.word.load(Ordering::Relaxed); // looked at again
    while state & (BUSY | STARVING) == 0 {
        // Acquire pairs with the release of whoever had it. Relaxed: nothing was learnt.
        match sema.word.compare_exchange_weak(
            state,
            state | LOCKED,
            Ordering::Acquire,
            Ordering::Relaxed,
        ) {
            Ok(_) => return true,
            Err(now) => state = now,
        }
    }
    false
}

/// Takes the lock if it is free, as it mostly is: tries once.
///
/// A look first costs nothing beside the locked instruction, and where others want the
/// lock it saves one: to try with a wrong guess, or while somebody has it, would take the
/// cache line away from him for nothing.
#[inline(always)]
pub(super) fn try_lock_fast<const N: usize>(sema: &Sema<N>) -> bool {
    let state = sema.word.load(Ordering::Relaxed); // looked at again
    let (success, failure) = (Ordering::Acquire, Ordering::Relaxed); // as in try_lock
    state & (BUSY | STARVING) == 0
        && sema
            .word
            .compare_exchange(state, state | LOCKED, success, failure)
            .is_ok()
}

/// Gives up LOCKED, and tells whether there is more to do.
#[inline(always)]
#[must_use]
pub(super) fn unlock_fast<const N: usize>(sema: &Sema<N>) -> bool {
    // Release pairs with the acquire of whoever takes it next.
    sema.word.fetch_sub(LOCKED, Ordering::Release) != LOCKED
}

/// One that is after the lock.
struct Turn {
    /// Since when it waits, or 0.
    since: i64,
    /// It has been in the queue.
    queued: bool,
    /// It has waited for too long.
    starving: bool,
    /// It has set WOKEN, or that was set for it.
    awake: bool,
}

/// Takes the lock, whatever it costs. From a goroutine.
#[cold]
pub(super) fn lock_slow<const N: usize>(sema: &Sema<N>, reason: WaitReason) {
    let mut turn = Turn {
        since: 0,
        queued: false,
        starving: false,
        awake: false,
    };
    let mut spins = 0;
    loop {
        let state = sema.word.load(Ordering::Relaxed); // looked at again
        if state & (BUSY | STARVING) == 0 {
            let taken = (state | LOCKED) & !turn.woken();
            // Acquire pairs with the release of whoever had it. Relaxed: nothing was learnt.
            if sema
                .word
                .compare_exchange_weak(state, taken, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
            {
                return;
            }
        } else if state & (LOCKED | STARVING) == LOCKED && can_spin(spins) {
            turn.awake = turn.awake || say_awake(sema, state);
            do_spin();
            spins += 1;
        } else if wait(sema, &mut turn, reason) {
            return;
        } else {
            spins = 0;
        }
    }
}

impl Turn {
    /// Returns WOKEN if it is ours.
    fn woken(&self) -> u32 {
        if self.awake { WOKEN } else { 0 }
    }
}

/// Says that there is no need to wake anybody while we spin.
fn say_awake<const N: usize>(sema: &Sema<N>, state: u32) -> bool {
    state & WOKEN == 0
        && state & WAITERS != 0
        // Relaxed: the queue's lock orders what comes of it.
        && sema
            .word
            .compare_exchange(state, state | WOKEN, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
}

/// Waits, unless the lock has become free meanwhile. True if it was handed over.
fn wait<const N: usize>(sema: &Sema<N>, turn: &mut Turn, reason: WaitReason) -> bool {
    if turn.since == 0 {
        turn.since = nanotime();
    }
    let locked = sema.lock();
    if !announce(sema, turn) {
        return false;
    }
    turn.awake = false;
    let (sleeper, front) = (Sleeper::new(0, 0), turn.queued);
    turn.queued = true;
    let Ok(given) = locked.park(EXCLUSIVE, &sleeper, front, reason) else {
        return false; // no clock
    };
    let waited = nanotime() - turn.since;
    turn.starving = turn.starving || waited > STARVATION_THRESHOLD;
    if given != OWNED {
        turn.awake = true;
        return false;
    }
    // Relaxed: it is ours, and goready has handed all over that comes with it.
    if !turn.starving && sema.word.load(Ordering::Relaxed) & STARVING != 0 {
        sema.word.fetch_and(!STARVING, Ordering::Relaxed);
    }
    true
}

/// Says that there is one more who waits. False if it need not. Under the queue's lock.
fn announce<const N: usize>(sema: &Sema<N>, turn: &Turn) -> bool {
    let mut state = sema.word.load(Ordering::Relaxed); // looked at again
    while state & (BUSY | STARVING) != 0 {
        let mut new = (state | WAITERS) & !turn.woken();
        if turn.starving && state & BUSY != 0 {
            new |= STARVING;
        }
        // Relaxed: who sees it comes for the queue's lock.
        match sema
            .word
            .compare_exchange(state, new, Ordering::Relaxed, Ordering::Relaxed)
        {
            Ok(_) => return true,
            Err(now) => state = now,
        }
    }
    false
}

/// Does what an unlock has to do when LOCKED was not all there was. From a goroutine.
#[cold]
pub(super) fn unlock_slow(sema: &Sema) {
    let state = sema.word.load(Ordering::Relaxed); // looked at again
    if !somebody_is_to_wake(state) {
        return;
    }
    let locked = sema.lock();
    let Some(woken) = wake(sema, &locked) else {
        return;
    };
    hand_over(locked, woken);
}

/// Readies who was popped; lets it run at once if it has the lock already. From a
/// goroutine.
pub(super) fn hand_over<const N: usize>(locked: Locked<'_, N>, woken: Woken) {
    let owned = woken.note() == OWNED;
    locked.ready(woken);
    if owned {
        super::spin::give_way(); // else all wait until our time slice ends
    }
}

/// Tells whether whoever has just made the word say this is to wake one who waits.
pub(super) fn somebody_is_to_wake(state: u32) -> bool {
    state & WAITERS != 0 && state & BUSY == 0 && (state & STARVING != 0 || state & WOKEN == 0)
}

/// Takes the first out of the queue who is to have the lock, or to try and take it. Under
/// the queue's lock.
pub(super) fn wake<const N: usize>(sema: &Sema<N>, locked: &Locked<'_, N>) -> Option<Woken> {
    // Acquire, here and below, pairs with the release of all readers that there were:
    // whoever is handed the lock does not look at the word.
    let mut state = sema.word.load(Ordering::Acquire);
    while somebody_is_to_wake(state) && !locked.is_empty(EXCLUSIVE) {
        let mut new = if state & STARVING != 0 {
            state | LOCKED
        } else {
            state | WOKEN
        };
        if locked.is_last(EXCLUSIVE) {
            new &= !STARVING;
            if locked.others_are_empty(EXCLUSIVE) {
                new &= !WAITERS;
            }
        }
        match sema
            .word
            .compare_exchange(state, new, Ordering::Acquire, Ordering::Acquire)
        {
            Ok(_) => {
                let woken = locked.pop(EXCLUSIVE)?;
                if state & STARVING != 0 {
                    woken.give(OWNED);
                }
                return Some(woken);
            }
            Err(now) => state = now,
        }
    }
    None
}
