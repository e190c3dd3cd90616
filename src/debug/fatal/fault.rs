//! Faults: what the CPU refuses to do, in Go's words. And the calls that end here since
//! what they were asked for cannot be done.
//!
//! Go's counterparts: `sigpanic`, `sighandler` and `fatalsignal` in
//! `runtime/signal_unix.go`; `newstack` and `badmorestackg0` in `runtime/stack.go`.
//!
//! | where, and what | the first line |
//! | --- | --- |
//! | a goroutine, near address 0 | `panic: runtime error: invalid memory address or nil pointer dereference` |
//! | a goroutine, elsewhere | `unexpected fault address 0x…`, `fatal error: fault` |
//! | a goroutine, below its stack | `runtime: goroutine stack exceeds N-byte limit` |
//! | a goroutine, by a division | `panic: runtime error: integer divide by zero` |
//! | a goroutine with a lock of the runtime's | `fatal error: unexpected signal during runtime execution` |
//! | g0, below its stack | `runtime: morestack on g0` |
//! | g0, elsewhere | `SIGSEGV: segmentation violation`, `PC=0x… m=0 sigcode=1 addr=0x…` |
//! | what is no instruction, or one for debuggers; what `kill` sends | the same |
//! | a thread that is not ours | the same, and that it is that |
//! | a handler, below the signal stack | `runtime: morestack on gsignal` |
//! | a handler, elsewhere | `fatal error: unexpected signal during runtime execution` |
//!
//! **On the signal stack.** Who touches the guard has left the stack by the kernel's
//! reckoning, which has this handler begin at the stack's top again, over what the first one
//! has there: that is not gone back to. Words come of it where faults are not blocked: when
//! the program is dying already, in the handler that preempts, and in the program's own. In
//! the runtime's other handlers, which are short, a fault ends the process by that signal,
//! without a word, and nothing has been written over. Go says `fatal: morestack on gsignal`
//! where a function finds no room, and dies of SIGTRAP; and of any fault in a handler it
//! dies silently.
//!
//! **A thread that is not ours** is one that a libc has made: our handlers are the
//! process's. Unless it has a signal stack all of this is on its own stack, and if that is
//! what it has left, the process ends by the signal.

use core::ptr;
use core::sync::atomic::Ordering;

use super::{Kind, TERSE, freeze, report, start_dying};
use crate::debug::print::say;
use crate::mem;
use crate::os::Died;
use crate::sched::{self, G};

#[cfg(not(feature = "archive"))]
const SIGILL: i32 = 4;
const SIGBUS: i32 = 7;
const SIGFPE: i32 = 8;
const SIGSEGV: i32 = 11;

/// `si_code`: what somebody has sent is 0 or less.
const FPE_INTDIV: i32 = 1;
const FPE_INTOVF: i32 = 2;
const SEGV_ACCERR: i32 = 2; // beyond: an address that is none, and no si_addr

/// What is below is taken for a null pointer with an offset, as in Go.
const NULL_PAGE: usize = 0x1000;

/// A fault. On the signal stack of the M that faulted.
pub(crate) fn fault(died: &Died) -> ! {
    let gp = sched::try_getg();
    let sent = died.code <= 0;
    if !sent && let Some(gp) = has_been_left(gp, died) {
        stack_overflow(gp, died.sp, Some(died));
    }
    let (code, addr, pc) = (died.code as u64, died.addr as u64, died.pc as u64);
    let goroutine = gp.filter(|gp| gp.goid.get() != 0);
    // Its own count: also of one that is dying.
    let at_work = !TERSE
        && goroutine
            .is_some_and(|gp| gp.locks.load(Ordering::Relaxed) != 0 || on_signal_stack(died));
    let depth = start_dying();
    freeze();
    let (kind, what) = match died.signal {
        SIGSEGV | SIGBUS | SIGFPE if sent || goroutine.is_none() => (Kind::Signal, ""),
        SIGSEGV | SIGBUS | SIGFPE if at_work => (
            Kind::Throw,
            "fatal error: unexpected signal during runtime execution",
        ),
        SIGFPE => match died.code {
            FPE_INTDIV => (Kind::Panic, "panic: runtime error: integer divide by zero"),
            FPE_INTOVF if !TERSE => (Kind::Panic, "panic: runtime error: integer overflow"),
            _ => (Kind::Panic, "panic: runtime error: floating point error"),
        },
        SIGSEGV | SIGBUS if died.addr < NULL_PAGE && died.code <= SEGV_ACCERR => (
            Kind::Panic,
            "panic: runtime error: invalid memory address or nil pointer dereference",
        ),
        SIGSEGV | SIGBUS => {
            say("unexpected fault address 0x%x", &[addr], &[]);
            (Kind::Throw, "fatal error: fault")
        }
        _ => (Kind::Signal, ""),
    };
    let text = died.text.as_bytes();
    if kind == Kind::Signal {
        say_signal(died);
    } else {
        say(
            "%s\n[signal %s code=0x%x addr=0x%x pc=0x%x]",
            &[code, addr, pc],
            &[what.as_bytes(), text],
        );
    }
    report(depth, kind, None, Some(died))
}

