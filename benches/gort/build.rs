//! Hands the linker what gort's own build script asks for: no start files, no
//! libc, and gort's memory image.

fn main() {
    let arguments = std::env::var("DEP_GORT_LINK_ARGS").expect("gort is a dependency");
    for argument in arguments.split('\u{1f}') {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}
