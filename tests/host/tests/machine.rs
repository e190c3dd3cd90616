//! Programs as the only ones of a machine, which QEMU emulates: what they print and how they
//! end is compared with what they do on Linux; and what only a machine can show. The programs
//! must have been built for both: `cargo xtask test` does so.
//!
//! A machine that hangs is switched off, and what it has said on its serial port is shown.

#[path = "machine/boot.rs"]
mod boot;
#[path = "machine/deaths.rs"]
mod deaths;
#[path = "machine/hardware.rs"]
mod hardware;
#[path = "machine/odd.rs"]
mod odd;
#[path = "machine/on_gort.rs"]
mod on_gort;
#[path = "../../../xtask/src/on_machines.rs"]
mod on_machines;
#[path = "machine/programs.rs"]
mod programs;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let mut arguments = Arguments::from_args();
    // Each has a machine of several CPUs.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let trials: Vec<Trial> = [
        programs::trials(),
        deaths::trials(),
        hardware::trials(),
        odd::trials(),
        on_gort::trials(),
    ]
    .into_iter()
    .flatten()
    .collect();
    libtest_mimic::run(&arguments, trials).exit();
}
