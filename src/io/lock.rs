//! Locks for which goroutines park, in the order in which they came: of the standard
//! streams and of the environment.
//!
//! The owner is a goroutine, by its number, which no other ever gets. Who opens a lock
//! that others wait for hands it to the first of them. Waiting is the scheduler's
//! business from the first `go` on: before that there is nobody to wait for, and a
//! program that only prints has none of its code.
//!
//! ```text
//!   0 ----------- lock ---------> goid, !WAITERS ------ a second one comes ----+
//!   ^                                  |                                       |
//!   +------------ unlock --------------+                                       v
//!   goid of the first waiter, WAITERS if there are more <-- unlock -- goid, WAITERS
//! ```
//!
//! Invariants:
//! 1. With WAITERS set only who has `queue_lock` changes the state, and the queue is not
//!    empty; without it, it is.
//! 2. A waiter lies on the stack of a goroutine that is parked until the lock is its own:
//!    who hands it over reads the waiter before, and touches it no more.

use core::cell::{Cell, RefCell, RefMut, UnsafeCell};
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::debug::fatal::throw;
use crate::debug::lock::ParkLock;
use crate::sched::{self, G, WaitReason};

/// In the state: somebody waits.
const WAITERS: u64 = 1;

/// The lock itself. All zeros while it is open.
pub(crate) struct RawLock {
    /// The owner's number, shifted by one, and [`WAITERS`].
    state: AtomicU64,
    queue_lock: ParkLock,
    /// Who waits, the first and the last; behind `queue_lock`.
    first: Cell<*const Waiter>,
    last: Cell<*const Waiter>,
}

// SAFETY: the cells are touched with `queue_lock` held alone.
unsafe impl Sync for RawLock {}
// SAFETY: the pointers are null where it can be moved: nobody borrows it.
unsafe impl Send for RawLock {}

/// A goroutine that waits.
struct Waiter {
    gp: &'static G,
    next: Cell<*const Waiter>,
}

/// Returns the state that says that the current goroutine has the lock, or whoever dies
/// on a stack of the scheduler's.
fn mine() -> u64 {
    match sched::getg().goid.get() {
        0 => !WAITERS,
        goid => goid << 1,
    }
}

impl RawLock {
    /// Makes an open one.
    pub(crate) const fn new() -> Self {
        Self {
            state: AtomicU64::new(0),
            queue_lock: ParkLock::new(),
            first: Cell::new(ptr::null()),
            last: Cell::new(ptr::null()),
        }
    }

    /// Tells whether the current goroutine has it.
    fn is_mine(&self) -> bool {
        // Relaxed: it was this goroutine that wrote that, or nobody.
        self.state.load(Ordering::Relaxed) & !WAITERS == mine()
    }

