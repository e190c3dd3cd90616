//! How a program dies: panics, the runtime's own fatal errors, faults. The
//! texts, their order and the exit statuses are Go's.
//!
//! Go's counterpart: `runtime/panic.go`. From any stack, the signal stack too:
//! nothing here allocates or takes a lock.
//!
//! ```text
//!   a panic            a state that cannot be   a fault, on the signal stack
//!   panic::gopanic     throw                    fault::fault
//!       |                  |                        |
//!       +------------------+------------------------+
//!                          v
//!                     start_dying     the first thread goes on; others wait for the end
//!                     why             one line, or a few
//!                     freeze          no other goroutine runs; with a panic that is before it
//!                                     says why, as in Go
//!                     report          the goroutines
//!                     die             status 2, or SIGABRT where a core file is wanted
//! ```
//!
//! **What goes wrong meanwhile**, on the same thread, begins at the top again: the second
//! time it says `panic during panic` and whose trace that is, status 2; the third time
//! `stack trace unavailable`, status 4; and the fourth time nothing, status 5.

mod fault;
#[cfg(not(feature = "archive"))]
mod handler;
mod panic;

use core::panic::Location;
use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use super::goroutines::goroutine_header;
use super::print::say;
use crate::os::{self, Died};
use crate::sched;

pub(crate) use super::goroutines::other_goroutines;
pub(crate) use fault::{by_signal, fault, stack_overflow};
#[cfg(not(feature = "archive"))]
pub(crate) use handler::fault_in_handler;
#[cfg(not(feature = "archive"))]
pub(crate) use panic::{let_panics_finish, no_goexit};

/// How many threads are dying: the first of them says why. runtime.main waits for it.
pub(crate) static PANICKING: AtomicU32 = AtomicU32::new(0);

/// The archive, which is to be small, has fewer words: where Go has a text for what only a
/// bug in the runtime itself brings about, there is the next best.
pub(super) const TERSE: bool = cfg!(feature = "archive");

/// How long who waits for the end of a dying program sleeps at a time, in nanoseconds: longer
/// than that lives.
const FOR_GOOD: u64 = 3600 * 1_000_000_000;

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

/// Who is to blame: it says what a report shows if GOTRACEBACK asks for no more.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What the goroutine did: that one.
    Panic,
    /// What the program as a whole came to: all goroutines.
    Fatal,
    /// The runtime, or nobody knows: all goroutines, with the runtime's part.
    Throw,
    /// Somebody outside, or the CPU where no goroutine runs: the same, and the registers.
    Signal,
}

/// Sets what a death shows, a [`Traceback`].
pub(crate) fn set_traceback(level: u8) {
    TRACEBACK.store(level, Ordering::Relaxed); // a setting; nothing hangs on its order
}

/// Returns that.
pub(super) fn traceback_level() -> u8 {
    TRACEBACK.load(Ordering::Relaxed) // as above
}

/// Tells whether a death shows no goroutine at all.
#[cfg(feature = "signals")]
fn shows_none() -> bool {
    TRACEBACK.load(Ordering::Relaxed) == Traceback::None as u8 // as above
}

/// Ends the program because the runtime found itself in a state that cannot be.
#[unsafe(export_name = "runtime.throw")]
#[inline(never)]
#[cold]
pub(crate) fn throw(message: &str) -> ! {
    let depth = start_dying();
    say("fatal error: %s", &[], &[message.as_bytes()]);
    report(depth, Kind::Throw, None, None)
}

/// Ends the program because of what it did to the runtime. Go's `fatal`.
#[cold]
pub(crate) fn fatal(message: &str) -> ! {
    let depth = start_dying();
    say("fatal error: %s", &[], &[message.as_bytes()]);
    report(depth, Kind::Fatal, None, None)
}

/// Ends the program with one line and status 2: for what is wrong with the
/// program's surroundings, not with what it does.
#[inline(never)]
#[cold]
pub(crate) fn refuse(template: &str, numbers: &[u64], texts: &[&[u8]]) -> ! {
    say(template, numbers, texts);
    die(2)
}

/// A goroutine or thread begins to die, which it does not come back from: it is not
/// preempted, and cannot wait. Returns how many deaths deep this thread is, from 1: see the
/// head of this file. Where another thread is dying already this one waits for the end, so
/// that there is one report, and nobody ends the process in the midst of it. In Go the
/// second one makes its own report behind the first.
///
/// Faults are let through from here on, where a handler has them blocked: they are deaths
/// within this one, with words, and not the silent end of the process.
#[inline(never)]
#[cold]
fn start_dying() -> i32 {
    let others = PANICKING.fetch_add(1, Ordering::SeqCst);
    if sched::try_getg().is_none() {
        // During boot, or a thread that is not ours: there is no M to count by. The second
        // comes with a libc alone, whose programs are linked with the archive. If others die
        // it is another thread: this one dies once, with faults blocked, and of nothing else.
        if TERSE && others != 0 {
            wait_for_the_end();
        }
        return others as i32 + 1;
    }
    os::let_faults_through();
    let mp = sched::acquirem(); // for good: no switch from here on
    let depth = mp.dying.get() + 1;
    mp.dying.set(depth);
    if depth == 1 && others != 0 {
        wait_for_the_end();
    }
    if depth > 3 {
        os::exit(5); // also where printing is what fails
    }
    #[cfg(not(feature = "archive"))]
    if depth > 1 {
        panic::end_line();
    }
    depth
}

/// Has all other goroutines stand still. The archive, which is to be small, lets them run.
fn freeze() {
    #[cfg(not(feature = "archive"))]
    sched::freeze_many();
}

/// The report on the goroutine that dies, behind the words that say why, and the end.
fn report(depth: i32, kind: Kind, location: Option<&Location<'_>>, died: Option<&Died>) -> ! {
    report_on(sched::try_getg(), depth, kind, location, died)
}

/// The same on `gp`, which may be that of the signal stack.
#[inline(always)] // into the two, of which a small program has one
fn report_on(
    gp: Option<&'static sched::G>,
    depth: i32,
    kind: Kind,
    location: Option<&Location<'_>>,
    died: Option<&Died>,
) -> ! {
    match depth {
        1 => {}
        _ if TERSE || depth == 2 => say("panic during panic", &[], &[]),
        _ => {
            say("stack trace unavailable", &[], &[]);
            os::exit(4);
        }
    }
    freeze();
    goroutine_header(gp, location, died, kind);
    #[cfg(feature = "signals")]
    if let (Kind::Signal, Some(died)) = (kind, died)
        && !shows_none()
    {
        super::sigquit::registers(&died.context);
    }
    die(2)
}

/// Waits while another thread, which is dying, ends the program.
#[inline(never)]
#[cold]
pub(crate) fn wait_for_the_end() -> ! {
    loop {
        os::nap(FOR_GOOD); // Go blocks on a lock that it holds
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
