//! Freezing the world: while a program dies no other goroutine runs, so that what is printed of
//! them is of one moment, and nothing comes between.
//!
//! Go's counterpart: `freezetheworld` in `runtime/proc.go`, with its rules: best effort,
//! for good, and in a bounded time, since whoever dies may hold any lock of the runtime, and
//! whoever is to stop may wait for one.
//!
//! ```text
//!   who dies                            all others
//!   gcwaiting = true
//!   each P: Syscall -> Gcstop           back from the call: no P, and none is given
//!           Running: preemptone ------> findRunnable: gcwaiting
//!           again, until none runs        gcstopm: stand_still, P: Running -> Gcstop
//!           but who dies as well,
//!           or 50 ms have gone by
//! ```
//!
//! No lock is taken, and nothing that hangs off one is counted: the world does not go on.
//! If somebody was about to stop or to start it, that goes wrong by this, or the other way
//! round: hence again and again.
//!
//! Goroutines stay as they are in a system call, and where nobody can be preempted
//! (`asyncpreemptoff`) until they give way. So do the threads that run no goroutines.

use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use super::procresize::allp;
use super::pstatus::PStatus;
use super::runtime2::M;
use super::sysmon::preemptone;
use super::{SCHED, getm, parallel, try_getp};
use crate::debug::fatal;
use crate::os;

/// How often they are asked, and how long the rest is in between, in nanoseconds. Go asks
/// five times in as many milliseconds; on a busy machine a thread waits longer for its CPU.
const ROUNDS: u32 = 500;
const REST: u64 = 100_000;

/// The program is dying.
static FREEZING: AtomicBool = AtomicBool::new(false);

/// Has all other goroutines stop, for good, and waits for that, but not for long. By the
/// thread that dies; from any stack, with any lock held.
#[unsafe(export_name = "runtime.freezetheworld")]
#[inline(never)]
pub(super) fn freeze_the_world() {
    // Once: what dies while it dies finds the world as it is. SeqCst, as gcwaiting: who
    // sees that sees this.
    if FREEZING.swap(true, Ordering::SeqCst) || !parallel() {
        return;
    }
    for _ in 0..ROUNDS {
        SCHED.gcwaiting.store(true, Ordering::SeqCst); // again: somebody may have started the world
        // They keep their Ps and wait for the end; this one is among those counted.
        if preempt_all() < fatal::PANICKING.load(Ordering::SeqCst) {
            break;
        }
        os::nap(REST);
    }
}

/// Asks all goroutines but the current one to give way, and takes their Ps from those in
/// system calls. Tells how many run. Go's `preemptall`.
fn preempt_all() -> u32 {
    let mine = getm().and_then(try_getp);
    let mut running = 0;
    for pp in allp().iter() {
        if mine.is_some_and(|mine| ptr::eq(mine, pp)) || pp.state.retake(PStatus::Gcstop) {
            continue;
        }
        if pp.state.is(PStatus::Running) {
            preemptone(pp); // a request; a lost one comes again
            running += 1;
        }
    }
    running
}

/// Tells whether the program is dying: nobody shall go on.
pub(super) fn freezing() -> bool {
    FREEZING.load(Ordering::SeqCst) // pairs with freeze_the_world
}

/// Never returns: this thread is to stand still. Its P, if it has one, is seen to stop.
#[cold]
pub(super) fn stand_still(mp: &'static M) -> ! {
    if let Some(pp) = try_getp(mp) {
        pp.state.set(PStatus::Gcstop);
    }
    fatal::wait_for_the_end()
}
