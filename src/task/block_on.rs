//! [`block_on`]: a goroutine waits for a future.
//!
//! Go has no counterpart: it has no futures.
//!
//! ```text
//!   block_on: poll --> Ready: returns
//!              ^  \--> Pending: sleeps on the signal's token
//!              |                        ^
//!              +------ woken -----------+-- set, goready: wake, from anywhere
//! ```
//!
//! Invariants:
//! 1. Each `block_on` has a signal of its own, of which its wakers are counts: one inside
//!    of another's `poll` takes no wake-up that was meant for that, and
//!    [`thread::park`](crate::thread::park()) none of either.
//! 2. A wake-up before the goroutine sleeps is there when it is about to: `parker`.
//! 3. A waker that outlives its `block_on` sets a token that nobody waits for.

use crate::alloc::sync::Arc;
use crate::alloc::task::Wake;
use core::future::{Future, IntoFuture};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use crate::sched::{G, WaitReason};
use crate::thread::park::{sleep, wake};
use crate::thread::parker::Token;

/// What wakers set.
struct Signal {
    token: Token<G>,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        wake(&self.token);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        wake(&self.token);
    }
}

/// Waits for a future, and returns what it is ready with. It is polled by this goroutine
/// alone, at first and whenever its waker was woken since; in between the goroutine waits,
/// and others run. From any goroutine, also from one that is polling a future.
///
/// The waker may be woken, cloned and dropped anywhere, and later than this returns. To
/// make it is an allocation; to wake it is none, and makes the goroutine the next to run
/// on that P.
///
/// Where nothing ever wakes it, and nothing else in the program can run, the program dies
/// of the deadlock.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::future;
/// use gort::task::{self, Poll};
/// use gort::thread;
/// use gort::time::{self, Duration};
///
/// let mut polls = 0;
/// let later = future::poll_fn(|context| {
///     polls += 1;
///     if polls > 1 {
///         return Poll::Ready("later");
///     }
///     let waker = context.waker().clone();
///     drop(time::after_func(Duration::from_millis(1), move || waker.wake_by_ref()));
///     Poll::Pending
/// });
/// assert_eq!(task::block_on(async { later.await.len() }), 5);
/// # }
/// ```
pub fn block_on<F: IntoFuture>(future: F) -> F::Output {
    let signal = Arc::new(Signal {
        token: Token::new(),
    });
    let waker = Waker::from(signal.clone());
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future.into_future());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        sleep(&signal.token, WaitReason::BLOCK_ON);
    }
}
