//! [`RawThreadId`].

use core::num::NonZero;

/// Who has a `lock_api::ReentrantMutex`: the goroutine, whatever thread it is on.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::sync::raw::lock_api::ReentrantMutex;
/// use gort::sync::raw::{RawMutex, RawThreadId};
///
/// static LOCK: ReentrantMutex<RawMutex, RawThreadId, u32> = ReentrantMutex::const_new(
///     gort::sync::raw::lock_api::RawMutex::INIT,
///     gort::sync::raw::lock_api::GetThreadId::INIT,
///     5,
/// );
///
/// let outer = LOCK.lock();
/// let inner = LOCK.lock(); // would be a deadlock with another lock
/// assert_eq!(*outer + *inner, 10);
/// # }
/// ```
#[derive(Debug)]
pub struct RawThreadId(());

// SAFETY: a goroutine's number is its own, and never given to another.
unsafe impl lock_api::GetThreadId for RawThreadId {
    const INIT: Self = Self(());

    fn nonzero_thread_id(&self) -> NonZero<usize> {
        // They begin at 1 and count up.
        NonZero::new(crate::sched::getg().goid.get() as usize).unwrap_or(NonZero::<usize>::MIN)
    }
}
