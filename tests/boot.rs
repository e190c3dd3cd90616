//! What the boot has set up, seen from `main.main`.

#![no_std]
#![no_main]

gort::main!(main);

fn main() {
    gort::println!("stub");
}
