//! The loop: find a goroutine, run it, come back when it gives way.
//!
//! Go's counterparts: `schedule`, `execute`, `Goexit` in `runtime/proc.go`.
//!
//! Which stack: [`schedule`], [`execute`] and whatever [`mcall`] calls run on
//! g0 and never return; [`goexit`] is called on a goroutine, as are `gosched` and
//! `gopark` in the modules of these names.

use core::ffi::c_void;
use core::hint::cold_path;
use core::ptr;
use core::sync::atomic::Ordering;

use super::checkdead::deadlock;
use super::gfree::allgs;
use super::glist::Batch;
use super::goexit::{Exit, goexit_here};
use super::locked::unlock_os_thread;
use super::newproc::runqput;
use super::newstack::leave_segments;
use super::runq::RUNQ_SIZE;
use super::runtime2::{G, GStatus, Gobuf, M, P};
use super::status::casgstatus;
use super::syscall::need_p;
use super::system::is_system;
use super::{GOMAXPROCS, SCHED, SchedLocked, acquirem, getg, getp, releasem};
use crate::debug::fatal::throw;
use crate::debug::trace;
use crate::{mem, os};

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
pub(super) const GLOBAL_QUEUE_TICKS: u32 = 61;

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
    if gp.locks.load(Ordering::Relaxed) != 0 {
        throw("schedule: holding locks"); // one that is dying, say
    }
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
    // It writes to g.sched where we are, for debuggers. A goroutine that is to go on by
    // that, below whose frames the last one is put away (see `switch`), must find it again.
    let sched = &getg().sched;
    let (sp, pc, bp) = (sched.sp.get(), sched.pc.get(), sched.bp.get());
    // SAFETY: `call` takes what it is given here, and never switches.
    unsafe { runtime_systemstack(call::<F>, (&raw mut f).cast()) };
    sched.sp.set(sp);
    sched.pc.set(pc);
    sched.bp.set(bp);
    releasem();
}

