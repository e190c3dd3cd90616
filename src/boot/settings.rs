//! What the environment asks of the runtime: GODEBUG, GOTRACEBACK, GOMAXPROCS.
//!
//! Go's counterparts: `parsedebugvars` in `runtime/runtime1.go`, `secureEnv` in
//! `runtime/security_unix.go`. A value that is not understood is named on stderr
//! in one line, and otherwise ignored.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::args::{auxv, gogetenv};
use crate::debug::boottrace;
use crate::debug::fatal::{Traceback, set_traceback};
use crate::debug::print::{parse_decimal, say};
use crate::{os, sched};

/// The settings of GODEBUG. All are off at 0.
static SETTINGS: [(&[u8], &AtomicU32); 2] =
    [(b"boottrace=", &BOOTTRACE), (b"inittrace=", &INITTRACE)];

static BOOTTRACE: AtomicU32 = AtomicU32::new(0);
static INITTRACE: AtomicU32 = AtomicU32::new(0);

/// What GOTRACEBACK may say.
static TRACEBACKS: [(&[u8], Traceback); 9] = [
    (b"", Traceback::Single),
    (b"none", Traceback::None),
    (b"0", Traceback::None),
    (b"single", Traceback::Single),
    (b"all", Traceback::All),
    (b"1", Traceback::All),
    (b"system", Traceback::System),
    (b"2", Traceback::System),
    (b"crash", Traceback::Crash),
];

/// AT_SECURE: whoever set the environment has fewer rights than we have.
static SECURE_MODE: AtomicBool = AtomicBool::new(false);

/// Reads the settings of GODEBUG that the boot itself needs. Go's early scan.
pub(super) fn early_godebug() {
    if !auxv().secure() {
        read_godebug(false);
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
    read_godebug(true);
    let Some(wish) = gogetenv(b"GOTRACEBACK") else {
        return;
    };
    match TRACEBACKS.iter().find(|(name, _)| *name == wish) {
        Some(&(_, level)) => set_traceback(level),
        None => say(
            "gort: GOTRACEBACK=%q: expected none, single, all, system or crash",
            &[],
            &[wish],
        ),
    }
}

/// Sets what GODEBUG sets: `name=value` any number of times, between commas. On
/// the second time says what is not understood, when the trace is on and stderr
/// is open.
#[inline(never)]
fn read_godebug(complain: bool) {
    for setting in gogetenv(b"GODEBUG")
        .unwrap_or_default()
        .split(|&byte| byte == b',')
    {
        if !set(setting) && complain && !setting.is_empty() {
            say(
                "gort: GODEBUG: %q: expected a whole number for boottrace or inittrace",
                &[],
                &[setting],
            );
        }
    }
}

/// Sets one; false if there is no such name or if the value is no number.
#[inline(never)]
fn set(setting: &[u8]) -> bool {
    for (name, variable) in &SETTINGS {
        if let Some(value) = setting.strip_prefix(*name)
            && let Some(value) = parse_decimal(value)
        {
            variable.store(value as u32, Ordering::Relaxed); // still one thread
            return true;
        }
    }
    false
}

/// GODEBUG=inittrace=1: each init task is to be reported.
pub(super) fn inittrace() -> bool {
    INITTRACE.load(Ordering::Relaxed) > 0 // written before a second thread was made
}

/// How many Ps to begin with: what GOMAXPROCS says, or else as many as this
/// process has CPUs, by its affinity and its control group.
#[inline(never)]
pub(super) fn gomaxprocs_at_start() -> i32 {
    let wish = gogetenv(b"GOMAXPROCS").unwrap_or_default();
    match parse_decimal(wish) {
        Some(procs @ 1..) if procs <= sched::MAX_PROCS as u64 => return procs as i32,
        Some(1..) => {
            say(
                "gort: GOMAXPROCS=%q: expected at most %d, which is used",
                &[sched::MAX_PROCS as u64],
                &[wish],
            );
            return sched::MAX_PROCS;
        }
        _ if wish.is_empty() => {}
        _ => say(
            "gort: GOMAXPROCS=%q: expected a positive whole number",
            &[],
            &[wish],
        ),
    }
    default_gomaxprocs().min(sched::MAX_PROCS)
}

/// The default, as in Go since 1.25: a container's CPU limit counts. It can only
/// take away what is above 2, so that a small machine is spared the files.
#[unsafe(export_name = "runtime.defaultGOMAXPROCS")]
#[inline(never)]
fn default_gomaxprocs() -> i32 {
    let ncpu = sched::NCPU.load(Ordering::Relaxed); // osinit's, same thread
    let limit = if ncpu > 2 {
        os::cpu_limit()
    } else {
        os::cgroup::UNLIMITED
    };
    os::cgroup::default_gomaxprocs(ncpu, limit)
}
