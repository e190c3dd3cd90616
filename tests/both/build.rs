//! Makes a module of each file in `programs/`, and hands the linker what gort's own build
//! script asks for.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let programs = root.join("programs");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", programs.display());

    let mut modules = String::new();
    let mut arms = String::new();
    let mut paths: Vec<PathBuf> = fs::read_dir(&programs)
        .expect("programs/ is there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    paths.sort();
    for path in paths {
        let name = path.file_stem().expect("a name").display();
        write!(
            modules,
            "mod {name} {{\n\
             \x20   #[allow(unused_imports, reason = \"the real std needs no such line\")]\n\
             \x20   use std::prelude::v1::*;\n\
             \x20   include!({path:?});\n\
             \x20   pub(crate) fn run() -> std::process::ExitCode {{\n\
             \x20       std::process::Termination::report(main())\n\
             \x20   }}\n\
             }}\n"
        )
        .expect("a String takes it");
        writeln!(arms, "        {:?} => {name}::run(),", name.to_string())
            .expect("a String takes it");
    }
    let text = format!(
        "{modules}\n\
         /// Runs the program of that name.\n\
         fn run(name: &str) -> std::process::ExitCode {{\n\
         \x20   match name {{\n{arms}        \
         \x20       _ => panic!(\"PROGRAM={{name:?}}: there is no such program\"),\n\
         \x20   }}\n\
         }}\n"
    );
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("programs.rs"), text).expect("OUT_DIR can be written");

    let arguments = env::var("DEP_GORT_LINK_ARGS").expect("gort is a dependency");
    for argument in arguments.split('\u{1f}') {
        println!("cargo::rustc-link-arg-bin=both-on-gort={argument}");
    }
}
