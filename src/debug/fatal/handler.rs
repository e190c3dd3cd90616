//! Faults in a signal handler: at the end of the signal stack, or anywhere else.
//!
//! Go's counterparts: `badmorestackgsignal` in `runtime/stack.go`, which says
//! `fatal: morestack on gsignal` where a function finds no room, and dies of SIGTRAP. Of any other
//! fault in a handler Go dies without a word.
//!
//! Who touches the guard below the signal stack has left that by the kernel's reckoning, which
//! has the handler of faults begin at the stack's top again, over what the first one has
//! there. That is not gone back to.
//!
//! Words come of it where faults are not blocked: when the program is dying already, in the
//! handler that preempts, and in the program's own. In the runtime's other handlers,
//! which are short, a fault ends the process by that signal; nothing has been written over.
//!
//! A program of one goroutine, whose signal stack has no guard yet, has none of this.

use super::{Kind, freeze, report_on, start_dying};
use crate::debug::print::say;
use crate::os::Died;
use crate::sched;

/// Ends the program if it is a handler that has faulted. On the signal stack.
pub(crate) fn fault_in_handler(died: &Died) {
    let below = |address: usize| {
        sched::gsignal_at(address).filter(|gsignal| address < gsignal.stack.lo.get())
    };
    let Some(gsignal) = below(died.addr).or_else(|| sched::gsignal_at(died.sp)) else {
        return;
    };
    let depth = start_dying();
    if below(died.addr).is_some() {
        let (lo, hi) = (gsignal.stack.lo.get() as u64, gsignal.stack.hi.get() as u64);
        say(
            "runtime: morestack on gsignal, stack [0x%x 0x%x], sp=0x%x\n\
             fatal error: morestack on gsignal",
            &[lo, hi, died.sp as u64],
            &[],
        );
    } else {
        say(
            "fatal error: unexpected signal during runtime execution\n\
             [signal %s code=0x%x addr=0x%x pc=0x%x]",
            &[died.code as u64, died.addr as u64, died.pc as u64],
            &[died.text.as_bytes()],
        );
    }
    freeze();
    report_on(Some(gsignal), depth, Kind::Throw, None, Some(died))
}
