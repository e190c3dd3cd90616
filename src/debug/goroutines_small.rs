//! The goroutines of a program that dies, in release builds without the feature
//! `backtrace`, and in the archive: as little as will do, since it is in every program.

use core::panic::Location;
use core::ptr;

use super::fatal::{Kind, TERSE, Traceback, traceback_level};
use super::print::say;
#[cfg(feature = "traceback")]
use super::traceback::{small::trace, unwind::Registers};
use crate::os::Died;
use crate::sched::{self, G, GStatus, WaitReason};

/// Prints where `gp` is, the current goroutine or the signal stack's, and others if
/// GOTRACEBACK asks for them or `kind` says so. It died where `died` says, or else where this
/// is called.
#[inline(never)]
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
    #[cfg(feature = "traceback")]
    {
        let [pc, sp, fp] = match died {
            Some(died) => [died.pc, died.sp, died.fp],
            None => crate::arch::registers(),
        };
        trace(
            gp,
            Registers { pc, sp, fp },
            level >= Traceback::System as u8 || throwing,
        );
    }
    let _ = died;
    created_by(gp);
    if level >= Traceback::All as u8 || !TERSE && kind != Kind::Panic {
        other_goroutines();
    }
}

/// Says which `go` has made a goroutine.
fn created_by(gp: &G) {
    if let Some(at) = gp.gopc.get() {
        say(
            "created by go in goroutine %d\n\t%s:%d",
            &[gp.parent_goid.get(), at.line().into()],
            &[at.file().as_bytes()],
        );
    }
}

/// Prints all goroutines but the current one, for a deadlock's message and for
/// GOTRACEBACK=all.
pub(crate) fn other_goroutines() {
    if traceback_level() == Traceback::None as u8 {
        return;
    }
    let current = sched::try_getg().map_or(ptr::null(), ptr::from_ref);
    sched::for_each_g(&mut |gp| {
        #[cfg(feature = "traceback")]
        if !super::traceback::is_whole(gp) {
            return; // its neighbour has left its stack, and written over it
        }
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
        #[cfg(feature = "traceback")]
        if let Some(registers) = super::traceback::saved(gp) {
            trace(gp, registers, traceback_level() >= Traceback::System as u8);
        }
        #[cfg(feature = "traceback")]
        created_by(gp);
    });
}
