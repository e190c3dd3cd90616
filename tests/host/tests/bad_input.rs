//! What gort does with input that no well-meaning caller gives: a sane start, or
//! one line that says what is wrong and a status that is not 0; never a hang,
//! never an end without a word.

#[path = "bad_input/cgroup.rs"]
mod cgroup;
#[path = "bad_input/descriptors.rs"]
mod descriptors;
#[path = "bad_input/image.rs"]
mod image;
#[path = "bad_input/limits.rs"]
mod limits;
#[path = "bad_input/settings.rs"]
mod settings;
#[path = "bad_input/stack.rs"]
mod stack;

use std::path::Path;
use std::process::Command;

use gort_host_tests::programs::{command, path};
use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = Vec::new();
    trials.extend(stack::trials());
    trials.extend(image::trials());
    trials.extend(settings::trials());
    trials.extend(descriptors::trials());
    trials.extend(limits::trials());
    trials.extend(cgroup::trials());
    libtest_mimic::run(&arguments, trials).exit();
}

/// Makes the command that has the loader start an example: see its options.
fn loaded(options: &[&str], name: &str) -> Result<Command, String> {
    let mut loader = command(Path::new(env!("CARGO_BIN_EXE_loader")));
    loader.args(options).arg(path(name)?);
    Ok(loader)
}
