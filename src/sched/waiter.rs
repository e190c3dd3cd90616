//! One wait of one goroutine for the first of several parties, of which one may be the
//! clock.
//!
//! Go's counterparts: `g.selectDone`, and `g.timer` in `runtime/select.go` and
//! `time.go`. A [`Waiter`] lies on the stack of the goroutine that waits. Whoever comes
//! to wake it has to [`claim`](Waiter::claim) it first, and one alone can:
//!
//! ```text
//!   the goroutine            a party                     the clock
//!   queues the waiter
//!   park: saved, unlockf --> claim(by) ----------------> claim(TIMED_OUT)
//!         armed                | true: ready               | true: ready
//!   park returns by  <---------+---------------------------+
//!                              | false: hands off          | false: says so
//! ```
//!
//! Invariants:
//! 1. `by` goes from 0 to what the one who claimed it said, once.
//! 2. Who has claimed it calls [`ready`](Waiter::ready), once, and touches it no more
//!    afterwards. Who failed to does not touch it again either: parties that find
//!    waiters in a queue do so under the queue's lock, and the goroutine, once awake,
//!    takes itself out of all queues under their locks before the waiter's frame ends.
//! 3. With a deadline there are two more that touch it: the unlock function, which arms
//!    the timer when the goroutine can be found already and may run, and the timer's
//!    function, which may be about to be called when the timer can't be stopped any
//!    more. [`park`](Waiter::park) returns when both have said that they are done with it.
//! 4. The timers come from a pool and are never freed, so that one may be given back
//!    while its entry is still in some P's heap.

use core::cell::Cell;
use core::ffi::c_void;
use core::ptr;

use super::atomic::{AtomicBool, AtomicUsize, Ordering};
use super::park::{gopark, goready};
use super::runtime2::{G, UnlockFn, WaitReason};
use super::timer::Timer;
use super::{TimersLock, getg, timer_memory, timers};
use crate::os;

/// What a wait says that the clock has ended.
pub(crate) const TIMED_OUT: usize = usize::MAX;

/// Nobody has claimed it.
const NOBODY: usize = 0;

/// A goroutine that waits.
pub(crate) struct Waiter {
    gp: &'static G,
    /// Who has claimed it.
    by: AtomicUsize,
    /// The unlock function is done with it.
    armed: AtomicBool,
    /// The timer's function is done with it, and has not claimed it.
    late: AtomicBool,
}

impl Waiter {
    /// Makes one for the current goroutine.
    pub(crate) fn new() -> Self {
        Self {
            gp: getg(),
            by: AtomicUsize::new(NOBODY),
            armed: AtomicBool::new(false),
            late: AtomicBool::new(false),
        }
    }

    /// Takes the right, and the duty, to wake the goroutine; `by`, not 0, is what it will
    /// learn of it. False if somebody else has.
    #[must_use = "who has claimed it must ready it"]
    pub(crate) fn claim(&self, by: usize) -> bool {
        // A look first: most that come too late are. Release hands over what the claimer has
        // done before to `claimed_by`, in addition to goready; acquire pairs with that of
        // another who was earlier.
        self.by.load(Ordering::Relaxed) == NOBODY
            && self
                .by
                .compare_exchange(NOBODY, by, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
    }

    /// Returns who has claimed it, or 0.
    pub(crate) fn claimed_by(&self) -> usize {
        self.by.load(Ordering::Acquire) // pairs with claim
    }

    /// Wakes the goroutine. Once, by who has claimed it; the waiter is gone then. It must
    /// have been found where the unlock function, or a lock that it opens, let it be found.
    pub(crate) fn ready(&self) {
        goready(self.gp);
    }

    /// Parks the goroutine until somebody has claimed and readied it, and returns what that
    /// one said. `unlockf` and `lock` are gopark's, and so is a refusal: then this returns
    /// what was claimed so far, maybe 0. With a `deadline`, in nanoseconds of the monotonic
    /// clock, not 0, it may be [`TIMED_OUT`], and never is before that time. On the waiter's
    /// goroutine; as gopark, this undoes an `acquirem`.
    ///
    /// # Safety
    ///
    /// As of gopark.
    pub(crate) unsafe fn park(
        &self,
        unlockf: UnlockFn,
        lock: *const c_void,
        reason: WaitReason,
        deadline: i64,
    ) -> usize {
        if deadline == 0 {
            // SAFETY: the caller's promise.
            unsafe { gopark(Some(unlockf), lock, reason) };
        } else {
            // SAFETY: as above.
            unsafe { self.park_until(unlockf, lock, reason, deadline) };
        }
        self.claimed_by()
    }

    /// As [`park`](Self::park), with a timer.
    ///
    /// # Safety
    ///
    /// As of gopark.
    #[inline(never)]
    unsafe fn park_until(
        &self,
        unlockf: UnlockFn,
        lock: *const c_void,
        reason: WaitReason,
        deadline: i64,
    ) {
        let timed = Timed {
            waiter: self,
            timer: take_timer(),
            unlockf,
            lock,
            deadline,
            parked: Cell::new(true),
        };
        // SAFETY: `timed` is there until park_until returns, and `commit` passes the caller's
        // promise on.
        unsafe { gopark(Some(commit), (&raw const timed).cast(), reason) };
        if timed.parked.get() {
            wait_for(&self.armed);
            if !timers::stop(&timed.timer.timer) && self.claimed_by() != TIMED_OUT {
                wait_for(&self.late); // else its function has claimed it, and is done
            }
        }
        give_timer(timed.timer);
    }
}

/// What `commit` needs, on the stack of the goroutine that parks.
struct Timed<'a> {
    waiter: &'a Waiter,
    timer: &'static Pooled,
    unlockf: UnlockFn,
    lock: *const c_void,
    deadline: i64,
    /// The unlock function did not refuse.
    parked: Cell<bool>,
}

/// The unlock function of a wait with a deadline.
///
/// # Safety
///
/// `timed` must be a [`Timed`] until the waiter is armed.
unsafe fn commit(gp: &'static G, timed: *const c_void) -> bool {
    // SAFETY: the caller's promise: the goroutine waits for `armed` before it goes on.
    let timed = unsafe { &*timed.cast::<Timed<'_>>() };
    // SAFETY: what the caller of `park` has promised.
    if !unsafe { (timed.unlockf)(gp, timed.lock) } {
        timed.parked.set(false);
        return false;
    }
    let waiter = timed.waiter;
    let arg = ptr::from_ref(waiter).cast_mut().cast();
    timers::modify(
        &timed.timer.timer,
        timed.deadline,
        0,
        Some((time_out, arg, 0)),
    );
    waiter.armed.store(true, Ordering::Release); // pairs with wait_for's: the last touch
    true
}

/// The timer's function.
fn time_out(waiter: *mut (), _: usize, _: i64) {
    // SAFETY: what `commit` gave the timer. Its goroutine does not end its frame before
    // the timer was stopped in time, or we have claimed it, or have said `late`.
    let waiter = unsafe { &*waiter.cast::<Waiter>() };
    if waiter.claim(TIMED_OUT) {
        waiter.ready();
    } else {
        waiter.late.store(true, Ordering::Release); // pairs with wait_for's: the last touch
    }
}

/// Waits for another M that is just about to set this.
fn wait_for(done: &AtomicBool) {
    // Acquire pairs with the store: all that was done to the waiter was before.
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
