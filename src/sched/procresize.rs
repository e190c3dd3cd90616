//! Ps: made as many as GOMAXPROCS says, at boot and whenever that changes.
//!
//! Go's counterpart: `procresize` in `runtime/proc.go`. The world is stopped meanwhile,
//! or has not begun.
//!
//! A P that is no longer used is kept for the day when it is: its status is Dead, and
//! what it had of goroutines, timers and memory goes to the others.

use core::ptr;
use core::sync::atomic::{AtomicI32, AtomicPtr, Ordering};

use super::idle::{acquirep, pidleput};
use super::runtime2::{M, P};
use super::{GOMAXPROCS, MAX_PROCS, SCHED, acquirem, alone, releasem};
use crate::debug::trace;
use crate::mem;

/// All Ps: as many pointers as there were ever Ps at least, on the boot heap.
#[unsafe(export_name = "runtime.allp")]
static ALLP: AtomicPtr<AtomicPtr<P>> = AtomicPtr::new(ptr::null_mut());

/// How many Ps have been made, and are in the list.
static MADE: AtomicI32 = AtomicI32::new(0);

/// Makes the Ps, gives the first to this M and puts the rest on the idle list. During
/// boot, on g0.
#[unsafe(export_name = "runtime.procresize")]
#[inline(never)]
pub(crate) fn procresize(procs: i32) {
    debug_assert!((1..=MAX_PROCS).contains(&procs), "procresize: invalid arg");
    make_ps(procs);
    let mut sched = SCHED.lock.lock();
    GOMAXPROCS.store(procs, Ordering::Release); // pairs with allp
    alone::procs_are(procs);
    let all = allp();
    // The highest first, so that of the idle ones the lowest is taken first.
    for id in (1..procs as usize).rev() {
        if let Some(pp) = all.get(id) {
            pidleput(&mut sched, pp);
        }
    }
    drop(sched);
    if let Some(first) = all.get(0) {
        let mp = acquirem();
        acquirep(mp, first);
        releasem();
    }
}

/// Makes the Ps that there have never been.
pub(super) fn make_ps(procs: i32) {
    let made = MADE.load(Ordering::Relaxed); // with the world stopped
    if procs <= made {
        return;
    }
    let size = size_of::<AtomicPtr<P>>() * procs as usize;
    let list: *mut AtomicPtr<P> = mem::persistentalloc(size).cast();
    let old = ALLP.load(Ordering::Relaxed); // as above
    for id in 0..procs {
        // SAFETY: `list` has room for `procs` of them, all null so far.
        let slot = unsafe { &*list.wrapping_add(id as usize) };
        let place: *mut P = if id < made {
            // SAFETY: the old list has that many.
            unsafe { &*old.wrapping_add(id as usize) }.load(Ordering::Relaxed) // as above
        } else {
            let place: *mut P = mem::persistentalloc(size_of::<P>()).cast();
            // SAFETY: fresh memory, never freed; and the zeros in it are a P: idle,
            // with an empty queue and no M.
            let pp = unsafe { &*place };
            pp.id.set(id);
            // Not 0, at which the global queue would come first: the first goroutine
            // that main makes shall be the first that it gives way to.
            pp.schedtick.store(1, Ordering::Relaxed); // nobody else knows it yet
            trace::new_p(pp);
            place
        };
        slot.store(place, Ordering::Relaxed); // published with the list
    }
    // The old list stays: somebody may look at it. It never has all too many brothers,
    // as it is only ever replaced by a longer one.
    ALLP.store(list, Ordering::Release); // pairs with allp
    MADE.store(procs, Ordering::Release); // with the world stopped; pairs with for_each_p
}

/// Calls `f` for each P that was ever used, for the trace.
#[cfg(feature = "sched-trace")]
pub(crate) fn for_each_p(f: impl FnMut(&'static P)) {
    let all = Allp {
        // Acquire: pairs with make_ps. The count first: the list is at least as long.
        count: MADE.load(Ordering::Acquire) as usize,
        list: ALLP.load(Ordering::Acquire), // as above
    };
    all.iter().for_each(f);
}

/// The Ps in use, as they were at one moment.
#[derive(Clone, Copy)]
pub(super) struct Allp {
    list: *mut AtomicPtr<P>,
    count: usize,
}

/// Returns the Ps that are in use.
pub(super) fn allp() -> Allp {
    // The count first: the list is at least as long as any count that was before it.
    let count = GOMAXPROCS.load(Ordering::Acquire); // pairs with its stores
    let list = ALLP.load(Ordering::Acquire); // pairs with make_ps
    Allp {
        list,
        count: count as usize,
    }
}

/// Returns the M and P of the current goroutine, which runs, where there is but one P.
///
/// Not by way of the goroutine: g and its M were stored by the switch a moment ago, and each
/// load would wait for its store before the next could begin. These words have not changed for
/// long.
#[inline(always)]
pub(super) fn the_only_p() -> Option<(&'static M, &'static P)> {
    // Relaxed: changes while the world is stopped, and the list with it.
    if GOMAXPROCS.load(Ordering::Relaxed) != 1 {
        return None;
    }
    let list = ALLP.load(Ordering::Relaxed); // as above
    // SAFETY: the list has one element at least, and is never freed.
    let first = unsafe { &*list };
    // SAFETY: a P is never freed. Relaxed: published with the list.
    let pp = unsafe { &*first.load(Ordering::Relaxed) };
    // SAFETY: who runs a goroutine holds a P, there is but this one; and no M is ever freed.
    let mp = unsafe { &*pp.m.load(Ordering::Relaxed) }; // our own thread wrote it
    Some((mp, pp))
}

impl Allp {
    /// Tells how many there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Returns one.
    pub(super) fn get(&self, id: usize) -> Option<&'static P> {
        if id >= self.count {
            return None;
        }
        // SAFETY: the list has `count` elements and is never freed.
        let slot = unsafe { &*self.list.wrapping_add(id) };
        // SAFETY: a P is never freed. Relaxed: published with the list.
        unsafe { slot.load(Ordering::Relaxed).as_ref() }
    }

    /// Tells whether one of them has somebody on its queue.
    pub(super) fn any_queued(&self) -> bool {
        self.iter().any(|pp| !pp.runq.is_empty())
    }

    /// Goes through them.
    pub(super) fn iter(self) -> impl Iterator<Item = &'static P> {
        (0..self.count).filter_map(move |id| self.get(id))
    }
}
