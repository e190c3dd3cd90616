//! [`Thread`]: who a goroutine is, for others to name, and to unpark.
//!
//! ```text
//!     G.thread ----> Inner: head, id, name, token, ended, … <---- Thread, JoinHandle
//! ```
//!
//! An Inner is made by `spawn`, or for any other goroutine when it first asks for
//! [`current`]: a goroutine that does neither costs nothing here. The G holds one
//! count of it from then on, and gives that back when the goroutine ends, however
//! it ends; then G.thread is null for the next one. So a handle that outlives its
//! goroutine leads to the Inner alone, never to a G, nor to whoever has that G
//! now.
//!
//! The goroutine's result lies behind the Inner, in one piece of memory: `join.rs`. It
//! is of interest to two parties, the goroutine and its JoinHandle, and is dropped by
//! the last of them, however many Threads there still are: `count.rs`.

use crate::alloc::boxed::Box;
use core::cell::Cell;
use core::fmt;
use core::mem;
use core::num::NonZero;
use core::ops::Deref;
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU64, Ordering};

use super::count::Count;
use super::join::Packet;
use super::local::Locals;
use super::park::wake;
use super::parker::Token;
use super::scope::{Open, ScopeData};
use crate::debug::fatal::throw;
use crate::sched::{self, G, ThreadHead};

/// The number of the main goroutine.
const MAIN: u64 = 1;

/// What all handles of a goroutine share; the beginning of a `Packet`.
#[repr(C)]
pub(super) struct Inner {
    /// What the scheduler knows of this; first, so that its address is this one's.
    head: ThreadHead,
    /// How many handles there are, and how many parties.
    count: Count,
    /// How to drop the result, if there is one, and how to free all of it.
    drops: &'static Drops,
    /// The goroutine's number. Both who spawns it and the goroutine itself write
    /// it, each before it gives away a handle.
    id: AtomicU64,
    /// The name that it was given.
    name: Option<Box<str>>,
    /// What `park` waits for.
    token: Token<G>,
    /// Is set when the goroutine has ended; `join` waits for it.
    ended: Token<G>,
    /// Its `thread_local!` values. The goroutine's own.
    pub(super) locals: Locals,
    /// It is no party any more, but has yet to end, if not 0. The goroutine's own. A whole
    /// word, so that all of this is zeroed by words: what is read soon after has to have been
    /// written by one store, or the CPU waits until that is in its cache.
    left: Cell<u64>,
    /// The scopes that it is in the midst of. The goroutine's own.
    pub(super) open: Open,
    /// The scope that it was spawned in, or null. Written by who spawns it, before.
    scope: Cell<*const ScopeData>,
}

impl Inner {
    /// Makes one for a goroutine that has no number yet, and that many parties.
    pub(super) fn new(name: Option<Box<str>>, parties: u64, drops: &'static Drops) -> Self {
        Self {
            head: ThreadHead { end },
            count: Count::new(parties),
            drops,
            id: AtomicU64::new(0),
            name,
            token: Token::new(),
            ended: Token::new(),
            locals: Locals::new(),
            left: Cell::new(0),
            open: Open::new(),
            scope: Cell::new(ptr::null()),
        }
    }

    /// Tells whether but one party is left; for good, then.
    pub(super) fn one_party(&self) -> bool {
        self.count.one_party()
    }

    /// Tells whether the caller's party and handle are the only ones; for good, then.
    pub(super) fn is_alone(&self) -> bool {
        self.count.is_alone()
    }

    /// Notes the goroutine's number.
    pub(super) fn set_id(&self, goid: u64) {
        self.id.store(goid, Ordering::Relaxed); // whoever gets a handle gets it later
    }

    /// Notes the scope that it is spawned in. By who spawns it, before it runs.
    pub(super) fn set_scope(&self, scope: &ScopeData) {
        self.scope.set(scope);
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

/// What depends on the result's type.
pub(super) struct Drops {
    /// Drops the result, if there is one: by the last party.
    pub(super) result: unsafe fn(NonNull<Inner>),
    /// Frees the memory: by the last handle.
    pub(super) all: unsafe fn(NonNull<Inner>),
}

/// One handle to an Inner.
pub(super) struct Shared(NonNull<Inner>);

// SAFETY: an Inner is Sync, but for what is the goroutine's own; and the result behind it, which goes with the last handle
// where no party is left to drop it, is Send.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Deref for Shared {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        // SAFETY: it is there as long as there is a handle.
        unsafe { self.0.as_ref() }
    }
}

impl Clone for Shared {
    fn clone(&self) -> Self {
        if !self.count.add_handle() {
            throw("too many handles to one thread"); // as std's Arc does
        }
        Self(self.0)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.count.drop_handle() {
            // SAFETY: this was the last handle.
            unsafe { (self.drops.all)(self.0) };
        }
    }
}

/// The handle of a party: of the goroutine, or of its JoinHandle.
pub(super) struct Party(Thread);

