//! Prints what the program was started with: its arguments and its environment.
//!
//! ```text
//! cargo run --example args_env -- one "two words"
//! ```
//!
//! Arguments and variables need not be UTF-8: `args_c` and `vars_c` hand out the
//! kernel's own strings, whatever bytes are in them.

#![no_std]
#![no_main]

use gort::{env, println};

gort::main!(main);

fn main() {
    println!("{} arguments", env::args_c().len());
    for (number, argument) in env::args_c().enumerate() {
        println!("  {number}: {argument:?}");
    }

    // One variable, as a String: `Err` where it is not set or not UTF-8.
    match env::var("HOME") {
        Ok(home) => println!("HOME is {home}"),
        Err(error) => println!("HOME: {error}"),
    }

    println!("{} variables", env::vars_c().len());
    for variable in env::vars_c() {
        println!("  {variable:?}");
    }
}
