//! `critical-section`'s implementation: one lock for all threads and goroutines.
//!
//! It is nestable, as the crate demands: the owner is a goroutine, which stays on its
//! thread and is not preempted meanwhile. So a critical section must be short, and what
//! is in it must not park: to wait for a channel or a lock in there ends the program by
//! `fatal error: schedule: holding locks`.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use critical_section::{Impl, RawRestoreState};

use crate::debug::lock::ParkLock;
use crate::sched::{self, G};

struct Section;

critical_section::set_impl!(Section);

/// Held while a goroutine is in a critical section.
static LOCK: ParkLock = ParkLock::new();

/// That goroutine; null if there is none. Each thread's g0 is one of its own here.
static OWNER: AtomicPtr<G> = AtomicPtr::new(ptr::null_mut());

// SAFETY: between `acquire` and `release` no other goroutine or thread is between the
// two: those have LOCK; and what is done in between is seen by the next, through its
// futex word.
unsafe impl Impl for Section {
    /// Tells whether the goroutine was in a critical section before.
    unsafe fn acquire() -> RawRestoreState {
        sched::need_p();
        sched::acquirem();
        let me = ptr::from_ref(sched::getg()).cast_mut();
        // Relaxed: only we ourselves store our address.
        let nested = OWNER.load(Ordering::Relaxed) == me;
        if !nested {
            LOCK.lock();
            OWNER.store(me, Ordering::Relaxed); // as above
        }
        nested
    }

    unsafe fn release(nested: RawRestoreState) {
        if !nested {
            OWNER.store(ptr::null_mut(), Ordering::Relaxed); // as above
            LOCK.unlock();
        }
        sched::releasem();
    }
}
