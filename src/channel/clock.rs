//! How long an operation may wait, and waiting for nothing but that.

use core::ffi::c_void;
use core::ptr;
use core::time::Duration;

use super::hchan::Timeout;
use crate::os;
use crate::sched::waiter::Waiter;
use crate::sched::{G, WaitReason, gopark, timers};
use crate::time::Instant;

/// Returns what ends at that time, by the clock of the timers. That is read after the other
/// one, so that it never ends before.
pub(super) fn until(when: Instant) -> Timeout {
    let left = when.saturating_duration_since(Instant::now());
    let left = i64::try_from(left.as_nanos()).unwrap_or(i64::MAX);
    Timeout::At(timers::deadline(left))
}

/// Returns the time after so long, unless there is no such: then it is for ever.
pub(super) fn after(duration: Duration) -> Timeout {
    match i64::try_from(duration.as_nanos()) {
        Ok(nanoseconds) => Timeout::At(timers::deadline(nanoseconds)),
        Err(_) => Timeout::Never,
    }
}

/// Returns the earlier of two.
pub(super) fn earlier(timeout: Timeout, due: Option<Instant>) -> Timeout {
    match (timeout, due.map(until)) {
        (Timeout::At(one), Some(Timeout::At(other))) => Timeout::At(one.min(other)),
        (Timeout::Never, Some(due)) => due,
        _ => timeout,
    }
}

/// Tells whether one ends before another, which is a time.
pub(super) fn is_before(timeout: Timeout, other: Timeout) -> bool {
    match (timeout, other) {
        (Timeout::Now, _) => true,
        (Timeout::At(one), Timeout::At(other)) => one < other,
        _ => false,
    }
}

/// Tells whether the time is over.
pub(super) fn is_over(timeout: Timeout) -> bool {
    match timeout {
        Timeout::Now => true,
        Timeout::Never => false,
        Timeout::At(deadline) => os::nanotime() >= deadline,
    }
}

/// Waits for the time, or for ever. From a goroutine.
pub(super) fn wait(timeout: Timeout, reason: WaitReason) {
    /// There is nothing to be opened.
    ///
    /// # Safety
    ///
    /// None: it is a function that gopark calls.
    unsafe fn commit(_: &'static G, _: *const c_void) -> bool {
        true
    }
    match timeout {
        Timeout::Now => {}
        // SAFETY: without an unlock function there is nothing to vouch for.
        Timeout::Never => unsafe { gopark(None, ptr::null(), reason) },
        Timeout::At(deadline) => {
            // SAFETY: `commit` may be called with anything.
            unsafe { Waiter::new().park(commit, ptr::null(), reason, deadline) };
        }
    }
}
