//! How a program dies: panics, the runtime's own fatal errors, faults. The
//! texts, their order and the exit statuses are Go's.
//!
//! Go's counterpart: `runtime/panic.go`. From any stack, the signal stack too:
//! nothing here allocates or takes a lock.

#[cfg(not(feature = "archive"))]
use core::fmt::{self, Write};
use core::panic::{Location, PanicInfo};
#[cfg(not(feature = "traceback"))]
use core::ptr;
use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use super::print::say;
#[cfg(feature = "traceback")]
use super::traceback::{self, Here, What, unwind::Registers};
use crate::os::{self, Died};
use crate::sched::{self, G};
#[cfg(not(feature = "traceback"))]
use crate::sched::{GStatus, WaitReason};

/// How many threads are dying: the first of them says why. runtime.main waits for it.
pub(crate) static PANICKING: AtomicU32 = AtomicU32::new(0);

/// How long who waits for the end of a dying program rests between two looks, in
/// nanoseconds.
const PANIC_NAP: u64 = 1_000_000;

/// What GOTRACEBACK asks for; settings.rs has the words for the numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[allow(
    dead_code,
    reason = "the words stand for the numbers, not for the names"
)]
pub(crate) enum Traceback {
    /// The one that died.
    Single,
    /// No goroutine at all.
    None,
    /// All of them.
    All,
    /// All, with the runtime's own.
    System,
    /// The same, and a core file.
    Crash,
}

static TRACEBACK: AtomicU8 = AtomicU8::new(Traceback::Single as u8);

/// Sets what a death shows, a [`Traceback`].
pub(crate) fn set_traceback(level: u8) {
    TRACEBACK.store(level, Ordering::Relaxed); // a setting; nothing hangs on its order
}

/// Ends the program because the runtime found itself in a state that cannot be.
#[unsafe(export_name = "runtime.throw")]
#[inline(never)]
#[cold]
pub(crate) fn throw(message: &str) -> ! {
    start_dying();
    say("fatal error: %s", &[], &[message.as_bytes()]);
    goroutine_header(None, None, true);
    die(2)
}

/// Ends the program with one line and status 2: for what is wrong with the
/// program's surroundings, not with what it does.
#[inline(never)]
#[cold]
pub(crate) fn refuse(template: &str, numbers: &[u64], texts: &[&[u8]]) -> ! {
    say(template, numbers, texts);
    die(2)
}

/// A goroutine or thread begins to die. A second death of the same thread, say
/// by a panic in the Display of what it panicked with, ends it at once. Where another
/// thread is dying already this one waits for the end, so that there is one report, and
/// nobody ends the process in the midst of it. In Go the second one makes its own report
/// behind the first.
#[inline(never)]
#[cold]
fn start_dying() {
    let others = PANICKING.fetch_add(1, Ordering::SeqCst);
    if sched::try_getg().is_some() {
        let mp = sched::acquirem(); // for good: no switch from here on
        let depth = mp.dying.get() + 1;
        mp.dying.set(depth);
        match depth {
            1 if others == 0 => {}
            1 => wait_for_the_end(),
            2 => {
                say("panic during panic", &[], &[]);
                os::exit(3);
            }
            _ => os::exit(4),
        }
    }
}

/// Waits while another thread, which is dying, ends the program.
#[inline(never)]
#[cold]
pub(crate) fn wait_for_the_end() -> ! {
    loop {
        os::nap(PANIC_NAP); // Go blocks on a lock that it holds
    }
}

/// The end, behind the report on the goroutine that died.
pub(crate) fn die(status: i32) -> ! {
    if TRACEBACK.load(Ordering::Relaxed) == Traceback::Crash as u8 {
        os::die_by_abort();
    }
    // As where std's main panics: what was printed is not lost. The archive prints nothing.
    #[cfg(not(feature = "archive"))]
    crate::io::flush_at_death();
    os::exit(status)
}

/// Prints which goroutine died and where, unless GOTRACEBACK=none.
#[cfg(not(feature = "traceback"))]
fn goroutine_header(location: Option<&Location<'_>>, _: Option<&Died>, _: bool) {
    if TRACEBACK.load(Ordering::Relaxed) == Traceback::None as u8 {
        return;
    }
    let Some(gp) = sched::try_getg() else { return };
    let goid = gp.goid.get();
    say(
        if goid == 0 {
            "\nruntime stack:"
        } else {
            "\ngoroutine %d [running]:"
        },
        &[goid],
        &[],
    );
    if let Some(at) = location {
        say(
            "\t%s:%d:%d",
            &[at.line().into(), at.column().into()],
            &[at.file().as_bytes()],
        );
    }
    if let (true, Some(at)) = (goid != 0, gp.gopc.get()) {
        let numbers = [gp.parent_goid.get(), at.line().into()];
        say(
            "created by go in goroutine %d\n\t%s:%d",
            &numbers,
            &[at.file().as_bytes()],
        );
    }
    if TRACEBACK.load(Ordering::Relaxed) >= Traceback::All as u8 {
        other_goroutines();
    }
}

