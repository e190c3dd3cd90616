//! The runtime's locks, with a rank each.
//!
//! Go's counterparts: `runtime/lock_*.go`, `lockrank.go`. Invariants:
//! 1. A thread takes locks in the order of [`rank`] only; debug builds check it.
//! 2. Whoever holds one does not park, does not call users' code, and does not
//!    lose its P: `g.locks` says so to whoever would take it away.
//!
//! They work on any thread that has a g, with a P or without, and before the
//! scheduler does. How a thread waits for one is in `futex_lock`. The first thread
//! reaches that only through [`MANY_THREADS`]: a program that never has a second one,
//! in which all locks are open, is spared the code.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use super::alone::Alone;
use super::futex_lock::{FutexLock, OPEN};
use crate::{os, sched};

/// How often a thread looks whether a lock opens, each time after a microsecond, until it
/// goes to sleep: about what it costs to sleep and be woken. What the runtime does under a
/// lock is mostly shorter.
const SPINS: u32 = 4;

/// The same for a [`ParkLock`] that is given back by a plain store: to sleep for one costs more,
/// and the usual reason why it does not open is that sysmon has its owner's CPU, for some
/// microseconds.
const SPINS_TO_PARK: u32 = 20;

/// What a lock protects, in the order in which locks may be taken.
pub(crate) mod rank {
    /// `sched.lock`.
    pub(crate) const SCHED: u8 = 0;
    /// The timers of a P.
    pub(crate) const TIMERS: u8 = 1;
    /// The state of the random numbers.
    pub(crate) const RAND: u8 = 2;
    /// The reserve of stacks.
    pub(crate) const STACK: u8 = 3;
    /// The spans of one size class.
    pub(crate) const CENTRAL: u8 = 4;
    /// The program's heap.
    pub(crate) const HEAP: u8 = 5;
    /// The heap's own metadata.
    pub(crate) const METADATA: u8 = 6;
    /// The boot heap.
    pub(crate) const BOOT_HEAP: u8 = 7;
}

/// A lock with a rank. The rank is part of the type, so that an open lock over
/// zeros is all zeros: it lies in .bss and costs a page fault less.
#[repr(C)] // the word first: the lock's address is its word's
pub(crate) struct Mutex<T, const RANK: u8> {
    lock: FutexLock,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through the guard alone, by one thread at a time.
unsafe impl<T: Send, const RANK: u8> Sync for Mutex<T, RANK> {}

/// The right to use what a lock protects; dropping it gives the lock back.
pub(crate) struct Guard<'a, T, const RANK: u8> {
    mutex: &'a Mutex<T, RANK>,
}

impl<T, const RANK: u8> Mutex<T, RANK> {
    /// Where in it the value is, for debuggers.
    pub(crate) const VALUE: usize = core::mem::offset_of!(Self, value);

    /// Makes an open lock.
    pub(crate) const fn new(value: T) -> Self {
        Self {
            lock: FutexLock(AtomicU32::new(0)),
            value: UnsafeCell::new(value),
        }
    }

    /// Takes the lock, from any stack.
    #[inline(always)] // a call of `acquire`
    pub(crate) fn lock(&self) -> Guard<'_, T, RANK> {
        acquire(&self.lock, RANK);
        Guard { mutex: self }
    }
}

/// Takes a lock of that rank: one function for all of them.
#[inline(never)]
fn acquire(lock: &FutexLock, rank: u8) {
    // The goroutine stays on this M from here on: locks is up before anything
    // could move it.
    let mp = sched::acquirem();
    if cfg!(debug_assertions) {
        let held = mp.lock_ranks.get();
        if held >> rank != 0 {
            crate::debug::fatal::throw("lock ordering problem");
        }
        mp.lock_ranks.set(held | 1 << rank);
    }
    while !lock.try_lock() {
        if let Some(contention) = many_threads() {
            return (contention.wait)(lock);
        }
    }
}

/// Gives a lock of that rank back: one function for all of them.
#[inline(never)]
fn release(lock: &FutexLock, rank: u8) {
    if lock.unlock()
        && let Some(contention) = many_threads()
    {
        (contention.wake)(lock);
    }
    if cfg!(debug_assertions)
        && let Some(mp) = sched::getm()
    {
        mp.lock_ranks.set(mp.lock_ranks.get() & !(1 << rank));
    }
    sched::releasem();
}

/// A lock that a goroutine may park with: it is taken on the goroutine, and opened there or
/// by gopark's unlock function, which has another g. So the caller keeps its M by
/// `acquirem`, around all of it. It comes before all locks that have a rank, and several
/// may be held at a time, which then are taken in the order of their addresses.
pub(crate) struct ParkLock(FutexLock);

impl ParkLock {
    /// Makes an open one.
    pub(crate) const fn new() -> Self {
        Self(FutexLock(AtomicU32::new(0)))
    }

    /// Takes it. With `acquirem` in force, by who holds a P.
    #[inline]
    pub(crate) fn lock(&self) {
        check_order();
        check_p();
        if !ALONE.take(&self.0.0) {
            self.lock_seldom();
        }
    }

    /// The same in less code, for one that is seldom taken; and that may be taken without a P, if
    /// all take it by this.
    #[inline]
    pub(crate) fn lock_seldom(&self) {
        check_order();
        if !self.0.try_lock() {
            self.wait();
        }
    }

