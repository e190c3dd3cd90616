//! What the environment asks of the runtime: GODEBUG, GOTRACEBACK, GOMAXPROCS, GOMEMLIMIT.
//!
//! Go's counterparts: `parsedebugvars` in `runtime/runtime1.go`, `secureEnv` in
//! `runtime/security_unix.go`, `readGOMEMLIMIT` in `runtime/mgcpacer.go`. A value that is not understood is named on stderr
//! in one line, and otherwise ignored.

use core::hint;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::args::{auxv, gogetenv};
use crate::debug::boottrace;
use crate::debug::fatal::{Traceback, set_traceback};
use crate::debug::print::{parse_decimal, say};
use crate::mem::checks::CLOBBERFREE;
use crate::{arch, os, sched};

/// The settings of GODEBUG: the name, what is set, and what it is by itself, which
/// is 0 in the variable and the other way round.
static SETTINGS: [(&[u8], &AtomicU32, u32); 8] = [
    (b"boottrace=", &BOOTTRACE, 0),
    (b"inittrace=", &INITTRACE, 0),
    (b"asyncpreemptoff=", &ASYNCPREEMPTOFF, 0),
    (b"clobberfree=", &CLOBBERFREE, 0),
    (b"guardinstall=", &NO_GUARDINSTALL, 1),
    (b"schedtrace=", &SCHEDTRACE, 0),
    (b"scheddetail=", &SCHEDDETAIL, 0),
    (b"updatemaxprocs=", &NO_UPDATEMAXPROCS, 1),
];

static BOOTTRACE: AtomicU32 = AtomicU32::new(0);
static INITTRACE: AtomicU32 = AtomicU32::new(0);
static ASYNCPREEMPTOFF: AtomicU32 = AtomicU32::new(0);
static NO_GUARDINSTALL: AtomicU32 = AtomicU32::new(0);
static SCHEDTRACE: AtomicU32 = AtomicU32::new(0);
static SCHEDDETAIL: AtomicU32 = AtomicU32::new(0);
static NO_UPDATEMAXPROCS: AtomicU32 = AtomicU32::new(0);

/// AT_SECURE: whoever set the environment has fewer rights than we have.
static SECURE_MODE: AtomicBool = AtomicBool::new(false);

/// Reads the settings of GODEBUG that the boot itself needs. Go's early scan.
pub(super) fn early_godebug() {
    if !cfg!(feature = "trace") {
        return;
    }
    let settings = gogetenv(b"GODEBUG").filter(|_| !auxv().secure());
    let begin = arch::cputicks(); // looked up it is in any boot, taken apart for the trace
    if let Some(settings) = settings {
        read_godebug(settings, false);
    }
    boottrace::enable(BOOTTRACE.load(Ordering::Relaxed), begin); // still one thread
}

/// In secure mode no trace of our memory goes to whoever started us: GODEBUG and
/// GOTRACEBACK are not listened to. GOMAXPROCS is, as in Go.
#[unsafe(export_name = "runtime.secure")]
#[inline(never)]
pub(super) extern "C" fn secure() {
    if auxv().secure() {
        SECURE_MODE.store(true, Ordering::Relaxed); // still one thread
        set_traceback(Traceback::None as u8);
    }
}

/// Reads GODEBUG and GOTRACEBACK, and says what of them is not understood.
#[unsafe(export_name = "runtime.parsedebugvars")]
#[inline(never)]
pub(super) extern "C" fn parsedebugvars() {
    if SECURE_MODE.load(Ordering::Relaxed) {
        return; // set above, same thread
    }
    if cfg!(feature = "trace")
        && let Some(settings) = gogetenv(b"GODEBUG")
    {
        read_godebug(settings, true);
    }
    if cfg!(all(feature = "trace", not(feature = "sched-trace")))
        && let Some(file @ [_, ..]) = gogetenv(b"GORT_TRACE")
    {
        say(
            "gort: GORT_TRACE=%q: expected the feature sched-trace",
            &[],
            &[file],
        );
    }
    let wish = gogetenv(b"GOTRACEBACK").unwrap_or_default();
    match TRACEBACKS.iter().position(|&word| word == pack(wish)) {
        Some(at) => set_traceback(at as u8 / 2),
        None => say(
            "gort: GOTRACEBACK=%q: expected none, single, all, system or crash",
            &[],
            &[wish],
        ),
    }
}

