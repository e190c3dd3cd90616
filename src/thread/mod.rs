//! Threads, all of them goroutines: std's module of that name.
//!
//! A thread of this module costs what a goroutine costs and some 100 bytes of
//! the heap, for its handle and its result, and one that waits keeps no thread
//! of the system's waiting. What differs from std: a panic in one ends the
//! program, so that no [`JoinHandle`] tells of it; and
//! [`runtime::goexit`](crate::runtime::goexit) ends one without a result.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `builder` | [`Builder`]: how one is made |
//! | `count` | who has a hand on a result and its memory: the protocol alone, for loom |
//! | `handle` | [`Thread`], and what a goroutine keeps of it |
//! | `join` | [`JoinHandle`], and how the result gets there |
//! | `local` | what each goroutine has for itself, and how that is found |
//! | `local_key`, `local_macro` | [`LocalKey`] and [`thread_local!`](crate::thread_local!), the way there |
//! | `park` | [`park()`], and how a goroutine sleeps on a token |
//! | `scope` | [`scope()`]: goroutines that borrow |
//! | `sleep` | [`sleep()`] |
//! | `parker` | the token: the protocol alone, for loom |

mod builder;
mod count;
mod handle;
mod join;
mod local;
mod local_key;
mod local_macro;
pub(crate) mod park;
pub(crate) mod parker;
mod scope;
mod sleep;

/// What `count` and `parker` use; the tests put loom's here.
use core::sync::atomic;

use core::num::NonZero;

pub use builder::{Builder, SpawnError};
pub use handle::{Thread, ThreadId, current};
pub use join::{JoinHandle, Result};
#[doc(hidden)]
pub use local::Key;
pub(crate) use local::main_returned;
pub use local_key::{AccessError, LocalKey};
pub use park::{park, park_timeout};
pub use scope::{Scope, ScopedJoinHandle, scope};
pub use sleep::sleep;
#[allow(deprecated, reason = "std has them, deprecated as well")]
pub use {park::park_timeout_ms, sleep::sleep_ms};

use crate::{io, sched};

/// Starts a goroutine that calls `f`, and returns the right to wait for its end.
/// Dropping that leaves the goroutine to itself. When the main goroutine returns,
/// the program ends, whatever others do. From any goroutine.
///
/// A panic in `f` ends the program.
///
/// # Panics
///
/// If the system has no room for another stack; [`Builder::spawn`] returns an
/// error instead.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::thread;
///
/// let squares: [_; 3] = core::array::from_fn(|n| thread::spawn(move || n * n));
/// let sum: usize = squares.into_iter().map(|square| square.join().unwrap()).sum();
/// assert_eq!(sum, 5);
/// # }
/// ```
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    // SAFETY: there is nothing that might be gone too early.
    match unsafe { Builder::new().start_alone(f) } {
        Ok(handle) => handle,
        Err(error) => panic!("failed to spawn thread: {error}"),
    }
}

/// Gives way to other goroutines, as [`runtime::gosched`](crate::runtime::gosched)
/// does. From any goroutine.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// gort::thread::spawn(|| gort::println!("the other one"));
/// gort::thread::yield_now();
/// # }
/// ```
pub fn yield_now() {
    sched::gosched();
}

/// Returns how many goroutines may run at the same time, as
/// [`runtime::gomaxprocs`](crate::runtime::gomaxprocs) does. From any goroutine.
///
/// # Errors
///
/// None: that there is a `Result` is std's way.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// let workers = gort::thread::available_parallelism().map_or(1, |count| count.get());
/// assert!(workers >= 1);
/// # }
/// ```
pub fn available_parallelism() -> io::Result<NonZero<usize>> {
    let count = NonZero::new(sched::gomaxprocs() as usize);
    Ok(count.unwrap_or(NonZero::<usize>::MIN))
}

/// Tells whether the current goroutine panics. It does so to what its panic calls, the
/// `Display` of a value in the message, say: a panic drops nothing, and ends the program.
/// From any goroutine.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// assert!(!gort::thread::panicking());
/// # }
/// ```
#[must_use]
pub fn panicking() -> bool {
    let dying = sched::acquirem().dying.get() > 0; // who dies keeps its M
    sched::releasem();
    dying || sched::getg().printing.get() > 0 // what it is to die of
}