    /// Waits until it opens, and takes it.
    #[cold]
    fn wait(&self) {
        loop {
            if let Some(contention) = many_threads() {
                return (contention.wait_to_park)(&self.0);
            }
            if self.0.try_lock() {
                return;
            }
        }
    }

    /// Opens it. Only who has it, on the M that took it.
    #[inline]
    pub(crate) fn unlock(&self) {
        // Relaxed: the bit was set before there was a second thread.
        if SLEEPERS.load(Ordering::Relaxed) & NO_BARRIER != 0 {
            return self.unlock_by_exchange();
        }
        if self.0.unlock_counted(&SLEEPERS) {
            self.wake();
        }
    }

    /// The same where there is no membarrier.
    #[cold]
    fn unlock_by_exchange(&self) {
        if ALONE.is_set() {
            self.0.0.store(OPEN, Ordering::Release); // nobody waits
        } else if self.0.unlock() {
            self.wake();
        }
    }

    /// Wakes somebody who waits for it.
    #[cold]
    fn wake(&self) {
        if let Some(contention) = many_threads() {
            (contention.wake)(&self.0);
        }
    }
}

/// Sees to it, in debug builds, that a [`ParkLock`] comes before all that have a rank.
#[inline(always)]
fn check_order() {
    if cfg!(debug_assertions) && sched::getm().is_some_and(|mp| mp.lock_ranks.get() != 0) {
        crate::debug::fatal::throw("lock ordering problem");
    }
}

/// Sees to it, in debug builds, that who takes one holds a P: see [`ALONE`].
#[inline(always)]
fn check_p() {
    // Relaxed: our own thread wrote it.
    if cfg!(debug_assertions)
        && sched::getm().is_some_and(|mp| mp.p.load(Ordering::Relaxed).is_null())
    {
        crate::debug::fatal::throw("a lock that needs a P taken without one");
    }
}

/// How many threads sleep for a [`ParkLock`], any of them, or are about to: then who opens one
/// wakes somebody. It is read far more often than anybody sleeps.
static SLEEPERS: AtomicU32 = AtomicU32::new(0);

/// In its place: there is no membarrier, and [`ParkLock`]s are as all others.
const NO_BARRIER: u32 = 1 << 31;

/// Whether one P alone is in use, of many or of one. It spares a locked instruction, and two where
/// there is no membarrier: there it is set only while there is one P.
pub(crate) static ALONE: Alone = Alone::new();

/// Tells whether one of many can be alone: who ends that needs the barrier.
pub(crate) fn can_be_alone() -> bool {
    // Relaxed: as in `unlock`.
    many_threads().is_some() && SLEEPERS.load(Ordering::Relaxed) & NO_BARRIER == 0
}

/// What is done about a lock that more than one thread wants.
struct Contention {
    wait: fn(&FutexLock),
    wait_to_park: fn(&FutexLock),
    wake: fn(&FutexLock),
}

/// Null while there is one thread. Exported, so that no compiler knows all who write it:
/// they store one value alone, and so it would always call that.
#[unsafe(export_name = "runtime.contention")]
static MANY_THREADS: AtomicPtr<Contention> = AtomicPtr::new(ptr::null_mut());

/// There will be a second thread.
pub(crate) fn expect_threads() {
    static CONTENTION: Contention = Contention {
        wait,
        wait_to_park,
        wake: FutexLock::wake,
    };
    if many_threads().is_some() {
        return;
    }
    if !os::register_membarrier() {
        SLEEPERS.store(NO_BARRIER, Ordering::Relaxed); // as below
    }
    // Relaxed: whoever makes a thread hands over all that it has written.
    MANY_THREADS.store((&raw const CONTENTION).cast_mut(), Ordering::Relaxed);
}

/// Returns what `expect_threads` stored.
fn many_threads() -> Option<&'static Contention> {
    // SAFETY: null, or the address of a static that nobody changes. Relaxed: as above.
    unsafe { MANY_THREADS.load(Ordering::Relaxed).as_ref() }
}

/// Waits for a lock that somebody else has.
fn wait(lock: &FutexLock) {
    lock.wait(spins(SPINS));
}

/// Waits for a [`ParkLock`].
fn wait_to_park(lock: &FutexLock) {
    if SLEEPERS.load(Ordering::Relaxed) & NO_BARRIER != 0 {
        return lock.wait(spins(SPINS)); // as in `unlock`
    }
    lock.wait_counted(spins(SPINS_TO_PARK), &SLEEPERS);
}

/// Returns how often to look whether a lock opens: as often as that, if anybody can open it.
fn spins(times: u32) -> u32 {
    // On the only CPU nobody opens it while we look. Relaxed: written at boot.
    let alone = sched::NCPU.load(Ordering::Relaxed) <= 1;
    if alone { 0 } else { times }
}

impl<T, const RANK: u8> Drop for Guard<'_, T, RANK> {
    #[inline(always)] // a call of `release`
    fn drop(&mut self) {
        release(&self.mutex.lock, RANK);
    }
}

impl<T, const RANK: u8> Deref for Guard<'_, T, RANK> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the lock is ours, so that nobody writes.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T, const RANK: u8> DerefMut for Guard<'_, T, RANK> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is ours, and this borrow of the guard is the only one.
        unsafe { &mut *self.mutex.value.get() }
    }
}
