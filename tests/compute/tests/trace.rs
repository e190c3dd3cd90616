//! `GORT_TRACE=FILE`: the file is right however the program ends, and says what it did; and
//! what `cargo xtask trace` makes of it.
//!
//! `tests/traced` is the program. On 1, 2 and 8 Ps.

/// What the modules of xtask return.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

#[path = "../../../xtask/src/trace/builder.rs"]
mod builder;
#[path = "../../../xtask/src/trace/json.rs"]
mod json;
#[path = "../../../xtask/src/trace/model.rs"]
mod model;
#[path = "../../../xtask/src/trace/order.rs"]
mod order;
#[path = "../../../xtask/src/trace/page.rs"]
mod page;
#[path = "../../../xtask/src/trace/read.rs"]
mod read;
#[path = "../../../src/debug/trace/ring.rs"]
#[allow(unsafe_code, reason = "raw memory is its business")]
#[allow(dead_code, reason = "reasons and places are tried on gort itself")]
mod ring;
#[path = "../../../xtask/src/trace/summary.rs"]
#[allow(dead_code, reason = "what is for the terminal")]
mod summary;
#[path = "../../../src/debug/trace/words.rs"]
#[allow(dead_code, reason = "the runtime writes what is only read here")]
mod words;

#[path = "trace/ends.rs"]
mod ends;
#[path = "trace/formats.rs"]
mod formats;
#[path = "trace/orders.rs"]
mod orders;
#[path = "trace/programs.rs"]
mod programs;
#[path = "trace/rings.rs"]
#[allow(unsafe_code, reason = "a ring is memory full of zeros")]
mod rings;
#[path = "trace/slow.rs"]
mod slow;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{self, AtomicU32, Ordering};

use gort_host_tests::programs::program;
use libtest_mimic::{Arguments, Failed};

use model::Model;
use read::Recording;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = programs::trials();
    trials.extend(ends::trials());
    trials.extend(formats::trials());
    trials.extend(orders::trials());
    trials.extend(rings::trials());
    trials.extend(slow::trials());
    libtest_mimic::run(&arguments, trials).exit();
}

/// What the writer knows of a P besides: nothing here.
mod chrome {
    pub(crate) struct Reader;
}

/// A file that goes with this.
struct File(PathBuf);

impl File {
    /// Chooses a name that nobody has.
    fn new() -> Self {
        Self::with_ending("")
    }

    /// The same for a name that ends so.
    fn with_ending(ending: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed); // a counter
        let name = format!("gort-trace-{}-{number}{ending}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    /// Reads what a program has written there.
    fn read(&self) -> Result<(Recording, Model), Failed> {
        let bytes = fs::read(&self.0).map_err(|error| format!("no trace: {error}"))?;
        let recording = read::read(&bytes).map_err(|error| error.to_string())?;
        let model = Model::new(&recording);
        Ok((recording, model))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0); // there may be none
    }
}

/// Makes the command that runs one of the program's commands with a trace.
fn traced(file: &File, name: &str, procs: u32) -> Result<Command, Failed> {
    let mut command = program("traced")?;
    command
        .arg(name)
        .env("GORT_TRACE", &file.0)
        .env("GOMAXPROCS", procs.to_string());
    Ok(command)
}
