//! The death by a signal that is to be explained: SIGQUIT, and others that end a program
//! with a dump of all goroutines and of the registers.
//!
//! Go's counterparts: the end of `sighandler`, and `fatalsignal`, in
//! `runtime/signal_unix.go`; `dumpregs` in `signal_amd64.go`. On the signal stack, with
//! all signals blocked, in the middle of anything: nothing here allocates or takes a lock.

use super::fatal;
use super::print::say;
use crate::os::{self, SignalContext};
use crate::sched;

/// Returns Go's text for a signal that ends a program like this.
fn text(signal: i32) -> &'static str {
    match signal {
        os::SIGQUIT => "SIGQUIT: quit",
        os::SIGABRT => "SIGABRT: abort",
        os::SIGTRAP => "SIGTRAP: trace trap",
        os::SIGSTKFLT => "SIGSTKFLT: stack fault",
        _ => "SIGSYS: bad system call",
    }
}

/// Ends the program by a signal that came with that code: the goroutine that it has
/// interrupted, all others, the registers; then status 2, or a core file where
/// GOTRACEBACK=crash.
#[cold]
pub(crate) fn dump(signal: i32, code: i32, context: &SignalContext) -> ! {
    fatal::start_dying();
    let m = sched::getm().map_or(0, |mp| mp.id.get() as u64);
    say(
        "%s\nPC=0x%x m=%d sigcode=%d",
        &[context.pc() as u64, m, i64::from(code) as u64], // in Go, too, without a sign
        &[text(signal).as_bytes()],
    );
    fatal::goroutine_header(None);
    if !fatal::shows_all() {
        fatal::other_goroutines(); // whatever GOTRACEBACK says, but for none
    }
    registers(context);
    fatal::die(2)
}

/// Prints the registers, as Go does, unless GOTRACEBACK=none.
fn registers(context: &SignalContext) {
    if fatal::shows_none() {
        return;
    }
    say("", &[], &[]);
    context.for_each_register(&mut |name, value| say("%s 0x%x", &[value], &[name]));
}
