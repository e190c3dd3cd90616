//! The locks alone, without what they protect: for `lock_api`, over which any crate can
//! build its own types. The std-shaped ones of [`crate::sync`] are built over them, too.
//!
//! They park goroutines, never threads, are all zeros while nobody has them, and take one
//! locked instruction in and one out while nobody waits.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `modes` | the exclusive lock: Go's two modes, the protocol alone, for loom |
//! | `phases` | readers beside it: likewise |
//! | `mutex`, `rwlock` | [`RawMutex`] and [`RawRwLock`] over those |
//! | `thread_id` | [`RawThreadId`]: who has a reentrant lock |

mod layout;
mod modes;
mod mutex;
mod phases;
mod rwlock;
mod thread_id;

pub use lock_api;
pub use mutex::RawMutex;
pub use rwlock::RawRwLock;
pub use thread_id::RawThreadId;

/// What `modes` and `phases` use; the tests put models there.
use core::sync::atomic;

use crate::os::nanotime;
use crate::sched::{WaitReason, sema};

/// Likewise.
mod spin {
    pub(super) use crate::sched::{can_spin, do_spin};

    /// Lets who was readied last run at once, if we may give way at all.
    pub(super) fn give_way() {
        if crate::sched::may_go() {
            crate::sched::gosched();
        }
    }
}
