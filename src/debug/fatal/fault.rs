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
//! | a thread that is not ours | the same, and `on a thread that is not gort's` |
//! | a handler, below the signal stack | `runtime: morestack on gsignal`; see `handler` |
//! | a handler, elsewhere | `fatal error: unexpected signal during runtime execution` |
//!
//! **A thread that is not ours** is one that a libc has made, which hosts us: our handlers
//! are the process's, and the thread's g is null. Unless it has a signal stack all of this is
//! on its own stack; if that is what it has left, the process ends by the signal. Go makes
//! an M for it, if it can, and else says `fatal: bad g in signal handler`.

#[cfg(not(feature = "archive"))]
use core::ptr;
use core::sync::atomic::Ordering;

use super::{Kind, TERSE, report, start_dying};
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
    #[cfg(not(feature = "archive"))]
    sched::fault_with_many(died);
    let gp = sched::try_getg();
    let sent = died.code <= 0;
    if let (false, Some(gp)) = (sent, gp)
        && has_left_its_stack(gp, died)
    {
        stack_overflow(gp, died.sp, Some(died));
    }
    let (code, addr, pc) = (died.code as u64, died.addr as u64, died.pc as u64);
    let goroutine = gp.filter(|gp| gp.goid.get() != 0);
    // Its own count: also of one that is dying.
    let at_work = !TERSE && goroutine.is_some_and(|gp| gp.locks.load(Ordering::Relaxed) != 0);
    let depth = start_dying();
    let (kind, what) = match died.signal {
        SIGSEGV | SIGBUS | SIGFPE if sent || goroutine.is_none() => (Kind::Signal, ""),
        SIGSEGV | SIGBUS | SIGFPE if at_work => {
            (Kind::Throw, "unexpected signal during runtime execution")
        }
        SIGFPE => match died.code {
            FPE_INTDIV => (Kind::Panic, "integer divide by zero"),
            FPE_INTOVF if !TERSE => (Kind::Panic, "integer overflow"),
            _ => (Kind::Panic, "floating point error"),
        },
        SIGSEGV | SIGBUS if died.addr < NULL_PAGE && died.code <= SEGV_ACCERR => (
            Kind::Panic,
            "invalid memory address or nil pointer dereference",
        ),
        SIGSEGV | SIGBUS => {
            say("unexpected fault address 0x%x", &[addr], &[]);
            (Kind::Throw, "fault")
        }
        _ => (Kind::Signal, ""),
    };
    let text = died.text.as_bytes();
    if kind == Kind::Signal {
        say_signal(died);
    } else {
        let whose = match kind {
            Kind::Throw => "fatal error: ",
            _ => "panic: runtime error: ",
        };
        say(
            "%s%s\n[signal %s code=0x%x addr=0x%x pc=0x%x]",
            &[code, addr, pc],
            &[whose.as_bytes(), what.as_bytes(), text],
        );
    }
    report(depth, kind, None, Some(died))
}

/// A signal that is to end the program like this, and is no fault. On the signal stack.
pub(crate) fn by_signal(died: &Died) -> ! {
    let depth = start_dying();
    say_signal(died);
    report(depth, Kind::Signal, None, Some(died))
}

/// Says which signal it was, and where: for what is no goroutine's fault.
fn say_signal(died: &Died) {
    let m = sched::getm().map_or(0, |mp| mp.id.get() as u64);
    let numbers = [died.pc as u64, m, died.code as u64, died.addr as u64];
    let template = match died.signal {
        // There is always an M, but under a libc.
        _ if cfg!(feature = "archive") && sched::getm().is_none() => {
            "%s\nPC=0x%x on a thread that is not gort's"
        }
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

/// Tells whether this fault is the end of the stack that it happened on.
fn has_left_its_stack(gp: &G, died: &Died) -> bool {
    let lo = gp.stack.lo.get();
    let in_guard = lo.wrapping_sub(died.addr).wrapping_sub(1) < mem::GUARD;
    // The main thread's g0 has the kernel's stack below it, down to a limit, and a
    // goroutine that checks its stack has no guard.
    let checked = !TERSE && gp.goid.get() == 0 || gp.check_stack.get().is_some();
    in_guard || checked && died.sp < lo
}

/// Ends the program because `gp`, the current one, has left its stack.
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
        say(
            "runtime: morestack on g0, stack [0x%x 0x%x], sp=0x%x\n\
             fatal error: morestack on g0",
            &[lo, hi, sp],
            &[],
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
