//! The program that the documentation steps through in gdb.

#![no_std]
#![no_main]

gort::main!(main);

fn main() {
    gort::println!("vim-go");
}
