//! Giving way: the goroutine goes to the end of its P's queue, and the first of that
//! queue goes on.
//!
//! Go's counterpart: `Gosched` in `runtime/proc.go`, which goes over g0 and the global
//! queue. So does this where the queue is empty, or something else is to be looked at.
//!
//! The usual way is the fastest switch there is: no other stack but the two, and no call
//! between them. That works since there is so little to do once the old one is saved:
//!
//! ```text
//!   goyield     looks whether anything forbids it
//!               puts A into the slot behind the ring's end, where nobody looks
//!               takes B off the queue: B is ours alone               (acquire)
//!               A: Running -> Runnable; B: Runnable -> Running
//!   Gosched     saves A in A.sched; g = B; onto B's stack
//!               A.locks = 0; the ring's tail + 1: there is A         (release)
//!               takes B.sched up
//! ```
//!
//! **No goroutine runs before its context is saved.** A is found by who sees the
//! ring's new tail, and by nobody else. When that is stored, A.sched is whole and no
//! thread is on A's stack; what is stored is seen in that order, on this CPU.
//!
//! **Preemption.** A.locks is up from `goyield`'s beginning; from where it is not, the
//! goroutine is in the assembly's last part, and the handler leaves alone whoever is in
//! there ([`super::preempt`]).

use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering, compiler_fence};

use super::findrunnable::timers_due;
use super::idle::wakep;
use super::newproc::runqputback;
use super::proc::{dropg, global_queue_len, globrunqput, left, many, mcall, schedule, take_over};
use super::procresize::the_only_p;
use super::runtime2::{G, GStatus, M, P};
use super::status::{casgstatus, setgstatus};
use super::syscall::need_p;
use super::{SCHED, acquirem, getg, getp, held, releasem};
use crate::debug::trace;

// SAFETY: the routine's contract stands in asm/switch_amd64.S.
unsafe extern "C" {
    /// Gives way. From a goroutine.
    #[link_name = "runtime.Gosched"]
    pub(crate) safe fn gosched();
}

/// The cooperative end of sysmon's request: the current goroutine gives way, if that was asked
/// of it and it may.
#[inline]
pub(super) fn gosched_if_asked(gp: &G) {
    // Relaxed: a request, ordered with nothing.
    if gp.preempt.load(Ordering::Relaxed) && super::may_go() {
        gosched();
    }
}

/// What `goyield` tells the assembly.
#[repr(C)]
struct Handover {
    /// Who goes on; null if all has been done.
    next: *const G,
    /// The tail of the queue, to be counted up when the old one is saved.
    tail: *const AtomicU32,
}

/// What `Gosched` does before it switches, if it does.
#[unsafe(export_name = "runtime.goyield")]
extern "C" fn goyield() -> Handover {
    exchange(getg()).unwrap_or_else(|| {
        the_long_way();
        Handover {
            next: ptr::null(),
            tail: ptr::null(),
        }
    })
}

/// Exchanges the current goroutine for the first of its P's queue, if there is one and
/// nothing else is to be done: a system call's end, the end of the time slice, the
/// world's stop (which ends it as well), the global queue's turn, timers.
#[inline(always)]
fn exchange(gp: &'static G) -> Option<Handover> {
    // Relaxed: our own, both of them.
    let running = gp.atomicstatus.load(Ordering::Relaxed) == GStatus::Running as u32;
    if !running || gp.locks.load(Ordering::Relaxed) != 0 {
        return None;
    }
    gp.locks.store(1, Ordering::Relaxed); // as acquirem
    compiler_fence(Ordering::SeqCst); // as there
    let next = match the_only_p() {
        Some((mp, pp)) => try_exchange(gp, mp, pp, true),
        None => try_exchange(gp, held(gp), getp(held(gp)), false),
    };
    if next.is_none() {
        releasem();
    }
    next
}

/// What [`exchange`] does with `g.locks` up.
#[inline(always)]
fn try_exchange(gp: &'static G, mp: &'static M, pp: &'static P, alone: bool) -> Option<Handover> {
    let tick = pp.schedtick.load(Ordering::Relaxed); // only we write it
    let something_else = pp.preempt.load(Ordering::Relaxed) // a request
        || global_queue_len() > 0 // behind them, too: they would wait for 61 turns each
        || timers_due(pp, tick)
        || gp.special.get() != 0;
    if something_else {
        return None;
    }
    let (next, inherit_time) = pp.runq.exchange(ptr::from_ref(gp).cast_mut(), alone)?;
    // SAFETY: what a run queue holds are Gs, which are never freed.
    let next = unsafe { &*next };
    if next.special.get() != 0 {
        runqputback(pp, next, inherit_time); // the long way hands it to its thread, if it has one
        return None;
    }
    if inherit_time {
        trace::leaves_next(pp, next);
    } else {
        pp.schedtick.store(tick.wrapping_add(1), Ordering::Relaxed); // sysmon only compares
    }
    trace::yield_run(pp, next);
    // `exchange` has just seen it Running. The tail lets others see it.
    setgstatus(gp, GStatus::Running, GStatus::Runnable);
    take_over(mp, next);
    Some(Handover {
        next,
        tail: pp.runq.tail(),
    })
}

/// Gives way over g0. To the end of the global queue, so that nobody waits for ever.
#[cold]
#[inline(never)]
fn the_long_way() {
    extern "C" fn gosched_m(gp: &'static G) -> ! {
        let mp = left(gp);
        trace::yields(mp);
        gosched_impl(mp, gp)
    }
    if many().is_none() {
        return; // there is nobody else
    }
    need_p();
    let mp = acquirem();
    let alone = nobody_else(mp);
    releasem();
    if !alone {
        mcall(gosched_m);
    }
}

/// Puts the goroutine that was left at the global queue's end, and goes on. On g0. Go's
/// `goschedImpl`.
pub(super) fn gosched_impl(mp: &'static M, gp: &'static G) -> ! {
    casgstatus(gp, GStatus::Running, GStatus::Runnable);
    dropg(mp, gp);
    globrunqput(&mut SCHED.lock.lock(), gp);
    wakep();
    schedule()
}

/// Tells whether there is nobody that the current goroutine could give way to, and
/// nothing else to look at. Counts as a turn: timers are looked at in some of them.
fn nobody_else(mp: &'static M) -> bool {
    let pp = getp(mp);
    let tick = pp.schedtick.load(Ordering::Relaxed); // only we write it
    let alone = pp.runq.is_empty()
        && global_queue_len() == 0
        && !timers_due(pp, tick)
        && !pp.preempt.load(Ordering::Relaxed) // a request
        && !SCHED.gcwaiting.load(Ordering::Relaxed) // another
        && getg().special.get() == 0; // the long way sees to that
    if alone {
        pp.schedtick.store(tick.wrapping_add(1), Ordering::Relaxed); // sysmon only compares
    }
    alone
}
