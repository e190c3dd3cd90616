//! [`scope()`]: goroutines that borrow from the one that spawns them.
//!
//! Go has no counterpart; its nearest is a `sync.WaitGroup` that nobody forgets to wait
//! for.
//!
//! ```text
//!   scope             spawn                    the goroutine's end
//!   running: 1   -->  enter: running + 1  -->  leave: running - 1 --+
//!   f returns                                                       | the last: done is set
//!   close: running - 1; not the last: sleeps on done  <-------------+
//! ```
//!
//! Invariants:
//! 1. What counts in `running` is the scope's owner, until it waits, and each goroutine
//!    that was spawned and has not ended. So who spawns, which is one of these, never
//!    finds it 0.
//! 2. A goroutine leaves when it has given up all else, its result and its values: what it
//!    borrowed may go then. A result is dropped by it, or by who has the handle, which is
//!    one that counts; or is lost with the handle.
//! 3. A [`ScopeData`] is on its owner's stack, and lasts until the last has left: who leaves
//!    and is not the last touches it no more, and the last one's `set` is what the owner
//!    waits for.
//! 4. An owner that ends by `goexit`, in its scope, waits as well, by way of [`Open`]:
//!    what others borrow from its stack stays good, but it may have been spawned in a scope
//!    itself, and they may borrow from there.

use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::builder::Builder;
use super::handle::{self, Party, Thread};
use super::join::{Packet, Result};
use super::park::{sleep_until_set, wake};
use super::parker::Token;
use crate::sched::{G, WaitReason};

/// Who is in a scope, and the wait for them.
pub(super) struct ScopeData {
    /// How many have not left.
    running: AtomicUsize,
    /// Is set by the last one.
    done: Token<G>,
    /// The scope around it that its owner is in as well, or null.
    outer: *const ScopeData,
}

impl ScopeData {
    /// One more is in there. By one that is.
    pub(super) fn enter(&self) {
        self.running.fetch_add(1, Ordering::Relaxed); // by who is in it: it does not end
    }

    /// One leaves, and touches it no more.
    pub(super) fn leave(&self) {
        // Release pairs with the acquire of the last: the owner sees what all have done.
        if self.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            wake(&self.done);
        }
    }

    /// The owner leaves, and waits until all have.
    fn close(&self) {
        // As in `leave`.
        if self.running.fetch_sub(1, Ordering::AcqRel) != 1 {
            sleep_until_set(&self.done, WaitReason::THREAD_SCOPE);
        }
    }
}

/// The innermost scope whose owner a goroutine is; null if there is none. The goroutine's
/// own.
pub(super) struct Open(Cell<*const ScopeData>);

impl Open {
    /// Makes an empty one.
    pub(super) const fn new() -> Self {
        Self(Cell::new(ptr::null()))
    }

    /// Closes what `goexit` has left open.
    pub(super) fn close(&self) {
        // SAFETY: null, or a scope on this goroutine's stack, which nobody uses again.
        while let Some(data) = unsafe { self.0.get().as_ref() } {
            data.close();
            self.0.set(data.outer);
        }
    }
}

/// What goroutines are spawned in that may borrow; [`scope()`] makes one.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::thread::{self, Scope};
///
/// fn both<'scope>(scope: &'scope Scope<'scope, '_>, word: &'scope str) {
///     scope.spawn(move || gort::println!("{word}"));
///     scope.spawn(move || gort::println!("{}", word.len()));
/// }
///
/// let word = gort::alloc::string::String::from("hello");
/// thread::scope(|scope| both(scope, &word));
/// # }
/// ```
pub struct Scope<'scope, 'env: 'scope> {
    data: ScopeData,
    /// Neither may be made shorter or longer: what is borrowed lasts for just that.
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

// SAFETY: `outer` is of interest to the owner alone.
unsafe impl Sync for Scope<'_, '_> {}
// SAFETY: as above; nobody can move it.
unsafe impl Send for Scope<'_, '_> {}

