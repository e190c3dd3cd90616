//! Hands the linker what gort's own build script asks for: no start files, no
//! libc, and gort's memory image. And an object in C.

use std::process::Command;

fn main() {
    let object = std::env::var("OUT_DIR").expect("cargo sets it") + "/thread_local.o";
    let compile = Command::new("gcc")
        .args(["-Os", "-ffreestanding", "-fstack-protector-strong", "-c"])
        .args(["src/thread_local.c", "-o", &object])
        .status();
    assert!(compile.is_ok_and(|status| status.success()), "gcc failed");
    println!("cargo::rerun-if-changed=src/thread_local.c");
    println!("cargo::rustc-link-arg-bins={object}");

    let arguments = std::env::var("DEP_GORT_LINK_ARGS").expect("gort is a dependency");
    for argument in arguments.split('\u{1f}') {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}
