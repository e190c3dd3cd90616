//! What `tests/std_shape` expects of gort is what std does: the same files, with the real
//! std.

#![allow(unused_imports, reason = "std's prelude is there without asking")]

use libtest_mimic::{Arguments, Trial};

/// The cases of a file, as a table.
macro_rules! cases {
    ($($(#[$meta:meta])* fn $name:ident() $body:block)*) => {
        $($(#[$meta])* fn $name() $body)*

        pub(crate) const CASES: &[(&str, fn())] = &[$((stringify!($name), $name)),*];
    };
}

#[path = "../../std_shape/buffered.rs"]
mod buffered;
#[path = "../../std_shape/environment.rs"]
#[allow(unsafe_code, reason = "std says that of what changes the environment")]
mod environment;
#[path = "../../std_shape/errors.rs"]
mod errors;
#[path = "../../std_shape/maps.rs"]
mod maps;
#[path = "../../std_shape/memory.rs"]
mod memory;
#[path = "../../std_shape/paths.rs"]
#[allow(unsafe_code, reason = "memory by its layout")]
mod paths;
#[path = "../../std_shape/traits.rs"]
mod traits;

fn main() {
    let modules = [
        ("buffered", buffered::CASES),
        ("environment", environment::CASES),
        ("errors", errors::CASES),
        ("maps", maps::CASES),
        ("memory", memory::CASES),
        ("paths", paths::CASES),
        ("traits", traits::CASES),
    ];
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1); // some change the environment
    let trials = modules.into_iter().flat_map(|(module, cases)| {
        cases.iter().map(move |&(name, case)| {
            Trial::test(format!("{module}::{name}"), move || {
                case();
                Ok(())
            })
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}
