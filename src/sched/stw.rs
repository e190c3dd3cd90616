//! Stopping the world, and changing how many Ps there are.
//!
//! Go's counterparts: `stopTheWorld`, `startTheWorld`, `procresize`, `GOMAXPROCS` in
//! `runtime/proc.go` and `runtime/debug.go`.
//!
//! The world is stopped when every P but the caller's is Gcstop, and the caller's, too.
//! A P gets there by whoever has it: an M that looks for work sees `sched.gcwaiting`
//! and gives it up; one that runs a goroutine is asked to preempt it, again and again;
//! those on the idle list and those left behind in system calls are taken.
//!
//! Who stops it is a goroutine, whose P is its own again afterwards, or sysmon, which
//! has none: see `updatemaxprocs`.

use core::ptr;
use core::sync::atomic::{Ordering, fence};

use spin::RelaxStrategy;
use spin::mutex::{SpinMutex, SpinMutexGuard};

use super::idle::{acquirep, incidlelocked, pidleput, releasep, stop_p, take_idle, wakep};
use super::machine::start_threads;
use super::proc::{globrunqput_all, systemstack};
use super::procresize::{allp, make_ps};
use super::pstatus::PStatus;
use super::runtime2::{M, P};
use super::syscall::need_p;
use super::sysmon::wake_sysmon;
use super::{
    GOMAXPROCS, MAX_PROCS, SCHED, acquirem, alone, getg, gfree, gosched, may_go, releasem, sysmon,
    timers, try_getp, updatemaxprocs,
};
use crate::boot;
use crate::debug::fatal::throw;
use crate::debug::trace;
use crate::mem::MCache;

/// Somebody has stopped the world, or is about to. Go's `worldsema`.
static WORLD: SpinMutex<(), GiveWay> = SpinMutex::new(());

/// How long who stops the world waits before asking again, in nanoseconds.
const ASK_AGAIN: i64 = 100_000;

/// Sets how many goroutines may run at the same time, and returns how many could
/// before. 0 changes nothing. From a goroutine.
///
/// From here on the number is the program's business: it no longer follows the CPUs.
pub(crate) fn set_gomaxprocs(procs: usize) -> i32 {
    if procs == 0 {
        return GOMAXPROCS.load(Ordering::Relaxed); // a number, for the caller
    }
    let world = lock_world();
    updatemaxprocs::set_custom(&world, true);
    change(&world, procs.min(MAX_PROCS as usize) as i32)
}

/// Sets the number to what it would be if the process started now and GOMAXPROCS said
/// nothing, and has it follow the CPUs again. From a goroutine.
pub(crate) fn set_default_gomaxprocs() {
    let world = lock_world();
    let mut procs = 0;
    systemstack(|| procs = boot::default_gomaxprocs_now());
    updatemaxprocs::set_custom(&world, false);
    change(&world, procs);
}

/// The same by sysmon, which has no P: if nobody else is about it, and the program has
/// not said what it wants.
pub(super) fn update_gomaxprocs() {
    let Some(world) = WORLD.try_lock() else {
        return; // it will be back
    };
    if updatemaxprocs::is_custom(&world) {
        return;
    }
    let procs = boot::default_gomaxprocs_now();
    if procs == GOMAXPROCS.load(Ordering::Relaxed) {
        return; // ours
    }
    let mp = acquirem();
    // All Ms are idle when the world has stopped. That is no deadlock.
    incidlelocked(-1);
    stop_the_world(mp);
    start_the_world(mp, procs);
    incidlelocked(1);
    releasem();
}

/// Calls `f` while no other goroutine runs, but for those in system calls. From a
/// goroutine. `f` must not give way.
pub(crate) fn stop_everybody(f: &mut dyn FnMut()) {
    let world = lock_world();
    super::machine::start_sysmon();
    need_p();
    let mp = acquirem();
    stop_the_world(mp);
    f();
    start_the_world(mp, GOMAXPROCS.load(Ordering::Relaxed)); // changes by us alone
    releasem();
    drop(world);
}

/// Takes the right to stop the world. From a goroutine: one that can wait, since who waits
/// for what it has may keep a P that is to stop.
fn lock_world() -> World {
    if !may_go() {
        throw("gomaxprocs: holding locks");
    }
    WORLD.lock()
}

/// The right to stop the world, and to say how many Ps there are.
pub(super) type World = SpinMutexGuard<'static, (), GiveWay>;

/// How a goroutine waits for that.
pub(super) struct GiveWay;

impl RelaxStrategy for GiveWay {
    fn relax() {
        gosched();
    }
}

/// Changes the number, and returns what it was. From a goroutine.
fn change(_: &World, procs: i32) -> i32 {
    let before = GOMAXPROCS.load(Ordering::Relaxed); // ours
    if procs != before {
        super::machine::start_sysmon();
        need_p();
        let mp = acquirem();
        stop_the_world(mp);
        start_the_world(mp, procs);
        releasem();
    }
    before
}

/// Stops all Ps; this M's, which it keeps, too. From a goroutine that keeps its M, or
/// from sysmon.
#[unsafe(export_name = "runtime.stopTheWorldWithSema")]
#[inline(never)]
fn stop_the_world(mp: &'static M) {
    trace::stop_world(mp);
    let mut sched = SCHED.lock.lock();
    sched.stopwait = GOMAXPROCS.load(Ordering::Relaxed); // changes by us alone
    SCHED.stopnote.clear();
    SCHED.gcwaiting.store(true, Ordering::SeqCst); // a request, seen under the lock by those who idle
    fence(Ordering::SeqCst); // pairs with enter_syscall's
    if let Some(pp) = try_getp(mp) {
        stop_p(&mut sched, pp);
    }
    while let Some(pp) = take_idle(&mut sched) {
        stop_p(&mut sched, pp);
    }
    let mut left = sched.stopwait;
    drop(sched);
    while left > 0 {
        if try_getp(mp).is_none() {
            // A P may be on its way with an M that waits for sysmon to start it.
            start_threads();
        }
        // Those in system calls, also in ones that began since.
        for pp in allp().iter() {
            if pp.state.retake(PStatus::Gcstop) {
                trace::retake(pp);
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
    // Ours, unless it goes, or there is none: then the first one.
    let old = try_getp(mp);
    let heir = match old {
        Some(old) if old.id.get() < procs => old,
        _ => first_p(&before),
    };
    for pp in before.iter().skip(procs as usize) {
        // What is on its queue goes to the front of the line.
        globrunqput_all(&mut sched, pp);
    }
    drop(sched);
    for pp in before.iter().skip(procs as usize) {
        destroy(pp, heir);
    }
    let mut sched = SCHED.lock.lock();
    match old {
        Some(old) if ptr::eq(old, heir) => old.state.set(PStatus::Running),
        Some(_) => {
            trace::yields(mp);
            releasep(mp).state.set(PStatus::Dead);
            heir.state.set(PStatus::Idle);
            acquirep(mp, heir);
            trace::run(mp, getg());
        }
        None => {}
    }
    GOMAXPROCS.store(procs, Ordering::Release); // pairs with allp
    // Those with work get an M at once, the others are idle. The highest first, so that
    // of the idle ones the lowest is taken first.
    let mut runnable: *mut P = ptr::null_mut();
    for id in (0..procs as usize).rev() {
        let Some(pp) = allp().get(id) else { continue };
        if old.is_some() && ptr::eq(pp, heir) {
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
    alone::procs_are(procs);
    trace::start_world(mp, procs);
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