    /// Takes it if it is open.
    fn try_lock(&self) -> bool {
        // Acquire pairs with the release of who has opened it.
        self.state
            .compare_exchange(0, mine(), Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Takes it. From a goroutine; the one that has it already waits for ever. False if
    /// that is the only one there has ever been: it would have to wait for itself.
    fn lock(&self) -> bool {
        self.try_lock() || sched::wait_with(|park| self.wait(park))
    }

    /// Takes it, or waits until it is handed over.
    #[cold]
    fn wait(&self, park: sched::Park) {
        (park.need_p)();
        sched::acquirem();
        self.queue_lock.lock_seldom();
        loop {
            let state = self.state.load(Ordering::Relaxed); // the exchange decides
            let (wanted, taken) = match state {
                0 => (mine(), true),
                owned => (owned | WAITERS, false),
            };
            // Acquire pairs with the release of who has opened it.
            let done =
                self.state
                    .compare_exchange(state, wanted, Ordering::Acquire, Ordering::Relaxed);
            match (done.is_ok(), taken) {
                (false, _) => {}
                (true, false) => break,
                (true, true) => {
                    self.queue_lock.unlock();
                    sched::releasem();
                    return;
                }
            }
        }
        let waiter = Waiter {
            gp: sched::getg(),
            next: Cell::new(ptr::null()),
        };
        // SAFETY: null, or the last of the queue, who waits until it is taken out.
        match unsafe { self.last.get().as_ref() } {
            Some(last) => last.next.set(&raw const waiter),
            None => self.first.set(&raw const waiter),
        }
        self.last.set(&raw const waiter);
        let lock = (&raw const self.queue_lock).cast();
        // SAFETY: `open` is called with the lock that we hold, which nobody moves while it
        // is borrowed; and `waiter` is there until the lock has been handed to us.
        unsafe { (park.gopark)(Some(sched::open::<ParkLock>), lock, WaitReason::IO_LOCK) };
    }

    /// Opens it, or hands it over. By who has it.
    #[inline(never)] // for its size
    fn unlock(&self) {
        let mine = mine();
        // Release pairs with the acquire of who takes it next.
        let opened = self
            .state
            .compare_exchange(mine, 0, Ordering::Release, Ordering::Relaxed);
        if opened.is_err() {
            sched::wait_with(|park| self.hand_over(park));
        }
    }

    /// Hands it to the first who waits.
    #[cold]
    fn hand_over(&self, park: sched::Park) {
        (park.need_p)();
        sched::acquirem();
        self.queue_lock.lock_seldom();
        // SAFETY: the state says that somebody waits, and goes on waiting.
        let first = unsafe { &*self.first.get() };
        let (gp, next) = (first.gp, first.next.get());
        self.first.set(next);
        if next.is_null() {
            self.last.set(next);
        }
        let more = if next.is_null() { 0 } else { WAITERS };
        // Relaxed: goready hands over all that we have done.
        self.state
            .store(gp.goid.get() << 1 | more, Ordering::Relaxed);
        self.queue_lock.unlock();
        (park.goready)(gp);
        sched::releasem();
    }
}

/// A lock around a value: one goroutine at a time, once.
pub(crate) struct Mutex<T> {
    raw: RawLock,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through the guard alone, by one goroutine at a time.
unsafe impl<T: Send> Sync for Mutex<T> {}

/// The right to use what a [`Mutex`] protects.
///
/// It stays with its goroutine, which is what the pointer says.
pub(crate) struct Guard<'a, T> {
    mutex: &'a Mutex<T>,
    of_one_goroutine: PhantomData<*const ()>,
}

impl<T> Mutex<T> {
    /// Makes an open one.
    pub(crate) const fn new(value: T) -> Self {
        Self {
            raw: RawLock::new(),
            value: UnsafeCell::new(value),
        }
    }

    /// Takes it. From a goroutine.
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        if !self.raw.lock() {
            // SAFETY: nothing is called.
            unsafe { sched::gopark(None, ptr::null(), WaitReason::IO_LOCK) }; // the deadlock that it is
        }
        Guard {
            mutex: self,
            of_one_goroutine: PhantomData,
        }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        self.mutex.raw.unlock();
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the lock is ours.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is ours, and this borrow of the guard is the only one.
        unsafe { &mut *self.mutex.value.get() }
    }
}

/// A lock that its goroutine may take again, around a value to be used for a moment.
pub(crate) struct Reentrant<T> {
    raw: RawLock,
    /// How often the owner has taken it; the owner alone touches this.
    depth: Cell<usize>,
    value: RefCell<T>,
}

// SAFETY: what is in it is reached through guards alone, by one goroutine at a time.
unsafe impl<T: Send> Sync for Reentrant<T> {}

/// The right to use what a [`Reentrant`] protects. It stays with its goroutine, which
/// is what the pointer says.
pub(crate) struct ReentrantGuard<'a, T> {
    lock: &'a Reentrant<T>,
    of_one_goroutine: PhantomData<*const ()>,
}

impl<T> Reentrant<T> {
    /// Makes an open one.
    pub(crate) const fn new(value: T) -> Self {
        Self {
            raw: RawLock::new(),
            depth: Cell::new(0),
            value: RefCell::new(value),
        }
    }

    /// Takes it. From a goroutine.
    #[inline(never)] // for its size
    pub(crate) fn lock(&self) -> ReentrantGuard<'_, T> {
        if !self.raw.is_mine() && !self.raw.lock() {
            throw("a stream is locked by nobody"); // only another goroutine could have it
        }
        self.enter()
    }

    /// Takes it if no other goroutine has it. From anywhere.
    pub(crate) fn try_lock(&self) -> Option<ReentrantGuard<'_, T>> {
        (self.raw.is_mine() || self.raw.try_lock()).then(|| self.enter())
    }

    /// The lock is ours: counts that.
    fn enter(&self) -> ReentrantGuard<'_, T> {
        self.depth.set(self.depth.get() + 1);
        ReentrantGuard {
            lock: self,
            of_one_goroutine: PhantomData,
        }
    }
}

impl<T> ReentrantGuard<'_, T> {
    /// Borrows the value; None if it is borrowed already, which a panic in the midst of
    /// its use would be a reason for.
    pub(crate) fn value(&self) -> Option<RefMut<'_, T>> {
        self.lock.value.try_borrow_mut().ok()
    }
}

impl<T> Drop for ReentrantGuard<'_, T> {
    fn drop(&mut self) {
        let depth = self.lock.depth.get() - 1;
        self.lock.depth.set(depth);
        if depth == 0 {
            self.lock.raw.unlock();
        }
    }
}
