//! [`after_func()`]: a goroutine that starts later, unless it is stopped.
//!
//! Go's counterparts: `AfterFunc`, `goFunc` in `time/sleep.go`. The [`Alarm`] is what is
//! below a [`Timer`] of either kind, and a [`Ticker`](super::Ticker).
//!
//! The closure is in an `Arc`, in the program's heap, and is dropped where that is
//! allowed: on a goroutine, with no lock held. One count of it is the handle's, one
//! belongs to each arming that is pending, and one to each goroutine that runs it.
//! An arming's count goes to the goroutine if it fires, to whoever stops it if it is
//! stopped, and to the next arming if it is set again before that; as it does just one
//! of these, none is lost and none is dropped twice.
//!
//! The timer itself stays in the scheduler's heap for a while when it has been stopped,
//! and is swept out on g0: so it is an allocation of its own, from the runtime's heap,
//! and has no destructor.

use crate::alloc::handle_alloc_error;
use crate::alloc::sync::Arc;
use core::alloc::{GlobalAlloc, Layout};
use core::mem;
use core::panic::Location;
use core::ptr::NonNull;
use core::time::Duration;

use super::Timer;
use crate::malloc::System;
use crate::mem::DEFAULT_STACK;
use crate::sched;
use crate::sched::{timer, timers};

/// What is called, and who asked for that.
struct Call<F> {
    f: F,
    location: &'static Location<'static>,
}

/// The right to stop and to set what calls a function. Dropping it leaves that to itself:
/// the function is called all the same.
pub(super) struct Alarm {
    timer: NonNull<timer::Timer>,
    /// A `Call`.
    call: Arc<dyn Send + Sync>,
}

// SAFETY: a timer may be stopped and set from anywhere, by many at a time, and the
// closure is one that may be called so.
unsafe impl Send for Alarm {}
// SAFETY: as above.
unsafe impl Sync for Alarm {}

/// Calls `f` on a goroutine of its own after at least that long. Go's
/// `time.AfterFunc`. From any goroutine.
///
/// That it is `Fn` and not `FnOnce` is because of [`Timer::reset`], which has it
/// called again, maybe before the first call has returned. It is dropped when the
/// handle has been, and it can't be called any more.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::time::{self, Duration};
/// use gort::thread;
///
/// let main = thread::current();
/// let timer = time::after_func(Duration::from_millis(1), move || main.unpark());
/// thread::park();
/// assert!(!timer.stop()); // it has fired
/// # }
/// ```
#[track_caller]
pub fn after_func<F>(duration: Duration, f: F) -> Timer
where
    F: Fn() + Send + Sync + 'static,
{
    let alarm = Alarm::new(f);
    alarm.reset(duration);
    Timer::of(alarm)
}

/// The timer's function: starts the goroutine. On g0.
fn go_func<F: Fn() + Send + Sync + 'static>(call: *mut (), _: usize, _: i64) {
    // SAFETY: what `Alarm::new` gave the timer, and the count of the arming that has just
    // fired.
    let call = unsafe { Arc::from_raw(call.cast_const().cast::<Call<F>>()) };
    let location = call.location;
    sched::go(move || (call.f)(), Some(location), DEFAULT_STACK);
}

impl Alarm {
    /// Makes one that is not set.
    #[track_caller]
    pub(super) fn new<F>(f: F) -> Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        timers::will_go();
        let call = Arc::new(Call {
            f,
            location: Location::caller(),
        });
        let layout = Layout::new::<timer::Timer>();
        // SAFETY: it has a size.
        let memory: *mut timer::Timer = unsafe { System.alloc(layout) }.cast();
        let Some(timer) = NonNull::new(memory) else {
            handle_alloc_error(layout)
        };
        let arg = Arc::as_ptr(&call).cast_mut().cast();
        // SAFETY: fresh memory for one.
        unsafe { timer.write(timer::Timer::new(go_func::<F>, arg)) };
        Self { timer, call }
    }

    /// Stops it; tells whether it was pending, and won't be called for that.
    pub(super) fn stop(&self) -> bool {
        let pending = timers::stop(self.timer());
        if pending {
            let call = Arc::as_ptr(&self.call);
            // SAFETY: the count of the arming that we have stopped.
            unsafe { Arc::decrement_strong_count(call) };
        }
        pending
    }

    /// Has it called after at least that long from now; tells whether it was pending, and
    /// will not be called for that.
    pub(super) fn reset(&self, duration: Duration) -> bool {
        let nanoseconds = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        // Before it is set: it may fire, and take its count along, at once.
        let count = Arc::clone(&self.call);
        let pending = timers::reset(self.timer(), timers::deadline(nanoseconds), 0);
        if pending {
            drop(count); // the arming has one
        } else {
            mem::forget(count); // it is the arming's
        }
        pending
    }

    /// Returns the scheduler's timer.
    fn timer(&self) -> &timer::Timer {
        // SAFETY: it is good until the handle is dropped.
        unsafe { self.timer.as_ref() }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        // SAFETY: nobody else has it but the heap, and it came from `alloc`.
        unsafe { timers::leave(self.timer.as_ptr(), free) };
    }
}

/// Frees a timer. Maybe on g0, with locks of the runtime held.
///
/// # Safety
///
/// It must be an alarm's, and nobody else's.
unsafe fn free(timer: *const timer::Timer) {
    // SAFETY: the caller's promise.
    unsafe { System.dealloc(timer.cast_mut().cast(), Layout::new::<timer::Timer>()) };
}
