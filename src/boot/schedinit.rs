//! The subsystems, woken in the order in which they need each other.
//!
//! Go's counterpart: `schedinit` in `runtime/proc.go`. Still one thread, on g0.

use super::moduledata::moduledataverify;
use super::rand::randinit;
use super::settings::{early_godebug, gomaxprocs_at_start, parsedebugvars, secure};
use super::{alg, args};
use crate::debug::boottrace::step;
use crate::debug::{fatal, trace};
use crate::{arch, mem, os, sched};

/// How many threads there may be, Go's number.
const MAX_M_COUNT: i64 = 10_000;

/// What is called, one after the other, as it stands there.
#[cfg(any(not(feature = "none"), debug_assertions))]
macro_rules! in_order {
    ($($words:tt)*) => { $($words)* };
}

/// The same by a loop over a table, for a machine with no kernel: an emulator translates each
/// call by itself. A debugger shows no lines for that.
#[cfg(all(feature = "none", not(debug_assertions)))]
macro_rules! in_order {
    ($($($subsystem:ident)::+ (); step($name:literal);)*) => {
        each(&[$(($($subsystem)::+, $name)),*])
    };
}

/// Calls each, and says that its step has ended.
#[cfg(all(feature = "none", not(debug_assertions)))]
#[inline(never)] // an emulator translates each copy
fn each(steps: &[(extern "C" fn(), &'static str)]) {
    for (subsystem, name) in steps {
        subsystem();
        step(name);
    }
}

/// Wakes the runtime. The order is the specification: whoever needs something
/// stands behind it.
#[unsafe(export_name = "runtime.schedinit")]
#[inline(never)]
pub(super) extern "C" fn schedinit() {
    crate::stops_here!();
    sched::schedinit(MAX_M_COUNT);
    early_godebug(); // boottrace prints from here on
    in_order! {
        moduledataverify(); // the program is what the linker made
        step("runtime.moduledataverify");
        mem::stackinit();
        step("runtime.stackinit");
        randinit(); // before mallocinit and mcommoninit, which draw from it
        step("runtime.randinit");
        mem::mallocinit();
        step("runtime.mallocinit");
        cpuinit(); // before alginit
        step("runtime.cpuinit");
        alg::alginit(); // no hash before this
        step("runtime.alginit");
    }
    sched::mcommoninit(&sched::M0);
    step("runtime.mcommoninit");
    in_order! {
        sigsave();
        step("runtime.sigsave");
        goargs();
        step("runtime.goargs");
        goenvs();
        step("runtime.goenvs");
        secure(); // before anything of the environment is believed
        step("runtime.secure");
        checkfds(); // before any message could land in a file
        step("runtime.checkfds");
        parsedebugvars();
        step("runtime.parsedebugvars");
        gcinit();
        step("runtime.gcinit");
    }
    sched::procresize(gomaxprocs_at_start());
    trace::start(); // GORT_TRACE
    step("runtime.procresize");
}

/// Finds out what the CPU can do.
#[unsafe(export_name = "runtime.cpuinit")]
#[inline(never)]
extern "C" fn cpuinit() {
    arch::amd64::cpuinit(args::auxv().fsgsbase());
}

/// Remembers the signal mask that the program was started with: threads and
/// children get the same.
#[unsafe(export_name = "runtime.sigsave")]
#[inline(never)]
extern "C" fn sigsave() {
    sched::M0.sigmask.set(os::save_mask());
}

/// Checks that the arguments are what the kernel promises. They are not copied.
#[unsafe(export_name = "runtime.goargs")]
#[inline(never)]
extern "C" fn goargs() {
    if args::arguments().iter().any(|arg| arg.is_null()) {
        fatal::refuse("gort: argv: a null before its end", &[], &[]);
    }
}

/// The same for the environment, which ends at its null: there is nothing left
/// to check but that it is there.
#[unsafe(export_name = "runtime.goenvs")]
#[inline(never)]
extern "C" fn goenvs() {
    arch::named_nothing!("goenvs"); // a release build has no check
    debug_assert!(args::environment().iter().all(|entry| !entry.is_null()));
}

/// Opens what is closed of the descriptors 0, 1 and 2.
#[unsafe(export_name = "runtime.checkfds")]
#[inline(never)]
extern "C" fn checkfds() {
    if let Err(fd) = os::check_fds() {
        fatal::refuse(
            "fatal error: could not open /dev/null for file descriptor %d",
            &[fd as u64],
            &[],
        );
    }
}

/// Rust frees memory itself: there is no collector to prepare. The step stands
/// here since Go's readers look for it. What gives free memory back to the system
/// begins with the first free that leaves too much of it: `sched/bgscavenge.rs`.
#[unsafe(export_name = "runtime.gcinit")]
#[inline(never)]
extern "C" fn gcinit() {
    arch::named_nothing!("gcinit");
}
