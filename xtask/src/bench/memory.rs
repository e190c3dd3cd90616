//! The programs of the benchmarks, of which those of memory in Rust share their source, and
//! have an allocator each.

use super::{Subject, peers};
use crate::Outcome;
use crate::run;

/// gort's program in `benches/gort`.
const GORT: &str = "memory";

/// The programs in `benches/peers`, by their allocator.
const PEERS: [&str; 3] = ["glibc", "mimalloc", "jemalloc"];

/// Builds the subjects of a benchmark.
pub(super) fn subjects(benchmark: &str) -> Outcome<Vec<Subject>> {
    let mut subjects = Vec::new();
    let program = peers::crate_program("gort", GORT)?;
    subjects.push(Subject::new("gort", program)?);
    for name in PEERS {
        let program = peers::crate_program("peers", name)?;
        subjects.push(Subject::new(name, program)?);
    }
    subjects.extend(go(benchmark)?);
    Ok(subjects)
}

/// Builds the programs of a benchmark that has one for each runtime: on gort, on those
/// named, and in Go.
pub(super) fn runtimes(benchmark: &str, peers: &[&'static str]) -> Outcome<Vec<Subject>> {
    let gort = peers::crate_program("gort", benchmark)?;
    let mut subjects = vec![Subject::new("gort", gort)?];
    for name in peers {
        let program = peers::crate_program("peers", &format!("{benchmark}-{name}"))?;
        subjects.push(Subject::new(name, program)?);
    }
    subjects.extend(go(benchmark)?);
    Ok(subjects)
}

/// Builds the program of a benchmark in Go, if Go can be had.
pub(super) fn go(benchmark: &str) -> Outcome<Option<Subject>> {
    let sources = run::root().join("benches").join(benchmark);
    let program = peers::directory(benchmark)?.join("go");
    match peers::go(&sources, &program) {
        Ok(()) => Ok(Some(Subject::new("go", program)?)),
        Err(error) => {
            eprintln!("{benchmark}: without Go: {error}");
            Ok(None)
        }
    }
}