impl Party {
    /// Takes what an Inner was made with for each of its parties.
    ///
    /// # Safety
    ///
    /// Once for each.
    pub(super) unsafe fn new(inner: NonNull<Inner>) -> Self {
        Self(Thread {
            inner: Shared(inner),
        })
    }

    /// Returns the handle.
    pub(super) fn thread(&self) -> &Thread {
        &self.0
    }

    /// Returns what is behind it.
    pub(super) fn inner(&self) -> &Inner {
        &self.0.inner
    }

    /// Returns the address of all of it.
    pub(super) fn address(&self) -> NonNull<Inner> {
        self.0.inner.0
    }

    /// Gives up what the goroutine is party to, which it does once, and keeps the handle.
    fn into_thread(self) -> Thread {
        let party = mem::ManuallyDrop::new(self);
        if party.inner().left.replace(1) == 0 {
            party.give_up();
        }
        // SAFETY: the party is not dropped, nor used again.
        unsafe { ptr::read(&raw const party.0) }
    }

    /// Is no party any more. The last one drops the result.
    fn give_up(&self) {
        let inner = self.inner();
        if inner.count.leave_party() {
            // SAFETY: nobody else looks at the result: handles are not for that.
            unsafe { (inner.drops.result)(self.address()) };
        }
    }

    /// The goroutine's joiner may go on; gives it back, party and handle, in one go. Comes
    /// back if there are values to drop before; or if the other party is gone, and this one
    /// has the result to drop.
    fn leave_early(self) -> Option<Self> {
        let inner = self.inner();
        if !inner.locals.is_empty() {
            return Some(self);
        }
        // The other party is who joins, in which it has no other use for its handle; and
        // only this here ever sets the token.
        if let Some(joiner) = inner.ended.sleeper()
            && inner.count.leave_to_sleeper()
        {
            inner.ended.set_for_sleeper();
            mem::forget(self);
            // SAFETY: as in `wake`.
            sched::goready(unsafe { &*joiner });
            return None;
        }
        wake(inner.ended());
        if self.inner().count.leave() {
            mem::forget(self);
            return None;
        }
        Some(self)
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        self.give_up();
    }
}

/// The goroutine ends: its values are dropped, its joiner may go on, it gives its handle
/// back, and its scope may end. On the goroutine.
///
/// # Safety
///
/// Only `goexit1` may call this: nobody looks at [`mine`] any more, but for destructors
/// that this calls.
unsafe fn end() {
    let thread = &sched::getg().thread;
    let Some(inner) = NonNull::new(thread.get().cast_mut().cast::<Inner>()) else {
        return;
    };
    // SAFETY: `adopt` forgot it.
    let party = unsafe { Party::new(inner) };
    let scope = party.inner().scope.get();
    party.inner().open.close();
    if let Some(party) = party.leave_early() {
        // The long way, where a destructor may have to run. One that calls `goexit` comes
        // back here, and does the rest.
        let last = party.into_thread(); // without the result, as in std, if nobody wants it
        last.inner.locals.destroy();
        wake(last.inner.ended());
        thread.set(ptr::null());
        drop(last);
    }
    // Should the allocator have asked for `current` in freeing it, the next
    // goroutine that has this G shall not have what that made.
    thread.set(ptr::null());
    // SAFETY: null, or a scope, which waits for this.
    if let Some(scope) = unsafe { scope.as_ref() } {
        scope.leave();
    }
}

/// Makes a party the current goroutine, which has no Inner.
pub(super) fn adopt(party: Party) {
    let gp = sched::getg();
    party.inner().set_id(gp.goid.get());
    gp.thread.set(party.address().as_ptr().cast());
    mem::forget(party);
}

/// Returns the current goroutine's, if it has one; good for as long as the
/// goroutine lives, so for whoever it calls.
#[inline]
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
    inner: Shared,
}

// As std's: there is nothing in it that a panic leaves half done.
impl UnwindSafe for Thread {}
impl RefUnwindSafe for Thread {}

impl Thread {
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
        let name = self.inner.name.as_deref();
        name.or_else(|| (self.id().0.get() == MAIN).then_some("main"))
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
    // The goroutine's own handle, which it keeps.
    let its = mem::ManuallyDrop::new(Shared(own_address()));
    Thread {
        inner: Shared::clone(&its),
    }
}

/// Returns the current goroutine's, made now if need be; good as [`mine`] is.
pub(super) fn own<'a>() -> &'a Inner {
    // SAFETY: the goroutine holds a count.
    unsafe { own_address().as_ref() }
}

/// The same, of which a handle may be made.
fn own_address() -> NonNull<Inner> {
    let gp = sched::getg();
    NonNull::new(gp.thread.get().cast_mut().cast()).unwrap_or_else(|| {
        let inner = Packet::<()>::allocate(None, 1);
        // SAFETY: its only party is the goroutine.
        adopt(unsafe { Party::new(inner) });
        inner
    })
}
