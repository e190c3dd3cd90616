//! Timers and Ps: where a timer goes, and what the scheduler asks.
//!
//! Go's counterparts: `timer.maybeAdd`, `timeSleepUntil` and what proc.go calls, in
//! `runtime/time.go`. How it goes together:
//!
//! | file | what it holds |
//! | --- | --- |
//! | `timer` | one timer: set it, stop it, set it again |
//! | `timer_set` | a P's: the lock, what is due, what was stopped |
//! | `timer_heap` | the four-ary heap in there |
//! | `timer_memory` | its memory |
//!
//! A timer goes to the heap of the P on which it is set, and stays there until it
//! fires, whoever sets it to another time. The P's word for its timers is null until
//! then. Where an M without a P sets one, in a blocking call, it goes to the first P,
//! which is always there: whoever is woken for it looks at the timers of all Ps.
//!
//! A program without timers has none of this: the first timer leaves [`Hooks`] for the
//! scheduler to find.

use core::cell::Cell;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::findrunnable::is_crowded;
use super::findrunnable::start_many;
use super::netpoll::wake_net_poller;
use super::procresize::allp;
use super::runtime2::P;
use super::timer::{Callback, Timer};
use super::timer_set::TimerSet;
use super::{acquirem, releasem, schedtrace, try_getp};
use crate::debug::trace;
use crate::{mem, os};

/// How many batches of timers a P with much to run calls when some are late: with sysmon's
/// pace of 10 ms more than come in, unless they are more than the P could ever run.
const LATE_BATCHES: u32 = 16;

/// What the scheduler calls. Each is asked about a P, maybe another M's.
pub(super) struct Hooks {
    /// [`check`].
    pub(super) check: fn(&'static P, i64) -> (i64, i64, bool),
    /// [`any`].
    pub(super) any: fn() -> bool,
    /// [`move_timers`].
    pub(super) move_timers: fn(&P, &P),
}

/// Those, as soon as there has been a timer.
static HOOKS: AtomicPtr<Hooks> = AtomicPtr::new(ptr::null_mut());

/// Returns what the scheduler calls, if there has been a timer.
pub(super) fn hooks() -> Option<&'static Hooks> {
    // SAFETY: null, or what `of_or_new` leaves there. Acquire pairs with that.
    unsafe { HOOKS.load(Ordering::Acquire).as_ref() }
}

/// Returns a P's timers, if it ever had one.
fn of(pp: &P) -> Option<&'static TimerSet> {
    // SAFETY: null, or what `of_or_new` made, which is never freed. Acquire pairs with
    // that.
    unsafe {
        pp.timers
            .load(Ordering::Acquire)
            .cast::<TimerSet>()
            .as_ref()
    }
}

/// Returns a P's timers.
fn of_or_new(pp: &P) -> &'static TimerSet {
    if let Some(set) = of(pp) {
        return set;
    }
    static TABLE: Hooks = Hooks {
        check,
        any,
        move_timers,
    };
    // Release pairs with `hooks`, though there is nothing in the table but constants.
    HOOKS.store((&raw const TABLE).cast_mut(), Ordering::Release);
    start_many();
    schedtrace::start();
    if trace::is_on() {
        super::machine::start_sysmon(); // and the writer with it
    }
    let new: *mut TimerSet = mem::persistentalloc(size_of::<TimerSet>()).cast();
    // SAFETY: fresh memory, a multiple of 64, and nobody else's.
    unsafe { new.write(TimerSet::new()) };
    // Of two who make one at the same time (one has no P) the second leaves its own
    // unused. Release and acquire pair with each other, and the release with `of`.
    let set = match pp.timers.compare_exchange(
        ptr::null_mut(),
        new.cast(),
        Ordering::AcqRel,
        Ordering::Acquire,
    ) {
        Ok(_) => new,
        Err(other) => other.cast(),
    };
    // SAFETY: it is never freed.
    unsafe { &*set }
}

/// Adds a timer that is pending to the timers of the P that the M holds. Go's
/// `maybeAdd`.
fn add(timer: &Timer) {
    let mp = acquirem(); // else the P may be an idle one by then, and nobody looks there
    if let Some(pp) = try_getp(mp).or_else(|| allp().get(0))
        && let Some(when) = of_or_new(pp).add(timer)
    {
        wake_net_poller(when);
    }
    releasem();
}

