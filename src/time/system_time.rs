//! [`SystemTime`]: what the wall clock shows.
//!
//! Go's counterpart: the wall half of `time.Time`. The kernel's CLOCK_REALTIME, read
//! through the vDSO.

use core::error::Error;
use core::fmt;
use core::ops::{Add, AddAssign, Sub, SubAssign};
use core::time::Duration;

use super::timespec::Timespec;
use crate::os;

/// A point on the wall clock. That may be set, forwards and backwards: to measure how
/// long something takes there is [`Instant`](super::Instant).
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::time::SystemTime;
///
/// let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
/// gort::println!("{} seconds since 1970", since.as_secs());
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SystemTime(Timespec);

/// The beginning of 1970, in UTC: [`SystemTime::UNIX_EPOCH`].
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::time::{SystemTime, UNIX_EPOCH};
///
/// assert!(SystemTime::now() > UNIX_EPOCH);
/// # }
/// ```
pub const UNIX_EPOCH: SystemTime = SystemTime::UNIX_EPOCH;

impl SystemTime {
    /// The beginning of 1970, in UTC.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::time::{Duration, SystemTime};
    ///
    /// let moon = SystemTime::UNIX_EPOCH - Duration::from_secs(14_182_940);
    /// assert!(moon < SystemTime::UNIX_EPOCH);
    /// # }
    /// ```
    pub const UNIX_EPOCH: Self = Self(Timespec::ZERO);

    /// Returns what the clock shows. No system call where there is a vDSO. From any
    /// goroutine.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::time::SystemTime;
    ///
    /// gort::println!("{:?}", SystemTime::now());
    /// # }
    /// ```
    #[must_use]
    pub fn now() -> Self {
        Self(Timespec::new(os::walltime()))
    }

    /// Returns the time from `earlier` to this.
    ///
    /// # Errors
    ///
    /// If this is the earlier one. The error says by how much.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::time::{Duration, UNIX_EPOCH};
    ///
    /// let later = UNIX_EPOCH + Duration::from_secs(5);
    /// assert_eq!(later.duration_since(UNIX_EPOCH).unwrap(), Duration::from_secs(5));
    /// let error = UNIX_EPOCH.duration_since(later).unwrap_err();
    /// assert_eq!(error.duration(), Duration::from_secs(5));
    /// # }
    /// ```
    pub fn duration_since(&self, earlier: Self) -> Result<Duration, SystemTimeError> {
        self.0.since(earlier.0).map_err(SystemTimeError)
    }

    /// Returns the time from this one to now.
    ///
    /// # Errors
    ///
    /// If this one is after now: it was made so, or the clock was set back.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::time::{Duration, SystemTime};
    ///
    /// let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
    /// assert!(tomorrow.elapsed().is_err());
    /// # }
    /// ```
    pub fn elapsed(&self) -> Result<Duration, SystemTimeError> {
        Self::now().duration_since(*self)
    }

    /// Returns the one that is so much later; None if the clock does not count so far.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::time::{Duration, UNIX_EPOCH};
    ///
    /// assert!(UNIX_EPOCH.checked_add(Duration::from_secs(1)) > Some(UNIX_EPOCH));
    /// assert_eq!(UNIX_EPOCH.checked_add(Duration::MAX), None);
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
    /// use gort::time::{Duration, UNIX_EPOCH};
    ///
    /// assert!(UNIX_EPOCH.checked_sub(Duration::from_secs(1)) < Some(UNIX_EPOCH));
    /// assert_eq!(UNIX_EPOCH.checked_sub(Duration::MAX), None);
    /// # }
    /// ```
    #[must_use]
    pub fn checked_sub(&self, duration: Duration) -> Option<Self> {
        self.0.checked_sub(duration).map(Self)
    }
}

impl Add<Duration> for SystemTime {
    type Output = Self;

    /// # Panics
    ///
    /// If the clock does not count so far; see [`checked_add`](Self::checked_add).
    fn add(self, duration: Duration) -> Self {
        self.checked_add(duration)
            .expect("overflow when adding duration to instant") // std's word
    }
}

impl AddAssign<Duration> for SystemTime {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Duration> for SystemTime {
    type Output = Self;

    /// # Panics
    ///
    /// If the clock does not count so far; see [`checked_sub`](Self::checked_sub).
    fn sub(self, duration: Duration) -> Self {
        self.checked_sub(duration)
            .expect("overflow when subtracting duration from instant")
    }
}

impl SubAssign<Duration> for SystemTime {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

impl fmt::Debug for SystemTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemTime")
            .field("tv_sec", &self.0.seconds)
            .field("tv_nsec", &self.0.nanoseconds)
            .finish()
    }
}

/// What was to be the earlier of two is the later one.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::time::{SystemTime, UNIX_EPOCH};
///
/// let error = UNIX_EPOCH.duration_since(SystemTime::now()).unwrap_err();
/// gort::println!("{error}, by {:?}", error.duration());
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SystemTimeError(Duration);

impl SystemTimeError {
    /// Returns by how much it is later.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::time::{Duration, UNIX_EPOCH};
    ///
    /// let error = UNIX_EPOCH.duration_since(UNIX_EPOCH + Duration::from_secs(2));
    /// assert_eq!(error.unwrap_err().duration(), Duration::from_secs(2));
    /// # }
    /// ```
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.0
    }
}

impl fmt::Display for SystemTimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("second time provided was later than self")
    }
}

impl Error for SystemTimeError {}
