//! `std::backtrace`: where the current goroutine is, kept to be shown later.

use core::fmt;
use core::sync::atomic::{AtomicU8, Ordering};

use crate::alloc::vec::Vec;
#[cfg(feature = "traceback")]
use crate::debug::traceback;
use crate::env;

/// Where a goroutine was: std's, with its variables `RUST_BACKTRACE` and
/// `RUST_LIB_BACKTRACE`. Names, files and lines are looked up when it is displayed, in the
/// program's own file, as far as Cargo's profile has put them there: by
/// `debug = "line-tables-only"`, and without `strip`.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::backtrace::{Backtrace, BacktraceStatus};
///
/// let here = Backtrace::force_capture();
/// assert_eq!(here.status(), BacktraceStatus::Captured);
/// gort::println!("{here}");
/// # }
/// ```
pub struct Backtrace {
    inner: Inner,
}

/// What there is of one.
enum Inner {
    #[cfg(not(feature = "traceback"))]
    Unsupported,
    Disabled,
    /// The instructions, the innermost first.
    #[cfg(feature = "traceback")]
    Captured(Vec<usize>),
}

/// Whether a [`Backtrace`] has anything. std's.
#[non_exhaustive]
#[derive(Debug, PartialEq, Eq)]
pub enum BacktraceStatus {
    /// gort was built without the feature `traceback`.
    Unsupported,
    /// The environment did not ask for it.
    Disabled,
    /// It has.
    Captured,
}

impl Backtrace {
    /// Captures where the current goroutine is, if the environment asks for that:
    /// `RUST_LIB_BACKTRACE`, or else `RUST_BACKTRACE`, is set, and not to `0`. From any
    /// goroutine.
    #[must_use]
    pub fn capture() -> Self {
        if Self::enabled() {
            Self::create()
        } else {
            Self::disabled()
        }
    }

    /// The same, whatever the environment says.
    #[must_use]
    pub fn force_capture() -> Self {
        Self::create()
    }

    /// Makes an empty one.
    #[must_use]
    pub const fn disabled() -> Self {
        Self {
            inner: Inner::Disabled,
        }
    }

    /// Tells whether there is anything in it.
    #[must_use]
    pub fn status(&self) -> BacktraceStatus {
        match self.inner {
            #[cfg(not(feature = "traceback"))]
            Inner::Unsupported => BacktraceStatus::Unsupported,
            Inner::Disabled => BacktraceStatus::Disabled,
            #[cfg(feature = "traceback")]
            Inner::Captured(_) => BacktraceStatus::Captured,
        }
    }

    /// Tells whether the environment asks for them; it is asked once.
    fn enabled() -> bool {
        const UNKNOWN: u8 = 0;
        const NO: u8 = 1;
        const YES: u8 = 2;
        static ENABLED: AtomicU8 = AtomicU8::new(UNKNOWN);

        // Relaxed: whoever does not see it yet finds out again.
        match ENABLED.load(Ordering::Relaxed) {
            UNKNOWN => {
                let asked =
                    env::var_os("RUST_LIB_BACKTRACE").or_else(|| env::var_os("RUST_BACKTRACE"));
                let enabled = asked.is_some_and(|value| value != "0");
                ENABLED.store(if enabled { YES } else { NO }, Ordering::Relaxed);
                enabled
            }
            known => known == YES,
        }
    }

    /// Captures it, with this function's own frame, which is not shown.
    #[cfg(feature = "traceback")]
    #[inline(never)]
    fn create() -> Self {
        let mut frames = Vec::new();
        let [pc, sp, fp] = crate::arch::registers();
        let registers = traceback::unwind::Registers { pc, sp, fp };
        // There is no room for more while it is captured.
        frames.reserve_exact(traceback::count(registers));
        let room = frames.capacity();
        traceback::frames(registers, &mut |pc| {
            if frames.len() < room {
                frames.push(pc);
            }
        });
        Self {
            inner: Inner::Captured(frames),
        }
    }

    #[cfg(not(feature = "traceback"))]
    fn create() -> Self {
        Self {
            inner: Inner::Unsupported,
        }
    }
}

impl fmt::Display for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.inner {
            #[cfg(not(feature = "traceback"))]
            Inner::Unsupported => f.write_str("unsupported backtrace"),
            Inner::Disabled => f.write_str("disabled backtrace"),
            #[cfg(feature = "traceback")]
            Inner::Captured(frames) => traceback::display(frames, f),
        }
    }
}

impl fmt::Debug for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.inner {
            #[cfg(not(feature = "traceback"))]
            Inner::Unsupported => f.write_str("<unsupported>"),
            Inner::Disabled => f.write_str("<disabled>"),
            #[cfg(feature = "traceback")]
            Inner::Captured(frames) => traceback::debug(frames, f),
        }
    }
}
