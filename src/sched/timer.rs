//! A timer: a call of a function at a time, and how it is set, stopped and set
//! again while somebody may be about to run it.
//!
//! Go's counterparts: `timer`, its `stop`, `modify` and `needsAdd` in
//! `runtime/time.go`.
//!
//! A timer is in the heap of one P, or in none. Who stops it does not look for it
//! there: it leaves a mark, and whoever comes by the entry sweeps it out. What has to
//! be agreed upon for that is in one word, which is also the lock of the other
//! fields:
//!
//! ```text
//!              add                   stop                  sweep
//!   (nothing) -----> HEAPED ------------------> + ZOMBIE --------> (nothing)
//!       ^              |  ^                        |
//!       |   run        |  +-- modify: + MODIFIED --+
//!       +--------------+
//! ```
//!
//! Invariants:
//! 1. A timer is pending while `when` is not 0. Whoever makes it 0, under the lock,
//!    is the one that fired or stopped it: there is exactly one for each arming.
//! 2. It is in a heap while HEAPED is set; `set` is whose. That changes with both
//!    locks held, the heap's and then the timer's.
//! 3. Its entry in the heap has the time `entry_when`, which is its own `when`
//!    unless MODIFIED is set. A ZOMBIE's time is of no interest.
//! 4. Who holds the timer's lock waits for nothing, takes no lock, and keeps its M
//!    (`acquirem`), as everybody else spins.
//! 5. A timer's memory is good while it is HEAPED. [`Timer::leave`] gives it to the
//!    heap, which frees it when the timer is out of there. One that is never stopped,
//!    modified or left, as a sleeper's, is nobody's any more when its function is
//!    called: `run` has taken it out, and nothing here touches it again.
//!
//! The file stands alone, over `super::atomic`, `cell` and `hint`, which are loom's in
//! the tests.

use core::ptr;

use super::atomic::{AtomicU32, Ordering};
use super::cell::Cell;
use super::hint;
use super::timer_set::TimerSet;

/// What a timer calls, on whatever stack the scheduler is: with the argument and the
/// sequence number that it was given, and how late it is, in nanoseconds. It must
/// not block.
pub(crate) type Callback = fn(arg: *mut (), seq: usize, delta: i64);

/// Somebody has the lock, and all other bits.
const LOCKED: u32 = 1;
/// It is in a heap.
pub(super) const HEAPED: u32 = 2;
/// The entry in the heap has another time.
pub(super) const MODIFIED: u32 = 4;
/// It was stopped, and the entry in the heap has to go.
pub(super) const ZOMBIE: u32 = 8;
/// Nobody but the heap knows it any more.
const LEFT: u32 = 16;

/// A timer.
pub(crate) struct Timer {
    /// The bits above.
    state: AtomicU32,
    /// When it is due, in nanoseconds, or 0 if it is not pending.
    when: Cell<i64>,
    /// What the heap's entry says.
    entry_when: Cell<i64>,
    /// Not 0 if it is to be due again and again.
    period: Cell<i64>,
    /// Whose heap it is in, if it is HEAPED.
    set: Cell<*const TimerSet>,
    f: Cell<Callback>,
    arg: Cell<*mut ()>,
    seq: Cell<usize>,
    /// Frees the memory of one that was left.
    free: Cell<Option<unsafe fn(*const Timer)>>,
}

// SAFETY: the plain fields are behind the lock in `state`.
unsafe impl Sync for Timer {}
// SAFETY: it names no thread. What `arg` leads to is the caller's promise.
unsafe impl Send for Timer {}

/// A call that is due.
#[derive(Clone, Copy)]
pub(super) struct Call {
    f: Callback,
    arg: *mut (),
    seq: usize,
    delta: i64,
}

impl Call {
    /// What fills a place that no call is in.
    pub(super) const NONE: Self = Self {
        f: |_, _, _| {},
        arg: ptr::null_mut(),
        seq: 0,
        delta: 0,
    };

    /// Asks for the memory of what it is about, its first two lines.
    pub(super) fn warm(&self) {
        super::prefetch(self.arg.cast());
        super::prefetch(self.arg.cast::<u8>().wrapping_add(64));
    }

    /// Makes the call.
    pub(super) fn make(self) {
        (self.f)(self.arg, self.seq, self.delta);
    }
}

/// What is left to do after [`Timer::modify`].
#[must_use]
pub(crate) struct Modified {
    /// It was pending.
    pub(crate) pending: bool,
    /// It is in no heap: [`TimerSet::add`] it.
    pub(crate) add: bool,
    /// It is before all that its heap had: wake who sleeps until then.
    pub(crate) wake: bool,
}

impl Timer {
    /// Makes one that is not pending.
    pub(crate) fn new(f: Callback, arg: *mut ()) -> Self {
        Self {
            state: AtomicU32::new(0),
            when: Cell::new(0),
            entry_when: Cell::new(0),
            period: Cell::new(0),
            set: Cell::new(ptr::null()),
            f: Cell::new(f),
            arg: Cell::new(arg),
            seq: Cell::new(0),
            free: Cell::new(None),
        }
    }

    /// Stops it; tells whether it was pending. With `acquirem` in force.
    pub(super) fn stop(&self) -> bool {
        let mut held = self.lock();
        if held.is(HEAPED) {
            held.set(MODIFIED);
            if !held.is(ZOMBIE) {
                held.set(ZOMBIE);
                held.owner().zombies_changed(1);
            }
        }
        self.when.replace(0) > 0
    }

