//! Stopping the world, and changing how many Ps there are.
//!
//! Go's counterparts: `stopTheWorld`, `startTheWorld`, `procresize`, `GOMAXPROCS` in
//! `runtime/proc.go` and `runtime/debug.go`.
//!
//! The world is stopped when every P but the caller's is Gcstop, and the caller's, too.
//! A P gets there by whoever has it: an M that looks for work sees `sched.gcwaiting`
//! and gives it up; one that runs a goroutine is asked to preempt it, again and again;
//! those on the idle list and those left behind in system calls are taken.

use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering, fence};

use super::idle::{acquirep, pidleget, pidleput, releasep, stop_p, wakep};
use super::proc::globrunqput;
use super::procresize::{allp, make_ps};
use super::pstatus::PStatus;
use super::runtime2::{M, P};
use super::syscall::need_p;
use super::sysmon::wake_sysmon;
use super::{
    GOMAXPROCS, MAX_PROCS, SCHED, acquirem, getp, gfree, gosched, releasem, sysmon, timers,
};
use crate::debug::fatal::throw;
use crate::mem::MCache;

/// Somebody has stopped the world, or is about to. Go's `worldsema`.
static WORLD: AtomicBool = AtomicBool::new(false);

/// How long who stops the world waits before asking again, in nanoseconds.
const ASK_AGAIN: i64 = 100_000;

/// Sets how many goroutines may run at the same time, and returns how many could
/// before. 0 changes nothing. From a goroutine.
pub(crate) fn set_gomaxprocs(procs: usize) -> i32 {
    let before = GOMAXPROCS.load(Ordering::Relaxed); // a number, for the caller
    let procs = procs.min(MAX_PROCS as usize) as i32;
    if procs == 0 || procs == before {
        return before;
    }
    super::machine::start_sysmon();
    need_p();
    // Relaxed: the swap is the lock, and everything else is behind sched.lock.
    while WORLD.swap(true, Ordering::Acquire) {
        gosched();
    }
    let mp = acquirem();
    let before = GOMAXPROCS.load(Ordering::Relaxed); // ours
    stop_the_world(mp);
    start_the_world(mp, procs);
    releasem();
    WORLD.store(false, Ordering::Release); // pairs with the swap
    before
}

/// Stops all Ps; this M's, which it keeps, too. From a goroutine that keeps its M.
#[unsafe(export_name = "runtime.stopTheWorldWithSema")]
#[inline(never)]
fn stop_the_world(mp: &'static M) {
    let mut sched = SCHED.lock.lock();
    sched.stopwait = GOMAXPROCS.load(Ordering::Relaxed); // changes by us alone
    SCHED.stopnote.clear();
    SCHED.gcwaiting.store(true, Ordering::SeqCst); // a request, seen under the lock by those who idle
    fence(Ordering::SeqCst); // pairs with enter_syscall's
    stop_p(&mut sched, getp(mp));
    while let Some(pp) = pidleget(&mut sched) {
        stop_p(&mut sched, pp);
    }
    let mut left = sched.stopwait;
    drop(sched);
    while left > 0 {
        // Those in system calls, also in ones that began since.
        for pp in allp().iter() {
            if pp.state.retake(PStatus::Gcstop) {
                stop_p(&mut SCHED.lock.lock(), pp);
            } else if pp.state.is(PStatus::Running) {
                sysmon::preemptone(pp); // a request, to whoever has it
            }
        }
        if SCHED.stopnote.tsleep(ASK_AGAIN) {
            break;
        }
        left = SCHED.lock.lock().stopwait;
    }
    if allp().iter().any(|pp| !pp.state.is(PStatus::Gcstop)) {
        throw("stopTheWorld: not stopped"); // pairs with stop_p
    }
}

/// Starts the world again, with that many Ps. On the same M.
#[unsafe(export_name = "runtime.startTheWorldWithSema")]
#[inline(never)]
fn start_the_world(mp: &'static M, procs: i32) {
    let before = allp();
    make_ps(procs);
    let mut sched = SCHED.lock.lock();
    // Ours, unless it goes: then the first one.
    let mine = getp(mp);
    let mine = if mine.id.get() < procs {
        mine
    } else {
        first_p(&before)
    };
    for pp in before.iter().skip(procs as usize) {
        // What is on its queue goes to the front of the line.
        while let Some((gp, _)) = pp.runq.get() {
            // SAFETY: what a run queue holds are Gs, which are never freed.
            globrunqput(&mut sched, unsafe { &*gp });
        }
    }
    drop(sched);
    for pp in before.iter().skip(procs as usize) {
        destroy(pp, mine);
    }
    let mut sched = SCHED.lock.lock();
    if !ptr::eq(mine, getp(mp)) {
        let old = releasep(mp);
        old.state.set(PStatus::Dead);
        mine.state.set(PStatus::Idle);
        acquirep(mp, mine);
    } else {
        mine.state.set(PStatus::Running);
    }
    GOMAXPROCS.store(procs, Ordering::Release); // pairs with allp
    // Those with work get an M at once, the others are idle. The highest first, so that
    // of the idle ones the lowest is taken first.
    let mut runnable: *mut P = ptr::null_mut();
    for id in (0..procs as usize).rev() {
        let Some(pp) = allp().get(id) else { continue };
        if ptr::eq(pp, mine) {
            continue;
        }
        if pp.runq.is_empty() {
            pidleput(&mut sched, pp);
        } else {
            pp.state.set(PStatus::Idle);
            pp.link.set(runnable);
            runnable = ptr::from_ref(pp).cast_mut();
        }
    }
    SCHED.gcwaiting.store(false, Ordering::SeqCst); // under the lock
    wake_sysmon(&sched);
    drop(sched);
    // SAFETY: a P is never freed.
    while let Some(pp) = unsafe { runnable.as_ref() } {
        runnable = pp.link.replace(ptr::null_mut());
        super::idle::startm(Some(pp), false);
    }
    // There may be more to do than those know of.
    wakep();
}

/// Returns P 0.
fn first_p(all: &super::procresize::Allp) -> &'static P {
    match all.get(0) {
        Some(pp) => pp,
        None => throw("procresize: no P"),
    }
}

/// Empties a P that is no longer used; `heir` gets its timers, and its counts.
fn destroy(pp: &'static P, heir: &'static P) {
    if let Some(timers) = timers::hooks() {
        (timers.move_timers)(pp, heir);
    }
    // SAFETY: null, or a cache, which is never freed; with the world stopped it is ours.
    if let Some(cache) = unsafe { pp.mcache.get().cast::<MCache>().as_ref() } {
        cache.flush();
    }
    gfree::give_all(pp);
    // Relaxed: the world is stopped.
    for (heirs, its) in [(&heir.made, &pp.made), (&heir.ended, &pp.ended)] {
        let both = heirs
            .load(Ordering::Relaxed)
            .wrapping_add(its.swap(0, Ordering::Relaxed));
        heirs.store(both, Ordering::Relaxed);
    }
    pp.state.set(PStatus::Dead);
}
