//! Links `libgort.a` with its linker script, from the directory that `cargo
//! xtask dist` made, or from the one in GORT_DIST.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-env-changed=GORT_DIST");
    let dist = env::var_os("GORT_DIST").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/dist"),
        PathBuf::from,
    );
    let dist = dist.display();
    println!("cargo::rerun-if-changed={dist}");
    println!("cargo::rustc-link-search={dist}");
    println!("cargo::rustc-link-lib=static=gort");
    for argument in [
        "-nostartfiles",
        "-nostdlib",
        "-static",
        "-no-pie",
        "-Wl,-z,max-page-size=4096",
        "-Wl,-z,norelro",
        "-Wl,--gc-sections",
        "-Wl,--no-eh-frame-hdr",
        "-Wl,--build-id=none",
        &format!("-Wl,-T,{dist}/linker.ld"),
    ] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}
