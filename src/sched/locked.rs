//! Goroutines that are locked to their threads.
//!
//! Go's counterparts: `LockOSThread`, `stoplockedm`, `startlockedm`, `mexit` in
//! `runtime/proc.go`.
//!
//! While a goroutine is locked to its M, that M runs no other, and no other M runs it:
//!
//! ```text
//!   the locked one gives way        its M: gives its P away, sleeps   (stoplockedm)
//!   another M finds it ready        gives its own P to that M, wakes it, and is
//!                                   idle itself                       (startlockedm)
//!   the locked one ends             its M ends as well: nobody knows what state
//!                                   the thread is in                  (mexit)
//! ```
//!
//! The two sides of the lock, `g.lockedm` and `m.lockedg`, are written by the goroutine
//! itself, while it runs, and by `goexit0`. Whoever finds it on a queue reads them.
//!
//! Where a libc hosts the program, one M runs all goroutines: they are all on their
//! thread, and the locks are only counted.

use core::cell::Cell;
use core::ptr;
use core::sync::atomic::Ordering;

use super::checkdead::checkdead;
use super::idle::{handoffp, incidlelocked, mpark, releasep, stopm, take_nextp, wake_with};
use super::machine::start_sysmon;
use super::runtime2::{G, GStatus, M};
use super::{M0, SCHED, acquirem, getg, releasem};
use crate::debug::fatal::throw;
use crate::debug::trace;
use crate::{boot, os};

/// Ties the current goroutine to its thread, once more if it is. With `INTERNAL` for
/// the runtime's own purposes: a function of its own, as every program has that one. From
/// a goroutine.
pub(crate) fn lock_os_thread<const INTERNAL: bool>() {
    let mp = acquirem();
    let gp = getg();
    let count = lock_count(mp, INTERNAL);
    match count.get().checked_add(1) {
        Some(more) => count.set(more),
        None if INTERNAL => {} // a handful at most
        None => throw("LockOSThread nesting overflow"),
    }
    if !boot::hosted() {
        mp.lockedg.set(gp);
        lock_to(gp, ptr::from_ref(mp).cast_mut());
    }
    releasem();
}

/// How often the goroutine is locked to its M, for the runtime's purposes or the user's.
fn lock_count(mp: &'static M, internal: bool) -> &'static Cell<u32> {
    if internal {
        &mp.locked_int
    } else {
        &mp.locked_ext
    }
}

/// Undoes one [`lock_os_thread`]; without one it does nothing, as Go's.
pub(crate) fn unlock_os_thread<const INTERNAL: bool>() {
    let mp = acquirem();
    let count = lock_count(mp, INTERNAL);
    if INTERNAL && count.get() == 0 {
        throw("runtime: internal error: misuse of lockOSThread/unlockOSThread");
    }
    count.set(count.get().saturating_sub(1));
    if mp.locked_int.get() == 0 && mp.locked_ext.get() == 0 {
        mp.lockedg.set(ptr::null());
        lock_to(getg(), ptr::null_mut());
    }
    releasem();
}

/// Changes which M a goroutine is locked to, if any. By itself, or at its end: this is handed
/// on with its status.
#[inline(always)] // with null, and with what is not
pub(super) fn lock_to(gp: &G, mp: *mut M) {
    gp.lockedm.store(mp, Ordering::Relaxed);
    let special = gp.special.get() & !1;
    gp.special.set(special | u8::from(!mp.is_null()));
}

/// Sleeps until the goroutine that is locked to this M is to run. On g0; gives the P
/// away, and comes back with one.
#[inline(never)]
pub(super) fn stoplockedm(mp: &'static M) {
    // In an init task a timer alone may be what we wait for: another M has to look at
    // the time, as this one does nothing until it is woken.
    start_sysmon();
    if !mp.p.load(Ordering::Relaxed).is_null() {
        handoffp(releasep(mp)); // our own
    }
    incidlelocked(1);
    mpark(mp);
    // SAFETY: schedule_many has found one; a G is never freed.
    let gp = unsafe { &*mp.lockedg.get() };
    if super::readgstatus(gp) != GStatus::Runnable as u32 {
        throw("stoplockedm: not runnable");
    }
    take_nextp(mp);
}

/// Gives this M's P to the M that a goroutine is locked to, for it to run. On g0; comes
/// back with another P.
#[inline(never)]
pub(super) fn startlockedm(mp: &'static M, gp: &'static G) {
    // SAFETY: the caller has looked; an M is never freed.
    let its = unsafe { &*gp.lockedm.load(Ordering::Relaxed) };
    if ptr::eq(its, mp) {
        throw("startlockedm: locked to me");
    }
    incidlelocked(-1);
    let pp = releasep(mp);
    wake_with(its, pp);
    stopm(mp);
}

/// Ends this M, and its thread. On g0. The main thread stays, asleep, since its end
/// would look like the process's.
pub(super) fn mexit(mp: &'static M) -> ! {
    trace::end_m(mp);
    let main = ptr::eq(mp, &M0);
    if !main {
        os::set_mask(!0); // the signal stack is another's soon
        mp.alive.store(1, Ordering::Relaxed); // the kernel's, from here on
        super::machine::retire(mp);
    }
    handoffp(releasep(mp));
    let mut sched = SCHED.lock.lock();
    sched.nmfreed += 1;
    checkdead(&sched);
    drop(sched);
    if main {
        loop {
            mpark(mp);
        }
    }
    os::exit_thread(&mp.alive)
}
