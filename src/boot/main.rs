//! `runtime.main`: the first goroutine. What is easier done on a goroutine than
//! before there is one, then the program.
//!
//! Go's counterpart: `main` in `runtime/proc.go`.

use core::sync::atomic::Ordering;

use super::init::{run_program_tasks, run_runtime_tasks};
use crate::debug::boottrace::{self, step};
use crate::debug::fatal;
use crate::{arch, os, sched};

// SAFETY: `main!` makes it, or asm/asm_amd64.S where the program has main_main:
// a function without arguments that returns an exit status.
unsafe extern "C" {
    #[link_name = "main.main"]
    safe fn main_main() -> i32;
}

/// The main goroutine's entry; `runtime.mainPC` holds its address.
#[unsafe(export_name = "runtime.main")]
#[inline(never)]
extern "C" fn main(_: *mut u8) {
    crate::stops_here!();
    step("runtime.mstart"); // this thread schedules: here is its first goroutine
    sched::lock_os_thread::<true>(); // init tasks run on the main thread
    run_runtime_tasks();
    gcenable();
    run_program_tasks(); // init!, in link order
    sched::unlock_os_thread::<true>(); // from here on this is a goroutine like any
    step("runtime.main");
    boottrace::memory();

    let status = main_main();
    step("main.main");

    #[cfg(not(feature = "archive"))]
    fatal::let_panics_finish();
    // A panic on another thread is ending the program: let it say why. Go parks here
    // after a thousand rounds; this way a program without another goroutine need not
    // know how that is done. Who panics does not give way, so that it needs no P.
    if fatal::PANICKING.load(Ordering::SeqCst) != 0 {
        fatal::wait_for_the_end();
    }
    os::exit(status)
}

/// There is no collector; see `gcinit`.
#[unsafe(export_name = "runtime.gcenable")]
#[inline(never)]
extern "C" fn gcenable() {
    arch::named_nothing!("gcenable");
}