/// Sets a timer, whether it is pending or not; `call` is its new function, argument
/// and sequence number, if those change as well. Tells whether it was pending: if so,
/// that arming won't fire. From any goroutine or M.
pub(crate) fn modify(
    timer: &Timer,
    when: i64,
    period: i64,
    call: Option<(Callback, *mut (), usize)>,
) -> bool {
    acquirem();
    let modified = timer.modify(when, period, call);
    let pending = modified.pending;
    if modified.wake {
        wake_net_poller(when);
    }
    if modified.add {
        add(timer); // the last that touches it: it may fire now
    }
    releasem();
    pending
}

/// Sets a timer to another time; see [`modify`].
pub(crate) fn reset(timer: &Timer, when: i64, period: i64) -> bool {
    modify(timer, when, period, None)
}

/// Stops a timer. Tells whether it was pending: if not, it has fired, or was stopped
/// before. From any goroutine or M.
pub(crate) fn stop(timer: &Timer) -> bool {
    acquirem();
    let pending = timer.stop();
    releasem();
    pending
}

/// Gives a timer away, pending or not: `free` frees its memory when it is in no heap
/// any more, maybe on g0, with locks of the runtime held.
///
/// # Safety
///
/// Nobody else may use the timer from now on, and `free` must be right for it.
pub(crate) unsafe fn leave(timer: *const Timer, free: unsafe fn(*const Timer)) {
    acquirem();
    // SAFETY: the caller's promise.
    unsafe { Timer::leave(timer, free) };
    releasem();
}

/// Sees to it that a timer's function may start goroutines. On a goroutine.
pub(crate) fn will_go() {
    super::machine::start_sysmon();
}

/// Returns the time that is so many nanoseconds from now, or the last there is.
pub(crate) fn deadline(nanoseconds: i64) -> i64 {
    os::nanotime().saturating_add(nanoseconds)
}

/// Calls what is due of a P's timers, on this M. `now` is the time, or 0 if it shall
/// be asked for when it is needed. Returns the time (or the 0 again), the time when the
/// next is due (0 if there is none; else after `now`), and whether anything was called.
/// On g0, with a P, which may be another; no lock held.
fn check(pp: &'static P, now: i64) -> (i64, i64, bool) {
    let Some(set) = of(pp) else {
        return (now, 0, false);
    };
    let mp = acquirem();
    releasem(); // g0 does not move; this only reads the M
    // Relaxed: our own thread wrote it.
    let local = ptr::eq(mp.p.load(Ordering::Relaxed), pp);
    let late = pp.late.load(Ordering::Relaxed); // a request, ordered with nothing
    if late {
        pp.late.store(false, Ordering::Relaxed); // as above; a lost one comes again
    }
    let batches = Cell::new(if late { LATE_BATCHES } else { 1 });
    set.check(now, local, os::nanotime, || {
        batches.set(batches.get().saturating_sub(1));
        batches.get() == 0 && is_crowded(pp)
    })
}

/// Returns when a timer of the P may be due, 0 if it has none. Anybody may ask. Not one of
/// the hooks: it is a look at two words, and asked at each switch.
#[inline]
pub(super) fn wake_time(pp: &P) -> i64 {
    of(pp).map_or(0, TimerSet::wake_time)
}

/// Tells whether a timer is pending anywhere. Exact when nobody runs: for checkdead.
fn any() -> bool {
    allp().iter().any(|pp| of(pp).is_some_and(TimerSet::any))
}

/// Tells how many timers are in a P's heap, those that were stopped and not yet thrown
/// out among them. A hint, for the trace.
pub(super) fn count(pp: &P) -> usize {
    of(pp).map_or(0, TimerSet::len)
}

/// Moves all timers of a P that is to go to another one. With the world stopped; may be
/// with `sched.lock` held.
fn move_timers(from: &P, to: &P) {
    acquirem();
    if let Some(from) = of(from) {
        of_or_new(to).take(from);
    }
    releasem();
}
