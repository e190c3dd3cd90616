//! How a goroutine sleeps on a [`Token`], and how it is woken.

use core::ffi::c_void;
use core::ptr;
use core::time::Duration;

use super::handle;
use super::parker::Token;
use crate::sched::timed::park_until;
use crate::sched::{self, G, WaitReason, timers};

/// Waits until the token is set, and takes it. From the goroutine that owns it.
pub(crate) fn sleep(token: &Token<G>, reason: WaitReason) {
    while !token.take() {
        sleep_once(token, reason);
    }
}

/// Waits until the token is set, and leaves it so. From the goroutine that owns it.
pub(super) fn sleep_until_set(token: &Token<G>, reason: WaitReason) {
    while !token.is_set() {
        sleep_once(token, reason);
    }
}

/// Waits until somebody sets the token, unless it is set.
fn sleep_once(token: &Token<G>, reason: WaitReason) {
    let lock: *const Token<G> = token;
    // SAFETY: the token is borrowed until this goroutine goes on, and it does not
    // before it was found in it.
    unsafe { sched::gopark(Some(unlock), lock.cast(), reason) };
}

/// Waits until the token is set, or until the `deadline`, in nanoseconds of the monotonic
/// clock; tells whether it was the token, and takes it. From the goroutine that owns it.
pub(super) fn sleep_until(token: &Token<G>, deadline: i64, reason: WaitReason) -> bool {
    /// The clock takes the goroutine out of the token.
    ///
    /// # Safety
    ///
    /// It must be an [`Alarm`].
    unsafe fn claim(alarm: *const c_void) -> bool {
        // SAFETY: the caller's promise.
        let alarm = unsafe { &*alarm.cast::<Alarm<'_>>() };
        alarm.token.withdraw(ptr::from_ref(alarm.gp).cast_mut())
    }
    /// Who sleeps on what.
    struct Alarm<'a> {
        token: &'a Token<G>,
        gp: &'static G,
    }

    if token.take() {
        return true;
    }
    let gp = sched::getg();
    let alarm = Alarm { token, gp };
    let lock: *const Token<G> = token;
    let clock = (claim as _, (&raw const alarm).cast());
    // SAFETY: as in `sleep_once`, and the alarm is there until this returns. Who takes the
    // goroutine out of the token wakes it, and nobody else does.
    unsafe { park_until(unlock, lock.cast(), reason, deadline, clock) };
    token.take() // also one that came just after the time
}

/// Leaves the goroutine, saved by now, to be found. On g0, or the next one's stack.
///
/// # Safety
///
/// `token` must be a `Token<G>` until the goroutine is found in it, and the goroutine its
/// owner.
unsafe fn unlock(gp: &'static G, token: *const c_void) -> bool {
    // SAFETY: the caller's promise. `wait` does not touch it again once the goroutine can
    // be found.
    unsafe { &*token.cast::<Token<G>>() }.wait(ptr::from_ref(gp).cast_mut())
}

/// Sets the token, and makes whoever sleeps on it the next to run on this P. From
/// any goroutine.
pub(crate) fn wake(token: &Token<G>) {
    if let Some(gp) = token.set() {
        // SAFETY: who sleeps on it are Gs, which are never freed; this one is
        // Waiting, and ours alone to ready.
        sched::goready(unsafe { &*gp });
    }
}

/// Blocks until the current goroutine's token is available, and takes it. The
/// token is one or none: [`Thread::unpark`](super::Thread::unpark) makes it
/// available, if need be before `park` is called. From any goroutine.
///
/// What was done before an `unpark` is seen by who returns from `park` because of
/// it. This does not return for any other reason; code that is to work with std
/// as well allows for it.
///
/// A goroutine that has been made by [`gort::go`](crate::go) and for which nobody
/// has a [`Thread`](super::Thread) can't be unparked: where all goroutines wait
/// like this, the program dies of the deadlock. To park such a one allocates
/// nothing.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use core::sync::atomic::{AtomicBool, Ordering};
/// use gort::thread;
///
/// static READY: AtomicBool = AtomicBool::new(false);
///
/// let main = thread::current();
/// thread::spawn(move || {
///     READY.store(true, Ordering::Release);
///     main.unpark();
/// });
/// while !READY.load(Ordering::Acquire) {
///     thread::park();
/// }
/// # }
/// ```
pub fn park() {
    match handle::mine() {
        Some(inner) => sleep(inner.token(), WaitReason::THREAD_PARK),
        // Nobody has a handle, and nobody can ever get one.
        // SAFETY: without an unlock function there is nothing to vouch for.
        None => unsafe { sched::gopark(None, ptr::null(), WaitReason::THREAD_PARK) },
    }
}

/// Blocks until the current goroutine's token is available, and takes it, or until that
/// much time has passed. From any goroutine.
///
/// As [`park`], and unlike std's, this does not return for any other reason; and a token
/// that comes at the very end of the time is taken along. No time at all is a look for
/// the token. Nothing is allocated for it, but for the timers that all goroutines share.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::thread;
/// use gort::time::{Duration, Instant};
///
/// let start = Instant::now();
/// thread::park_timeout(Duration::from_millis(1));
/// assert!(start.elapsed() >= Duration::from_millis(1));
/// thread::current().unpark();
/// thread::park_timeout(Duration::from_secs(3600)); // returns at once
/// # }
/// ```
pub fn park_timeout(duration: Duration) {
    let Some(inner) = handle::mine() else {
        return super::sleep(duration); // nobody can ever unpark it meanwhile
    };
    let token = inner.token();
    if duration.is_zero() {
        token.take();
        return;
    }
    let nanoseconds = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    sleep_until(
        token,
        timers::deadline(nanoseconds),
        WaitReason::THREAD_PARK,
    );
}

/// [`park_timeout`] with the time in milliseconds.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// # #[allow(deprecated)]
/// gort::thread::park_timeout_ms(1);
/// # }
/// ```
#[deprecated(note = "replaced by `thread::park_timeout`, as in std")]
pub fn park_timeout_ms(milliseconds: u32) {
    park_timeout(Duration::from_millis(milliseconds.into()));
}
