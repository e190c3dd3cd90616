//! The workloads of `cargo xtask bench chan` on threads, with crossbeam's channels and
//! std's lock: see `work.rs`.

extern crate alloc;

#[path = "../shared/platform_std.rs"]
#[allow(dead_code, reason = "the memory benchmarks need more of it")]
mod platform;
#[path = "../shared/status.rs"]
#[allow(dead_code, reason = "the memory benchmarks need it")]
mod status;
mod work;
mod workloads;

use std::process::ExitCode;

/// Whose threads, channels and locks these are.
mod library {
    pub(crate) use crossbeam_channel as channel;
    pub(crate) use std::sync::Mutex;
    pub(crate) use std::thread;

    /// Starts a thread whose end nobody waits for.
    pub(crate) fn go(f: impl FnOnce() + Send + 'static) {
        drop(thread::spawn(f));
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if workloads::run(arguments.iter().map(String::as_str)) {
        ExitCode::SUCCESS
    } else {
        eprintln!("usage: PROGRAM chan/SCENARIO PROCS SCALE");
        ExitCode::FAILURE
    }
}
