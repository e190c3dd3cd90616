//! How a goroutine ends.
//!
//! Go's counterparts: `Goexit`, `goexit1`, `goexit0` in `runtime/proc.go`.
//!
//! ```text
//!   the outermost function returns into runtime.goexit
//!     goexit1       destructors of its thread_local! values, its joiner is woken
//!       exit_to_next  the next goroutine, if it is at hand: B is ours alone
//!   runtime.goexit  jumps to gogo_ended: g = B, onto B's stack
//!     ended           A: Running -> Dead, onto the free list
//!   gogo_ended      takes B.sched up
//!
//!   or else, from goexit1
//!     mcall           onto g0
//!       goexit0         A: Running -> Dead, onto the free list; schedule
//! ```
//!
//! Who is on the free list may be somebody else at once, with that stack: nobody is on it
//! any more, and nothing of it is looked at again. What `switch.rs` says of a goroutine that
//! parks holds for one that ends.

use core::arch::asm;
use core::ptr;
use core::sync::atomic::Ordering;

use super::locked::lock_to;
use super::newproc::count_up;
use super::proc::{dropg, left, many, mcall, schedule};
use super::runtime2::{G, GStatus, P};
use super::status::casgstatus;
use super::switch::{drop_left, next_at_hand, take_next};
use super::{acquirem, getg, getp, held, releasem};
use crate::debug::fatal::throw;
use crate::debug::trace::{self, Leaves};

// SAFETY: a label in asm/switch_amd64.S; only its address is used.
unsafe extern "C" {
    /// Switches from a goroutine that has ended to the one in rdx.
    #[link_name = "runtime.gogo_ended"]
    fn gogo_ended() -> !;
}

/// How a goroutine is left that has ended: `runtime.goexit` jumps to `switch` with it.
#[repr(C)]
pub(super) struct Exit {
    switch: unsafe extern "C" fn() -> !,
    /// Who goes on.
    next: &'static G,
}

/// A goroutine's outermost function has returned, and what is to be done on its stack is
/// done here. If the next goroutine is at hand, the caller leaves this one for that, and
/// else it is left here, over g0.
///
/// It returns so that each call is paired with a return, as the CPU expects them: those of
/// the goroutine that goes on are foreseen, if that waited for this one.
#[unsafe(export_name = "runtime.goexit1")]
#[inline(never)]
pub(super) extern "C" fn goexit1() -> Exit {
    let thread = getg().thread.get();
    // SAFETY: null, or what the module `thread` left there.
    if let Some(head) = unsafe { thread.as_ref() } {
        // SAFETY: as above; this is the goroutine's end.
        unsafe { (head.end)() };
    }
    if let Some(exit) = many().and_then(|many| (many.exit)()) {
        return exit;
    }
    mcall(goexit0);
    crate::arch::abort() // nobody runs a dead goroutine
}

/// Ends the current goroutine where its outermost function has not returned.
pub(super) fn goexit_here() -> ! {
    let exit = goexit1();
    // SAFETY: as in runtime.goexit: the stack is left for good, with its frames.
    unsafe {
        asm!(
            "jmp {}",
            in(reg) exit.switch,
            in("rdx") exit.next,
            options(noreturn)
        )
    }
}

/// Leaves the current goroutine, which has ended, for the next, if that is at hand. On the
/// goroutine.
pub(super) fn exit_to_next() -> Option<Exit> {
    let gp = getg();
    let mp = acquirem();
    let Some(next) = next_at_hand(gp, mp, Leaves::Ends) else {
        releasem();
        return None;
    };
    take_next(mp, next);
    Some(Exit {
        switch: gogo_ended,
        next,
    })
}

/// The goroutine has been left for good, and this is the next one's stack.
#[unsafe(export_name = "runtime.ended")]
extern "C" fn ended(gp: &'static G) {
    drop_left(gp);
    destroy(gp, getp(held(getg())));
}

/// Ends a goroutine. On g0.
#[unsafe(export_name = "runtime.goexit0")]
pub(super) extern "C" fn goexit0(gp: &'static G) -> ! {
    let mp = left(gp);
    let pp = getp(mp);
    trace::end(mp);
    let locked = ptr::eq(mp.lockedg.get(), gp);
    if mp.locked_int.get() != 0 {
        throw("exited a goroutine internally locked to the OS thread");
    }
    dropg(mp, gp);
    lock_to(gp, ptr::null_mut()); // as it is, where it was not locked
    mp.lockedg.set(ptr::null()); // locked_ext stays: see newm
    destroy(gp, pp);
    if let (true, Some(many)) = (locked, many()) {
        (many.mexit)(mp); // who knows what it has done to its thread
    }
    schedule()
}

/// Puts a goroutine that has ended, and whose stack nobody is on, on the P's free list.
#[inline]
fn destroy(gp: &'static G, pp: &'static P) {
    casgstatus(gp, GStatus::Running, GStatus::Dead);
    count_up(&pp.ended);
    gp.preempt.store(false, Ordering::Relaxed); // the free list hands it on
    gp.gopc.set(None);
    if let Some(gfput) = gp.gfput.get() {
        gfput(pp, gp); // somebody may have it from here on
    }
}
