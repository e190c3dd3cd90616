//! What the environment asks of the runtime: GODEBUG, GOTRACEBACK, GOMAXPROCS.
//!
//! Go's counterparts: `parsedebugvars` in `runtime/runtime1.go`, `secureEnv` in
//! `runtime/security_unix.go`. A value that is not understood is named on stderr
//! in one line, and otherwise ignored.

use core::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use super::args::{auxv, gogetenv};
use crate::debug::boottrace;
use crate::debug::fatal::{Traceback, set_traceback};
use crate::debug::print::{Line, parse_decimal};
use crate::{os, sched};

/// The names that GODEBUG knows.
const KNOWN: &str = "boottrace, inittrace";

static BOOTTRACE: AtomicI32 = AtomicI32::new(0);
static INITTRACE: AtomicI32 = AtomicI32::new(0);

/// AT_SECURE: whoever set the environment has fewer rights than we have.
static SECURE_MODE: AtomicBool = AtomicBool::new(false);

/// Reads the settings of GODEBUG that the boot itself needs. Go's early scan.
pub(super) fn early_godebug() {
    if !auxv().secure() {
        each_setting(|name, value| {
            set(name, value);
        });
    }
    boottrace::enable(BOOTTRACE.load(Ordering::Relaxed) > 0); // still one thread
}

/// In secure mode no trace of our memory goes to whoever started us, and the
/// rest of the environment that speaks to the runtime is not listened to.
#[unsafe(export_name = "runtime.secure")]
#[inline(never)]
pub(super) extern "C" fn secure() {
    if auxv().secure() {
        SECURE_MODE.store(true, Ordering::Relaxed); // still one thread
        set_traceback(Traceback::None);
    }
}

/// Reads GODEBUG and GOTRACEBACK, and says what of them is not understood.
#[unsafe(export_name = "runtime.parsedebugvars")]
#[inline(never)]
pub(super) extern "C" fn parsedebugvars() {
    if SECURE_MODE.load(Ordering::Relaxed) {
        return; // set above, same thread
    }
    each_setting(|name, value| {
        if !set(name, value) {
            Line::new()
                .str("gort: GODEBUG: ")
                .foreign(name)
                .str("=")
                .foreign(value)
                .str(": expected a whole number for one of ")
                .str(KNOWN)
                .print();
        }
    });
    match gogetenv(b"GOTRACEBACK") {
        None | Some(b"" | b"single") => {}
        Some(b"none" | b"0") => set_traceback(Traceback::None),
        Some(b"all" | b"1") => set_traceback(Traceback::All),
        Some(b"system" | b"2") => set_traceback(Traceback::System),
        Some(b"crash") => set_traceback(Traceback::Crash),
        Some(other) => not_understood("GOTRACEBACK", other, "none, single, all, system or crash"),
    }
}

/// Calls `f` with each `name=value` of GODEBUG.
fn each_setting(mut f: impl FnMut(&[u8], &[u8])) {
    let settings = gogetenv(b"GODEBUG").unwrap_or_default();
    for setting in settings.split(|&byte| byte == b',').filter(|setting| !setting.is_empty()) {
        let mut parts = setting.splitn(2, |&byte| byte == b'=');
        f(parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    }
}

/// Sets one; false if there is no such name or if the value is no number.
fn set(name: &[u8], value: &[u8]) -> bool {
    let variable = match name {
        b"boottrace" => &BOOTTRACE,
        b"inittrace" => &INITTRACE,
        _ => return false,
    };
    match parse_decimal(value).and_then(|value| i32::try_from(value).ok()) {
        Some(value) => {
            variable.store(value, Ordering::Relaxed); // still one thread
            true
        }
        None => false,
    }
}

/// Names a variable whose value is ignored, and what was expected.
fn not_understood(name: &str, value: &[u8], expected: &str) {
    Line::new().str("gort: ").str(name).str("=").foreign(value).str(": expected ").str(expected).print();
}

/// GODEBUG=inittrace=1: each init task is to be reported.
pub(super) fn inittrace() -> bool {
    INITTRACE.load(Ordering::Relaxed) > 0 // written before a second thread was made
}

/// How many Ps to begin with: what GOMAXPROCS says, or else as many as this
/// process has CPUs, by its affinity and its control group.
pub(super) fn gomaxprocs_at_start() -> i32 {
    match gogetenv(b"GOMAXPROCS").unwrap_or_default() {
        b"" => {}
        value => match parse_decimal(value) {
            Some(procs @ 1..) => return limited(procs),
            _ => not_understood("GOMAXPROCS", value, "a positive whole number"),
        },
    }
    default_gomaxprocs().min(sched::MAX_PROCS)
}

/// Cuts a wish down to what is possible, and says so.
fn limited(procs: u64) -> i32 {
    match i32::try_from(procs) {
        Ok(procs) if procs <= sched::MAX_PROCS => procs,
        _ => {
            Line::new()
                .str("gort: GOMAXPROCS=")
                .dec(procs)
                .str(": expected at most ")
                .dec(sched::MAX_PROCS as u64)
                .str(", which is used")
                .print();
            sched::MAX_PROCS
        }
    }
}

/// The default, as in Go since 1.25: a container's CPU limit counts. It can only
/// take away what is above 2, so that a small machine is spared the files.
#[unsafe(export_name = "runtime.defaultGOMAXPROCS")]
#[inline(never)]
fn default_gomaxprocs() -> i32 {
    let ncpu = sched::NCPU.load(Ordering::Relaxed); // osinit's, same thread
    let limit = if ncpu > 2 { os::cpu_limit() } else { None };
    os::cgroup::default_gomaxprocs(ncpu, limit)
}
