//! The scheduler that the models run on.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::mem;
use std::ptr;

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::sync::{Condvar, Mutex, MutexGuard};

/// The clock's messages: none.
pub(super) type Instant = u64;

const RUNNING: u32 = 0;
const WAITING: u32 = 1;
const RUNNABLE: u32 = 2;

/// A goroutine. Its status is behind a lock, and not loom's `park`, since who readies it may
/// find it in its unlock function still, waiting for another lock.
pub(crate) struct G {
    status: Mutex<u32>,
    changed: Condvar,
}

impl G {
    /// Changes the status, as casgstatus does.
    fn change(&self, from: u32, to: u32) {
        let mut status = self.status.lock().unwrap();
        assert_eq!(*status, from, "bad status");
        *status = to;
        self.changed.notify_one();
    }

    /// Waits until it is runnable.
    fn wait(&self) {
        let mut status = self.status.lock().unwrap();
        while *status != RUNNABLE {
            status = self.changed.wait(status).unwrap();
        }
    }
}

loom::thread_local! {
    static G0: &'static G = Box::leak(Box::new(G {
        status: Mutex::new(RUNNING),
        changed: Condvar::new(),
    }));
}

pub(super) fn getg() -> &'static G {
    G0.with(|gp| *gp)
}

pub(super) fn need_p() {}

pub(super) fn acquirem() {}

pub(super) fn releasem() {}

pub(super) fn can_linger(times: u32) -> bool {
    times == 0
}

pub(super) fn do_spin() {
    loom::thread::yield_now();
}

pub(super) fn cheaprand((): ()) -> u32 {
    0
}

#[derive(Clone, Copy)]
pub(super) struct WaitReason;

impl WaitReason {
    pub(super) const CHAN_RECEIVE: Self = Self;
    pub(super) const CHAN_SEND: Self = Self;
    pub(super) const SELECT: Self = Self;
    pub(super) const SELECT_NO_CASES: Self = Self;
}

type UnlockFn = unsafe fn(&'static G, *const c_void) -> bool;

/// What a goroutine holds that parks.
pub(super) trait Locked {
    fn open(&self);
}

impl Locked for ParkLock {
    fn open(&self) {
        self.unlock();
    }
}

pub(super) unsafe fn goparkunlock(lock: &ParkLock, reason: WaitReason) {
    // SAFETY: the caller's promise.
    unsafe { park_locked(lock, reason) };
}

pub(super) unsafe fn park_locked<L: Locked>(locked: &L, _: WaitReason) {
    // SAFETY: the caller's promise.
    unsafe { park(open::<L>, ptr::from_ref(locked).cast(), || {}) };
}

/// Opens what is locked.
pub(super) unsafe fn open<L: Locked>(_: &'static G, locked: *const c_void) -> bool {
    // SAFETY: the caller's promise.
    unsafe { &*locked.cast::<L>() }.open();
    true
}

/// Parks; `armed` comes when the goroutine may be found.
unsafe fn park(unlockf: UnlockFn, lock: *const c_void, armed: impl FnOnce()) {
    let gp = getg();
    gp.change(RUNNING, WAITING);
    // SAFETY: the caller's promise.
    assert!(unsafe { unlockf(gp, lock) });
    armed();
    gp.wait();
    gp.change(RUNNABLE, RUNNING);
}

pub(super) fn goready(gp: &'static G) {
    gp.change(WAITING, RUNNABLE);
}

pub(super) fn goready_releasem(gp: &'static G) {
    goready(gp);
    releasem();
}

/// The lock: loom's, taken and opened by calls.
pub(super) struct ParkLock {
    mutex: Mutex<()>,
    guard: UnsafeCell<Option<MutexGuard<'static, ()>>>,
}

impl ParkLock {
    pub(super) fn new() -> Self {
        Self {
            mutex: Mutex::new(()),
            guard: UnsafeCell::new(None),
        }
    }

    pub(super) fn lock(&self) {
        let guard = self.mutex.lock().unwrap();
        // SAFETY: the guard is gone before the lock is; and the lock is ours.
        unsafe { *self.guard.get() = Some(mem::transmute::<MutexGuard<'_, ()>, _>(guard)) };
    }

    pub(super) fn unlock(&self) {
        // SAFETY: the lock is ours until the guard is dropped.
        let guard = unsafe { (*self.guard.get()).take() };
        drop(guard.expect("somebody has it"));
    }
}

/// Who waits for the clock, and whether the time is over.
pub(super) struct Clock {
    waiting: Mutex<Vec<*const Waiter>>,
    late: AtomicBool,
}

loom::lazy_static! {
    static ref CLOCK: Clock = Clock {
        waiting: Mutex::new(Vec::new()),
        late: AtomicBool::new(false),
    };
}

// SAFETY: the pointers are used under the lock.
unsafe impl Sync for Clock {}
// SAFETY: as above.
unsafe impl Send for Clock {}

/// The time is over for all that have a deadline.
pub(super) fn strike() {
    let waiting = CLOCK.waiting.lock().unwrap();
    CLOCK.late.store(true, Ordering::SeqCst);
    for &waiter in &*waiting {
        // SAFETY: it takes itself off the list, under the lock, before it goes.
        let waiter = unsafe { &*waiter };
        if waiter.claim(TIMED_OUT) {
            waiter.ready();
        }
    }
}

/// Tells whether the time is over.
pub(super) fn is_late() -> bool {
    CLOCK.late.load(Ordering::SeqCst)
}

const TIMED_OUT: usize = usize::MAX;

/// What `sched::waiter` is.
pub(super) struct Waiter {
    gp: &'static G,
    by: AtomicUsize,
}

impl Waiter {
    pub(super) fn new() -> Self {
        Self {
            gp: getg(),
            by: AtomicUsize::new(0),
        }
    }

    pub(super) fn claim(&self, by: usize) -> bool {
        self.by
            .compare_exchange(0, by, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    pub(super) fn claimed_by(&self) -> usize {
        self.by.load(Ordering::Acquire)
    }

    fn ready(&self) {
        goready(self.gp);
    }

    pub(super) unsafe fn park(
        &self,
        unlockf: UnlockFn,
        lock: *const c_void,
        _: WaitReason,
        deadline: i64,
    ) -> usize {
        let arm = || {
            if deadline != 0 {
                let mut waiting = CLOCK.waiting.lock().unwrap();
                waiting.push(self);
                // As a timer whose time is over when it is set.
                if is_late() && self.claim(TIMED_OUT) {
                    self.ready();
                }
            }
        };
        // SAFETY: the caller's promise.
        unsafe { park(unlockf, lock, arm) };
        if deadline != 0 {
            let mut waiting = CLOCK.waiting.lock().unwrap();
            waiting.retain(|&waiter| !ptr::eq(waiter, self));
        }
        self.claimed_by()
    }
}
