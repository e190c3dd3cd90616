//! Puts the loader out of the way of the programs that it loads: they have fixed
//! addresses from 0x400000 upward, and so has it, since the whole workspace is
//! compiled for such.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-arg-bin=loader=-Wl,--image-base=0x40000000");
}
