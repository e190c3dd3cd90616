//! Which tests a command line means.
//!
//! Pure.

use alloc::vec::Vec;

use crate::case::Test;
use crate::options::{Ignored, Options};

/// A test that takes part, and whether it is only counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selected {
    /// The test.
    pub(crate) test: Test,
    /// Why it is not run, if it is not: maybe for nothing but "".
    pub(crate) ignored: Option<&'static str>,
}

/// Returns the tests of all tables that the options select, by name, and how
/// many they leave out.
pub(crate) fn select(tables: &[&[Option<Test>]], options: &Options) -> (Vec<Selected>, usize) {
    let tests = || tables.iter().copied().flatten().flatten();
    let mut selected: Vec<_> = tests()
        .filter(|test| is_meant(test, options))
        .map(|&test| Selected {
            test,
            ignored: why_ignored(&test, options),
        })
        .collect();
    selected.sort_by_key(|selected| selected.test.name());
    let filtered_out = tests().count() - selected.len();
    (selected, filtered_out)
}

/// Says whether a test takes part.
fn is_meant(test: &Test, options: &Options) -> bool {
    let matches = |filter: &str| match options.exact {
        true => test.name() == filter,
        false => test.name().contains(filter),
    };
    (options.filters.is_empty() || options.filters.iter().any(|filter| matches(filter)))
        && !options.skip.iter().any(|filter| matches(filter))
        && (options.ignored != Ignored::Only || test.ignore_reason().is_some())
}

/// Returns why a test that takes part is not run.
fn why_ignored(test: &Test, options: &Options) -> Option<&'static str> {
    match options.ignored {
        _ if options.benches_only => Some(test.ignore_reason().unwrap_or("")),
        Ignored::No => test.ignore_reason(),
        Ignored::Yes | Ignored::Only => None,
    }
}
