//! The death by a signal that is to be explained: SIGQUIT, and others that end a program
//! with a dump of all goroutines and of the registers.
//!
//! Go's counterparts: the end of `sighandler`, and `fatalsignal`, in
//! `runtime/signal_unix.go`; `dumpregs` in `signal_amd64.go`. On the signal stack, with
//! all signals blocked, in the middle of anything: nothing here allocates or takes a lock.

use super::fatal;
use super::print::say;
use crate::os::{self, Died, SignalContext};

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
pub(crate) fn dump(signal: i32, code: i32, context: SignalContext) -> ! {
    fatal::by_signal(&Died::new(signal, text(signal), code, 0, context))
}

/// Prints the registers, as Go does.
pub(super) fn registers(context: &SignalContext) {
    say("", &[], &[]);
    context.for_each_register(&mut |name, value| say("%s 0x%x", &[value], &[name]));
}
