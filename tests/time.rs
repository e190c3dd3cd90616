//! The clocks: what std's documentation says of Instant and SystemTime, and that nobody
//! sees the time go back.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::{BuildHasher as _, Hash};
use core::sync::atomic::{AtomicU64, Ordering};

use gort::thread;
use gort::time::{Duration, Instant, SystemTime, SystemTimeError, UNIX_EPOCH};

/// One nanosecond, the smallest step.
const NANOSECOND: Duration = Duration::from_nanos(1);

/// The longest time in whole seconds that can be added to the beginning of a clock.
const LONGEST: Duration = Duration::from_secs(i64::MAX as u64);

/// Returns the last point of the wall clock.
fn last() -> SystemTime {
    UNIX_EPOCH + LONGEST + (Duration::from_secs(1) - NANOSECOND)
}

/// Returns the first point of the wall clock.
fn first() -> SystemTime {
    UNIX_EPOCH - LONGEST - Duration::from_secs(1)
}

/// Returns the hash of a value.
fn hash(value: impl Hash) -> u64 {
    core::hash::BuildHasherDefault::<Fnv>::default().hash_one(value)
}

/// A hash of all that it is given.
#[derive(Default)]
struct Fnv(u64);

impl core::hash::Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte))
                .wrapping_mul(0x100_0000_01b3)
                .rotate_left(9);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

