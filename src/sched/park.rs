//! Park and ready: how a goroutine waits for something, and how it is told.
//!
//! Go's counterparts: `gopark`, `park_m`, `goready`, `ready` in
//! `runtime/proc.go`.
//!
//! **No goroutine runs before its context is saved.** Whoever is to ready a
//! goroutine has to find it somewhere, in a list behind a lock or in an atomic
//! word, and may find it on another M the moment it is there. So it is put there,
//! or the lock is opened, by none but the unlock function:
//!
//! ```text
//!   the goroutine      gopark: notes unlockf and lock in its M
//!                      mcall: saves the registers in g.sched
//!   g0, or the next    park_m, parked:
//!   one's stack                Running -> Waiting                   (release)
//!                              drops it off its M
//!                              unlockf(gp, lock): lets others find it
//!                                                      |            (release)
//!   whoever finds it                         goready:  Waiting -> Runnable
//!                                                      onto the run queue
//!   any M's g0                               execute:  Runnable -> Running
//!                                                      gogo: takes g.sched up
//! ```
//!
//! 1. Before the unlock function nobody else knows that the goroutine waits; a
//!    `goready` by a mistaken one would not find it Waiting, and throws.
//! 2. When the unlock function begins, g.sched is whole, the status is Waiting,
//!    and no M names the goroutine as its own.
//! 3. Once it has let others find the goroutine, neither it nor `park_m` touches
//!    the goroutine, or anything on its stack, again: it may run elsewhere, or be
//!    dead, by then. Where the unlock function says no, nobody found it, and it is
//!    still theirs: it goes on at once. That must be the outcome of the very step by which
//!    others would have found it: who looks again later, and takes it back from where it
//!    lay, may take it back from its next wait.

use core::cell::Cell;
use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::Ordering;

use super::idle::{wakep, wakep_for_ready};
use super::newproc::runqput;
use super::proc::{dropg, execute, globrunqput, left, many, mcall, schedule};
use super::runtime2::{G, GStatus, M, UnlockFn};
use super::status::casgstatus;
use super::switch::{drop_left, next_at_hand, next_at_hand_inlined, put_back, switch, undo};
use super::syscall::need_p;
use super::waitreason::WaitReason;
use super::{ParkLock, SCHED, acquirem, getg, held, releasem, try_getp};
use crate::debug::trace::{self, Leaves};

