//! A point on a clock, in whole seconds and nanoseconds: what [`Instant`](super::Instant)
//! and [`SystemTime`](super::SystemTime) are made of.
//!
//! Seconds and nanoseconds apart, as std has them on Linux: so what overflows there
//! overflows here, 292 thousand million years from now.
//!
//! Invariant: the nanoseconds are below a second, so that the derived order is that of
//! the points, and equal points are equal.

use core::time::Duration;

/// How many nanoseconds a second has.
const SECOND: u32 = 1_000_000_000;

/// Seconds from the clock's beginning, and nanoseconds after those.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Timespec {
    pub(super) seconds: i64,
    pub(super) nanoseconds: u32,
}

impl Timespec {
    /// The clock's beginning.
    pub(super) const ZERO: Self = Self {
        seconds: 0,
        nanoseconds: 0,
    };

    /// Takes what the system's clock says.
    pub(super) fn new((seconds, nanoseconds): (i64, i64)) -> Self {
        Self {
            seconds,
            nanoseconds: nanoseconds as u32, // below a second
        }
    }

    /// Returns how long after `earlier` this is; as an error, how long before.
    pub(super) fn since(self, earlier: Self) -> Result<Duration, Duration> {
        if self < earlier {
            return Err(earlier.after(self));
        }
        Ok(self.after(earlier))
    }

    /// Returns how long after `earlier` this is, which it must not be before.
    fn after(self, earlier: Self) -> Duration {
        // As numbers without a sign the seconds wrap to the distance, whatever it is.
        let mut seconds = (self.seconds as u64).wrapping_sub(earlier.seconds as u64);
        let mut nanoseconds = self.nanoseconds;
        if nanoseconds < earlier.nanoseconds {
            seconds -= 1; // this is later: it has that second
            nanoseconds += SECOND;
        }
        Duration::new(seconds, nanoseconds - earlier.nanoseconds)
    }

    /// Returns the point that is so much later, if there is one.
    pub(super) fn checked_add(self, duration: Duration) -> Option<Self> {
        let mut seconds = self.seconds.checked_add_unsigned(duration.as_secs())?;
        let mut nanoseconds = self.nanoseconds + duration.subsec_nanos();
        if nanoseconds >= SECOND {
            nanoseconds -= SECOND;
            seconds = seconds.checked_add(1)?;
        }
        Some(Self {
            seconds,
            nanoseconds,
        })
    }

    /// Returns the point that is so much earlier, if there is one.
    pub(super) fn checked_sub(self, duration: Duration) -> Option<Self> {
        let mut seconds = self.seconds.checked_sub_unsigned(duration.as_secs())?;
        let mut nanoseconds = self.nanoseconds;
        if nanoseconds < duration.subsec_nanos() {
            nanoseconds += SECOND;
            seconds = seconds.checked_sub(1)?;
        }
        Some(Self {
            seconds,
            nanoseconds: nanoseconds - duration.subsec_nanos(),
        })
    }
}
