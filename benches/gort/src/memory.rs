//! The memory benchmarks on gort.

#![no_std]
#![no_main]

extern crate alloc;

#[path = "../../alloc/mod.rs"]
mod allocation;
#[path = "../../shared/block.rs"]
mod block;
#[path = "../../fragmentation/mod.rs"]
mod fragmentation;
#[path = "../../shared/platform_gort.rs"]
mod platform;
#[path = "../../shared/random.rs"]
mod random;
#[path = "../../shared/status.rs"]
mod status;
#[path = "../../shared/subject.rs"]
mod subject;

use gort::process::ExitCode;

gort::main!(main);

fn main() -> ExitCode {
    let arguments = gort::env::args_c()
        .skip(1)
        .map(|argument| argument.to_str().unwrap_or_default());
    if subject::run(arguments) {
        ExitCode::SUCCESS
    } else {
        gort::eprintln!("usage: PROGRAM BENCHMARK PROCS SCALE");
        ExitCode::FAILURE
    }
}
