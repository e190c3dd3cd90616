//! The way of a signal from its handler to the goroutine that hands signals on.
//!
//! Go's counterpart: `runtime/sigqueue.go`, whose receiver keeps a thread in a futex. Here
//! it is parked like any goroutine, and sysmon, who has no P and may sleep on a futex
//! that a handler may wake, readies it: no thread more, and it works where there is but
//! one for all goroutines.
//!
//! ```text
//!   the handler, on any thread        sysmon                 the receiver
//!   delivering += 1
//!   wanted? no: the kernel's action
//!   pending |= bit; was it? done
//!   call = true
//!   wakes sysmon ----------------->   call = false           publish: receiver = me
//!   delivering -= 1                   receiver? takes it              pending? takes itself back
//!                                     readies it  -------->  take: pending = 0
//!                                                            hands them on
//! ```
//!
//! 1. *No signal is lost between two receives.* Each kind is received at least once after
//!    it was sent: it is `pending` before `call` is set, and who clears one reads the
//!    other later. Either sysmon finds the receiver, or the receiver, which has made
//!    itself known before it looks, finds the signal.
//! 2. *Whose bit was set already need not call.* Whoever set it does, or has: the bit is
//!    cleared by the receiver alone, which then runs.
//! 3. *The handler may come between any two instructions.* It changes these words and
//!    wakes a futex: no lock, no memory, no P and no g.
//! 4. *Who has stopped wanting a signal can wait for what was on its way* ([`SigQueue::is_idle`]):
//!    when no handler is within `send`, nothing is pending, and the receiver is parked,
//!    in this order, all that was wanted before has been handed on. A receiver that has
//!    taken something is not known as parked until it has handed it on.
//!
//! All of it is sequentially consistent: each party writes one word and reads another's.
//!
//! The file stands alone, generic over its atomics: `atomic` is `core::sync::atomic` here,
//! and loom's in the tests.

use core::ptr;

use super::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

/// The state. Bit n - 1 stands for signal n. All zeros are a queue that wants nothing.
pub(super) struct SigQueue<T> {
    /// What somebody wants to have.
    wanted: AtomicU64,
    /// What nothing shall happen for.
    ignored: AtomicU64,
    /// What has come, and was not received yet.
    pending: AtomicU64,
    /// How many handlers are at it.
    delivering: AtomicU32,
    /// sysmon shall look after the receiver.
    call: AtomicBool,
    /// The receiver while it is parked, else null.
    receiver: AtomicPtr<T>,
}

impl<T> SigQueue<T> {
    /// Makes one that wants nothing.
    #[cfg(not(test))] // loom's atomics are no constants
    pub(super) const fn new() -> Self {
        Self {
            wanted: AtomicU64::new(0),
            ignored: AtomicU64::new(0),
            pending: AtomicU64::new(0),
            delivering: AtomicU32::new(0),
            call: AtomicBool::new(false),
            receiver: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The same for the models.
    #[cfg(test)]
    pub(super) fn new() -> Self {
        Self {
            wanted: AtomicU64::new(0),
            ignored: AtomicU64::new(0),
            pending: AtomicU64::new(0),
            delivering: AtomicU32::new(0),
            call: AtomicBool::new(false),
            receiver: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// A signal has come: queues it, and calls `wake` if sysmon has to know. Tells whether
    /// anybody wants it. In a handler.
    pub(super) fn send(&self, bit: u64, wake: impl FnOnce()) -> bool {
        self.delivering.fetch_add(1, Ordering::SeqCst);
        let wanted = self.wanted.load(Ordering::SeqCst) & bit != 0;
        if wanted && self.pending.fetch_or(bit, Ordering::SeqCst) & bit == 0 {
            self.call.store(true, Ordering::SeqCst);
            wake();
        }
        self.delivering.fetch_sub(1, Ordering::SeqCst);
        wanted
    }

    /// Tells whether sysmon has something to do. By sysmon.
    pub(super) fn calls(&self) -> bool {
        self.call.load(Ordering::SeqCst)
    }

    /// Has sysmon look, for another reason.
    pub(super) fn call(&self) {
        self.call.store(true, Ordering::SeqCst);
    }

    /// Answers a call: returns the receiver if it is to be readied, else null. By sysmon.
    pub(super) fn answer(&self) -> *mut T {
        self.call.store(false, Ordering::SeqCst);
        if self.pending.load(Ordering::SeqCst) == 0 {
            return ptr::null_mut(); // called for another reason
        }
        self.receiver.swap(ptr::null_mut(), Ordering::SeqCst)
    }

    /// The receiver parks: lets sysmon find it. Says false if it is to go on, and nobody
    /// has found it.
    pub(super) fn publish(&self, receiver: *mut T) -> bool {
        self.receiver.store(receiver, Ordering::SeqCst);
        // Who has found it readies it.
        self.pending.load(Ordering::SeqCst) == 0
            || self
                .receiver
                .swap(ptr::null_mut(), Ordering::SeqCst)
                .is_null()
    }

    /// Takes all that has come. By the receiver.
    pub(super) fn take(&self) -> u64 {
        self.pending.swap(0, Ordering::SeqCst)
    }

    /// Tells whether all is handed on that came before this and is wanted no more.
    pub(super) fn is_idle(&self) -> bool {
        self.delivering.load(Ordering::SeqCst) == 0
            && self.pending.load(Ordering::SeqCst) == 0
            && !self.receiver.load(Ordering::SeqCst).is_null()
    }

    /// Somebody wants a signal. Before its handler is installed.
    pub(super) fn want(&self, bit: u64) {
        self.wanted.fetch_or(bit, Ordering::SeqCst);
        self.ignored.fetch_and(!bit, Ordering::SeqCst);
    }

    /// Nobody wants a signal any more, or it is to be ignored. When the kernel's action
    /// is what it shall be: a handler that finds it unwanted relies on that.
    pub(super) fn drop_wish(&self, bit: u64, ignore: bool) {
        if ignore {
            self.ignored.fetch_or(bit, Ordering::SeqCst);
        } else {
            self.ignored.fetch_and(!bit, Ordering::SeqCst);
        }
        self.wanted.fetch_and(!bit, Ordering::SeqCst);
    }

    /// Tells whether somebody wants a signal.
    pub(super) fn is_wanted(&self, bit: u64) -> bool {
        self.wanted.load(Ordering::SeqCst) & bit != 0
    }

    /// Tells whether nothing shall happen for a signal.
    pub(super) fn is_ignored(&self, bit: u64) -> bool {
        self.ignored.load(Ordering::SeqCst) & bit != 0
    }
}
