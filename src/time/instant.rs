//! [`Instant`]: a point on the clock that never goes back.
//!
//! Go's counterpart: the monotonic half of `time.Time`. The kernel's CLOCK_MONOTONIC, read
//! through the vDSO, is one clock for all CPUs: what a goroutine read is not after what
//! another reads that was told of it, on whatever threads they are.

use core::fmt;
use core::ops::{Add, AddAssign, Sub, SubAssign};
use core::time::Duration;

use super::timespec::Timespec;
use crate::os;

/// A point on a clock that never goes back, and that goes at the rate of the real time
/// while the machine is awake. Good to compare with others and for the time between them.
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
/// thread::sleep(Duration::from_millis(2));
/// assert!(start.elapsed() >= Duration::from_millis(2));
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Timespec);

impl Instant {
    /// Returns the present one. No system call where there is a vDSO. From any goroutine.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::time::Instant;
    ///
    /// let first = Instant::now();
    /// assert!(first <= Instant::now());
    /// # }
    /// ```
    #[must_use]
    pub fn now() -> Self {
        Self(Timespec::new(os::monotonic()))
    }

    /// Returns the time from `earlier` to this; none at all if this is the earlier one.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::time::{Duration, Instant};
    ///
    /// let first = Instant::now();
    /// let second = first + Duration::from_secs(1);
    /// assert_eq!(second.duration_since(first), Duration::from_secs(1));
    /// assert_eq!(first.duration_since(second), Duration::ZERO);
    /// # }
    /// ```
    #[must_use]
    pub fn duration_since(&self, earlier: Self) -> Duration {
        self.saturating_duration_since(earlier)
    }

    /// Returns the time from `earlier` to this; None if this is the earlier one.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::time::{Duration, Instant};
    ///
    /// let first = Instant::now();
    /// let second = first + Duration::from_secs(1);
    /// assert_eq!(second.checked_duration_since(first), Some(Duration::from_secs(1)));
    /// assert_eq!(first.checked_duration_since(second), None);
    /// # }
    /// ```
    #[must_use]
    pub fn checked_duration_since(&self, earlier: Self) -> Option<Duration> {
        self.0.since(earlier.0).ok()
    }

    /// Returns the time from `earlier` to this; none at all if this is the earlier one.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::time::{Duration, Instant};
    ///
    /// let first = Instant::now();
    /// let second = first + Duration::from_secs(1);
    /// assert_eq!(first.saturating_duration_since(second), Duration::ZERO);
    /// # }
    /// ```
    #[must_use]
    pub fn saturating_duration_since(&self, earlier: Self) -> Duration {
        self.checked_duration_since(earlier).unwrap_or_default()
    }

    /// Returns the time from this one to now.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::time::Instant;
    ///
    /// let start = Instant::now();
    /// gort::println!("this took {:?}", start.elapsed());
    /// # }
    /// ```
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Self::now().duration_since(*self)
    }

    /// Returns the one that is so much later; None if the clock does not count so far.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::time::{Duration, Instant};
    ///
    /// let now = Instant::now();
    /// assert!(now.checked_add(Duration::from_secs(1)) > Some(now));
    /// assert_eq!(now.checked_add(Duration::MAX), None);
    /// # }
    /// ```
    #[must_use]
    pub fn checked_add(&self, duration: Duration) -> Option<Self> {
        self.0.checked_add(duration).map(Self)
    }

    /// Returns the one that is so much earlier; None if the clock does not count so far.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::time::{Duration, Instant};
    ///
    /// let now = Instant::now();
    /// assert!(now.checked_sub(Duration::from_nanos(1)) < Some(now));
    /// assert_eq!(now.checked_sub(Duration::MAX), None);
    /// # }
    /// ```
    #[must_use]
    pub fn checked_sub(&self, duration: Duration) -> Option<Self> {
        self.0.checked_sub(duration).map(Self)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// # Panics
    ///
    /// If the clock does not count so far; see [`checked_add`](Self::checked_add).
    fn add(self, duration: Duration) -> Self {
        self.checked_add(duration)
            .expect("overflow when adding duration to instant")
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    /// # Panics
    ///
    /// If the clock does not count so far; see [`checked_sub`](Self::checked_sub).
    fn sub(self, duration: Duration) -> Self {
        self.checked_sub(duration)
            .expect("overflow when subtracting duration from instant")
    }
}

impl SubAssign<Duration> for Instant {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

impl Sub for Instant {
    type Output = Duration;

    /// As [`duration_since`](Self::duration_since).
    fn sub(self, earlier: Self) -> Duration {
        self.duration_since(earlier)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instant")
            .field("tv_sec", &self.0.seconds)
            .field("tv_nsec", &self.0.nanoseconds)
            .finish()
    }
}