/// What GOTRACEBACK may say: two words for each [`Traceback`].
static TRACEBACKS: [u64; 9] = [
    pack(b""),
    pack(b"single"),
    pack(b"none"),
    pack(b"0"),
    pack(b"all"),
    pack(b"1"),
    pack(b"system"),
    pack(b"2"),
    pack(b"crash"),
];

/// Packs a word of at most seven bytes into a number that no other word gives,
/// since none has a NUL in it.
#[cfg_attr(not(feature = "archive"), inline(never))] // a loop, and not what it may become
const fn pack(word: &[u8]) -> u64 {
    let (mut packed, mut at) = (1, 0);
    while at < word.len() {
        packed = packed << 8 | word[at] as u64;
        at += 1;
    }
    packed
}

/// Sets what GODEBUG sets: `name=value` any number of times, between commas. On
/// the second time says what is not understood, when the trace is on and stderr
/// is open.
#[inline(never)]
fn read_godebug(settings: &[u8], complain: bool) {
    for setting in settings.split(|&byte| byte == b',') {
        // Hidden, or there would be two loops.
        if !set(setting) && hint::black_box(complain) && !setting.is_empty() {
            say(
                "gort: GODEBUG: %q: expected boottrace=N, inittrace=N, asyncpreemptoff=N, clobberfree=N, guardinstall=N, schedtrace=N, scheddetail=N or updatemaxprocs=N, N a whole number",
                &[],
                &[setting],
            );
        }
    }
}

/// Sets one; false if there is no such name or if the value is no number.
#[inline(never)]
fn set(setting: &[u8]) -> bool {
    for (name, variable, default) in &SETTINGS {
        if let Some(value) = setting.strip_prefix(*name)
            && let Some(value) = parse_decimal(value)
        {
            let value = u32::try_from(value).unwrap_or(u32::MAX);
            variable.store(value ^ default, Ordering::Relaxed); // still one thread
            return true;
        }
    }
    false
}

/// GORT_TRACE=FILE: where the scheduler's trace goes. Not in secure mode.
#[cfg(feature = "sched-trace")]
pub(crate) fn gort_trace() -> Option<&'static core::ffi::CStr> {
    if SECURE_MODE.load(Ordering::Relaxed) {
        return None; // set above, same thread
    }
    let path = gogetenv(b"GORT_TRACE")?;
    (!path.is_empty()).then(|| super::args::kernel_string(path.as_ptr().cast()))
}

/// GODEBUG=inittrace=1: each init task is to be reported.
pub(super) fn inittrace() -> bool {
    cfg!(feature = "trace") && INITTRACE.load(Ordering::Relaxed) > 0 // written before a second thread was made
}

/// Returns the memory limit that GOMEMLIMIT asks for, in bytes; i64::MAX is none.
/// The heap asks when it maps its first arena: a program without one does not
/// even have the code.
pub(crate) fn read_gomemlimit() -> u64 {
    const UNLIMITED: u64 = i64::MAX as u64;
    let wish = gogetenv(b"GOMEMLIMIT").unwrap_or_default();
    if wish.is_empty() || wish == b"off" {
        return UNLIMITED;
    }
    match parse_byte_count(wish).filter(|&limit| limit <= UNLIMITED) {
        Some(limit) => limit,
        None => {
            say(
                "gort: GOMEMLIMIT=%q: expected off, or a whole number with an optional unit, B, KiB, MiB, GiB or TiB",
                &[],
                &[wish],
            );
            UNLIMITED
        }
    }
}

