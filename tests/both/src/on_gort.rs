//! The programs of `programs/`, on gort.
//!
//! Each of them is an ordinary program, written against std, and stands in its file as it
//! would stand in its own crate. Two crates have it as a module: this one and `on_std`.
//! What it takes to have gort for std is the first lines here, and in each module
//! `use std::prelude::v1::*`, which build.rs puts before what the file says.
//!
//! The variable PROGRAM says which one is to run. The host's test `both` runs all of them
//! on either side and compares. It reads at the head of a program what that is started
//! with, and how it shall end: the lines `//@ args: …`, `//@ env: NAME=VALUE`, and
//! `//@ status: …` or `//@ signal: …`; `programs/NAME.stdin` is its standard input.

#![no_std]
#![no_main]

#[macro_use]
extern crate gort as std;

// What the programs call `both::channel` is gort's or crossbeam's.
extern crate self as both;
pub use std::channel;

include!(concat!(env!("OUT_DIR"), "/programs.rs"));

std::main!(main);

fn main() -> std::process::ExitCode {
    run(&std::env::var("PROGRAM").unwrap_or_default())
}
