//! System calls that may take long: the goroutine leaves its P behind, and finds it
//! there again, or another, or waits for one.
//!
//! Go's counterparts: `entersyscall`, `exitsyscall`, `exitsyscall0` in
//! `runtime/proc.go` (up to Go 1.25, where the P's status says whose it is).
//!
//! ```text
//!   entersyscall   G: Running -> Syscall      P: Running -> Syscall, m.oldp = P
//!                                                   |
//!         sysmon after 20 µs (10 ms if nobody     retake: Syscall -> Idle, handoffp
//!         else would run on it), stop the world           Syscall -> Gcstop
//!                                                   |
//!   exitsyscall    P: Syscall -> Running: it is ours, as it was
//!                  or an idle P, or else the global queue, and this M sleeps
//!                  G: Syscall -> Running, or -> Runnable
//! ```
//!
//! The P's status is the one word that the two sides fight for: whoever changes it from
//! Syscall has the P. What the goroutine did with the P before is published by
//! entersyscall's release and seen through the other's acquire (`pstatus.rs`, where
//! this is modelled).
//!
//! Between the two the goroutine has no P: it may allocate (from the heap itself, with
//! locks), ready others and make system calls. Where it does what needs a P, `go` and
//! all that gives way, [`need_p`] ends the system call there and then.

use core::ptr;
use core::sync::atomic::Ordering;

use super::idle::{acquirep, pidleget, stop_p, stopm, unwire, wirep};
use super::locked::stoplockedm;
use super::proc::{dropg, execute, globrunqput, left, many, mcall, schedule};
use super::pstatus::PStatus;
use super::runtime2::{G, GStatus, P};
use super::status::casgstatus;
use super::{SCHED, acquirem, getg, getp, parallel, releasem};
use crate::debug::trace;

// SAFETY: the routine's contract stands in asm/switch_amd64.S.
unsafe extern "C" {
    #[link_name = "runtime.tryentersyscall"]
    pub(super) safe fn try_entersyscall() -> bool;
}

/// Calls `f`, which may block the thread, without keeping the P from others meanwhile.
/// From a goroutine; anywhere else, and inside of itself, it just calls `f`.
///
/// It goes by the table: a program of one goroutine, which may print, has none of this.
pub(crate) fn blocking<T>(f: impl FnOnce() -> T) -> T {
    // Called right here: this frame stays while `f` runs, and a traceback begins with it.
    let entered = match many() {
        Some(many) if (many.try_entersyscall)() => Some(many),
        _ => None,
    };
    let value = f();
    if let Some(many) = entered {
        (many.need_p)(); // unless `f` has done so
    }
    value
}

/// Goes into a system call, if the current stack is a goroutine's that is in none and
/// that nothing keeps on its M. Tells whether it did.
///
/// `pc`, `sp` and `bp` are the caller's, whose frame stays while the call lasts: there a
/// traceback begins. Go's `save`.
#[unsafe(export_name = "runtime.tryentersyscall1")]
extern "C" fn try_entersyscall1(pc: usize, sp: usize, bp: usize) -> bool {
    // One M alone has nobody to leave the P to.
    let gp = getg();
    let may = parallel() && super::may_go() && super::readgstatus(gp) == GStatus::Running as u32;
    if may {
        gp.sched.pc.set(pc);
        gp.sched.sp.set(sp);
        gp.sched.bp.set(bp);
        entersyscall();
    }
    may
}

/// The current goroutine goes into a system call. From a goroutine.
#[unsafe(export_name = "runtime.entersyscall")]
#[inline(never)]
fn entersyscall() {
    let mp = acquirem();
    let gp = getg();
    casgstatus(gp, GStatus::Running, GStatus::Syscall);
    let pp = getp(mp);
    trace::enter(pp);
    mp.oldp.set(pp);
    unwire(mp, pp);
    pp.state.enter_syscall(); // anybody's, from here on
    if SCHED.gcwaiting.load(Ordering::Relaxed) {
        stop_left_p(pp); // enter_syscall has the fence
    }
    releasem();
}

/// The world is being stopped, and may wait for this P.
#[cold]
fn stop_left_p(pp: &'static P) {
    let mut sched = SCHED.lock.lock();
    if sched.stopwait > 0 && pp.state.retake(PStatus::Gcstop) {
        stop_p(&mut sched, pp);
    }
}

/// Ends a system call of the current goroutine, if it is in one. From a goroutine.
pub(crate) fn need_p() {
    if super::readgstatus(getg()) == GStatus::Syscall as u32 {
        exitsyscall();
    }
}

/// The current goroutine comes back from a system call.
#[unsafe(export_name = "runtime.exitsyscall")]
#[inline(never)]
fn exitsyscall() {
    let mp = acquirem();
    let gp = getg();
    // SAFETY: entersyscall put it there; a P is never freed.
    let oldp = unsafe { &*mp.oldp.get() };
    mp.oldp.set(ptr::null());
    if oldp.state.exit_syscall() {
        wirep(mp, oldp);
    } else if let Some(pp) = idle_p() {
        acquirep(mp, pp);
    } else {
        releasem();
        mcall(exitsyscall0);
        return;
    }
    casgstatus(gp, GStatus::Syscall, GStatus::Running);
    trace::exit(mp, gp);
    releasem();
}

/// Takes an idle P, if there is one and the world is not stopped; when it is there are none,
/// but for one that is frozen.
fn idle_p() -> Option<&'static P> {
    // Relaxed: a request; exitsyscall0 looks under the lock.
    if SCHED.spinning.idle() == 0 || SCHED.gcwaiting.load(Ordering::Relaxed) {
        return None;
    }
    pidleget(&mut SCHED.lock.lock())
}

/// A goroutine comes back from a system call, and there is no P for it. On g0.
extern "C" fn exitsyscall0(gp: &'static G) -> ! {
    let mp = left(gp);
    let locked = ptr::eq(mp.lockedg.get(), gp);
    casgstatus(gp, GStatus::Syscall, GStatus::Runnable);
    dropg(mp, gp);
    trace::exit_without_p(mp, gp);
    let mut sched = SCHED.lock.lock();
    let stopped = SCHED.gcwaiting.load(Ordering::Relaxed); // as there
    let pp = if stopped { None } else { pidleget(&mut sched) };
    if pp.is_none() {
        globrunqput(&mut sched, gp); // from here on anybody may run it
    }
    drop(sched);
    if let Some(pp) = pp {
        acquirep(mp, pp);
        execute(mp, gp, false);
    }
    if locked {
        // Whoever finds it gives us a P.
        stoplockedm(mp);
        execute(mp, gp, false);
    }
    stopm(mp);
    schedule()
}
