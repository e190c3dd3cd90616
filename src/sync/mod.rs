//! Locks, conditions, and what is done once: std's module of that name, for goroutines.
//!
//! What waits here parks the goroutine; its thread goes on with others. Where all wait for
//! each other, the program dies of the deadlock, and the trace says who waits for what.
//! All of it may be used from any goroutine, init tasks included, and be put into a
//! `static`; an open lock is all zeros.
//!
//! **Nothing is ever poisoned.** A panic ends the program, so that nobody is there to see
//! what it left: the `Result`s and the methods are there for the sake of code that is
//! written against std, and always `Ok`. What a goroutine holds that ends by
//! [`runtime::goexit`](crate::runtime::goexit) in the middle, guards among it, is never
//! given back, since its frames are not unwound.
//!
//! Beside what std has there are [`WaitGroup`], as crossbeam-utils has it, and Go's in
//! [`go`]; [`Semaphore`]; and in [`raw`] the locks alone, for the crate `lock_api`.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `raw` | the locks alone: who waits for what, and who is next |
//! | `mutex`, `rwlock`, `condvar` | what std has over them |
//! | `poison` | the types that std tells of a panic with |
//! | `once` | [`Once`]; `once_lock` and `lazy_lock` are over it |
//! | `barrier`, `semaphore` | [`Barrier`], [`Semaphore`] |
//! | `wait_group`, `go` | the two ways to wait for a group |
//! | `mpsc` | std's channels, over [`crate::channel`] |
//! | `layout` | what is in their words, for debuggers |

mod barrier;
mod condvar;
pub mod go;
mod layout;
mod lazy_lock;
pub mod mpsc;
mod mutex;
mod once;
mod once_lock;
mod poison;
pub mod raw;
mod rwlock;
mod semaphore;
mod wait_group;

pub use crate::alloc::sync::{Arc, Weak};
pub use core::sync::atomic;

pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use lazy_lock::LazyLock;
pub use mutex::{Mutex, MutexGuard};
pub use once::{Once, OnceState};
pub use once_lock::OnceLock;
pub use poison::{LockResult, PoisonError, TryLockError, TryLockResult};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use semaphore::{Semaphore, SemaphorePermit};
pub use wait_group::WaitGroup;

use core::time::Duration;

use crate::sched::timers;

/// Returns when a wait of that length ends, in nanoseconds of the monotonic clock; not 0,
/// which would be never. What is longer than the clock counts, 292 years, is as long as
/// that.
fn deadline(timeout: Duration) -> i64 {
    let nanoseconds = i64::try_from(timeout.as_nanos()).unwrap_or(i64::MAX);
    timers::deadline(nanoseconds).max(1)
}