/// What a goroutine needs to wait.
#[derive(Clone, Copy)]
pub(crate) struct Park {
    /// `need_p`
    pub(crate) need_p: fn(),
    /// [`gopark`]
    pub(crate) gopark: unsafe fn(Option<UnlockFn>, *const c_void, WaitReason),
    /// [`goready`]
    pub(crate) goready: fn(&'static G),
}

/// Calls `f` with what a goroutine needs to wait. Before the first `go` or timer there is
/// nobody to wait for: false then.
pub(crate) fn wait_with(f: impl FnOnce(Park)) -> bool {
    many().map(|many| f(many.park)).is_some()
}

/// What [`parked`] needs; on the stack of the goroutine that is parked.
struct Wait {
    unlockf: Option<UnlockFn>,
    lock: *const c_void,
    mp: &'static M,
    /// Who was to be next, if the goroutine goes on at once.
    not_next: Cell<Option<&'static G>>,
}

/// The short way's end: the goroutine has been left, and this is the next one's stack.
extern "C" fn parked(gp: &'static G, wait: &Wait) -> bool {
    let (unlockf, lock, mp) = (wait.unlockf, wait.lock, wait.mp); // soon it may be gone
    drop_left(gp);
    casgstatus(gp, GStatus::Running, GStatus::Waiting);
    // SAFETY: what gopark was given; its caller vouches for the pair.
    if unlockf.is_some_and(|unlockf| !unsafe { unlockf(gp, lock) }) {
        casgstatus(gp, GStatus::Waiting, GStatus::Runnable);
        wait.not_next.set(Some(undo(gp, mp))); // nobody has found gp: it is still there
        return false;
    }
    true
}

/// Parks the current goroutine until somebody calls [`goready`] for it. When its
/// context is saved, `unlockf` is called on g0 with it and `lock`; if that says
/// false, the goroutine goes on at once. Without an `unlockf` nobody learns of it:
/// it waits for ever. From a goroutine.
///
/// Who holds a lock that `unlockf` opens keeps its M for that: it has called `need_p` and
/// then [`acquirem`], once, and this undoes it.
///
/// # Safety
///
/// `unlockf` may be called once with `lock`. That may be something on the
/// goroutine's stack, as long as rule 3 above is kept.
#[unsafe(export_name = "runtime.gopark")]
#[inline(never)]
pub(crate) unsafe fn gopark(unlockf: Option<UnlockFn>, lock: *const c_void, reason: WaitReason) {
    extern "C" fn park_m(gp: &'static G) -> ! {
        super::unlock(gp); // what gopark, or its caller, took
        let mp = left(gp);
        casgstatus(gp, GStatus::Running, GStatus::Waiting);
        dropg(mp, gp);
        let (unlockf, lock) = (mp.waitunlockf.get(), mp.waitlock.get());
        // SAFETY: what gopark was given; its caller vouches for the pair.
        if unlockf.is_some_and(|unlockf| !unsafe { unlockf(gp, lock) }) {
            casgstatus(gp, GStatus::Waiting, GStatus::Runnable);
            execute(mp, gp, true);
        }
        schedule()
    }
    let gp = getg();
    // parked or park_m gives this back: until then the M stays ours.
    let mp = if gp.locks.load(Ordering::Relaxed) == 0 {
        need_p();
        acquirem()
    } else {
        held(gp)
    };
    gp.waitreason.set(Some(reason));
    gp.waitsince.set(SCHED.now.load(Ordering::Relaxed)); // a time, ordered with nothing
    gp.waitlock.set(lock);
    if let Some(next) = next_at_hand(gp, mp, Leaves::Parks(reason)) {
        let wait = Wait {
            unlockf,
            lock,
            mp,
            not_next: Cell::new(None),
        };
        switch(gp, mp, next, parked, &wait);
        if let Some(next) = wait.not_next.get() {
            put_back(next);
        }
        return;
    }
    trace::park(mp, reason);
    mp.waitunlockf.set(unlockf);
    mp.waitlock.set(lock);
    mcall(park_m);
}

/// What a goroutine holds that parks: a lock, or several.
pub(crate) trait Locked {
    /// Opens it, and does not touch it, or anything on the goroutine's stack, after the first
    /// lock that lets others find the goroutine is open. It does not refuse.
    fn open(&self);
}

impl Locked for ParkLock {
    #[inline(always)]
    fn open(&self) {
        self.unlock();
    }
}

/// Parks the current goroutine as [`park_locked`] does, with one lock; from the channels. A
/// part of who waits, as all of the short way: see `switch`.
///
/// # Safety
///
/// As there.
#[inline(always)]
pub(crate) unsafe fn goparkunlock(lock: &ParkLock, reason: WaitReason) {
    // SAFETY: the caller's promise.
    unsafe { park_locked(lock, reason) };
}

/// Parks the current goroutine as [`gopark`] does, and opens what it has `locked` when its
/// context is saved. With `acquirem` in force, once, which this undoes.
///
/// What is general in `gopark` is left out where the next goroutine is at hand: nothing is
/// refused, and but one function is called by its address. The rules are the same.
///
/// # Safety
///
/// What is locked is there until it has been opened, and the caller's.
#[inline(always)]
pub(crate) unsafe fn park_locked<L: Locked>(locked: &L, reason: WaitReason) {
    /// The short way's end, as [`parked`].
    extern "C" fn opened<L: Locked>(gp: &'static G, locked: &L) -> bool {
        drop_left(gp);
        casgstatus(gp, GStatus::Running, GStatus::Waiting);
        locked.open();
        true
    }
    let gp = getg();
    let mp = held(gp);
    if let Some(next) = next_at_hand_inlined(gp, mp, Leaves::Parks(reason)) {
        gp.waitreason.set(Some(reason));
        gp.waitsince.set(SCHED.now.load(Ordering::Relaxed)); // a time, ordered with nothing
        gp.waitlock.set(ptr::from_ref(locked).cast()); // for debuggers
        return switch(gp, mp, next, opened, locked);
    }
    // SAFETY: the caller's promise.
    unsafe { gopark(Some(open::<L>), ptr::from_ref(locked).cast(), reason) };
}

/// Opens what a goroutine has locked that has been saved: an unlock function for gopark.
///
/// # Safety
///
/// `locked` must be an `L`, and the goroutine's.
pub(crate) unsafe fn open<L: Locked>(_: &'static G, locked: *const c_void) -> bool {
    // SAFETY: the caller's promise.
    unsafe { &*locked.cast::<L>() }.open();
    true
}

/// Makes a parked goroutine runnable: the next to run on this P, with what is left
/// of the time slice of whoever readies it. From a thread without a P, as sysmon
/// is, the goroutine goes to the global queue. From a goroutine or g0.
#[unsafe(export_name = "runtime.goready")]
#[inline(never)]
pub(crate) fn goready(gp: &'static G) {
    ready(acquirem(), gp); // the P is ours until the goroutine is in its queue
    releasem();
}

/// The same for who has called [`acquirem`], and gives that back. Go's `ready`.
#[unsafe(export_name = "runtime.ready")]
#[inline(never)]
pub(crate) fn goready_releasem(gp: &'static G) {
    let current = getg();
    ready(held(current), gp);
    super::unlock(current);
}

/// What [`goready`] does.
#[inline(always)]
fn ready(mp: &'static M, gp: &'static G) {
    casgstatus(gp, GStatus::Waiting, GStatus::Runnable);
    match try_getp(mp) {
        Some(pp) => {
            trace::next_is(pp, gp);
            runqput(pp, gp, true);
            wakep_for_ready(pp);
        }
        None => {
            trace::ready_without_p(mp, gp);
            globrunqput(&mut SCHED.lock.lock(), gp);
            wakep();
        }
    }
}
