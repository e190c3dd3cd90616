//! Ps: made at boot, as many as GOMAXPROCS says.
//!
//! Go's counterpart: `procresize` in `runtime/proc.go`.

use core::alloc::Layout;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::runtime2::{P, PStatus};
use super::{GOMAXPROCS, MAX_PROCS, SCHED, acquirem, releasem};
use crate::debug::fatal::throw;
use crate::mem;

/// All Ps: `gomaxprocs` pointers, on the boot heap.
#[unsafe(export_name = "runtime.allp")]
static ALLP: AtomicPtr<AtomicPtr<P>> = AtomicPtr::new(ptr::null_mut());

/// Makes `procs` Ps, gives the first to this M and puts the rest on the idle
/// list. During boot, on g0.
#[unsafe(export_name = "runtime.procresize")]
#[inline(never)]
pub(crate) fn procresize(procs: i32) {
    if !(1..=MAX_PROCS).contains(&procs) {
        throw("procresize: invalid arg");
    }
    let list: *mut AtomicPtr<P> = boot_memory(size_of::<AtomicPtr<P>>() * procs as usize).cast();
    for id in 0..procs {
        let place: *mut P = boot_memory(size_of::<P>()).cast();
        // SAFETY: fresh memory, never freed; and the zeros in it are a P: idle,
        // with an empty queue and no M.
        let pp = unsafe { &*place };
        pp.id.set(id);
        // Not 0, at which the global queue would come first: the first goroutine
        // that main makes shall be the first that it gives way to.
        pp.schedtick.store(1, Ordering::Relaxed); // nobody else knows it yet
        set_status(pp, PStatus::Idle);
        // SAFETY: `list` has room for `procs` of them.
        let slot = unsafe { &*list.wrapping_add(id as usize) };
        slot.store(place, Ordering::Relaxed); // published with the list
    }
    ALLP.store(list, Ordering::Release); // pairs with allp
    GOMAXPROCS.store(procs, Ordering::Release); // pairs with allp
    let mut sched = SCHED.lock.lock();
    // Idle ones in such an order that the lowest number is taken first.
    for pp in allp().filter(|pp| pp.id.get() != 0) {
        pp.link.set(sched.pidle);
        sched.pidle = ptr::from_ref(pp).cast_mut();
        sched.npidle += 1;
    }
    drop(sched);
    match allp().next() {
        Some(pp) => acquirep(pp),
        None => throw("procresize: no P"),
    }
}

/// Takes zeroed memory for good from the boot heap.
fn boot_memory(size: usize) -> *mut u8 {
    let Some(memory) = Layout::from_size_align(size, 16)
        .ok()
        .and_then(mem::persistentalloc)
    else {
        throw("procresize: the boot heap is used up");
    };
    memory.as_ptr()
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
    if !mp.p.load(Ordering::Relaxed).is_null() {
        throw("wirep: already in go");
    }
    mp.p.store(ptr::from_ref(pp).cast_mut(), Ordering::Relaxed); // our own thread reads it
    pp.m.store(ptr::from_ref(mp).cast_mut(), Ordering::Release); // pairs with sysmon's load
    set_status(pp, PStatus::Running);
    releasem(mp);
}

/// Sets a P's state.
fn set_status(pp: &P, status: PStatus) {
    pp.status.store(status as u32, Ordering::Release); // pairs with sysmon's load
}