/// Prints all goroutines but the current one, for a deadlock's message and for
/// GOTRACEBACK=all.
#[cfg(not(feature = "traceback"))]
pub(crate) fn other_goroutines() {
    if TRACEBACK.load(Ordering::Relaxed) == Traceback::None as u8 {
        return;
    }
    let current = sched::try_getg().map_or(ptr::null(), ptr::from_ref);
    sched::for_each_g(&mut |gp| {
        let reason = match sched::readgstatus(gp) {
            _ if ptr::eq(current, gp) => return, // it has been printed
            status if status == GStatus::Runnable as u32 => "runnable",
            status if status == GStatus::Running as u32 => "running", // on another thread
            status if status == GStatus::Syscall as u32 => "syscall",
            _ => gp.waitreason.get().map_or("", WaitReason::text),
        };
        say(
            "\ngoroutine %d [%s]:",
            &[gp.goid.get()],
            &[reason.as_bytes()],
        );
    });
}

/// Prints where the current goroutine is, and others if GOTRACEBACK asks for them or
/// the runtime itself is what failed (`throwing`). It died where `died` says, or else
/// where this is called.
#[cfg(feature = "traceback")]
#[inline(never)] // its frame is left out
fn goroutine_header(location: Option<&Location<'_>>, died: Option<&Died>, throwing: bool) {
    let level = TRACEBACK.load(Ordering::Relaxed);
    if level == Traceback::None as u8 && !throwing {
        return;
    }
    let Some(gp) = sched::try_getg() else { return };
    let system = throwing || level >= Traceback::System as u8;
    let what = What {
        all: throwing || level >= Traceback::All as u8 || gp.goid.get() == 0,
        system,
        dying: true,
    };
    let here = match died {
        Some(died) => Here {
            registers: Registers {
                pc: died.pc,
                sp: died.sp,
                fp: died.fp,
            },
            skip: false,
            location,
        },
        None => {
            let [pc, sp, fp] = crate::arch::registers();
            Here {
                registers: Registers { pc, sp, fp },
                skip: true,
                location,
            }
        }
    };
    say("", &[], &[]);
    traceback::on_own_stack(|| traceback::report(what, gp, here, &mut to_stderr));
}

/// Prints all goroutines but the current one, for a deadlock's message.
#[cfg(feature = "traceback")]
pub(crate) fn other_goroutines() {
    let level = TRACEBACK.load(Ordering::Relaxed);
    if level == Traceback::None as u8 {
        return;
    }
    let what = What {
        all: true,
        system: level >= Traceback::System as u8,
        dying: true,
    };
    let gp = sched::try_getg();
    traceback::on_own_stack(|| traceback::report_others(what, gp, &mut to_stderr));
}

/// Writes a trace. If that fails there is nobody to tell.
#[cfg(feature = "traceback")]
fn to_stderr(text: &[u8]) {
    let _ = os::write_all(2, text);
}

/// stderr for `core::fmt`, by the buffer.
#[cfg(not(feature = "archive"))]
struct Stderr {
    buffer: [u8; 256],
    length: usize,
}

#[cfg(not(feature = "archive"))]
impl Stderr {
    /// Writes what is in the buffer. If that fails there is nobody to tell.
    fn flush(&mut self) {
        let _ = os::write_all(2, self.buffer.get(..self.length).unwrap_or_default());
        self.length = 0;
    }

    /// Adds a byte.
    fn byte(&mut self, byte: u8) {
        if self.length == self.buffer.len() {
            self.flush();
        }
        if let Some(slot) = self.buffer.get_mut(self.length) {
            *slot = byte;
            self.length += 1;
        }
    }
}

#[cfg(not(feature = "archive"))]
impl Write for Stderr {
    /// Writes a message. As in Go a tab follows each newline in it, so that no
    /// message can look like a goroutine's header.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.byte(byte);
            if byte == b'\n' {
                self.byte(b'\t');
            }
        }
        Ok(())
    }
}

/// A panic: Go's text, and status 2. Poisoning and unwinding do not exist here.
pub(crate) fn gopanic(info: &PanicInfo<'_>) -> ! {
    // What alloc::handle_alloc_error does where there is no std: a panic, from a
    // file that has no other. A program's own alloc.rs has no such path.
    if let Some(at) = info.location()
        && at.file().starts_with("/rustc/")
        && at.file().ends_with("/library/alloc/src/alloc.rs")
    {
        throw("runtime: out of memory");
    }
    start_dying();
    print_message(info);
    goroutine_header(info.location(), None, false);
    die(2)
}

