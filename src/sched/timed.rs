//! A wait that the clock may end as well: parking with a deadline.
//!
//! Go's counterparts: `g.timer`, in `runtime/select.go` and `time.go`. Who may wake the
//! goroutine, and so must own something first (a [`Waiter`](super::waiter::Waiter), say, or
//! the goroutine itself, taken out of a token), is the caller's affair: the clock is given
//! a function, `claim`, that tries to become that owner.
//!
//! ```text
//!   the goroutine            another party              the clock
//!   park_until: saved
//!     unlockf: can be found --> claims, goready
//!     commit: sets the timer ----------------------------> claim
//!             armed                                          | true: goready
//!   goes on  <------------------+----------------------------+
//!   waits for armed                                          | false: late
//!   stops the timer, or waits for late <---------------------+
//! ```
//!
//! Invariants:
//! 1. Two others touch the frame of [`park_until`]: the unlock function, which sets the
//!    timer when the goroutine can be found already and may run; and the timer's function,
//!    which may be about to be called when the timer can't be stopped any more. That
//!    returns when both have said that they are done with it.
//! 2. So the clock has called `claim` before `park_until` returns, or never does; what
//!    `claim` looks at need live no longer.
//! 3. The timers come from a pool and are never freed, so that one may be given back
//!    while its entry is still in some P's heap.

use core::cell::Cell;
use core::ffi::c_void;
use core::ptr;

use super::atomic::{AtomicBool, Ordering};
use super::park::{gopark, goready};
use super::runtime2::{G, UnlockFn};
use super::timer::Timer;
use super::waitreason::WaitReason;
use super::{TimersLock, getg, timer_memory, timers};
use crate::os;

/// What the clock does with its `arg` to get the right to wake the goroutine; false if
/// somebody else has it. On whatever stack the scheduler is: it must not block.
pub(crate) type Claim = unsafe fn(arg: *const c_void) -> bool;

/// What the unlock function and the timer's need, on the stack of the goroutine that
/// parks.
pub(super) struct Timed {
    pub(super) gp: &'static G,
    timer: &'static Pooled,
    unlockf: UnlockFn,
    pub(super) lock: *const c_void,
    pub(super) deadline: i64,
    claim: Claim,
    arg: *const c_void,
    /// The unlock function did not refuse.
    parked: Cell<bool>,
    /// The clock has ended the wait.
    by_clock: Cell<bool>,
    /// The unlock function is done with this.
    armed: AtomicBool,
    /// The timer's function is done with this, and has not ended the wait.
    late: AtomicBool,
}

/// Parks the current goroutine as gopark does, until somebody readies it. At the
/// `deadline`, in nanoseconds of the monotonic clock and above 0, the clock is somebody,
/// if `claim` says so of `arg`. Tells whether it was. On a goroutine; as gopark, this
/// undoes an `acquirem`.
///
/// # Safety
///
/// As of gopark. And `claim` may be called once with `arg` until this returns; where it
/// says true, nobody else readies the goroutine.
#[inline(never)] // six words and the timers: who parks without a deadline has none of it
pub(crate) unsafe fn park_until(
    unlockf: UnlockFn,
    lock: *const c_void,
    reason: WaitReason,
    deadline: i64,
    (claim, arg): (Claim, *const c_void),
) -> bool {
    let timed = Timed {
        gp: getg(),
        timer: take_timer(),
        unlockf,
        lock,
        deadline,
        claim,
        arg,
        parked: Cell::new(true),
        by_clock: Cell::new(false),
        armed: AtomicBool::new(false),
        late: AtomicBool::new(false),
    };
    // SAFETY: `timed` is there until this returns, and `commit` passes the caller's
    // promise on.
    unsafe { gopark(Some(commit), (&raw const timed).cast(), reason) };
    if timed.parked.get() {
        wait_for(&timed.armed);
        if !timers::stop(&timed.timer.timer) && !timed.by_clock.get() {
            wait_for(&timed.late); // else its function has readied us, and is done
        }
    }
    give_timer(timed.timer);
    timed.by_clock.get()
}

/// The unlock function of a wait with a deadline.
///
/// # Safety
///
/// `timed` must be a [`Timed`] until it is armed.
unsafe fn commit(gp: &'static G, timed: *const c_void) -> bool {
    // SAFETY: the caller's promise: the goroutine waits for `armed` before it goes on.
    let timed = unsafe { &*timed.cast::<Timed>() };
    // SAFETY: what the caller of `park_until` has promised.
    if !unsafe { (timed.unlockf)(gp, timed.lock) } {
        timed.parked.set(false);
        return false;
    }
    let arg = ptr::from_ref(timed).cast_mut().cast();
    timers::modify(
        &timed.timer.timer,
        timed.deadline,
        0,
        Some((time_out, arg, 0)),
    );
    timed.armed.store(true, Ordering::Release); // pairs with wait_for's: the last touch
    true
}

/// The timer's function.
fn time_out(timed: *mut (), _: usize, _: i64) {
    // SAFETY: what `commit` gave the timer. Its goroutine does not end that frame before
    // the timer was stopped in time, or we have readied it, or have said `late`.
    let timed = unsafe { &*timed.cast::<Timed>() };
    // SAFETY: what the caller of `park_until` has promised.
    if unsafe { (timed.claim)(timed.arg) } {
        timed.by_clock.set(true); // the goroutine waits still: it is ours
        goready(timed.gp);
    } else {
        timed.late.store(true, Ordering::Release); // pairs with wait_for's: the last touch
    }
}

/// Waits for another M that is just about to set this.
fn wait_for(done: &AtomicBool) {
    // Acquire pairs with the store: all that was done to the frame was before.
    while !done.load(Ordering::Acquire) {
        os::osyield(); // it may need this CPU
    }
}

/// A timer of the pool.
struct Pooled {
    timer: Timer,
    next: Cell<*const Pooled>,
}

// SAFETY: `next` is touched under the pool's lock alone.
unsafe impl Sync for Pooled {}

/// The first of the timers that nobody uses.
struct Pool(*const Pooled);

// SAFETY: what it leads to is Sync, and lives for ever.
unsafe impl Send for Pool {}

static POOL: TimersLock<Pool> = TimersLock::new(Pool(ptr::null()));

/// How many bytes of new timers are made at a time.
const CHUNK: usize = 8 << 10;

/// Takes a timer that is not pending out of the pool.
fn take_timer() -> &'static Pooled {
    let mut pool = POOL.lock();
    if pool.0.is_null() {
        let chunk: *mut Pooled = timer_memory::alloc(CHUNK).cast();
        for at in 0..CHUNK / size_of::<Pooled>() {
            let next = Cell::new(pool.0);
            let timer = Timer::new(time_out, ptr::null_mut());
            let pooled = chunk.wrapping_add(at);
            // SAFETY: fresh memory, with room for so many.
            unsafe { pooled.write(Pooled { timer, next }) };
            pool.0 = pooled;
        }
    }
    // SAFETY: one of those just made, or one that was given back; they are never freed.
    let pooled = unsafe { &*pool.0 };
    pool.0 = pooled.next.get();
    pooled
}

/// Gives a timer back that is not pending, and whose function is not about to be called.
fn give_timer(pooled: &'static Pooled) {
    let mut pool = POOL.lock();
    pooled.next.set(pool.0);
    pool.0 = pooled;
}
