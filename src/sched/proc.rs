//! The loop: find a goroutine, run it, come back when it gives way.
//!
//! Go's counterparts: `schedule`, `findRunnable`, `execute`, `Gosched`,
//! `Goexit`, `checkdead` in `runtime/proc.go`.
//!
//! Which stack: [`schedule`], [`execute`] and whatever [`mcall`] calls run on
//! g0 and never return; [`gosched`] and [`goexit`] are called on a goroutine, as
//! is `gopark` in the module `park`.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::Ordering;

use super::bgscavenge::is_system;
use super::gfree::allgs;
use super::newproc::{goexit1, runqput};
use super::newstack::leave_segments;
use super::runtime2::{G, GStatus, Gobuf, M, P};
use super::status::casgstatus;
use super::{GOMAXPROCS, SCHED, SchedLocked, acquirem, getg, getp, releasem};
use crate::debug::fatal::{self, throw};
use crate::debug::print::say;
use crate::os;

// SAFETY: the routines' contracts stand in asm/switch_amd64.S.
unsafe extern "C" {
    #[link_name = "runtime.gogo"]
    fn runtime_gogo(buf: *const c_void) -> !;
    #[link_name = "runtime.mcall"]
    fn runtime_mcall(f: extern "C" fn(&'static G) -> !);
    #[link_name = "runtime.systemstack"]
    fn runtime_systemstack(f: extern "C" fn(*mut u8), arg: *mut u8);
}

/// How often, in ticks, the global queue comes before the P's own, so that two
/// goroutines that respawn each other do not keep it waiting for ever.
const GLOBAL_QUEUE_TICKS: u32 = 61;

/// Leaves the current goroutine and calls `f` with it on g0, which calls [`left`]
/// first. Returns when the goroutine is run again.
pub(super) fn mcall(f: extern "C" fn(&'static G) -> !) {
    let gp = getg();
    if let Some(check) = gp.check_stack.get() {
        check(gp);
    }
    acquirem(); // the routine asks which M this is; `left` gives it back
    // SAFETY: we are on a goroutine (mcall itself checks that it is not g0),
    // and `f` takes what mcall gives.
    unsafe { runtime_mcall(f) };
}

/// The goroutine `gp` has been left by [`mcall`]: gives back what that took, and
/// returns the M. On g0.
pub(super) fn left(gp: &'static G) -> &'static M {
    super::unlock(gp);
    let mp = gp.m.load(Ordering::Relaxed); // our own thread wrote it
    // SAFETY: the M that ran it, and runs this; an M is never freed.
    unsafe { &*mp }
}

/// Calls `f` on the scheduler's stack.
pub(crate) fn systemstack<F: FnOnce()>(f: F) {
    extern "C" fn call<F: FnOnce()>(arg: *mut u8) {
        // SAFETY: systemstack passes the address of its own Option<F>, which
        // lives until this returns.
        let f = unsafe { &mut *arg.cast::<Option<F>>() };
        if let Some(f) = f.take() {
            f();
        }
    }
    let mut f = Some(f);
    acquirem(); // the routine asks which M this is
    // SAFETY: `call` takes what it is given here, and never switches.
    unsafe { runtime_systemstack(call::<F>, (&raw mut f).cast()) };
    releasem();
}

/// One round of the scheduler: finds a goroutine and runs it. On g0, with a P.
#[unsafe(export_name = "runtime.schedule")]
#[inline(never)]
pub(super) extern "C" fn schedule() -> ! {
    let mp = acquirem();
    releasem(); // g0 does not move; this only reads the M
    if getg().locks.load(Ordering::Relaxed) != 0 {
        throw("schedule: holding locks"); // g0's own count
    }
    let (gp, inherit_time) = find_runnable(mp);
    execute(mp, gp, inherit_time)
}

/// Finds a goroutine to run: every 61st time in the global queue first, then in
/// the P's own, then in the global one. On g0.
///
/// When sysmon has said that the time slice is over, nobody inherits it: runnext
/// goes to the queue's end, and the global queue comes first. Go asks only the
/// goroutine that runs, which a chain of short ones, each the next one's
/// runnext, can keep up for ever while all others wait.
#[unsafe(export_name = "runtime.findRunnable")]
#[inline(never)]
fn find_runnable(mp: &'static M) -> (&'static G, bool) {
    let pp = getp(mp);
    loop {
        let timers = super::timers::hooks();
        let poll_until = timers.map_or(0, |timers| (timers.check)(pp, 0).1);
        let tick = pp.schedtick.load(Ordering::Relaxed); // only we write it
        let expired = pp.preempt.load(Ordering::Relaxed); // a request; a lost one comes again
        if expired {
            pp.preempt.store(false, Ordering::Relaxed); // as above
            if let Some(next) = pp.runq.take_next() {
                // SAFETY: what a run queue holds are Gs, which are never freed.
                runqput(pp, unsafe { &*next }, false);
            }
        }
        if (expired || tick.is_multiple_of(GLOBAL_QUEUE_TICKS)) && global_queue_len() > 0 {
            let mut sched = SCHED.lock.lock();
            if let Some(gp) = globrunqget(&mut sched, pp, 1) {
                return (gp, false);
            }
        }
        if let Some((gp, inherit_time)) = pp.runq.get() {
            // SAFETY: what a run queue holds are Gs, which are never freed.
            return (unsafe { &*gp }, inherit_time);
        }
        if global_queue_len() > 0 {
            let mut sched = SCHED.lock.lock();
            if let Some(gp) = globrunqget(&mut sched, pp, usize::MAX) {
                return (gp, false);
            }
        }
        if let Some(timers) = timers
            && (timers.any)()
        {
            // Not for long: others may have made a goroutine runnable.
            let left = poll_until.saturating_sub(os::nanotime());
            os::nap(left.clamp(1, 10_000_000) as u64);
            continue;
        }
        checkdead();
    }
}

/// Returns the global queue's length, without the lock: a hint.
fn global_queue_len() -> usize {
    SCHED.runqsize.load(Ordering::Relaxed) // whoever puts one there wakes a P afterwards
}

/// Puts a goroutine on the global queue.
pub(super) fn globrunqput(sched: &mut SchedLocked, gp: &'static G) {
    sched.runq.push_back(gp);
    SCHED.runqsize.store(sched.runq.len(), Ordering::Relaxed); // under the lock; a hint to others
}

/// Takes one goroutine from the global queue and moves this P's share of the
/// rest, at most `max` with it, to its own.
fn globrunqget(sched: &mut SchedLocked, pp: &'static P, max: usize) -> Option<&'static G> {
    let procs = GOMAXPROCS.load(Ordering::Relaxed).max(1) as usize; // changes with the world stopped
    let share = (sched.runq.len() / procs + 1)
        .min(max)
        .min(super::runq::RUNQ_SIZE / 2);
    let first = sched.runq.pop();
    for _ in 1..share {
        let Some(gp) = sched.runq.pop() else { break };
        // This never overflows into the lock that we hold: the P's own queue is
        // empty, or `share` is 1.
        runqput(pp, gp, false);
    }
    SCHED.runqsize.store(sched.runq.len(), Ordering::Relaxed); // as in globrunqput
    first
}

/// Runs a goroutine on this M. On g0; does not return.
#[unsafe(export_name = "runtime.execute")]
#[inline(never)]
pub(super) fn execute(mp: &'static M, gp: &'static G, inherit_time: bool) -> ! {
    mp.curg
        .store(ptr::from_ref(gp).cast_mut(), Ordering::Relaxed); // sysmon only peeks
    gp.m.store(ptr::from_ref(mp).cast_mut(), Ordering::Relaxed); // read by this thread
    casgstatus(gp, GStatus::Runnable, GStatus::Running);
    gp.preempt.store(false, Ordering::Relaxed); // a request; a lost one comes again
    if !inherit_time {
        let pp = getp(mp);
        let tick = pp.schedtick.load(Ordering::Relaxed).wrapping_add(1); // only we write it
        pp.schedtick.store(tick, Ordering::Relaxed); // sysmon only compares
    }
    // SAFETY: gp is ours (its status says so), and its sched was filled by
    // newproc1 or by mcall.
    unsafe { runtime_gogo(ptr::from_ref::<Gobuf>(&gp.sched).cast()) }
}

/// Takes the current goroutine off its M. On g0.
pub(super) fn dropg(mp: &'static M, gp: &'static G) {
    mp.curg.store(ptr::null_mut(), Ordering::Relaxed); // sysmon only peeks
    gp.m.store(ptr::null_mut(), Ordering::Relaxed); // whoever runs it next sets it
}

/// Gives way: the goroutine goes to the end of the global queue.
#[unsafe(export_name = "runtime.Gosched")]
#[inline(never)]
pub(crate) fn gosched() {
    extern "C" fn gosched_m(gp: &'static G) -> ! {
        let mp = left(gp);
        casgstatus(gp, GStatus::Running, GStatus::Runnable);
        dropg(mp, gp);
        globrunqput(&mut SCHED.lock.lock(), gp);
        schedule()
    }
    mcall(gosched_m);
}

/// Ends the current goroutine, wherever it is. With `abandon` nobody gets its
/// stack: Rust's frames on it are not dropped, and what is not dropped may be
/// borrowed for ever.
#[unsafe(export_name = "runtime.Goexit")]
#[inline(never)]
pub(crate) fn goexit(abandon: bool) -> ! {
    getg().abandoned.set(abandon);
    // What Go defers in runtime.main: an init task that ends the main goroutine
    // gives the main thread free.
    let mp = acquirem();
    let locked = ptr::eq(mp.lockedg.get(), getg()) && mp.locked_int.get() > 0;
    releasem();
    if locked {
        unlock_os_thread();
    }
    if !abandon && !getg().stktop.get().is_null() {
        mcall(leave_segments);
    }
    goexit1()
}

/// Ties the current goroutine to its thread, for the runtime's own purposes.
/// As long as one M runs all goroutines this holds by itself; what is noted
/// here is for the day when there are more.
pub(crate) fn lock_os_thread() {
    let mp = acquirem();
    let gp = getg();
    mp.locked_int.set(mp.locked_int.get() + 1);
    mp.lockedg.set(gp);
    gp.lockedm
        .store(ptr::from_ref(mp).cast_mut(), Ordering::Relaxed); // read by this thread
    releasem();
}

/// Undoes one [`lock_os_thread`].
pub(crate) fn unlock_os_thread() {
    let mp = acquirem();
    debug_assert!(
        mp.locked_int.get() > 0,
        "misuse of lockOSThread/unlockOSThread"
    );
    mp.locked_int.set(mp.locked_int.get() - 1);
    if mp.locked_int.get() == 0 && mp.locked_ext.get() == 0 {
        mp.lockedg.set(ptr::null());
        getg().lockedm.store(ptr::null_mut(), Ordering::Relaxed); // as above
    }
    releasem();
}

/// Calls `f` for each of the program's goroutines that is not dead.
#[inline(never)] // one for all
pub(crate) fn for_each_g(f: &mut dyn FnMut(&'static G)) {
    allgs(|gp| {
        let status = super::readgstatus(gp);
        let exists = status != GStatus::Dead as u32 && status != GStatus::Idle as u32;
        if exists && !is_system(gp) {
            f(gp);
        }
    });
}

/// There is nothing to run and, without timers and a poller, nothing that could
/// ever change that: ends the program with Go's words. On g0.
#[unsafe(export_name = "runtime.checkdead")]
#[inline(never)]
fn checkdead() {
    if fatal::PANICKING.load(Ordering::SeqCst) > 0 {
        // Another thread is ending the program; let it.
        os::nap(10_000_000);
        return;
    }
    let mut left = false;
    for_each_g(&mut |_| left = true);
    let text = if left {
        "fatal error: all goroutines are asleep - deadlock!"
    } else {
        "fatal error: no goroutines (main called runtime.Goexit) - deadlock!"
    };
    say(text, &[], &[]);
    fatal::other_goroutines();
    fatal::die(2)
}
