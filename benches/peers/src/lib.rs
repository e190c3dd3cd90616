//! The memory benchmarks' programs on std, but for their allocator.

extern crate alloc;

#[path = "../../alloc/mod.rs"]
mod allocation;
#[path = "../../shared/block.rs"]
mod block;
#[path = "../../fragmentation/mod.rs"]
mod fragmentation;
#[path = "../../shared/platform_std.rs"]
mod platform;
#[path = "../../shared/random.rs"]
mod random;
#[path = "../../shared/status.rs"]
mod status;
#[path = "../../shared/subject.rs"]
mod subject;

use std::process::ExitCode;

/// Does what the command line asks for.
pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if subject::run(arguments.iter().map(String::as_str)) {
        ExitCode::SUCCESS
    } else {
        eprintln!("usage: PROGRAM BENCHMARK PROCS SCALE");
        ExitCode::FAILURE
    }
}
