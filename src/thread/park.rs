//! How a goroutine sleeps on a [`Token`], and how it is woken.

use core::ffi::c_void;
use core::ptr;

use super::handle;
use super::parker::Token;
use crate::sched::{self, G, WaitReason};

/// Waits until the token is set, and takes it. From the goroutine that owns it.
pub(super) fn sleep(token: &Token<G>, reason: WaitReason) {
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
    /// Leaves the goroutine, saved by now, to be found. On g0, or the next one's stack.
    ///
    /// # Safety
    ///
    /// `token` must be a `Token<G>` until the goroutine is found in it, and the
    /// goroutine its owner.
    unsafe fn unlock(gp: &'static G, token: *const c_void) -> bool {
        // SAFETY: the caller's promise. `wait` does not touch it again once the
        // goroutine can be found.
        unsafe { &*token.cast::<Token<G>>() }.wait(ptr::from_ref(gp).cast_mut())
    }
    let lock: *const Token<G> = token;
    // SAFETY: the token is borrowed until this goroutine goes on, and it does not
    // before it was found in it.
    unsafe { sched::gopark(Some(unlock), lock.cast(), reason) };
}

/// Sets the token, and makes whoever sleeps on it the next to run on this P. From
/// any goroutine.
pub(super) fn wake(token: &Token<G>) {
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
