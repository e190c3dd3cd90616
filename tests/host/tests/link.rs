//! gort as a stranger links it: the archive into C, into a Rust program that
//! knows nothing of gort's crate, and under a libc; and the template through
//! cargo. Each is built in a directory outside of the repository, where its
//! settings for cargo do not reach.
//!
//! `cargo xtask dist` must have made `target/dist`.

#[path = "link/archive.rs"]
mod archive;
#[path = "link/c_api.rs"]
mod c_api;
#[path = "link/programs.rs"]
mod programs;
#[path = "link/scratch.rs"]
mod scratch;
#[path = "link/thread_local.rs"]
mod thread_local;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = Vec::new();
    trials.extend(archive::trials());
    trials.extend(c_api::trials());
    trials.extend(programs::trials());
    trials.extend(thread_local::trials());
    libtest_mimic::run(&arguments, trials).exit();
}
