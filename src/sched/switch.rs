//! The short way from one goroutine to the next: without a detour over g0, where the
//! next one is at hand.
//!
//! Go has no counterpart: there every switch goes over g0, and finds the next goroutine
//! there. Here who parks or ends looks first into its own P's queue, on its own stack,
//! and where there is somebody goes straight there; that is half of the time. The long
//! way, `mcall`, is for all else. Who yields has a shorter one still: see `gosched`.
//!
//! **No goroutine runs before its context is saved.** On g0 that is plain: who is there
//! has left the goroutine's stack. Here the part of g0 is played by the next
//! goroutine's stack, below all that it has on it:
//!
//! ```text
//!   the old one, A      takes B off the queue: B is ours alone           (acquire)
//!                       B: Runnable -> Running, m.curg = B, B.locks = 1
//!   gosave_gogo         saves A in A.sched; g = B; onto B's stack
//!   on B's stack        `publish`: A: Running -> Waiting or Dead,
//!                       lets others find A                               (release)
//!   gosave_gogo         B.locks = 0; takes B.sched up
//! ```
//!
//! 1. Until `publish` nobody can find A: it is Running, and on no queue. When `publish`
//!    begins, A.sched is whole and no thread is on A's stack. So whoever finds A may
//!    run it at once, or free it.
//! 2. B is off its queue and Running: no other M runs it, and nobody but us writes below
//!    its stack pointer. That it has room there is looked at first ([`ROOM`]); who
//!    has not, or has no guard to find that out, goes the long way.
//! 3. A signal finds g = B from the middle on, with B.locks up, and before that A
//!    with A.locks up (`acquirem`): neither is preempted. B.locks goes down in assembly
//!    when the last of B.sched has been read, since a preempted goroutine's is written.
//! 4. The M and its P stay the same throughout. A's `acquirem` is given back by
//!    `publish`, on this thread.

use core::arch::asm;
use core::ptr;
use core::sync::atomic::Ordering;

use super::findrunnable::timers_due;
use super::idle::wakep;
use super::newproc::{runqgetnext, runqgetring, runqputback};
use super::proc::{GLOBAL_QUEUE_TICKS, global_queue_len, take_over};
use super::runtime2::{G, GStatus, Gobuf, M, P};
use super::status::casgstatus;
use super::{acquirem, getg, getp, releasem, try_getp};
use crate::debug::trace::{self, Leaves};

/// How much of the next goroutine's stack must be free for `publish`, in bytes.
const ROOM: usize = 8 << 10;

/// What is to be done with the goroutine that was left, on the next one's stack. It
/// begins with [`drop_left`], and says false if the two shall go back to where they were
/// before: see [`undo`].
pub(super) type Publish<T> = extern "C" fn(gp: &'static G, arg: &T) -> bool;

// SAFETY: the routine's contract stands in asm/switch_amd64.S; it is not called.
unsafe extern "C" {
    #[link_name = "runtime.gosave_gogo"]
    fn gosave_gogo();
}

/// Takes the next goroutine off this M's P's queue, if there is one that [`switch`] can
/// go to, and nothing else is to be looked at first: the world's stop, the end of the
/// time slice, the global queue's turn, timers. `gp` is the current one, which has
/// called `acquirem`, and `leaves` then.
#[inline]
pub(super) fn next_at_hand(gp: &'static G, mp: &'static M, leaves: Leaves) -> Option<&'static G> {
    next_at_hand_inlined(gp, mp, leaves)
}

/// The same, for where a call would be felt.
#[inline(always)]
pub(super) fn next_at_hand_inlined(
    gp: &'static G,
    mp: &'static M,
    leaves: Leaves,
) -> Option<&'static G> {
    let pp = try_getp(mp)?; // none in a system call
    let tick = pp.schedtick.load(Ordering::Relaxed); // only we write it
    let something_else = pp.preempt.load(Ordering::Relaxed) // a request, the world's stop as well
        || tick.is_multiple_of(GLOBAL_QUEUE_TICKS) && global_queue_len() > 0
        || timers_due(pp, tick)
        || gp.special.get() != 0
        || gp.locks.load(Ordering::Relaxed) != 1; // the long way complains
    if something_else {
        return None;
    }
    let Some(next) = runqgetnext(pp) else {
        let next = next_in_ring(pp, tick)?;
        trace::leave_to(pp, leaves, next);
        return Some(next);
    };
    if !can_switch_to(next) {
        runqputback(pp, next, true); // the long way finds it there
        return None;
    }
    trace::leave_to_next(pp, leaves, next);
    Some(next)
}

