//! How channels are made.

use core::alloc::Layout;
use core::any::type_name;
use core::time::Duration;

use super::receiver::{Flavor, Receiver};
use super::sender::Sender;
use super::shared::Shared;
use super::timed::{At, Tick};
use crate::time::Instant;

/// Makes a channel that holds any number of messages: to send never waits.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// let (s, r) = gort::channel::unbounded();
/// for i in 0..1000 {
///     s.send(i).unwrap();
/// }
/// drop(s);
/// assert_eq!(r.iter().sum::<u32>(), 499_500);
/// # }
/// ```
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    chan(usize::MAX)
}

/// Makes a channel that holds so many messages: to send waits while it is full. With 0 it
/// holds none: to send waits for who receives, and the two meet.
///
/// The memory for all of them is reserved at once, and used as it is needed.
///
/// # Panics
///
/// If so many messages are more than the address space.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::channel::{TrySendError, bounded};
///
/// let (s, r) = bounded(1);
/// s.send(1).unwrap();
/// assert_eq!(s.try_send(2), Err(TrySendError::Full(2)));
/// assert_eq!(r.recv(), Ok(1));
///
/// let (s, r) = bounded(0);
/// gort::go(move || s.send("here you are").unwrap());
/// assert_eq!(r.recv(), Ok("here you are"));
/// # }
/// ```
pub fn bounded<T>(cap: usize) -> (Sender<T>, Receiver<T>) {
    // The largest number is the channel without a limit: of values that have a size it is
    // too many anyway.
    let limit = usize::MAX - 1;
    assert!(
        size_of::<T>() == 0 || cap <= limit,
        "bounded channel capacity is too large"
    );
    chan(cap.min(limit))
}

fn chan<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Shared::new(capacity, Layout::new::<T>(), type_name::<T>());
    // SAFETY: it counts one handle of each, for values of this type.
    let sender = unsafe { Sender::new(shared) };
    // SAFETY: as above.
    let receiver = unsafe { Receiver::new(Flavor::Chan(shared)) };
    (sender, receiver)
}

/// Makes a channel whose one message, the time when it is due, is there after so long; it is
/// never disconnected.
///
/// There is no timer behind it, only who waits for it has one: it may be dropped at any time,
/// and a `select!` in a loop leaves nothing behind.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::channel::after;
/// use gort::time::{Duration, Instant};
///
/// let start = Instant::now();
/// let when = after(Duration::from_millis(5)).recv().unwrap();
/// assert!(when - start >= Duration::from_millis(5));
/// assert!(Instant::now() >= when);
/// # }
/// ```
pub fn after(duration: Duration) -> Receiver<Instant> {
    Instant::now().checked_add(duration).map_or_else(never, at)
}

/// Makes a channel whose one message, that time, is there from then on; it is never
/// disconnected. As [`after`].
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::channel::at;
/// use gort::time::{Duration, Instant};
///
/// let when = Instant::now() + Duration::from_millis(5);
/// assert_eq!(at(when).recv(), Ok(when));
/// # }
/// ```
pub fn at(when: Instant) -> Receiver<Instant> {
    // SAFETY: its messages are instants.
    unsafe { Receiver::new(Flavor::At(At::new(when))) }
}

/// Makes a channel that never has a message, and is never disconnected: for a case of a
/// `select!` that shall not be.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::channel::{TryRecvError, never};
///
/// assert_eq!(never::<u32>().try_recv(), Err(TryRecvError::Empty));
/// # }
/// ```
pub const fn never<T>() -> Receiver<T> {
    // SAFETY: it has no messages.
    unsafe { Receiver::new(Flavor::Never) }
}

/// Makes a channel that has a message, the time when it was due, each time that so long has
/// gone by; it is never disconnected. One that nobody came for stays until somebody does, and
/// the next is there that long after. As [`after`], there is no timer behind it.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::channel::tick;
/// use gort::time::Duration;
///
/// let ticker = tick(Duration::from_millis(2));
/// let first = ticker.recv().unwrap();
/// assert!(ticker.recv().unwrap() - first >= Duration::from_millis(2));
/// # }
/// ```
pub fn tick(duration: Duration) -> Receiver<Instant> {
    if Instant::now().checked_add(duration).is_none() {
        return never();
    }
    // SAFETY: its messages are instants.
    unsafe { Receiver::new(Flavor::Tick(Tick::new(duration))) }
}