/// A signal that is to end the program like this, and is no fault. On the signal stack.
pub(crate) fn by_signal(died: &Died) -> ! {
    let depth = start_dying();
    freeze();
    say_signal(died);
    report(depth, Kind::Signal, None, Some(died))
}

/// Says which signal it was, and where: for what is no goroutine's fault.
fn say_signal(died: &Died) {
    let mp = sched::getm();
    let m = mp.map_or(0, |mp| mp.id.get() as u64);
    let numbers = [died.pc as u64, m, died.code as u64, died.addr as u64];
    let template = match died.signal {
        _ if mp.is_none() => "%s\nPC=0x%x on a thread that is not gort's",
        SIGSEGV | SIGBUS if !TERSE => "%s\nPC=0x%x m=%d sigcode=%d addr=0x%x",
        _ => "%s\nPC=0x%x m=%d sigcode=%d",
    };
    say(template, &numbers, &[died.text.as_bytes()]);
    #[cfg(not(feature = "archive"))]
    if matches!(died.signal, SIGILL | SIGFPE) {
        instruction_bytes(died.pc);
    }
}

/// Shows what the CPU was to do. The archive does without.
#[cfg(not(feature = "archive"))]
fn instruction_bytes(pc: usize) {
    /// The longest instruction, and one more.
    const MOST: usize = 16;
    const TEMPLATE: &str = "instruction bytes: 0x%x 0x%x 0x%x 0x%x 0x%x 0x%x 0x%x 0x%x \
        0x%x 0x%x 0x%x 0x%x 0x%x 0x%x 0x%x 0x%x";
    const EACH: &str = " 0x%x";

    let mut bytes = [0; MOST];
    let next_page = (pc | (mem::PAGE_SIZE - 1)) + 1; // which may not be there
    let count = MOST.min(next_page - pc);
    for (at, byte) in (pc..).zip(bytes.iter_mut().take(count)) {
        // SAFETY: the CPU has read an instruction from there, or was about to, and the
        // page stays as long as the process.
        let read = unsafe { ptr::with_exposed_provenance::<u8>(at).read_volatile() };
        *byte = read.into();
    }
    let template = TEMPLATE.get(..TEMPLATE.len() - (MOST - count) * EACH.len());
    say(template.unwrap_or_default(), &bytes, &[]);
}

/// Finds whose stack this fault is the end of: the signal stack, that of `gp`, the current
/// goroutine, or none.
fn has_been_left(gp: Option<&'static G>, died: &Died) -> Option<&'static G> {
    #[cfg(not(feature = "archive"))]
    if let Some(gsignal) = sched::gsignal_at(died.addr) {
        return Some(gsignal); // only its guard faults
    }
    let gp = gp?;
    let lo = gp.stack.lo.get();
    let in_guard = lo.wrapping_sub(died.addr).wrapping_sub(1) < mem::GUARD;
    // The main thread's g0 has the kernel's stack below it, down to a limit, and a
    // goroutine that checks its stack has no guard. A handler is on another stack, and so
    // is who reports a death.
    let elsewhere = || on_signal_stack(died) || sched::getm().is_some_and(|mp| mp.dying.get() != 0);
    let checked = !TERSE && gp.goid.get() == 0 || gp.check_stack.get().is_some();
    (in_guard || checked && died.sp < lo && !elsewhere()).then_some(gp)
}

/// Tells whether a handler has faulted.
fn on_signal_stack(died: &Died) -> bool {
    #[cfg(not(feature = "archive"))]
    let found = sched::gsignal_at(died.sp).is_some();
    #[cfg(feature = "archive")]
    let (found, _) = (false, died);
    found
}

/// Ends the program because `gp`, the current one or that of the signal stack, has left its
/// stack.
#[cold]
#[inline(never)]
pub(crate) fn stack_overflow(gp: &G, sp: usize, died: Option<&Died>) -> ! {
    let depth = start_dying(); // from here on it is not preempted, which would look at its stack again
    let (sp, lo, hi) = (
        sp as u64,
        gp.stack.lo.get() as u64,
        gp.stack.hi.get() as u64,
    );
    if !TERSE && gp.goid.get() == 0 {
        let own = sched::try_getg().is_some_and(|own| ptr::eq(own, gp));
        let name: &[u8] = if own { b"g0" } else { b"gsignal" };
        say(
            "runtime: morestack on %s, stack [0x%x 0x%x], sp=0x%x\n\
             fatal error: morestack on %s",
            &[lo, hi, sp],
            &[name, name],
        );
    } else {
        say(
            "runtime: goroutine stack exceeds %d-byte limit\n\
             runtime: sp=0x%x stack=[0x%x, 0x%x]\n\
             fatal error: stack overflow",
            &[hi - lo, sp, lo, hi],
            &[],
        );
    }
    report(depth, Kind::Throw, None, died)
}