/// The same where nobody has been readied. A function of its own: then who parks need not
/// save what it would keep over this.
#[inline(never)]
fn next_in_ring(pp: &'static P, tick: u32) -> Option<&'static G> {
    let next = runqgetring(pp)?;
    if !can_switch_to(next) {
        runqputback(pp, next, false); // as above
        return None;
    }
    pp.schedtick.store(tick.wrapping_add(1), Ordering::Relaxed); // sysmon only compares
    Some(next)
}

/// Tells whether the short way leads to that one.
#[inline(always)]
fn can_switch_to(next: &G) -> bool {
    let room = next.sched.sp.get() - next.stack.lo.get();
    room >= ROOM && next.special.get() == 0
}

/// Leaves the current goroutine, `gp`, which has called `acquirem`, and goes on with
/// `next`. Returns when `gp` is run again.
///
/// Inlined into who waits, and that one best jumped to by who called it: each return on the
/// way back costs as much as it does to predict one wrongly.
#[inline(always)]
pub(super) fn switch<T>(
    gp: &'static G,
    mp: &'static M,
    next: &'static G,
    publish: Publish<T>,
    arg: &T,
) {
    take_next(mp, next);
    // SAFETY: `gp` is the current goroutine and `next` another one that is ours, with
    // its context saved; `publish` and `arg` go together, and `arg` lies on `gp`'s stack
    // or elsewhere for as long as `publish` needs it. To the compiler this is a call: rsp is
    // as it is before one, nothing below it is in use, and what a call may change is said.
    unsafe {
        asm!(
            "lea rax, [rip + 2f]",
            "jmp {gosave_gogo}",
            "2:",
            gosave_gogo = sym gosave_gogo,
            in("rdi") ptr::from_ref(gp),
            in("rsi") ptr::from_ref::<Gobuf>(&next.sched),
            in("rdx") publish as *const (),
            in("rcx") ptr::from_ref(arg),
            clobber_abi("C"),
        );
    }
}

/// Makes the next goroutine the one that this M runs; it keeps that until it goes on.
#[inline(always)]
pub(super) fn take_next(mp: &'static M, next: &'static G) {
    next.locks.store(1, Ordering::Relaxed); // it is ours
    take_over(mp, next);
}

/// Takes the goroutine that was left off its M. In `publish`, first of all.
pub(super) fn drop_left(gp: &'static G) {
    super::unlock(gp);
    gp.m.store(ptr::null_mut(), Ordering::Relaxed); // whoever runs it next sets it
}

/// Takes a [`switch`] back: `gp`, Runnable and found by nobody, goes on. In `publish`,
/// which says false then. Returns the one that was to be next: `gp` calls [`put_back`]
/// with it when it is on its own stack again. Here we are still on that one's, which
/// must not be found before it has been left.
#[cold]
pub(super) fn undo(gp: &'static G, mp: &'static M) -> &'static G {
    let next = getg();
    // Not its M: it is the current g still, and SIGURG's handler asks it for that.
    casgstatus(next, GStatus::Running, GStatus::Runnable);
    mp.curg
        .store(ptr::from_ref(gp).cast_mut(), Ordering::Relaxed); // as in switch
    // What switch set. Not before: it would be preempted here, as one that runs. Release is
    // for the compiler: the handler, on this thread, sees all three or not this one.
    next.locks.store(0, Ordering::Release);
    gp.m.store(ptr::from_ref(mp).cast_mut(), Ordering::Relaxed); // as there
    gp.locks.store(1, Ordering::Relaxed); // as there
    casgstatus(gp, GStatus::Runnable, GStatus::Running);
    trace::refused(mp, gp);
    next
}

/// Queues the one that [`undo`] has left to the current goroutine.
#[cold]
pub(super) fn put_back(next: &'static G) {
    next.m.store(ptr::null_mut(), Ordering::Relaxed); // as in drop_left
    runqputback(getp(acquirem()), next, false);
    wakep(); // who has gone to sleep since it was taken off the queue did not see it
    releasem();
}
