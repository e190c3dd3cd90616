//! Ms and Ps without work: how they wait, how they find each other, and how a P
//! changes hands.
//!
//! Go's counterparts: `startm`, `stopm`, `handoffp`, `wakep`, `gcstopm`,
//! `pidleget`, `pidleput`, `mget`, `mput`, `acquirep`, `releasep` in
//! `runtime/proc.go`.
//!
//! ```text
//!    a P          idle list <--pidleput--  M: releasep
//!                     |
//!                 pidleget (under sched.lock)
//!                     v
//!    startm: an idle M, or a new one; nextp = P; wakes it
//!                     |
//!                     v
//!    an M         stopm: wakes up, acquirep(nextp), looks for work; does not
//!                 sleep at all where a P waits for an M that there is no room for
//! ```
//!
//! Invariants:
//! 1. A P is on the idle list, or an M's (`m.p`, `p.m`), or on its way in exactly one
//!    local variable, `m.nextp` or Syscall (`pstatus`). Its plain fields go with it: the
//!    list's lock, the note and the status word hand them over.
//! 2. An M without a P runs no goroutine, and touches no P's fields.
//! 3. An M sleeps on its note only when it is on the idle list, waits for the
//!    goroutine that is locked to it, or has ended for good (m0). Who takes it off the
//!    list, or finds that goroutine, wakes it, once.

use core::ptr;
use core::sync::atomic::Ordering;

use super::checkdead::checkdead;
use super::findrunnable::soonest;
use super::machine::newm;
use super::proc::{global_queue_len, globrunqput_all, systemstack};
use super::procresize::allp;
use super::pstatus::PStatus;
use super::runtime2::{M, P};
use super::sysmon::wake_sysmon;
use super::timers::wake_time;
use super::{
    GOMAXPROCS, SCHED, SchedLocked, acquirem, alone, getg, getp, netpoll, parallel, releasem,
};
use crate::debug::fatal::throw;
use crate::debug::lock::ALONE;
use crate::debug::trace;
use crate::mem;

/// Wakes one more M for a P that is idle, if there is such a P and if nobody is out
/// for work already. Whoever makes a goroutine runnable calls this behind it. From a
/// goroutine, g0, or sysmon.
#[unsafe(export_name = "runtime.wakep")]
#[inline(never)]
pub(super) fn wakep() {
    if !parallel() {
        return;
    }
    acquirem(); // what is claimed must not wait for a goroutine that is preempted
    if !SCHED.spinning.claim() {
        return releasem();
    }
    loop {
        let idle = pidleget(&mut SCHED.lock.lock());
        if let Some(pp) = idle {
            startm(Some(pp), true);
            break;
        }
        if ALONE.is_leaving() {
            SCHED.spinning.leave(); // there is one, which nobody may have before its time
            break;
        }
        if !SCHED.spinning.unclaim() {
            break;
        }
    }
    releasem();
}

/// Does what [`wakep`] does, for who has made a goroutine and queued it with this P in its
/// hands, and keeps its M: where that P is the only one there is, none is idle. Should there
/// be more a moment later, the world was stopped meanwhile, and who starts it again looks at
/// all queues.
///
/// One goroutine alone is left to who made or readied it, which mostly waits for it next, and
/// then runs it at once: to wake a thread costs more than that, and one that looks for
/// work takes the queue's cache lines away each time it looks. Where that was wrong,
/// sysmon sees it ([`super::sysmon`]), and the next ones are not left alone.
#[inline]
pub(super) fn wakep_for_new(pp: &P) {
    wakep_for(pp, 1);
}

/// The same for who has readied one that waited. Two are left there: whoever talks with two
/// others, as a select does, readies one and the other before it waits, and the three are
/// several times faster on one P than on two that take the channels from each other.
#[inline]
pub(super) fn wakep_for_ready(pp: &P) {
    wakep_for(pp, 2);
}

/// Wakes one more M, if that helps, for who has queued one on this P.
#[inline]
fn wakep_for(pp: &P, few: u32) {
    if GOMAXPROCS.load(Ordering::Relaxed) != 1 && !are_left_alone(pp, few) {
        wakep();
    }
}

/// How many times in a row a P wakes others at once when it should have done so once.
pub(super) const EAGER: u32 = 64;

/// Tells whether what was queued last may be left to this M's P, since there are but so
/// `few`, and sysmon will soon see if they do not run.
fn are_left_alone(pp: &P, few: u32) -> bool {
    let idle = SCHED.spinning.idle(); // else there is nobody to wake
    if idle == 0 || pp.runq.len() > few || global_queue_len() > 0 {
        return false;
    }
    // Relaxed, all of them: numbers, which only the P's owner writes, but for sysmon's
    // `eager`.
    let eager = pp.eager.load(Ordering::Relaxed);
    if eager > 0 {
        pp.eager.store(eager - 1, Ordering::Relaxed);
        return false;
    }
    // Counted also where sysmon rests for longer: by this it comes to look more often.
    let lone = pp.lone.load(Ordering::Relaxed).wrapping_add(1);
    pp.lone.store(lone, Ordering::Relaxed);
    SCHED.sysmonquick.load(Ordering::Relaxed)
}

