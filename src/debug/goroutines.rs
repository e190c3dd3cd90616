//! The goroutines of a program that dies.
//!
//! Go's counterparts: `dopanic_m` in `runtime/panic.go`, `gotraceback` in
//! `runtime/runtime1.go`. Release builds without the feature `backtrace` have
//! `goroutines_small.rs` in place of this.

use core::panic::Location;

use super::fatal::{Kind, Traceback, traceback_level};
use super::print::say;
use super::traceback::unwind::Registers;
use super::traceback::{self, Here, What};
use crate::arch;
use crate::os::{self, Died};
use crate::sched::{self, G};

/// Prints where `gp` is, the current goroutine or the signal stack's, and others if
/// GOTRACEBACK asks for them or `kind` says so. It died where `died` says, or else where this
/// is called.
#[inline(never)] // its frame is left out
pub(super) fn goroutine_header(
    gp: Option<&'static G>,
    location: Option<&Location<'_>>,
    died: Option<&Died>,
    kind: Kind,
) {
    let level = traceback_level();
    let throwing = kind == Kind::Throw;
    if level == Traceback::None as u8 && !throwing {
        return;
    }
    let Some(gp) = gp else { return };
    let system = throwing || kind == Kind::Signal || level >= Traceback::System as u8;
    let what = What {
        all: kind != Kind::Panic || level >= Traceback::All as u8 || gp.goid.get() == 0,
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
            let [pc, sp, fp] = arch::registers();
            Here {
                registers: Registers { pc, sp, fp },
                skip: true,
                location,
            }
        }
    };
    say("", &[], &[]);
    traceback::on_own_stack(|| traceback::report(what, Some(gp), Some(here), &mut to_stderr));
}

/// Prints all goroutines but the current one, for a deadlock's message.
pub(crate) fn other_goroutines() {
    let level = traceback_level();
    if level == Traceback::None as u8 {
        return;
    }
    let what = What {
        all: true,
        system: level >= Traceback::System as u8,
        dying: true,
    };
    let gp = sched::try_getg();
    traceback::on_own_stack(|| traceback::report(what, gp, None, &mut to_stderr));
}

/// Writes a trace. If that fails there is nobody to tell.
fn to_stderr(text: &[u8]) {
    let _ = os::write_all(2, text);
}
