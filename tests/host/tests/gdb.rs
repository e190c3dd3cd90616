//! gdb on gort's programs: the sessions of docs/, the order of the boot's
//! breakpoints, and backtraces from every instruction of the assembly.
//!
//! `GORT_PROFILE` and `GORT_RUNNER` say which programs are debugged, and where
//! they run; see `gort_host_tests::programs`. In an emulator only the order of
//! the breakpoints is tried, through its gdbstub: for all else gdb must start
//! the program itself.

#[path = "gdb/backtraces.rs"]
mod backtraces;
#[path = "gdb/boot_order.rs"]
mod boot_order;
#[path = "gdb/crowd.rs"]
mod crowd;
#[path = "gdb/deaths.rs"]
mod deaths;
#[path = "gdb/document.rs"]
mod document;
#[path = "gdb/embedded.rs"]
mod embedded;
#[path = "gdb/goroutines.rs"]
mod goroutines;
#[path = "gdb/listing.rs"]
mod listing;
#[path = "gdb/machine.rs"]
mod machine;
#[path = "gdb/normal.rs"]
mod normal;
#[path = "gdb/replay.rs"]
mod replay;
#[path = "gdb/segments.rs"]
mod segments;
#[path = "gdb/session.rs"]
mod session;

use gort_host_tests::programs;
use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    if !programs::native() && !arguments.list {
        println!(
            "under {}: the tests for which gdb starts the program itself are ignored",
            programs::runner().join(" ")
        );
    }
    let mut trials: Vec<Trial> = Vec::new();
    trials.extend(boot_order::trials());
    trials.extend(replay::trials());
    trials.extend(embedded::trials());
    trials.extend(goroutines::trials());
    trials.extend(crowd::trials());
    trials.extend(backtraces::trials());
    trials.extend(segments::trials());
    trials.extend(deaths::trials());
    libtest_mimic::run(&arguments, trials).exit();
}
