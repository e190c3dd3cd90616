//! Channels that the clock sends to: `at`, `after`, `tick`.
//!
//! Go's counterparts: `time.NewTimer`, `time.NewTicker`, as of Go 1.23, where a timer with a
//! channel is in no heap unless somebody waits for it. Here it goes further: there is no
//! timer and no buffer. A message is there when it is time, and a goroutine that waits for
//! one waits with a deadline; a select does for the earliest of its channels. So nothing has
//! to be stopped when a receiver is dropped, and nothing is left of it.

use crate::alloc::sync::Arc;
use core::time::Duration;

use super::atomic::{AtomicBool, AtomicU64, Ordering};
use super::clock;
use super::hchan::Timeout;
use super::scheduler::WaitReason;
use super::waitq::Ended;
use crate::time::Instant;

/// One message, at a time.
pub(super) struct At {
    when: Instant,
    received: AtomicBool,
}

impl At {
    /// Makes one.
    pub(super) fn new(when: Instant) -> Arc<Self> {
        Arc::new(Self {
            when,
            received: AtomicBool::new(false),
        })
    }

    /// Returns the message, if it is time and nobody has it yet.
    fn take(&self) -> Option<Instant> {
        // Relaxed: one of them gets it, which is all.
        let take = self.is_ready() && !self.received.swap(true, Ordering::Relaxed);
        take.then_some(self.when)
    }

    fn is_ready(&self) -> bool {
        !self.received.load(Ordering::Relaxed) && Instant::now() >= self.when // as above
    }

    /// Returns when there will be a message.
    fn due(&self) -> Option<Instant> {
        (!self.received.load(Ordering::Relaxed)).then_some(self.when) // as above
    }
}

/// A message again and again.
pub(super) struct Tick {
    start: Instant,
    /// When the next one is there, in nanoseconds from the start.
    next: AtomicU64,
    period: u64,
}

impl Tick {
    /// Makes one; the first message is there when a period has gone by.
    pub(super) fn new(period: Duration) -> Arc<Self> {
        let period = nanoseconds(period);
        Arc::new(Self {
            start: Instant::now(),
            next: AtomicU64::new(period),
            period,
        })
    }

    /// Returns the message, if it is time. The next is there a period from now: those that
    /// nobody came for are left out.
    fn take(&self) -> Option<Instant> {
        loop {
            let now = nanoseconds(self.start.elapsed());
            let next = self.next.load(Ordering::Relaxed); // a number, ordered with nothing
            if now < next {
                return None;
            }
            let after = now.saturating_add(self.period);
            // Relaxed: as above.
            let taken =
                self.next
                    .compare_exchange(next, after, Ordering::Relaxed, Ordering::Relaxed);
            if taken.is_ok() {
                return Some(self.instant(next));
            }
        }
    }

    /// Takes the next message, and waits until it is time; unless the timeout is earlier. A
    /// goroutine that comes on time gets them a period apart.
    fn recv(&self, timeout: Timeout, reason: WaitReason) -> Result<Instant, Ended> {
        loop {
            let next = self.next.load(Ordering::Relaxed); // as in take
            let now = nanoseconds(self.start.elapsed());
            let due = clock::until(self.instant(next));
            if now < next && clock::is_before(timeout, due) {
                clock::wait(timeout, reason);
                return Err(Ended::TimedOut);
            }
            let after = next.max(now).saturating_add(self.period);
            // Relaxed: as in take.
            let taken =
                self.next
                    .compare_exchange(next, after, Ordering::Relaxed, Ordering::Relaxed);
            if taken.is_ok() {
                if now < next {
                    clock::wait(due, reason);
                }
                return Ok(self.instant(next));
            }
        }
    }

    fn is_ready(&self) -> bool {
        nanoseconds(self.start.elapsed()) >= self.next.load(Ordering::Relaxed) // as above
    }

    fn due(&self) -> Instant {
        self.instant(self.next.load(Ordering::Relaxed)) // as above
    }

    fn instant(&self, nanoseconds: u64) -> Instant {
        self.start + Duration::from_nanos(nanoseconds)
    }
}

/// Returns as many nanoseconds as fit, which are 584 years.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// One of the two, or what never has a message.
#[derive(Clone, Copy)]
pub(super) enum Timed<'a> {
    At(&'a At),
    Tick(&'a Tick),
    Never,
}

impl Timed<'_> {
    /// Returns the message, if there is one.
    pub(super) fn take(self) -> Option<Instant> {
        match self {
            Self::At(at) => at.take(),
            Self::Tick(tick) => tick.take(),
            Self::Never => None,
        }
    }

    /// Tells whether there is one.
    pub(super) fn is_ready(self) -> bool {
        match self {
            Self::At(at) => at.is_ready(),
            Self::Tick(tick) => tick.is_ready(),
            Self::Never => false,
        }
    }

    /// Returns when there will be one.
    pub(super) fn due(self) -> Option<Instant> {
        match self {
            Self::At(at) => at.due(),
            Self::Tick(tick) => Some(tick.due()),
            Self::Never => None,
        }
    }

    /// Receives a message. From a goroutine.
    pub(super) fn recv(self, timeout: Timeout) -> Result<Instant, Ended> {
        let reason = match self {
            Self::Never => WaitReason::CHAN_RECEIVE_NIL_CHAN,
            _ => WaitReason::CHAN_RECEIVE,
        };
        if let Self::Tick(tick) = self {
            return tick.recv(timeout, reason);
        }
        loop {
            if let Some(message) = self.take() {
                return Ok(message);
            }
            if clock::is_over(timeout) {
                return Err(Ended::TimedOut);
            }
            clock::wait(clock::earlier(timeout, self.due()), reason);
        }
    }
}
