//! [`Ticker`]: the time, again and again.
//!
//! Go's counterparts: `Ticker`, `NewTicker`, `Stop`, `Reset` in `time/tick.go`, as of Go
//! 1.23: no tick from before it was stopped or set anew is received any more.
//!
//! It is a [`Line`] whose alarm is set for the next tick by the one before, under the
//! line's lock.

use crate::alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use super::Instant;
use super::after_func::Alarm;
use super::timer::{Due, Line};
use crate::channel::Receiver;

/// What the ticker and the goroutines that tick share.
struct Ticks {
    line: Line,
    alarm: Alarm,
    /// The period, in nanoseconds. Written and read under the line's lock.
    period: AtomicU64,
}

impl Ticks {
    /// Ticks, if it is time, and sets the alarm for the next. Ticks that should have been
    /// meanwhile are left out: the next comes when it would have come anyway.
    fn tick(&self) {
        let Some((time, mut due)) = self.line.fire() else {
            return; // stopped or set anew, which has set the alarm
        };
        let period = u128::from(self.period.load(Ordering::Relaxed)); // under the lock
        let now = Instant::now();
        let late = now.duration_since(time).as_nanos() % period;
        let left = Duration::from_nanos((period - late) as u64); // at most a period
        *due = now.checked_add(left).map_or(Due::Later, Due::At);
        self.alarm.reset(left); // which asks for the time later than we have
    }
}

/// Sends the time again and again. Go's `time.Ticker`.
///
/// There is place for one tick: if nobody has received it when the next comes, that one is
/// left out. Each tick is a goroutine that sends, and ends. Dropping it stops it; clones of
/// its receiver are disconnected then. It differs from
/// [`channel::tick`](crate::channel::tick) in that it can be stopped and set anew.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::time::{Duration, Ticker};
///
/// let ticker = Ticker::new(Duration::from_millis(1));
/// for when in ticker.c.iter().take(3) {
///     gort::println!("{when:?}");
/// }
/// # }
/// ```
pub struct Ticker {
    /// Receives the time of each tick. Go's `Ticker.C`.
    pub c: Receiver<Instant>,
    ticks: Arc<Ticks>,
}

impl Ticker {
    /// Makes one that ticks each time that so long has gone by. Go's `time.NewTicker`. From
    /// any goroutine.
    ///
    /// # Panics
    ///
    /// If the period is no time at all.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::time::{Duration, Instant, Ticker};
    ///
    /// let start = Instant::now();
    /// let ticker = Ticker::new(Duration::from_millis(1));
    /// let second = ticker.c.iter().nth(1).unwrap();
    /// assert!(second - start >= Duration::from_millis(2));
    /// # }
    /// ```
    #[must_use = "it stops when it is dropped"]
    #[track_caller]
    pub fn new(period: Duration) -> Self {
        let ticks = Arc::new_cyclic(|ticks: &crate::alloc::sync::Weak<Ticks>| {
            let ticks = ticks.clone();
            Ticks {
                line: Line::new(),
                alarm: Alarm::new(move || {
                    if let Some(ticks) = ticks.upgrade() {
                        ticks.tick();
                    }
                }),
                period: AtomicU64::new(0),
            }
        });
        let ticker = Self {
            c: ticks.line.receiver(),
            ticks,
        };
        ticker.reset(period);
        ticker
    }

    /// Stops it. No tick is received any more when this has returned. From any goroutine.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::channel::TryRecvError;
    /// use gort::time::{Duration, Ticker};
    ///
    /// let ticker = Ticker::new(Duration::from_millis(1));
    /// ticker.c.recv().unwrap();
    /// ticker.stop();
    /// assert_eq!(ticker.c.try_recv(), Err(TryRecvError::Empty));
    /// # }
    /// ```
    pub fn stop(&self) {
        let alarm = &self.ticks.alarm;
        self.ticks.line.set(Due::Never, || alarm.stop());
    }

    /// Sets it to another period, whether it was stopped or not; the next tick comes when
    /// that has gone by, from now. No tick from before is received any more when this has
    /// returned. From any goroutine.
    ///
    /// # Panics
    ///
    /// If the period is no time at all.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::time::{Duration, Ticker};
    ///
    /// let ticker = Ticker::new(Duration::from_secs(3600));
    /// ticker.reset(Duration::from_millis(1));
    /// ticker.c.recv().unwrap();
    /// # }
    /// ```
    #[track_caller]
    pub fn reset(&self, period: Duration) {
        assert!(!period.is_zero(), "non-positive interval for Ticker");
        let ticks = &self.ticks;
        let nanoseconds = u64::try_from(period.as_nanos()).unwrap_or(u64::MAX);
        ticks.line.set(Due::after(period), || {
            ticks.period.store(nanoseconds, Ordering::Relaxed); // under the lock
            ticks.alarm.reset(period)
        });
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticker").finish_non_exhaustive()
    }
}
