//! Code against std, on gort: `extern crate gort as std`. The same files are part of a
//! test that runs on the host with the real std (`tests/host/tests/std_shape.rs`), so that
//! what they expect is what std does. In `streams` and `hashing` is what they don't share.

#![no_std]
#![no_main]

#[macro_use]
extern crate gort as std;

/// Tests that std passes too.
macro_rules! cases {
    ($($case:tt)*) => {
        gort_test::test_module! { $($case)* }
    };
}

mod buffered;
#[allow(unsafe_code, reason = "std says that of what changes the environment")]
mod environment;
mod errors;
mod hashing;
mod maps;
mod memory;
#[allow(unsafe_code, reason = "memory by its layout")]
mod paths;
mod streams;
mod traits;

gort_test::tests! {
    mod buffered, errors, environment, hashing, maps, memory, paths, streams, traits;

    /// By `macro_use`: this module has no prelude.
    fn macros_come_with_the_crate() {
        assert_eq!(format!("{} {}", vec![1, 2].len(), dbg!(3)), "2 3");
        println!();
    }
}