/// Calls `f` with a scope, in which goroutines may be spawned that borrow what is there
/// before the scope begins; and returns what `f` does, when all of them have ended, joined
/// or not. From any goroutine.
///
/// Where one of them panics the whole program ends, so that there is none of what std
/// says of panics here. One that ends by [`goexit`](crate::runtime::goexit) has ended. So
/// have the values of their `thread_local!` keys, which in std may still be dropped when
/// the scope is over. One that calls `goexit` in `f` itself ends when those that it has
/// spawned have ended.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::thread;
///
/// let mut numbers = [1, 2, 3, 4];
/// let (left, right) = numbers.split_at_mut(2);
/// thread::scope(|scope| {
///     scope.spawn(|| left[0] = 10);
///     scope.spawn(|| right[0] = 30);
/// });
/// assert_eq!(numbers, [10, 2, 30, 4]);
/// # }
/// ```
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let open = &handle::own().open;
    let scope = Scope {
        data: ScopeData {
            running: AtomicUsize::new(1),
            done: Token::new(),
            outer: open.0.get(),
        },
        scope: PhantomData,
        env: PhantomData,
    };
    open.0.set(&raw const scope.data);
    let value = f(&scope);
    scope.data.close();
    open.0.set(scope.data.outer);
    value
}

impl<'scope, 'env> Scope<'scope, 'env> {
    /// Starts a goroutine that calls `f`, which may borrow what outlives the scope. The
    /// handle need not be joined: the scope waits all the same. From any goroutine that is
    /// in the scope: its owner, or one that was spawned in it.
    ///
    /// # Panics
    ///
    /// If the system has no room for another stack; [`Builder::spawn_scoped`] returns an
    /// error instead.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::thread;
    ///
    /// let text = gort::alloc::string::String::from("a b c");
    /// let words = thread::scope(|scope| {
    ///     let counter = scope.spawn(|| text.split(' ').count());
    ///     counter.join().unwrap()
    /// });
    /// assert_eq!(words, 3);
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        match Builder::new().start_scoped(self, f) {
            Ok(handle) => handle,
            Err(error) => panic!("failed to spawn thread: {error}"),
        }
    }

    /// Returns who is in it.
    pub(super) fn data(&self) -> &ScopeData {
        &self.data
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let running = self.data.running.load(Ordering::Relaxed); // a number alone
        f.debug_struct("Scope")
            .field("num_running_threads", &running.saturating_sub(1))
            .finish_non_exhaustive()
    }
}

/// The right to wait for the end of a goroutine of a scope. Dropping it leaves that to the
/// scope.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// let word = gort::alloc::string::String::from("hello");
/// gort::thread::scope(|scope| {
///     let first = scope.spawn(|| word.chars().next());
///     assert_eq!(first.join().unwrap(), Some('h'));
/// });
/// # }
/// ```
pub struct ScopedJoinHandle<'scope, T> {
    party: Party,
    scope: PhantomData<&'scope ()>,
    result: PhantomData<fn() -> T>,
}

impl<T> ScopedJoinHandle<'_, T> {
    /// Makes the only handle of that goroutine.
    ///
    /// # Safety
    ///
    /// `party` must be one of a `Packet<T>`.
    pub(super) unsafe fn new(party: Party) -> Self {
        Self {
            party,
            scope: PhantomData,
            result: PhantomData,
        }
    }

    /// Returns a handle to the goroutine.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::thread;
    ///
    /// thread::scope(|scope| {
    ///     let sleeper = scope.spawn(thread::park);
    ///     sleeper.thread().unpark();
    /// });
    /// # }
    /// ```
    #[must_use]
    pub fn thread(&self) -> &Thread {
        self.party.thread()
    }

    /// Waits for the goroutine's end, and returns what it returned. From any goroutine.
    ///
    /// # Errors
    ///
    /// As [`JoinHandle::join`](super::JoinHandle::join): if it ended by
    /// [`runtime::goexit`](crate::runtime::goexit).
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::thread;
    ///
    /// thread::scope(|scope| {
    ///     assert_eq!(scope.spawn(|| 6 * 7).join().unwrap(), 42);
    ///     assert!(scope.spawn(|| gort::runtime::goexit()).join().is_err());
    /// });
    /// # }
    /// ```
    pub fn join(self) -> Result<T> {
        // SAFETY: this is the handle, of such a packet.
        unsafe { Packet::wait(self.party) }
    }

    /// Tells whether the goroutine has ended, so that `join` would not wait.
    ///
    /// ```
    /// # #![no_std]
    /// # #![no_main]
    /// # gort::main!(main);
    /// # fn main() {
    /// use gort::thread;
    ///
    /// thread::scope(|scope| {
    ///     let handle = scope.spawn(|| {});
    ///     while !handle.is_finished() {
    ///         thread::yield_now();
    ///     }
    /// });
    /// # }
    /// ```
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.party.inner().ended().is_set()
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle").finish_non_exhaustive()
    }
}
