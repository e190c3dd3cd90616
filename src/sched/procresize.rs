//! Ps: made at boot, as many as GOMAXPROCS says.
//!
//! Go's counterpart: `procresize` in `runtime/proc.go`.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::runtime2::{P, PStatus};
use super::{GOMAXPROCS, MAX_PROCS, SCHED, acquirem, releasem};
use crate::mem;

/// All Ps: `gomaxprocs` pointers, on the boot heap.
#[unsafe(export_name = "runtime.allp")]
static ALLP: AtomicPtr<AtomicPtr<P>> = AtomicPtr::new(ptr::null_mut());

/// Makes `procs` Ps, gives the first to this M and puts the rest on the idle
/// list. During boot, on g0.
#[unsafe(export_name = "runtime.procresize")]
#[inline(never)]
pub(crate) fn procresize(procs: i32) {
    debug_assert!((1..=MAX_PROCS).contains(&procs), "procresize: invalid arg");
    let list: *mut AtomicPtr<P> =
        mem::persistentalloc(size_of::<AtomicPtr<P>>() * procs as usize).cast();
    let mut first = None;
    let mut sched = SCHED.lock.lock();
    // The highest first, so that of the idle ones the lowest is taken first.
    for id in (0..procs).rev() {
        let place: *mut P = mem::persistentalloc(size_of::<P>()).cast();
        // SAFETY: fresh memory, never freed; and the zeros in it are a P: idle,
        // with an empty queue and no M.
        let pp = unsafe { &*place };
        pp.id.set(id);
        // Not 0, at which the global queue would come first: the first goroutine
        // that main makes shall be the first that it gives way to.
        pp.schedtick.store(1, Ordering::Relaxed); // nobody else knows it yet
        // SAFETY: `list` has room for `procs` of them.
        let slot = unsafe { &*list.wrapping_add(id as usize) };
        slot.store(place, Ordering::Relaxed); // published with the list
        if id == 0 {
            first = Some(pp);
        } else {
            pp.link.set(sched.pidle);
            sched.pidle = place;
            sched.npidle += 1;
        }
    }
    drop(sched);
    ALLP.store(list, Ordering::Release); // pairs with allp
    GOMAXPROCS.store(procs, Ordering::Release); // pairs with allp
    if let Some(pp) = first {
        acquirep(pp);
    }
}

/// Goes through the Ps that are in use.
pub(super) fn allp() -> impl Iterator<Item = &'static P> {
    let list = ALLP.load(Ordering::Acquire); // pairs with procresize
    let procs = GOMAXPROCS.load(Ordering::Acquire); // pairs with procresize
    (0..procs as usize).filter_map(move |id| {
        // SAFETY: the list has `procs` elements and is never freed.
        let slot = unsafe { &*list.wrapping_add(id) };
        // SAFETY: a P is never freed. Relaxed: published with the list.
        unsafe { slot.load(Ordering::Relaxed).as_ref() }
    })
}

/// Gives this M a P. On g0.
fn acquirep(pp: &'static P) {
    let mp = acquirem();
    debug_assert!(
        mp.p.load(Ordering::Relaxed).is_null(),
        "wirep: already in go"
    ); // our own thread's
    mp.p.store(ptr::from_ref(pp).cast_mut(), Ordering::Relaxed); // our own thread reads it
    pp.m.store(ptr::from_ref(mp).cast_mut(), Ordering::Release); // pairs with sysmon's load
    set_status(pp, PStatus::Running);
    releasem();
}

/// Sets a P's state.
fn set_status(pp: &P, status: PStatus) {
    pp.status.store(status as u32, Ordering::Release); // pairs with sysmon's load
}
