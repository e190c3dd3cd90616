//! [`sleep`]: a timer whose function readies the goroutine.
//!
//! Go's counterparts: `timeSleep`, `resetForSleep`, `goroutineReady` in
//! `runtime/time.go`. Go's timer is allocated with the goroutine's first sleep. Here it
//! lies on the stack of the goroutine that sleeps, and is out of the P's heap before
//! that frame ends:
//!
//! 1. It is set by the unlock function alone, when the goroutine has been saved: set
//!    before, it could fire, on another M or on this one, before there is anybody to
//!    ready.
//! 2. Nobody but the heap has its address: it is not stopped, set again, or left.
//! 3. So the goroutine is readied by its function and by nothing else, and the frame
//!    lives until then.
//! 4. Whoever calls the function has taken the timer out of the heap and given both
//!    locks back, and has but copies of the function and the argument, a G, which is
//!    never freed (`timer`, invariant 5; `timer_set`, `take_due`).
//! 5. Who set it touches it no more once the heap's lock is given back
//!    (`TimerSet::add`), and without that lock it cannot fire.

use core::ffi::c_void;
use core::ptr;
use core::time::Duration;

use crate::sched::timer::Timer;
use crate::sched::timers;
use crate::sched::{self, G, WaitReason};

/// A sleeper's timer, and when it is due.
struct Sleeper {
    timer: Timer,
    when: i64,
}

/// Puts the goroutine to sleep for at least that long. Others run meanwhile; where
/// there are none, the thread sleeps. A time that is longer than the clock counts, 292
/// years, is as long as that. From any goroutine.
///
/// Nothing is allocated for it.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use core::time::Duration;
/// use gort::thread;
///
/// let slow = thread::spawn(|| {
///     thread::sleep(Duration::from_millis(20));
///     gort::println!("world");
/// });
/// gort::print!("hello, ");
/// slow.join().unwrap();
/// # }
/// ```
pub fn sleep(duration: Duration) {
    let nanoseconds = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    if nanoseconds == 0 {
        return;
    }
    let gp = ptr::from_ref(sched::getg()).cast_mut();
    let sleeper = Sleeper {
        timer: Timer::new(ready, gp.cast()),
        when: timers::deadline(nanoseconds),
    };
    let lock: *const Sleeper = &raw const sleeper;
    // SAFETY: it lives until the goroutine goes on; see the head of this file.
    unsafe { sched::gopark(Some(reset_for_sleep), lock.cast(), WaitReason::SLEEP) };
}

/// [`sleep`] with the time in milliseconds.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// # #[allow(deprecated)]
/// gort::thread::sleep_ms(1);
/// # }
/// ```
#[deprecated(note = "replaced by `thread::sleep`, as in std")]
pub fn sleep_ms(milliseconds: u32) {
    sleep(Duration::from_millis(milliseconds.into()));
}

/// Sets the timer of a goroutine that has been saved. On g0.
///
/// # Safety
///
/// `sleeper` must be a [`Sleeper`] until its timer fires.
unsafe fn reset_for_sleep(_: &'static G, sleeper: *const c_void) -> bool {
    // SAFETY: the caller's promise.
    let sleeper = unsafe { &*sleeper.cast::<Sleeper>() };
    timers::reset(&sleeper.timer, sleeper.when, 0);
    true
}

/// The timer's function: wakes the goroutine. Go's `goroutineReady`.
fn ready(gp: *mut (), _: usize, _: i64) {
    // SAFETY: what `sleep` gave the timer: a G, which is never freed. It is Waiting, and
    // ours alone to ready.
    sched::goready(unsafe { &*gp.cast::<G>() });
}
