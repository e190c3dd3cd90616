//! The memory benchmarks on std's own allocator, which is glibc's malloc.

use std::alloc::System;
use std::process::ExitCode;

#[global_allocator]
static GLOBAL: System = System;

fn main() -> ExitCode {
    gort_bench_peers::main()
}
