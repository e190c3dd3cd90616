//! [`Timer`]: one time in the future, and a channel or a function that learns of it.
//!
//! Go's counterparts: `Timer`, `NewTimer`, `Stop`, `Reset`, `sendTime` in `time/sleep.go`,
//! as of Go 1.23: no value of a time that was stopped or set anew is received any more.
//!
//! Where Go sends from the scheduler's stack, here the timer's function starts a goroutine
//! that sends, since to send may have to wait. That goroutine may come late, when its time
//! has been stopped or set anew: so what is sent is decided under a lock, by the [`Line`],
//! and not by who comes.

use crate::alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use super::Instant;
use super::after_func::Alarm;
use crate::channel::{self, Receiver, Sender};
use crate::sync::{Mutex, MutexGuard};

/// The way from an alarm to a channel.
///
/// Invariant: the channel has a place for one value, and is used under the lock by all but
/// who receives; so a value that is there belongs to the time that was set last.
pub(super) struct Line {
    due: Mutex<Due>,
    sender: Sender<Instant>,
    receiver: Receiver<Instant>,
}

/// When there shall be a value.
#[derive(Clone, Copy)]
pub(super) enum Due {
    /// Not at all: it was stopped, or has been sent.
    Never,
    /// From then on.
    At(Instant),
    /// After the end of time.
    Later,
}

impl Due {
    /// Returns the time after so long.
    pub(super) fn after(duration: Duration) -> Self {
        let time = Instant::now().checked_add(duration);
        time.map_or(Self::Later, Self::At)
    }
}

impl Line {
    /// Makes one on which nothing is due.
    pub(super) fn new() -> Self {
        let (sender, receiver) = channel::bounded(1);
        Self {
            due: Mutex::new(Due::Never),
            sender,
            receiver,
        }
    }

    /// Returns what receives.
    pub(super) fn receiver(&self) -> Receiver<Instant> {
        self.receiver.clone()
    }

    /// Sends the time if something is due, and returns what was. What nobody has received
    /// yet stays, and this is dropped.
    pub(super) fn fire(&self) -> Option<(Instant, MutexGuard<'_, Due>)> {
        let mut due = self.lock();
        let now = Instant::now();
        match *due {
            Due::At(time) if time <= now => {
                *due = Due::Never;
                let _ = self.sender.try_send(now); // it may be full
                Some((time, due))
            }
            _ => None,
        }
    }

    /// Sets another time, and stops or sets the alarm by `alarm`, with the lock held; tells
    /// whether there was a time before, or a value that nobody has received, which nobody
    /// will. What the alarm itself was does not matter: its goroutine may be on its way.
    pub(super) fn set(&self, time: Due, alarm: impl FnOnce() -> bool) -> bool {
        let mut due = self.lock();
        let pending = !matches!(core::mem::replace(&mut *due, time), Due::Never);
        let sent = self.receiver.try_recv().is_ok();
        alarm();
        pending || sent
    }

    fn lock(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(|error| error.into_inner())
    }
}

/// One time in the future, at which a value is sent or a function is called. Go's
/// `time.Timer`, which is both as well: [`Timer::new`] makes one that sends, and
/// [`after_func`](super::after_func()) one that calls.
///
/// Dropping it leaves it to itself: what it was to do it does all the same. When it is
/// gone, and has done that or was stopped, clones of its receiver say so: they are
/// disconnected.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::time::{Duration, Instant, Timer};
///
/// let start = Instant::now();
/// let timer = Timer::new(Duration::from_millis(1));
/// let when = timer.c.recv().unwrap();
/// assert!(when - start >= Duration::from_millis(1));
/// # }
/// ```
#[must_use = "it goes on all the same; say so by `drop`"]
pub struct Timer {
    /// Receives the time at which the value was sent, once for each time that was set and
    /// came; from a timer that calls a function it receives nothing. Go's `Timer.C`.
    pub c: Receiver<Instant>,
    line: Option<Arc<Line>>,
    alarm: Alarm,
}

impl Timer {
    /// Makes one that sends after at least that long. Go's `time.NewTimer`. From any
    /// goroutine.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::{Select, TryRecvError, unbounded};
    /// use gort::time::{Duration, Timer};
    ///
    /// let (_sender, requests) = unbounded::<u32>();
    /// let timeout = Timer::new(Duration::from_millis(1));
    /// let mut select = Select::new();
    /// select.recv(&requests);
    /// let time = select.recv(&timeout.c);
    /// let first = select.select();
    /// assert_eq!(first.index(), time);
    /// first.recv(&timeout.c).unwrap();
    /// assert_eq!(timeout.c.try_recv(), Err(TryRecvError::Empty));
    /// # }
    /// ```
    #[track_caller]
    pub fn new(duration: Duration) -> Self {
        let line = Arc::new(Line::new());
        let its = line.clone();
        let timer = Self {
            c: line.receiver(),
            line: Some(line),
            alarm: Alarm::new(move || drop(its.fire())),
        };
        timer.reset(duration);
        timer
    }

    /// Makes one that has a function.
    pub(super) fn of(alarm: Alarm) -> Self {
        Self {
            c: channel::never(),
            line: None,
            alarm,
        }
    }

    /// Stops it; tells whether that was in time. If not, it has been stopped before; or it
    /// has sent, and the value was received; or the goroutine that calls the function has
    /// been started, whose end this does not wait for. Nothing that it has sent is received
    /// any more when this has returned. From any goroutine.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::TryRecvError;
    /// use gort::thread;
    /// use gort::time::{self, Duration, Timer};
    ///
    /// let timer = time::after_func(Duration::from_secs(3600), || panic!("too late"));
    /// assert!(timer.stop());
    /// assert!(!timer.stop());
    ///
    /// let timer = Timer::new(Duration::from_micros(1));
    /// thread::sleep(Duration::from_millis(1));
    /// assert!(timer.stop()); // maybe it has sent, but nobody has received that
    /// assert_eq!(timer.c.try_recv(), Err(TryRecvError::Empty));
    /// # }
    /// ```
    pub fn stop(&self) -> bool {
        match &self.line {
            None => self.alarm.stop(),
            Some(line) => line.set(Due::Never, || self.alarm.stop()),
        }
    }

    /// Sets it to that long from now, at least, whether it is pending, has come, or was
    /// stopped; tells whether it was pending, as [`stop`](Self::stop) does. Nothing that it
    /// has sent before is received any more when this has returned. From any goroutine.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::time::{self, Duration, Timer};
    /// use gort::thread;
    ///
    /// let main = thread::current();
    /// let timer = time::after_func(Duration::from_secs(3600), move || main.unpark());
    /// assert!(timer.reset(Duration::from_millis(1)));
    /// thread::park();
    ///
    /// let timer = Timer::new(Duration::from_secs(3600));
    /// assert!(timer.reset(Duration::from_millis(1)));
    /// timer.c.recv().unwrap();
    /// assert!(!timer.reset(Duration::from_secs(3600)));
    /// # }
    /// ```
    pub fn reset(&self, duration: Duration) -> bool {
        match &self.line {
            None => self.alarm.reset(duration),
            // The line's time is before the alarm's, so that this is due when that comes.
            Some(line) => line.set(Due::after(duration), || self.alarm.reset(duration)),
        }
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").finish_non_exhaustive()
    }
}
