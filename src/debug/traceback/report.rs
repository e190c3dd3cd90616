//! The goroutines of a program that dies, or that asks.
//!
//! Go's counterparts: `goroutineheader`, `tracebackothers` in `runtime/traceback.go`,
//! `dopanic_m` in `runtime/panic.go`.

use core::panic::Location;
use core::ptr;
use core::sync::atomic::Ordering;

use super::show::Tracer;
use super::stack::{is_behind_call, is_whole, saved};
use super::unwind::Registers;
use crate::os;
use crate::sched::{self, G, GStatus, WaitReason};

/// What is to be shown.
#[derive(Clone, Copy)]
pub(crate) struct What {
    /// All goroutines, and not only the current one.
    pub(crate) all: bool,
    /// The runtime's frames, too, and registers.
    pub(crate) system: bool,
    /// The program is dying.
    pub(crate) dying: bool,
}

/// Where the current goroutine is.
#[derive(Clone, Copy)]
pub(crate) struct Here<'a> {
    /// The registers …
    pub(crate) registers: Registers,
    /// … of the function whose caller is meant.
    pub(crate) skip: bool,
    /// The line, should nobody else know it.
    pub(crate) location: Option<&'a Location<'a>>,
}

/// Gives `sink` the trace of the current goroutine, `me`, if it is known where that is, and
/// of the others, if that is wanted.
pub(crate) fn report(
    what: What,
    me: Option<&'static G>,
    here: Option<Here<'_>>,
    sink: &mut dyn FnMut(&[u8]),
) {
    Tracer::with(what.dying, what.system, sink, &mut |tracer| {
        if let (Some(gp), Some(_)) = (me, here) {
            goroutine(tracer, gp, here);
        }
        if what.all {
            others(tracer, what, me);
        }
        let (names, _) = tracer.knows();
        if !names {
            tracer
                .out
                .text(b"\n(no names: the program's file is stripped, changed or not to be read)\n");
        }
    });
}

/// Shows a goroutine: its header and its trace.
fn goroutine(tracer: &mut Tracer<'_, '_>, gp: &'static G, here: Option<Here<'_>>) {
    if !is_whole(gp) {
        tracer
            .out
            .text(b"(a goroutine that another one's overflow has written over)\n");
        return;
    }
    header(tracer, gp);
    if let Some(at) = here.and_then(|here| here.location)
        && !tracer.knows().1
    {
        let numbers = [at.line().into(), at.column().into()];
        tracer.out.say("\t%s:%d:%d\n", &numbers, at.file());
    }
    // The current one is where `here` says, or it is a handler that has died.
    let interrupted = sched::try_getg().is_some_and(|current| ptr::eq(current, gp));
    let at = match here {
        Some(here) => Some((here.registers, here.skip, true)),
        None if interrupted => None,
        None => saved(gp).map(|registers| (registers, false, !is_behind_call(gp))),
    };
    match at {
        Some((registers, skip, exact)) => tracer.trace(gp, registers, skip, exact),
        None if interrupted => tracer
            .out
            .text(b"\tgoroutine interrupted by a signal; stack unavailable\n"),
        None => tracer
            .out
            .text(b"\tgoroutine running on other thread; stack unavailable\n"),
    }
    tracer.created_by(gp);
    tracer.out.flush();
}

/// Shows all goroutines but `me`; the one that this thread runs, and has left for g0,
/// comes first.
fn others(tracer: &mut Tracer<'_, '_>, what: What, me: Option<&'static G>) {
    let is = |one: Option<&'static G>, gp: &G| one.is_some_and(|one| ptr::eq(one, gp));
    // SAFETY: null, or a G, and none is ever freed. Relaxed: this thread wrote it.
    let current = sched::getm().and_then(|mp| unsafe { mp.curg.load(Ordering::Relaxed).as_ref() });
    let current = current.filter(|gp| !is(me, gp));
    if let Some(gp) = current {
        tracer.out.text(b"\n");
        goroutine(tracer, gp, None);
    }
    let mut each = |gp: &'static G| {
        if !is(me, gp) && !is(current, gp) {
            tracer.out.text(b"\n");
            goroutine(tracer, gp, None);
        }
    };
    if what.system {
        sched::for_every_g(&mut each);
    } else {
        sched::for_each_g(&mut each);
    }
}

/// Shows a goroutine's number, and what it is about.
fn header(tracer: &mut Tracer<'_, '_>, gp: &G) {
    const NANOSECONDS_A_MINUTE: i64 = 60_000_000_000;
    let goid = gp.goid.get();
    let out = &mut tracer.out;
    if goid == 0 {
        return out.say("runtime stack:\n", &[], "");
    }
    let status = sched::readgstatus(gp);
    let runs = status == GStatus::Running as u32 || status == GStatus::Syscall as u32;
    // SAFETY: null, or an M, and none is ever freed.
    let mp = unsafe { gp.m.load(Ordering::Relaxed).as_ref() };
    let gp_text = match mp.filter(|_| runs) {
        _ if !tracer.system => "goroutine %d [%s",
        Some(_) => "goroutine %d gp=0x%x m=%d mp=0x%x [%s",
        None => "goroutine %d gp=0x%x m=nil [%s",
    };
    let m = mp.filter(|_| runs).map_or(0, |mp| mp.id.get());
    let address = ptr::from_ref(gp).addr() as u64;
    let numbers = [
        goid,
        address,
        m as u64,
        gp.m.load(Ordering::Relaxed).addr() as u64,
    ];
    out.say(gp_text, &numbers, status_text(gp, status));
    let since = gp.waitsince.get();
    if status == GStatus::Waiting as u32 && since != 0 {
        let minutes = (os::nanotime() - since) / NANOSECONDS_A_MINUTE;
        if minutes >= 1 {
            out.say(", %d minutes", &[minutes as u64], "");
        }
    }
    let locked = !gp.lockedm.load(Ordering::Relaxed).is_null();
    out.text(if locked {
        b", locked to thread]:\n"
    } else {
        b"]:\n"
    });
}

/// Returns what a goroutine with that status is about.
fn status_text(gp: &G, status: u32) -> &'static str {
    const RUNNABLE: u32 = GStatus::Runnable as u32;
    const RUNNING: u32 = GStatus::Running as u32;
    const SYSCALL: u32 = GStatus::Syscall as u32;
    match status {
        RUNNABLE => "runnable",
        RUNNING => "running",
        SYSCALL => "syscall",
        _ => gp.waitreason.get().map_or("waiting", WaitReason::text),
    }
}
