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
//!   delivering -= 1                   receiver? takes it              pending? calls sysmon, too
//!                                     readies it  -------->  take: pending = 0
//!                                                            hands them on
//! ```
//!
//! 1. *No signal is lost between two receives.* Each kind is received at least once after
//!    it was sent: it is `pending` before sysmon is called, and sysmon looks for the
//!    receiver when it has been. Either it finds it, or the receiver, which makes itself
//!    known behind that, finds the signal. It does not take itself back then: it may have been
//!    found, have run, and be parked again by another M, whose receiver that would be.
//! 2. *Whose bit was set already need not call.* Whoever set it does, or has: the bit is
//!    cleared by the receiver alone, which then runs.
//! 3. *The handler may come between any two instructions.* It changes these words and
//!    wakes a futex: no lock, no memory, no P and no g.
//! 4. *Who has stopped wanting a signal can wait for what was on its way* ([`SigQueue::is_idle`]):
//!    when no handler is within `send`, nothing is pending, and the receiver is parked,
//!    in this order, all that was wanted before has been handed on. A receiver that has
//!    taken something is not known as parked until it has handed it on.
//!
//! The words that two parties meet in are changed by read-modify-write instructions alone,
//! even where one just looks: of two of those one comes first, and who has the second
//! sees what was written before the first.
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
        // Acquire pairs with is_idle: if that was before us, nothing that was dropped before
        // it is wanted. Release: or it sees us.
        self.delivering.fetch_add(1, Ordering::AcqRel);
        let wanted = self.is_wanted(bit);
        // Release pairs with take.
        if wanted && self.pending.fetch_or(bit, Ordering::AcqRel) & bit == 0 {
            self.call(wake);
        }
        self.delivering.fetch_sub(1, Ordering::Release); // pairs with is_idle
        wanted
    }

    /// Has sysmon look after the receiver, and whatever else it does then: `wake` wakes it.
    pub(super) fn call(&self, wake: impl FnOnce()) {
        // Release pairs with answer, which by a mere store would see the last caller alone.
        self.call.swap(true, Ordering::Release);
        wake();
    }

    /// Tells whether sysmon has something to do. By sysmon, when it has been woken.
    pub(super) fn calls(&self) -> bool {
        self.call.load(Ordering::Relaxed) // answer has the order; `wake` that it is seen
    }

    /// Answers a call: returns the receiver, which is to be readied, or null if it is not
    /// parked. By sysmon.
    pub(super) fn answer(&self) -> *mut T {
        // Acquire pairs with call: what is pending was so before. Whoever calls behind this
        // wakes us again.
        self.call.swap(false, Ordering::AcqRel);
        // Release pairs with publish: who comes behind this sees what is pending.
        self.receiver.swap(ptr::null_mut(), Ordering::AcqRel)
    }

    /// The receiver parks: lets sysmon find it, and calls it if there is something already, as
    /// a handler does. It may run elsewhere before this returns.
    pub(super) fn publish(&self, receiver: *mut T, wake: impl FnOnce()) {
        // Acquire and release pair with answer.
        self.receiver.swap(receiver, Ordering::AcqRel);
        // Relaxed: either answer was before us, or it comes and finds us.
        if self.pending.load(Ordering::Relaxed) != 0 {
            self.call(wake);
        }
    }

    /// Takes all that has come. By the receiver.
    pub(super) fn take(&self) -> u64 {
        // Acquire pairs with send. Release pairs with is_idle.
        self.pending.swap(0, Ordering::AcqRel)
    }

    /// Tells whether all is handed on that came before this and is wanted no more.
    pub(super) fn is_idle(&self) -> bool {
        // A look, but one that comes before or behind each handler's; see send.
        self.delivering.fetch_add(0, Ordering::AcqRel) == 0
            // Acquire pairs with take: who took it was not parked then, and with publish:
            // what it did before it parked is done.
            && self.pending.load(Ordering::Acquire) == 0
            && !self.receiver.load(Ordering::Acquire).is_null()
    }

    /// Somebody wants a signal. Before its handler is installed.
    pub(super) fn want(&self, bit: u64) {
        // The handler is installed behind this: the system orders that.
        self.wanted.fetch_or(bit, Ordering::Release);
        self.ignored.fetch_and(!bit, Ordering::Relaxed); // looked at if it is not wanted
    }

    /// Nobody wants a signal any more, or it is to be ignored. When the kernel's action
    /// is what it shall be: a handler that finds it unwanted relies on that.
    pub(super) fn drop_wish(&self, bit: u64, ignore: bool) {
        // Relaxed: ordered by the next.
        if ignore {
            self.ignored.fetch_or(bit, Ordering::Relaxed);
        } else {
            self.ignored.fetch_and(!bit, Ordering::Relaxed);
        }
        self.wanted.fetch_and(!bit, Ordering::Release); // pairs with is_wanted
    }

    /// Tells whether somebody wants a signal.
    pub(super) fn is_wanted(&self, bit: u64) -> bool {
        self.wanted.load(Ordering::Acquire) & bit != 0 // pairs with drop_wish
    }

    /// Tells whether nothing shall happen for a signal.
    pub(super) fn is_ignored(&self, bit: u64) -> bool {
        self.ignored.load(Ordering::Relaxed) & bit != 0 // see drop_wish
    }
}