gort_test::tests! {
    fn the_time_does_not_go_back_on_one_goroutine() {
        let mut before = Instant::now();
        for _ in 0..100_000 {
            let now = Instant::now();
            assert!(now >= before, "{before:?}, then {now:?}");
            before = now;
        }
    }

    fn the_time_does_not_go_back_from_one_goroutine_to_another() {
        // Each takes the latest that any has published, and must not read less afterwards.
        const GOROUTINES: usize = 16;
        const ROUNDS: usize = 20_000;
        let start = Instant::now();
        let latest = Arc::new(AtomicU64::new(0));
        let readers: Vec<_> = (0..GOROUTINES)
            .map(|_| {
                let latest = latest.clone();
                thread::spawn(move || {
                    for round in 0..ROUNDS {
                        let published = latest.load(Ordering::Acquire);
                        let now = Instant::now().duration_since(start).as_nanos() as u64;
                        assert!(now >= published, "{published}, then {now}");
                        latest.fetch_max(now, Ordering::AcqRel);
                        if round % 64 == 0 {
                            thread::yield_now(); // maybe to another M
                        }
                    }
                })
            })
            .collect();
        for reader in readers {
            reader.join().unwrap();
        }
        assert!(latest.load(Ordering::Acquire) > 0);
    }

    fn what_was_waited_has_passed() {
        let start = Instant::now();
        let wall = SystemTime::now();
        thread::sleep(Duration::from_millis(3));
        assert!(start.elapsed() >= Duration::from_millis(3));
        assert!(Instant::now() > start);
        assert!(Instant::now() - start >= Duration::from_millis(3));
        // The wall clock may be set meanwhile, but not to the last century.
        assert!(SystemTime::now() > UNIX_EPOCH + Duration::from_secs(946_684_800), "{wall:?}");
    }

    fn the_clocks_agree_with_the_systems() {
        let before = gort::__private::nanotime();
        let now = format!("{:?}", Instant::now());
        let after = gort::__private::nanotime();
        let numbers: Vec<i64> = now
            .split(|letter: char| !letter.is_ascii_digit())
            .filter_map(|digits| digits.parse().ok())
            .collect();
        let [seconds, nanoseconds] = numbers[..] else { panic!("{now}") };
        let nanoseconds = seconds * 1_000_000_000 + nanoseconds;
        assert!((before..=after).contains(&nanoseconds), "{now}");

        if !gort::__private::HAS_SYSTEM {
            return; // there is nobody else to ask
        }
        let wall = rustix::time::clock_gettime(rustix::time::ClockId::Realtime).tv_sec;
        let seen = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
        assert!((seen - wall).abs() < 3600, "{seen}, {wall}");
    }

    fn instants_add_and_subtract() {
        let now = Instant::now();
        for duration in [
            Duration::ZERO,
            NANOSECOND,
            Duration::from_nanos(999_999_999),
            Duration::from_secs(1),
            Duration::new(17, 500_000_000),
            Duration::from_secs(3_000_000_000),
        ] {
            let later = now + duration;
            assert_eq!(later - now, duration);
            assert_eq!(later.duration_since(now), duration);
            assert_eq!(later.checked_duration_since(now), Some(duration));
            assert_eq!(later.saturating_duration_since(now), duration);
            assert_eq!(now.saturating_duration_since(later), Duration::ZERO);
            assert_eq!(now - later, Duration::ZERO);
            assert_eq!(now.checked_duration_since(later).is_none(), !duration.is_zero());
            assert_eq!(later - duration, now);
            assert_eq!(now.checked_add(duration), Some(later));
            assert_eq!(later.checked_sub(duration), Some(now));
            assert_eq!(now < later, !duration.is_zero());
            let mut moving = now;
            moving += duration;
            assert_eq!(moving, later);
            moving -= duration;
            assert_eq!(moving, now);
        }
    }

    fn what_the_clock_does_not_count_is_none() {
        let now = Instant::now() + Duration::from_secs(1); // a machine's begins with it
        assert_eq!(now.checked_add(Duration::MAX), None);
        assert_eq!(now.checked_sub(Duration::MAX), None);
        assert_eq!(now.checked_add(LONGEST), None);
        assert!(now.checked_add(LONGEST / 2).is_some());
        assert!(now.checked_sub(LONGEST).is_some());

        assert_eq!(last().checked_add(Duration::ZERO), Some(last()));
        assert_eq!(last().checked_add(NANOSECOND), None);
        assert_eq!(first().checked_sub(Duration::ZERO), Some(first()));
        assert_eq!(first().checked_sub(NANOSECOND), None);
        assert_eq!(UNIX_EPOCH.checked_add(Duration::MAX), None);
        assert_eq!(UNIX_EPOCH.checked_sub(Duration::MAX), None);
        // From one end to the other it is the longest time that there is.
        assert_eq!(last().duration_since(first()).unwrap(), Duration::MAX);
        assert_eq!(first().duration_since(last()).unwrap_err().duration(), Duration::MAX);
    }

    #[should_panic(expected = "overflow when adding duration to instant")]
    fn an_instant_past_the_end_is_a_panic() {
        let _ = Instant::now() + Duration::MAX;
    }

    #[should_panic(expected = "overflow when subtracting duration from instant")]
    fn an_instant_before_the_beginning_is_a_panic() {
        let _ = Instant::now() - Duration::MAX;
    }

    #[should_panic(expected = "overflow when adding duration to instant")]
    fn a_time_past_the_end_is_a_panic() {
        let _ = last() + NANOSECOND;
    }

    #[should_panic(expected = "overflow when subtracting duration from instant")]
    fn a_time_before_the_beginning_is_a_panic() {
        let _ = first() - NANOSECOND;
    }

    fn times_before_the_epoch_are_times() {
        let before = UNIX_EPOCH - NANOSECOND;
        assert!(before < UNIX_EPOCH);
        assert_eq!(UNIX_EPOCH.duration_since(before).unwrap(), NANOSECOND);
        assert_eq!(before + NANOSECOND, UNIX_EPOCH);
        assert_eq!(format!("{before:?}"), "SystemTime { tv_sec: -1, tv_nsec: 999999999 }");
        let year = UNIX_EPOCH - Duration::new(31_536_000, 250_000_000);
        assert_eq!(UNIX_EPOCH.duration_since(year).unwrap(), Duration::new(31_536_000, 250_000_000));
        assert!(year.elapsed().unwrap() > Duration::from_secs(31_536_000));
        let mut moving = year;
        moving += Duration::from_millis(250);
        moving -= Duration::from_secs(1);
        assert_eq!(moving, UNIX_EPOCH - Duration::from_secs(31_536_001));
    }

    fn an_earlier_time_is_an_error() {
        let later = UNIX_EPOCH + Duration::new(3, 5);
        let error: SystemTimeError = UNIX_EPOCH.duration_since(later).unwrap_err();
        assert_eq!(error.duration(), Duration::new(3, 5));
        assert_eq!(format!("{error}"), "second time provided was later than self");
        assert_eq!(format!("{:?}", error.clone()), "SystemTimeError(3.000000005s)");
        let error: &dyn core::error::Error = &error;
        assert!(error.source().is_none());
        assert!((SystemTime::now() + Duration::from_secs(1000)).elapsed().is_err());
        assert!(UNIX_EPOCH.elapsed().is_ok());
    }

    fn they_print_as_stds_do() {
        let time = UNIX_EPOCH + Duration::new(12, 34);
        assert_eq!(format!("{time:?}"), "SystemTime { tv_sec: 12, tv_nsec: 34 }");
        let now = format!("{:?}", Instant::now());
        assert!(now.starts_with("Instant { tv_sec: "), "{now}");
        assert!(now.contains(", tv_nsec: "), "{now}");
    }

    fn they_are_keys() {
        let now = Instant::now();
        let same = (now + Duration::from_millis(700)) - Duration::from_millis(700);
        assert_eq!(hash(now), hash(same));
        assert_ne!(hash(now), hash(now + NANOSECOND));
        let wall = SystemTime::now();
        assert_eq!(hash(wall), hash((wall + Duration::from_millis(700)) - Duration::from_millis(700)));
        let sorted: BTreeSet<_> = [3, 1, 2].map(|seconds| UNIX_EPOCH + Duration::from_millis(seconds * 600)).into();
        let order: Vec<_> = sorted.iter().map(|time| time.duration_since(UNIX_EPOCH).unwrap().as_millis()).collect();
        assert_eq!(order, [600, 1200, 1800]);
    }
}
