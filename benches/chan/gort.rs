//! The workloads of `cargo xtask bench chan` on gort: see `work.rs`.

#![no_std]
#![no_main]

extern crate alloc;

#[path = "../shared/platform_gort.rs"]
#[allow(dead_code, reason = "the memory benchmarks need more of it")]
mod platform;
#[path = "../shared/status.rs"]
#[allow(dead_code, reason = "the memory benchmarks need it")]
mod status;
mod work;
mod workloads;

use gort::process::ExitCode;

/// Whose goroutines, channels and locks these are.
mod library {
    pub(crate) use gort::sync::Mutex;
    pub(crate) use gort::{channel, go, thread};
}

gort::main!(main);

fn main() -> ExitCode {
    let arguments = gort::env::args_c()
        .skip(1)
        .map(|argument| argument.to_str().unwrap_or_default());
    if workloads::run(arguments) {
        ExitCode::SUCCESS
    } else {
        gort::eprintln!("usage: PROGRAM chan/SCENARIO PROCS SCALE");
        ExitCode::FAILURE
    }
}
