//! [`Thread`]: who a goroutine is, for others to name, and to unpark.
//!
//! ```text
//!     G.thread ----> Inner: head, id, name, token, ended <---- Thread, JoinHandle
//! ```
//!
//! An Inner is made by `spawn`, or for any other goroutine when it first asks for
//! [`current`]: a goroutine that does neither costs nothing here. The G holds one
//! count of it from then on, and gives that back when the goroutine ends, however
//! it ends; then G.thread is null for the next one. So a handle that outlives its
//! goroutine leads to the Inner alone, never to a G, nor to whoever has that G
//! now.

use alloc::borrow::Cow;
use alloc::sync::Arc;
use core::fmt;
use core::num::NonZero;
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};

use super::park::wake;
use super::parker::Token;
use crate::sched::{self, G, ThreadHead};

/// The number of the main goroutine.
const MAIN: u64 = 1;

/// What all handles of a goroutine share.
#[repr(C)]
pub(super) struct Inner {
    /// What the scheduler knows of this; first, so that its address is this one's.
    head: ThreadHead,
    /// The goroutine's number. Both who spawns it and the goroutine itself write
    /// it, each before it gives away a handle.
    id: AtomicU64,
    /// Its name, if it has one.
    name: Option<Cow<'static, str>>,
    /// What `park` waits for.
    token: Token<G>,
    /// Is set when the goroutine has ended; `join` waits for it.
    ended: Token<G>,
}

impl Inner {
    /// Makes one for a goroutine that has no number yet.
    pub(super) fn new(name: Option<Cow<'static, str>>) -> Self {
        Self {
            head: ThreadHead { end },
            id: AtomicU64::new(0),
            name,
            token: Token::new(),
            ended: Token::new(),
        }
    }

    /// Notes the goroutine's number.
    pub(super) fn set_id(&self, goid: u64) {
        self.id.store(goid, Ordering::Relaxed); // whoever gets a handle gets it later
    }

    /// Returns the token of `park`.
    pub(super) fn token(&self) -> &Token<G> {
        &self.token
    }

    /// Returns the token of `join`.
    pub(super) fn ended(&self) -> &Token<G> {
        &self.ended
    }
}

/// The goroutine ends: its joiner may go on, and it gives its handle back. On the
/// goroutine.
///
/// # Safety
///
/// Only `goexit1` may call this: nobody looks at [`mine`] any more.
unsafe fn end() {
    let thread = &sched::getg().thread;
    let head = thread.replace(ptr::null());
    // SAFETY: `adopt` put the count of an Arc's there.
    let inner = unsafe { Arc::from_raw(head.cast::<Inner>()) };
    wake(&inner.ended);
    drop(inner);
    // Should the allocator have asked for `current` in freeing it, the next
    // goroutine that has this G shall not have what that made.
    thread.set(ptr::null());
}

/// Makes `inner` the current goroutine's, which has none.
pub(super) fn adopt(inner: Arc<Inner>) {
    let gp = sched::getg();
    inner.set_id(gp.goid.get());
    gp.thread.set(Arc::into_raw(inner).cast());
}

/// Returns the current goroutine's, if it has one; good for as long as the
/// goroutine lives, so for whoever it calls.
pub(super) fn mine<'a>() -> Option<&'a Inner> {
    // SAFETY: null, or what `adopt` put there; the goroutine holds a count.
    unsafe { sched::getg().thread.get().cast::<Inner>().as_ref() }
}

/// A handle to a goroutine.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// let thread = gort::thread::current();
/// assert_eq!(thread.name(), Some("main"));
/// gort::println!("{thread:?}");
/// # }
/// ```
#[derive(Clone)]
pub struct Thread {
    inner: Arc<Inner>,
}

impl Thread {
    /// Makes a handle.
    pub(super) fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Returns what is behind it.
    pub(super) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Returns the goroutine's id.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::thread;
    ///
    /// let other = thread::spawn(|| thread::current().id());
    /// assert_ne!(other.join().unwrap(), thread::current().id());
    /// # }
    /// ```
    #[must_use]
    pub fn id(&self) -> ThreadId {
        // Relaxed: see set_id. A goroutine's number is never 0.
        let id = NonZero::new(self.inner.id.load(Ordering::Relaxed));
        ThreadId(id.unwrap_or(NonZero::<u64>::MIN))
    }

    /// Returns the goroutine's name: what its [`Builder`](super::Builder) said,
    /// or `main` for the main goroutine.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::thread;
    ///
    /// let named = thread::Builder::new().name("reader".into());
    /// let handle = named.spawn(|| {}).unwrap();
    /// assert_eq!(handle.thread().name(), Some("reader"));
    /// assert_eq!(thread::spawn(|| {}).thread().name(), None);
    /// # }
    /// ```
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.inner.name.as_deref()
    }

    /// Makes the goroutine's token available, and the goroutine runnable if it is
    /// in [`park`](super::park()): it is the next to run on this P. Does nothing if
    /// the token is available already, or if the goroutine has ended. From any
    /// goroutine.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::thread;
    ///
    /// let sleeper = thread::spawn(thread::park);
    /// sleeper.thread().unpark();
    /// sleeper.join().unwrap();
    /// # }
    /// ```
    pub fn unpark(&self) {
        wake(&self.inner.token);
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread")
            .field("id", &self.id())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// A goroutine's id: the number by which traces name it. No two goroutines of a
/// process have the same.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// let id = gort::thread::current().id();
/// assert_eq!(gort::alloc::format!("{id:?}"), "ThreadId(1)");
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ThreadId(NonZero<u64>);

/// Returns a handle to the current goroutine. The first call on a goroutine that
/// [`gort::go`](crate::go) has made, or on the main one, allocates it. From any
/// goroutine.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::thread;
///
/// thread::current().unpark();
/// thread::park(); // returns at once
/// # }
/// ```
#[must_use]
pub fn current() -> Thread {
    let gp = sched::getg();
    if gp.thread.get().is_null() {
        let name = (gp.goid.get() == MAIN).then_some(Cow::Borrowed("main"));
        adopt(Arc::new(Inner::new(name)));
    }
    let inner: *const Inner = gp.thread.get().cast();
    // SAFETY: `adopt` put the address of an Arc's there, and the G holds a count.
    unsafe { Arc::increment_strong_count(inner) };
    // SAFETY: the count that was just added.
    Thread::new(unsafe { Arc::from_raw(inner) })
}
