//! The background scavenger: a goroutine that gives the heap's free pages and
//! cold stacks back to the system, in its own time.
//!
//! Go's counterpart: `bgscavenge` in `runtime/mgcscavenge.go`. Go starts it in
//! `gcenable`. Here it is started by the first free that leaves the heap with
//! more than it should retain: a program that never gets there is spared the
//! goroutine and, when it has no other, sysmon.
//!
//! Its pace: it works for a tenth of a millisecond, then parks until sysmon finds that
//! there is more to do and that a hundred times as long as it worked has gone by: a
//! hundredth of one CPU, as in Go, how often sysmon may look. Where a goroutine that
//! never gives way keeps it waiting, sysmon does its work.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, Ordering};

use super::gfree::{cold_stacks, gfget, scavenge_stacks};
use super::newproc::{NOTHING, newproc};
use super::park::{gopark, goready};
use super::runtime2::G;
use super::waitreason::WaitReason;
use crate::{mem, os};

/// How long it works at a time, in nanoseconds.
const WORK: i64 = 100_000;

/// How many times as long as it worked goes by from one time to the next.
const SHARE: i64 = 100;

/// When it may work again, by `nanotime`: a hint, ordered with nothing.
static NEXT: AtomicI64 = AtomicI64::new(0);

/// For how long it has worked, in nanoseconds.
static WORKED: AtomicI64 = AtomicI64::new(0);

/// How many bytes it gives back between two looks at the clock.
const QUANTUM: usize = 64 << 10;

/// It has been started.
static STARTED: AtomicBool = AtomicBool::new(false);

/// The scavenger while it is parked, else null.
static PARKED: AtomicPtr<G> = AtomicPtr::new(ptr::null_mut());

/// Starts the scavenger, unless it has been. From a goroutine. Where there is no
/// room for another thread whoever frees does its work: to free is no reason to die.
#[cold]
#[inline(never)]
pub(crate) fn start_bgscavenge() {
    // Relaxed: nothing else hangs on the flag.
    if STARTED.load(Ordering::Relaxed) || STARTED.swap(true, Ordering::Relaxed) {
        return;
    }
    if !super::machine::try_start_sysmon() {
        STARTED.store(false, Ordering::Relaxed); // as above; there may be room later
        return work();
    }
    super::syscall::need_p();
    if let Some(new) = newproc(bgscavenge, NOTHING, None, 0, gfget) {
        let goid = new.queue();
        super::system::SCAVENGER.set(goid.get());
    }
}

/// The goroutine's function; never returns.
#[unsafe(export_name = "runtime.bgscavenge")]
#[inline(never)]
extern "C" fn bgscavenge(_: *mut u8) {
    loop {
        work();
        // SAFETY: `publish` does what an unlock function may.
        unsafe { gopark(Some(publish), ptr::null(), WaitReason::GC_SCAVENGE_WAIT) };
    }
}

/// Gives back what is too much, for so long as it may work at a time.
fn work() {
    let start = os::nanotime();
    let mut now = start;
    while now - start < WORK {
        let given = match mem::excess() {
            0 if cold_stacks() == 0 => break,
            0 => scavenge_stacks(QUANTUM),
            excess => mem::scavenge(excess.min(QUANTUM)),
        };
        now = os::nanotime();
        if given == 0 {
            break;
        }
    }
    // Who is stopped has worked for no longer than that.
    let worked = (now - start).min(10 * WORK);
    NEXT.store(start + SHARE * worked, Ordering::Relaxed);
    WORKED.fetch_add(worked, Ordering::Relaxed); // a counter
}

/// For tests: returns for how long it has worked, in nanoseconds.
pub(crate) fn scavenged_for() -> i64 {
    WORKED.load(Ordering::Relaxed) // a counter
}

/// Lets sysmon find the scavenger, whose context has been saved.
fn publish(gp: &'static G, _: *const c_void) -> bool {
    PARKED.store(ptr::from_ref(gp).cast_mut(), Ordering::Release); // pairs with wake's swap
    true
}

/// Wakes the scavenger if there is something to do and its time has come. If it has not been
/// started, or has been woken and has not had its turn since, works in its place. By sysmon.
pub(super) fn wake_scavenger(now: i64) {
    if now < NEXT.load(Ordering::Relaxed) || mem::excess() == 0 && cold_stacks() == 0 {
        return;
    }
    let gp = PARKED.swap(ptr::null_mut(), Ordering::Acquire); // pairs with publish
    // SAFETY: a G is never freed.
    match unsafe { gp.as_ref() } {
        Some(gp) => goready(gp),
        None => work(),
    }
}