/// Prints a panic's message.
#[cfg(not(feature = "archive"))]
fn print_message(info: &PanicInfo<'_>) {
    let mut stderr = Stderr {
        buffer: [0; 256],
        length: 0,
    };
    let message = info.message();
    let _ = match message.as_str() {
        Some(text) => stderr
            .write_str("panic: ")
            .and_then(|()| stderr.write_str(text)),
        None => write!(stderr, "panic: {message}"),
    };
    stderr.byte(b'\n');
    stderr.flush();
}

/// The archive has no formatting: its own panics are all plain texts.
#[cfg(feature = "archive")]
fn print_message(info: &PanicInfo<'_>) {
    let text = info.message().as_str().unwrap_or("(a message with values)");
    say("panic: %s", &[], &[text.as_bytes()]);
}

/// A fault: Go's texts for it. On the signal stack of the M that faulted.
pub(crate) fn fault(died: &Died) -> ! {
    const SIGFPE: i32 = 8;
    const SIGILL: i32 = 4;
    const FPE_INTDIV: i32 = 1;
    const SEGV_ACCERR: i32 = 2; // beyond: an address that is none, and no si_addr
    /// What is below is taken for a null pointer with an offset, as in Go.
    const NULL_PAGE: usize = 0x1000;

    let gp = sched::try_getg().filter(|gp| gp.goid.get() != 0);
    if let Some(gp) = gp
        && (gp.stack.lo.get().wrapping_sub(died.addr).wrapping_sub(1) < crate::mem::GUARD
            || gp.check_stack.get().is_some() && died.sp < gp.stack.lo.get())
    {
        stack_overflow(gp, died.sp, Some(died));
    }
    start_dying();
    let (code, addr, pc) = (
        u64::from(died.code as u32),
        died.addr as u64,
        died.pc as u64,
    );
    let text = died.text.as_bytes();
    // What kill(2) sends has no address.
    if died.signal == SIGILL || died.code <= 0 {
        let m = sched::getm().map_or(0, |mp| mp.id.get() as u64);
        say("%s\nPC=0x%x m=%d sigcode=%d", &[pc, m, code], &[text]);
    } else {
        let what = match died.signal {
            _ if gp.is_none() => "fatal error: unexpected signal during runtime execution",
            SIGFPE if died.code == FPE_INTDIV => "panic: runtime error: integer divide by zero",
            SIGFPE => "panic: runtime error: floating point error",
            _ if died.addr < NULL_PAGE && died.code <= SEGV_ACCERR => {
                "panic: runtime error: invalid memory address or nil pointer dereference"
            }
            _ => {
                say("unexpected fault address 0x%x", &[addr], &[]);
                "fatal error: fault"
            }
        };
        say(
            "%s\n[signal %s code=0x%x addr=0x%x pc=0x%x]",
            &[code, addr, pc],
            &[what.as_bytes(), text],
        );
    }
    goroutine_header(None, Some(died), false);
    die(2)
}

/// Ends the program because the current goroutine, `gp`, has left its stack.
#[cold]
#[inline(never)]
pub(crate) fn stack_overflow(gp: &G, sp: usize, died: Option<&Died>) -> ! {
    start_dying(); // from here on it is not preempted, which would look at its stack again
    let (lo, hi) = (gp.stack.lo.get(), gp.stack.hi.get());
    say(
        "runtime: goroutine stack exceeds %d-byte limit\n\
         runtime: sp=0x%x stack=[0x%x, 0x%x]\n\
         fatal error: stack overflow",
        &[(hi - lo) as u64, sp as u64, lo as u64, hi as u64],
        &[],
    );
    goroutine_header(None, died, true);
    die(2)
}

/// Where C code ends up that finds the canary below its frame overwritten; the
/// weak `__stack_chk_fail` in asm/ leads here.
#[unsafe(export_name = "runtime.stackChkFail")]
extern "C" fn stack_chk_fail() -> ! {
    throw("stack smashing detected")
}

/// Where mcall ends up when it is called on g0.
#[unsafe(export_name = "runtime.badmcall")]
extern "C" fn badmcall() -> ! {
    throw("runtime: mcall called on m->g0 stack")
}

/// Where mcall ends up when what it called returns.
#[unsafe(export_name = "runtime.badmcall2")]
extern "C" fn badmcall2() -> ! {
    throw("runtime: mcall function returned")
}

#[cfg(feature = "panic-handler")]
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    gopanic(info)
}