/// Has an M run the P, or an idle one if none is given; without one of those it does
/// nothing. `spinning`: the caller has counted the M as one that looks for work.
pub(super) fn startm(pp: Option<&'static P>, spinning: bool) {
    acquirem();
    let mut sched = SCHED.lock.lock();
    let Some(pp) = pp.or_else(|| pidleget(&mut sched)) else {
        drop(sched);
        releasem();
        return;
    };
    if let Some(nmp) = mget(&mut sched) {
        drop(sched);
        nmp.spinning.set(spinning);
        wake_with(nmp, pp);
    } else {
        drop(sched);
        let mut made = false;
        systemstack(|| made = newm(None, Some(pp), spinning));
        if !made {
            no_m_for(pp, spinning);
        }
    }
    releasem();
}

/// There is no room for another M, and the program goes on with those that it has: the
/// P becomes an idle one, its goroutines go to the global queue, and the first M that
/// would go to sleep takes it ([`stopm`]). Go ends the program here.
#[cold]
fn no_m_for(pp: &'static P, spinning: bool) {
    let mut sched = SCHED.lock.lock();
    if spinning {
        SCHED.spinning.leave(); // in its place, who would go to sleep looks everywhere
    }
    if SCHED.gcwaiting.load(Ordering::Relaxed) {
        return stop_p(&mut sched, pp); // under the lock
    }
    globrunqput_all(&mut sched, pp);
    pidleput(&mut sched, pp);
    sched.p_waits = true;
    // An M that has gone to sleep since startm looked, if there is one.
    let nmp = mget(&mut sched);
    let pp = nmp.and_then(|_| pidleget(&mut sched));
    drop(sched);
    if let (Some(nmp), Some(pp)) = (nmp, pp) {
        wake_with(nmp, pp);
    } else {
        netpoll::interrupt();
    }
}

/// Puts this M to sleep until somebody has a P for it. On g0, without a P.
#[unsafe(export_name = "runtime.stopm")]
#[inline(never)]
pub(super) fn stopm(mp: &'static M) {
    if getg().locks.load(Ordering::Relaxed) != 0 {
        throw("stopm holding locks"); // g0's own count
    }
    debug_assert!(mp.p.load(Ordering::Relaxed).is_null(), "stopm holding p"); // ours
    debug_assert!(!mp.spinning.get(), "stopm spinning");
    let mut sched = SCHED.lock.lock();
    if let Some(pp) = waiting_p(&mut sched) {
        drop(sched);
        return acquirep(mp, pp);
    }
    mput(&mut sched, mp);
    drop(sched);
    mpark(mp);
    take_nextp(mp);
}

/// Takes a P that is idle since there was no room for an M. By an M without a P.
fn waiting_p(sched: &mut SchedLocked) -> Option<&'static P> {
    if !core::mem::take(&mut sched.p_waits) {
        return None;
    }
    pidleget(sched)
}

/// Sleeps until this M is woken.
pub(super) fn mpark(mp: &'static M) {
    trace::park_m(mp);
    mp.park.sleep();
    mp.park.clear();
    trace::unpark_m(mp);
}

/// Wakes an M that sleeps, and gives it a P that is nobody's.
pub(super) fn wake_with(mp: &'static M, pp: &'static P) {
    mp.nextp
        .store(ptr::from_ref(pp).cast_mut(), Ordering::Relaxed); // the note hands it over
    mp.park.wakeup();
}

/// Takes the P that whoever woke this M has left for it.
pub(super) fn take_nextp(mp: &'static M) {
    let pp = mp.nextp.swap(ptr::null_mut(), Ordering::Relaxed); // the note handed it over
    // SAFETY: a P is never freed.
    match unsafe { pp.as_ref() } {
        Some(pp) => acquirep(mp, pp),
        None => throw("acquirep: invalid p state"),
    }
}

/// Finds an M for a P that this thread gives up, or makes the P an idle one. On any
/// stack; the P is nobody's.
#[unsafe(export_name = "runtime.handoffp")]
#[inline(never)]
pub(super) fn handoffp(pp: &'static P) {
    if !pp.runq.is_empty() || global_queue_len() > 0 {
        return startm(Some(pp), false);
    }
    let mut sched = SCHED.lock.lock();
    if SCHED.gcwaiting.load(Ordering::Relaxed) {
        return stop_p(&mut sched, pp); // under the lock
    }
    if global_queue_len() > 0 {
        drop(sched);
        return startm(Some(pp), false);
    }
    // As long as the P is ours its timers are nobody else's to add to.
    let mut when = wake_time(pp);
    pidleput(&mut sched, pp);
    drop(sched);
    // As who goes to sleep: what others had queued while all Ps were busy is nobody's to
    // look for, unless somebody spins; and so were the timers of a P that stays busy.
    if SCHED.spinning.rest(false) {
        let all = allp();
        if all.any_queued() {
            wakep();
        }
        soonest(&all, &mut when);
    }
    if when != 0 {
        netpoll::wake_net_poller(when);
    }
}

