//! The goroutines of a program that dies, or that asks.
//!
//! Go's counterparts: `goroutineheader`, `tracebackothers` in `runtime/traceback.go`,
//! `dopanic_m` in `runtime/panic.go`.

use core::cell::Cell;
use core::panic::Location;
use core::ptr;
use core::sync::atomic::Ordering;

use super::frames::{Frames, Shared};
use super::out::Out;
use super::show::Tracer;
use super::stack::{is_whole, saved};
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

/// Gives `sink` the trace of the goroutine `gp`, the current one, and of the others if
/// that is wanted.
pub(crate) fn report(what: What, gp: &'static G, here: Here<'_>, sink: &mut dyn FnMut(&[u8])) {
    with_tracer(what, sink, &mut |tracer| {
        goroutine(tracer, gp, Some(here));
        if what.all {
            others(tracer, what, Some(gp));
        }
        missing(tracer);
    });
}

/// Gives `sink` the traces of all goroutines, but for `me`.
pub(crate) fn report_others(what: What, me: Option<&'static G>, sink: &mut dyn FnMut(&[u8])) {
    with_tracer(what, sink, &mut |tracer| {
        others(tracer, what, me);
        missing(tracer);
    });
}

/// Calls `f` with what shows traces.
fn with_tracer(
    what: What,
    sink: &mut dyn FnMut(&[u8]),
    f: &mut dyn FnMut(&mut Tracer<'_, '_, '_>),
) {
    Frames::with(what.dying, |frames| {
        let mut out = Out::new(sink);
        f(&mut Tracer {
            out: &mut out,
            frames: &Shared(Cell::new(Some(frames))),
            system: what.system,
        });
        out.flush();
    });
}

/// Shows a goroutine: its header and its trace.
fn goroutine(tracer: &mut Tracer<'_, '_, '_>, gp: &'static G, here: Option<Here<'_>>) {
    if !is_whole(gp) {
        tracer
            .out
            .text(b"(a goroutine that another one's overflow has written over)\n");
        return;
    }
    header(tracer, gp);
    match here.or_else(|| {
        saved(gp).map(|registers| Here {
            registers,
            skip: false,
            location: None,
        })
    }) {
        Some(here) => {
            if let Some(at) = here.location
                && tracer.frames.with(|frames| frames.has_lines()) != Some(true)
            {
                tracer.out.text(b"\t");
                tracer.out.text(at.file().as_bytes());
                let numbers = [at.line().into(), at.column().into()];
                tracer.out.say(":%d:%d\n", &numbers);
            }
            tracer.trace(gp, here.registers, here.skip);
        }
        None => tracer
            .out
            .text(b"\tgoroutine running on other thread; stack unavailable\n"),
    }
    tracer.created_by(gp);
    tracer.out.flush();
}

/// Shows all goroutines but `me`; the one that this thread runs, and has left for g0,
/// comes first.
fn others(tracer: &mut Tracer<'_, '_, '_>, what: What, me: Option<&'static G>) {
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
fn header(tracer: &mut Tracer<'_, '_, '_>, gp: &G) {
    const NANOSECONDS_A_MINUTE: i64 = 60_000_000_000;
    let goid = gp.goid.get();
    let out = &mut *tracer.out;
    if goid == 0 {
        out.say("runtime stack:\n", &[]);
        return;
    }
    let status = sched::readgstatus(gp);
    out.say("goroutine %d ", &[goid]);
    if tracer.system {
        out.say("gp=0x%x ", &[ptr::from_ref(gp).addr() as u64]);
        let runs = status == GStatus::Running as u32 || status == GStatus::Syscall as u32;
        let mp = if runs {
            gp.m.load(Ordering::Relaxed)
        } else {
            ptr::null_mut()
        };
        // SAFETY: null, or an M, and none is ever freed.
        match unsafe { mp.as_ref() } {
            Some(mp) => {
                let numbers = [mp.id.get() as u64, ptr::from_ref(mp).addr() as u64];
                out.say("m=%d mp=0x%x ", &numbers);
            }
            None => out.say("m=nil ", &[]),
        }
    }
    out.say("[", &[]);
    out.text(status_text(gp, status).as_bytes());
    let since = gp.waitsince.get();
    if (status == GStatus::Waiting as u32 || status == GStatus::Syscall as u32) && since != 0 {
        let minutes = (os::nanotime() - since) / NANOSECONDS_A_MINUTE;
        if minutes >= 1 {
            out.say(", %d minutes", &[minutes as u64]);
        }
    }
    if !gp.lockedm.load(Ordering::Relaxed).is_null() {
        out.say(", locked to thread", &[]);
    }
    out.say("]:\n", &[]);
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

/// Says what the program's file lacks.
fn missing(tracer: &mut Tracer<'_, '_, '_>) {
    if tracer.frames.with(|frames| frames.has_names()) == Some(false) {
        tracer
            .out
            .text(b"\n(no names: the program's file is stripped, changed or not to be read)\n");
    }
}