/// Reads a number of bytes with an optional unit.
fn parse_byte_count(text: &[u8]) -> Option<u64> {
    const UNITS: [(&[u8], u32); 5] = [
        (b"KiB", 10),
        (b"MiB", 20),
        (b"GiB", 30),
        (b"TiB", 40),
        (b"B", 0),
    ];
    let unit = UNITS
        .iter()
        .find_map(|(unit, shift)| Some((text.strip_suffix(*unit)?, shift)));
    let (digits, shift) = unit.unwrap_or((text, &0));
    parse_decimal(digits)?.checked_mul(1 << shift)
}

/// GODEBUG=guardinstall=0: guards are to be mappings, as on a system before Linux 6.13.
pub(crate) fn guardinstall() -> bool {
    !cfg!(feature = "trace") || NO_GUARDINSTALL.load(Ordering::Relaxed) != 1 // still one thread
}

/// GODEBUG=asyncpreemptoff=1: nobody is to be preempted between two instructions.
pub(crate) fn asyncpreemptoff() -> bool {
    cfg!(feature = "trace") && ASYNCPREEMPTOFF.load(Ordering::Relaxed) > 0 // written before a second thread was made
}

/// GODEBUG=schedtrace=MS,scheddetail=1: every how many milliseconds the scheduler's state
/// is to be printed, 0 for never, and whether in detail.
pub(crate) fn schedtrace() -> (u32, bool) {
    if cfg!(feature = "trace") {
        // Written before a second thread was made.
        let detailed = SCHEDDETAIL.load(Ordering::Relaxed) > 0;
        (SCHEDTRACE.load(Ordering::Relaxed), detailed)
    } else {
        (0, false)
    }
}

/// GODEBUG=updatemaxprocs=0: GOMAXPROCS is to stay what it was at start.
pub(crate) fn updatemaxprocs() -> bool {
    !cfg!(feature = "trace") || NO_UPDATEMAXPROCS.load(Ordering::Relaxed) != 1 // written before a second thread was made
}

/// How many Ps to begin with: what GOMAXPROCS says, or else as many as this
/// process has CPUs, by its affinity and its control group.
#[inline(never)]
pub(super) fn gomaxprocs_at_start() -> i32 {
    let wish = gogetenv(b"GOMAXPROCS").unwrap_or_default();
    let max = sched::MAX_PROCS as u64;
    let procs = parse_decimal(wish).unwrap_or(0);
    if !wish.is_empty() && (procs == 0 || procs > max) {
        say(
            "gort: GOMAXPROCS=%q: expected a whole number from 1 to %d",
            &[max],
            &[wish],
        );
    }
    match procs {
        0 => default_gomaxprocs(sched::NCPU.load(Ordering::Relaxed)), // osinit's, same thread
        _ => procs.min(max) as i32,
    }
}

/// Tells whether GOMAXPROCS says how many Ps to begin with.
pub(crate) fn gomaxprocs_is_set() -> bool {
    gogetenv(b"GOMAXPROCS").is_some_and(|wish| !matches!(parse_decimal(wish), None | Some(0)))
}

/// How many Ps it would be by default if the process started now. Reads files; needs a
/// stack of 10 KiB.
pub(crate) fn default_gomaxprocs_now() -> i32 {
    default_gomaxprocs(os::cpu_count())
}

/// The default, as in Go since 1.25: a container's CPU limit counts. It can only
/// take away what is above 2, so that a small machine is spared the files.
#[unsafe(export_name = "runtime.defaultGOMAXPROCS")]
#[inline(never)]
fn default_gomaxprocs(ncpu: i32) -> i32 {
    let limit = if ncpu > 2 {
        os::cpu_limit()
    } else {
        os::cgroup::UNLIMITED
    };
    os::cgroup::default_gomaxprocs(ncpu, limit).min(sched::MAX_PROCS)
}