    /// Sets it to another time, whether it is pending or not; `call` is its new
    /// function, argument and sequence number, if those change as well. With
    /// `acquirem` in force.
    pub(super) fn modify(
        &self,
        when: i64,
        period: i64,
        call: Option<(Callback, *mut (), usize)>,
    ) -> Modified {
        debug_assert!(when > 0, "timer when must be positive");
        debug_assert!(period >= 0, "timer period must be non-negative");
        let mut held = self.lock();
        self.period.set(period);
        if let Some((f, arg, seq)) = call {
            self.f.set(f);
            self.arg.set(arg);
            self.seq.set(seq);
        }
        let pending = self.when.replace(when) > 0;
        let mut wake = false;
        if held.is(HEAPED) {
            held.set(MODIFIED);
            if held.is(ZOMBIE) {
                held.clear(ZOMBIE);
                held.owner().zombies_changed(-1);
            }
            // One that is put off, as a deadline mostly is, needs no more: its entry
            // comes to the front in time, and is put back then.
            if when < self.entry_when.get() {
                wake = held.owner().may_be_earlier(when);
            }
        }
        Modified {
            pending,
            add: held.needs_add(),
            wake,
        }
    }

    /// Gives it away: `free` frees its memory, at once or when it is out of its heap,
    /// maybe on g0 with that heap's lock held. If it is pending it fires before. With
    /// `acquirem` in force.
    ///
    /// # Safety
    ///
    /// Nobody else may use the timer from now on, and `free` must be right for it.
    pub(super) unsafe fn leave(this: *const Self, free: unsafe fn(*const Self)) {
        // SAFETY: the caller still has it.
        let timer = unsafe { &*this };
        let mut held = timer.lock();
        if held.is(HEAPED) {
            timer.free.set(Some(free));
            held.set(LEFT);
        } else {
            drop(held);
            // SAFETY: it is in no heap, and the caller's promise.
            unsafe { free(this) };
        }
    }

    /// Tells, without the lock, whether the heap's entry may be wrong. While the
    /// heap's lock is held, so that the timer stays.
    pub(super) fn needs_look(&self) -> bool {
        // Acquire pairs with the unlock's release. See `adjust` for why LOCKED counts.
        self.state.load(Ordering::Acquire) & (LOCKED | MODIFIED | ZOMBIE) != 0
    }

    /// Takes the lock. With `acquirem` in force.
    pub(super) fn lock(&self) -> Held<'_> {
        loop {
            let state = self.state.load(Ordering::Relaxed); // only compared
            // The other bits are ours meanwhile. Acquire pairs with the unlock's release.
            // Relaxed: nothing was learnt.
            if state != LOCKED
                && self
                    .state
                    .compare_exchange(state, LOCKED, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok()
            {
                return Held { timer: self, state };
            }
            hint::spin_loop();
        }
    }
}

/// The right to a timer's fields; dropping it gives the lock back, and is the last
/// that touches the timer.
pub(super) struct Held<'a> {
    timer: &'a Timer,
    /// The bits that the timer had, and will have.
    state: u32,
}

impl Held<'_> {
    /// Tells whether one of the bits is set.
    pub(super) fn is(&self, bits: u32) -> bool {
        self.state & bits != 0
    }

    fn set(&mut self, bits: u32) {
        self.state |= bits;
    }

    fn clear(&mut self, bits: u32) {
        self.state &= !bits;
    }

    /// Returns whose heap it is in. It must be HEAPED.
    fn owner(&self) -> &TimerSet {
        // SAFETY: invariant 2; a set is never freed.
        unsafe { &*self.timer.set.get() }
    }

    /// Returns when it is due.
    pub(super) fn when(&self) -> i64 {
        self.timer.when.get()
    }

    /// Tells whether it is pending and in no heap.
    pub(super) fn needs_add(&self) -> bool {
        !self.is(HEAPED) && self.when() > 0
    }

    /// It gets into that set's heap, or from another one's there; returns when it is
    /// due. With the lock of that heap held.
    pub(super) fn enter(&mut self, set: &TimerSet) -> i64 {
        self.set(HEAPED);
        self.timer.set.set(set);
        self.entry_is_right()
    }

    /// Its entry in the heap gets the time that this returns. With the lock of that
    /// heap held.
    pub(super) fn entry_is_right(&mut self) -> i64 {
        self.clear(MODIFIED);
        self.timer.entry_when.set(self.when());
        self.when()
    }

    /// Its entry has been taken out of the heap, whose lock is held. Gives the timer's
    /// lock back, and the timer, if it was left.
    pub(super) fn exit(mut self) {
        if self.is(ZOMBIE) {
            self.owner().zombies_changed(-1);
        }
        self.clear(HEAPED | MODIFIED | ZOMBIE);
        self.timer.set.set(ptr::null());
        let timer = ptr::from_ref(self.timer);
        let free = self.is(LEFT).then(|| self.timer.free.get()).flatten();
        drop(self);
        if let Some(free) = free {
            // SAFETY: who left it promised; and it is in no heap any more.
            unsafe { free(timer) };
        }
    }

    /// It is due: returns the call, and when it is due again, or 0.
    pub(super) fn fire(&mut self, now: i64) -> (Call, i64) {
        let timer = self.timer;
        let delta = now - timer.when.get();
        let call = Call {
            f: timer.f.get(),
            arg: timer.arg.get(),
            seq: timer.seq.get(),
            delta,
        };
        let period = timer.period.get();
        let next = if period > 0 {
            // Not at once as often as it was missed: when the next would be.
            let periods = delta / period + 1;
            timer
                .when
                .get()
                .saturating_add(period.saturating_mul(periods))
        } else {
            0
        };
        timer.when.set(next);
        (call, next)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // Release pairs with the next lock's acquire.
        self.timer.state.store(self.state, Ordering::Release);
    }
}
