//! The programs of `programs/`, on the real std: see `on_gort`.

extern crate self as both;
pub use crossbeam_channel as channel;

include!(concat!(env!("OUT_DIR"), "/programs.rs"));

fn main() -> std::process::ExitCode {
    run(&std::env::var("PROGRAM").unwrap_or_default())
}