/// What the scheduler does where there is more than one goroutine. A table, so that a
/// program that never says `go` need not have any of it.
pub(super) struct Many {
    /// `findrunnable::schedule_many`
    pub(super) schedule: fn(&'static M) -> !,
    /// `newproc::runqputslow`
    pub(super) runqputslow: fn(&'static P, *mut G),
    /// `goexit::exit_to_next`
    pub(super) exit: fn() -> Option<Exit>,
    /// `syscall::try_entersyscall`
    pub(super) try_entersyscall: extern "C" fn() -> bool,
    /// `syscall::need_p`
    pub(super) need_p: fn(),
    /// How a goroutine waits, for those parts of the runtime that every program has.
    pub(super) park: super::Park,
    /// `gosched::gosched`
    pub(super) gosched: extern "C" fn(),
    /// `locked::mexit`
    pub(super) mexit: fn(&'static M) -> !,
    /// `freeze::freeze_the_world`
    #[cfg(not(feature = "archive"))]
    pub(super) freeze: fn(),
    /// `fatal::fault_in_handler`
    #[cfg(not(feature = "archive"))]
    pub(super) fault: fn(&os::Died),
}

/// Returns that table, from the first `go` or timer on.
pub(super) fn many() -> Option<&'static Many> {
    // SAFETY: null, or the one table there is. Acquire pairs with start_many.
    unsafe { SCHED.many.load(Ordering::Acquire).as_ref() }
}

/// Gives way, if there may be another goroutine: for those parts of the runtime that every
/// program has. From a goroutine.
#[cfg(not(feature = "archive"))]
pub(crate) fn gosched_to_many() {
    if let Some(many) = many() {
        (many.gosched)();
    }
}

/// Has all other goroutines stop for good, if there are any, since the program dies: see
/// `freeze`. From any stack, with any lock held. The archive leaves them alone.
#[cfg(not(feature = "archive"))]
pub(crate) fn freeze_many() {
    if let Some(many) = many() {
        (many.freeze)();
    }
}

/// Ends the program if that fault was a handler's, for those where the signal stacks have
/// guards: see `fatal::fault_in_handler`. On the signal stack.
#[cfg(not(feature = "archive"))]
pub(crate) fn fault_with_many(died: &os::Died) {
    if let Some(many) = many() {
        (many.fault)(died);
    }
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
    if let Some(many) = many() {
        (many.schedule)(mp)
    }
    // One goroutine alone: it is ready, or will never be.
    let pp = getp(mp);
    match pp.runq.take_next() {
        Some(gp) => {
            // SAFETY: what a run queue holds are Gs, which are never freed.
            let gp = unsafe { &*gp };
            trace::leaves_next(pp, gp);
            execute(mp, gp, true)
        }
        None => deadlock(),
    }
}

/// Returns the global queue's length, without the lock: a hint.
pub(super) fn global_queue_len() -> usize {
    SCHED.runqsize.load(Ordering::Relaxed) // whoever puts one there wakes a P afterwards
}

/// Puts a goroutine on the global queue.
pub(super) fn globrunqput(sched: &mut SchedLocked, gp: &'static G) {
    sched.runq.push_back(gp);
    SCHED.runqsize.store(sched.runq.len(), Ordering::Relaxed); // under the lock; a hint to others
}

/// Puts those on the global queue that a P has no room for.
pub(super) fn globrunqputbatch(sched: &mut SchedLocked, batch: &[&'static G]) {
    /// How much memory for batches is got at a time, in bytes.
    const CHUNK: usize = 64 << 10;

    sched.runq.push_batch(batch, || {
        let memory = mem::large_alloc(CHUNK, align_of::<Batch>(), false);
        let count = if memory.is_null() {
            0
        } else {
            CHUNK / size_of::<Batch>()
        };
        (memory.cast(), count)
    });
    SCHED.runqsize.store(sched.runq.len(), Ordering::Relaxed); // as in globrunqput
}

/// Puts all of a P's queue on the global queue. By whoever has the P.
pub(super) fn globrunqput_all(sched: &mut SchedLocked, pp: &'static P) {
    while let Some((gp, was_next)) = pp.runq.get() {
        // SAFETY: what a run queue holds are Gs, which are never freed.
        let gp = unsafe { &*gp };
        if was_next {
            trace::leaves_next(pp, gp);
        }
        globrunqput(sched, gp);
    }
}

/// Takes one goroutine from the global queue, and now and then with it the rest of the
/// oldest batch, for whose goroutines there may be no other turn.
///
/// All of that batch, but rarely: its goroutines may be the roots of trees. One of them at a
/// time, and often, has many trees grow together, each with all that waits in it.
pub(super) fn globrunqget_in_turn(sched: &mut SchedLocked, pp: &'static P) -> Option<&'static G> {
    /// How often, in nanoseconds: as many as one in 61 of those that run for 130 ns each.
    const OLDEST_TURN: i64 = 1_000_000;

    let now = os::nanotime();
    let due = now - pp.oldest_turn.get() >= OLDEST_TURN;
    let first = sched.runq.pop(due);
    // The P's own queue, which only others shorten, has room for so many. While it has none
    // one comes at a time.
    let room = RUNQ_SIZE.saturating_sub(pp.runq.len() as usize);
    let mut rest = 0;
    if due && room > 0 {
        pp.oldest_turn.set(now);
        rest = room.min(sched.runq.oldest_len());
    }
    refill(sched, pp, due, rest);
    first
}

/// Takes one goroutine from the global queue and moves this P's share of the
/// rest to its own, which is empty.
pub(super) fn globrunqget(sched: &mut SchedLocked, pp: &'static P) -> Option<&'static G> {
    let procs = GOMAXPROCS.load(Ordering::Relaxed).max(1) as usize; // changes with the world stopped
    let share = (sched.runq.len() / procs + 1).min(RUNQ_SIZE / 2);
    let first = sched.runq.pop(false);
    refill(sched, pp, false, share - 1);
    first
}

/// Moves so many from the global queue to the P's own, which has room for them; when one has
/// been taken from there.
fn refill(sched: &mut SchedLocked, pp: &'static P, oldest: bool, count: usize) {
    for _ in 0..count {
        let Some(gp) = sched.runq.pop(oldest) else {
            break;
        };
        runqput(pp, gp, false); // no overflow, into the lock that we hold
    }
    SCHED.runqsize.store(sched.runq.len(), Ordering::Relaxed); // as in globrunqput
}

/// Runs a goroutine on this M. On g0; does not return.
#[unsafe(export_name = "runtime.execute")]
#[inline(never)]
pub(super) fn execute(mp: &'static M, gp: &'static G, inherit_time: bool) -> ! {
    take_over(mp, gp);
    trace::run(mp, gp);
    if !inherit_time {
        let pp = getp(mp);
        let tick = pp.schedtick.load(Ordering::Relaxed).wrapping_add(1); // only we write it
        pp.schedtick.store(tick, Ordering::Relaxed); // sysmon only compares
    }
    // SAFETY: gp is ours (its status says so), and its sched was filled by
    // newproc1 or by mcall.
    unsafe { runtime_gogo(ptr::from_ref::<Gobuf>(&gp.sched).cast()) }
}

/// Makes a goroutine that is off its queue, and ours, the one that this M runs.
#[inline(always)]
pub(super) fn take_over(mp: &'static M, gp: &'static G) {
    mp.curg
        .store(ptr::from_ref(gp).cast_mut(), Ordering::Relaxed); // sysmon only peeks
    gp.m.store(ptr::from_ref(mp).cast_mut(), Ordering::Relaxed); // read by this thread
    // A request; a lost one comes again. Seldom there: a look is less than a store.
    if gp.preempt.load(Ordering::Relaxed) {
        cold_path();
        gp.preempt.store(false, Ordering::Relaxed);
    }
    casgstatus(gp, GStatus::Runnable, GStatus::Running);
}

/// Takes the current goroutine off its M. On g0.
pub(super) fn dropg(mp: &'static M, gp: &'static G) {
    mp.curg.store(ptr::null_mut(), Ordering::Relaxed); // sysmon only peeks
    gp.m.store(ptr::null_mut(), Ordering::Relaxed); // whoever runs it next sets it
}

/// Ends the current goroutine, wherever it is. With `abandon` nobody gets its
/// stack: Rust's frames on it are not dropped, and what is not dropped may be
/// borrowed for ever.
#[unsafe(export_name = "runtime.Goexit")]
#[inline(never)]
pub(crate) fn goexit(abandon: bool) -> ! {
    need_p();
    getg().abandoned.set(abandon);
    // What Go defers in runtime.main: an init task that ends the main goroutine
    // gives the main thread free.
    let mp = acquirem();
    let locked = ptr::eq(mp.lockedg.get(), getg()) && mp.locked_int.get() > 0;
    releasem();
    if locked {
        unlock_os_thread::<true>();
    }
    if !abandon && !getg().stktop.get().is_null() {
        mcall(leave_segments);
    }
    goexit_here()
}

/// Calls `f` for each of the program's goroutines that is not dead.
#[inline(never)] // one for all
pub(crate) fn for_each_g(f: &mut dyn FnMut(&'static G)) {
    allgs(|gp| {
        if exists(gp) && !is_system(gp) {
            f(gp);
        }
    });
}

/// The same with the runtime's own.
#[inline(never)] // not in every program
pub(crate) fn for_every_g(f: &mut dyn FnMut(&'static G)) {
    allgs(|gp| {
        if exists(gp) {
            f(gp);
        }
    });
}

/// Tells whether a goroutine is not dead.
fn exists(gp: &G) -> bool {
    let status = super::readgstatus(gp);
    status != GStatus::Dead as u32 && status != GStatus::Idle as u32
}
