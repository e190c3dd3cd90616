//! GOMAXPROCS follows the CPUs that the process may use: its affinity, and the limit of
//! its control group, which may change while it runs.
//!
//! Go's counterparts: `sysmonUpdateGOMAXPROCS`, `updateMaxProcsGoroutine`,
//! `defaultGOMAXPROCS` in `runtime/proc.go`, `SetDefaultGOMAXPROCS` in
//! `runtime/debug.go`.
//!
//! sysmon looks once a second, as long as it does not sleep for want of work. A number
//! that the environment sets, or `gomaxprocs`, is the program's own: then nobody looks,
//! until `set_default_gomaxprocs`. `GODEBUG=updatemaxprocs=0` turns all of this off.
//!
//! **sysmon changes the number itself.** Go's sysmon wakes a goroutine for that, since
//! who stops the world there waits on semaphores, and only goroutines can. Here the
//! right to stop it is a word, [`World`], that sysmon takes or leaves
//! until it comes by again, and the Ps that stop are counted by themselves. So there is
//! no goroutine that every program with a `go` would have to have, and nobody would
//! count; but sysmon has to take care of what only sysmon does, while it waits for the
//! others: threads to be started (`stop_the_world` sees to that), and Ps in system
//! calls, which it takes anyway.
//!
//! Invariants:
//! 1. Whether the number is the program's own is read and written with the right to stop
//!    the world. sysmon has it from the question until the answer is in force: when
//!    `gomaxprocs` has returned, the number stays, and the runtime makes none of the
//!    system calls by which it would find another, which a sandbox may rely on.
//! 2. No lock is held while files are read.

use core::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use super::parallel;
use super::stw::{World, update_gomaxprocs};
use crate::boot;

/// How often sysmon looks, in nanoseconds.
const PERIOD: i64 = 1_000_000_000;

/// When it looked last; 0 before it began. Only sysmon reads and writes it.
static LAST: AtomicI64 = AtomicI64::new(0);

/// Whose business the number is: one of the following.
static CUSTOM: AtomicU32 = AtomicU32::new(ASK);

/// Nobody has said so far: the environment knows.
const ASK: u32 = 0;
/// The runtime's.
const AUTOMATIC: u32 = 1;
/// The program's.
const PROGRAM: u32 = 2;

/// Looks, once a second. By sysmon. The first second is free: a program that ends by
/// then makes no system calls for this.
pub(super) fn tick(now: i64) {
    let last = LAST.load(Ordering::Relaxed); // ours
    if last != 0 && now < last + PERIOD {
        return;
    }
    LAST.store(now, Ordering::Relaxed); // as above
    // Where one M runs all goroutines the number is of no use.
    if last != 0 && boot::updatemaxprocs() && parallel() {
        update_gomaxprocs();
    }
}

/// Tells whether the number is the program's own.
pub(super) fn is_custom(_: &World) -> bool {
    match CUSTOM.load(Ordering::Relaxed) {
        ASK => boot::gomaxprocs_is_set(), // behind the right to stop the world
        custom => custom == PROGRAM,
    }
}

/// Says whether it is.
pub(super) fn set_custom(_: &World, custom: bool) {
    let custom = if custom { PROGRAM } else { AUTOMATIC };
    CUSTOM.store(custom, Ordering::Relaxed); // as above
}