/// The world stops: counts the P as stopped. Under sched.lock; the P is nobody's.
pub(super) fn stop_p(sched: &mut SchedLocked, pp: &P) {
    pp.state.set(PStatus::Gcstop);
    sched.stopwait -= 1;
    if sched.stopwait == 0 {
        SCHED.stopnote.wakeup();
    }
}

/// Stops this M for as long as the world is stopped, or for good if the program is dying.
/// On g0.
#[unsafe(export_name = "runtime.gcstopm")]
#[inline(never)]
pub(super) fn gcstopm(mp: &'static M) {
    #[cfg(not(feature = "archive"))]
    if super::freeze::freezing() {
        super::freeze::stand_still(mp);
    }
    if mp.spinning.replace(false) {
        SCHED.spinning.leave(); // whoever starts the world again wakes others
    }
    let pp = releasep(mp);
    stop_p(&mut SCHED.lock.lock(), pp);
    stopm(mp);
}

/// Adds an M to the idle list; with the last one of them, nobody is left who could
/// ready anybody.
fn mput(sched: &mut SchedLocked, mp: &'static M) {
    mp.schedlink.set(sched.midle);
    sched.midle = mp;
    sched.nmidle += 1;
    checkdead(sched);
}

/// Takes an idle M.
fn mget(sched: &mut SchedLocked) -> Option<&'static M> {
    // SAFETY: an M is never freed.
    let mp = unsafe { sched.midle.as_ref() }?;
    sched.midle = mp.schedlink.replace(ptr::null());
    sched.nmidle -= 1;
    Some(mp)
}

/// Counts Ms that wait for the goroutine that is locked to them. sysmon takes one off
/// while it has a P in its hands: nobody shall take that for a deadlock.
pub(super) fn incidlelocked(by: i32) {
    let mut sched = SCHED.lock.lock();
    sched.nmidlelocked += by;
    if by > 0 {
        checkdead(&sched);
    }
}

/// Makes a P an idle one.
pub(super) fn pidleput(sched: &mut SchedLocked, pp: &'static P) {
    debug_assert!(pp.runq.is_empty(), "pidleput: P has non-empty run queue");
    pp.state.set(PStatus::Idle);
    pp.link.set(sched.pidle);
    sched.pidle = ptr::from_ref(pp).cast_mut();
    SCHED.spinning.add_idle(1);
}

/// Takes an idle P, to use it. The first of them wakes sysmon.
pub(super) fn pidleget(sched: &mut SchedLocked) -> Option<&'static P> {
    if sched.pidle.is_null() || ALONE.is_set() && !alone::end(sched) {
        return None;
    }
    take_idle(sched)
}

/// The same for who has stopped the world, and does not use it.
pub(super) fn take_idle(sched: &mut SchedLocked) -> Option<&'static P> {
    // SAFETY: a P is never freed.
    let pp = unsafe { sched.pidle.as_ref() }?;
    sched.pidle = pp.link.replace(ptr::null_mut());
    SCHED.spinning.add_idle(-1);
    sched.taken = sched.taken.wrapping_add(1);
    wake_sysmon(sched);
    Some(pp)
}

/// Gives this M a P. On g0, or on a goroutine that keeps its M.
pub(super) fn acquirep(mp: &'static M, pp: &'static P) {
    let none = mp.p.load(Ordering::Relaxed).is_null(); // our own
    if !none || !pp.state.is(PStatus::Idle) {
        throw("acquirep: already in go");
    }
    wirep(mp, pp);
    pp.state.set(PStatus::Running);
    trace::start_p(mp, pp);
}

/// Ties the two together.
pub(super) fn wirep(mp: &'static M, pp: &'static P) {
    mp.p.store(ptr::from_ref(pp).cast_mut(), Ordering::Relaxed); // our own thread reads it
    pp.m.store(ptr::from_ref(mp).cast_mut(), Ordering::Release); // pairs with sysmon's load
    if !mem::checks::clobbers() {
        mp.mcache.set(pp.mcache.get()); // see cache_of in malloc.rs
    }
}

/// Takes this M's P away. On g0, or on a goroutine that keeps its M.
pub(super) fn releasep(mp: &'static M) -> &'static P {
    let pp = getp(mp);
    trace::stop_p(pp);
    unwire(mp, pp);
    pp.state.set(PStatus::Idle);
    pp
}

/// Unties the two.
pub(super) fn unwire(mp: &'static M, pp: &'static P) {
    mp.mcache.set(ptr::null_mut()); // it is the next M's
    mp.p.store(ptr::null_mut(), Ordering::Relaxed); // our own thread reads it
    pp.m.store(ptr::null_mut(), Ordering::Release); // pairs with sysmon's load
}
