//! How a goroutine parks: `sched::waiter` over `sched::park`, in short. The clock comes as
//! soon as the goroutine can be found, which may be before or after anybody else.

use core::ffi::c_void;

use loom::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use loom::thread::{self, Thread};

use super::runtime2::G;
use super::waitreason::WaitReason;

pub(super) const TIMED_OUT: usize = usize::MAX;

const RUNNING: u32 = 0;
const WAITING: u32 = 1;
const RUNNABLE: u32 = 2;

/// What gopark is given.
type UnlockFn = unsafe fn(&'static G, *const c_void) -> bool;

/// One that waits.
pub(super) struct Waiter {
    thread: Thread,
    status: AtomicU32,
    by: AtomicUsize,
}

impl Waiter {
    pub(super) fn new() -> Self {
        Self {
            thread: thread::current(),
            status: AtomicU32::new(RUNNING),
            by: AtomicUsize::new(0),
        }
    }

    pub(super) fn claim(&self, by: usize) -> bool {
        self.by
            .compare_exchange(0, by, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    pub(super) fn ready(&self) {
        let thread = self.thread.clone(); // soon it may be gone
        self.change(WAITING, RUNNABLE);
        thread.unpark();
    }

    pub(super) unsafe fn park(
        &self,
        unlockf: UnlockFn,
        lock: *const c_void,
        _: WaitReason,
        deadline: i64,
    ) -> usize {
        static CURRENT: G = G;
        self.change(RUNNING, WAITING);
        // SAFETY: the caller's promise.
        assert!(unsafe { unlockf(&CURRENT, lock) });
        if deadline != 0 && self.claim(TIMED_OUT) {
            self.change(WAITING, RUNNABLE);
        }
        while self.status.load(Ordering::Acquire) != RUNNABLE {
            thread::park();
        }
        self.by.load(Ordering::Acquire)
    }

    /// Changes the status, as casgstatus does.
    fn change(&self, from: u32, to: u32) {
        let changed = self
            .status
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed);
        assert!(changed.is_ok(), "bad status");
    }
}
