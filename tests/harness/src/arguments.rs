//! The command line, split into options and the rest as libtest does it, with
//! the messages of the getopts crate.
//!
//! Pure.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::slice;

/// How often an option may be given, and with what.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Once, without a value.
    Nothing,
    /// Once, with a value.
    One,
    /// Any number of times, each with a value.
    Many,
}

/// The options: long name, short name, and what they take. [`Given`] holds them
/// by the long name, or the short one of those that have no other.
const OPTIONS: &[(&str, &str, Takes)] = &[
    ("include-ignored", "", Takes::Nothing),
    ("ignored", "", Takes::Nothing),
    ("force-run-in-process", "", Takes::Nothing),
    ("exclude-should-panic", "", Takes::Nothing),
    ("test", "", Takes::Nothing),
    ("bench", "", Takes::Nothing),
    ("list", "", Takes::Nothing),
    ("fail-fast", "", Takes::Nothing),
    ("help", "h", Takes::Nothing),
    ("logfile", "", Takes::One),
    ("no-capture", "", Takes::Nothing),
    ("nocapture", "", Takes::Nothing),
    ("test-threads", "", Takes::Many),
    ("skip", "", Takes::Many),
    ("quiet", "q", Takes::Nothing),
    ("exact", "", Takes::Nothing),
    ("color", "", Takes::Many),
    ("format", "", Takes::One),
    ("show-output", "", Takes::Nothing),
    ("Z", "Z", Takes::Many),
    ("report-time", "", Takes::Nothing),
    ("ensure-time", "", Takes::Nothing),
    ("shuffle", "", Takes::Nothing),
    ("shuffle-seed", "", Takes::One),
];

/// What was given: options by name, and the rest.
#[derive(Default)]
pub(crate) struct Given {
    options: Vec<(&'static str, String)>,
    pub(crate) free: Vec<String>,
}

/// Splits the arguments, without the program's name, into options and the rest.
pub(crate) fn split(arguments: &[String]) -> Result<Given, String> {
    let mut given = Given::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--" {
            given.free.extend(rest.by_ref().cloned());
        } else if let Some(long) = argument.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_string())),
                None => (long, None),
            };
            given.option(find(name, |entry| entry.0)?, name, value, &mut rest)?;
        } else if let Some(shorts) = argument
            .strip_prefix('-')
            .filter(|shorts| !shorts.is_empty())
        {
            given.cluster(shorts, &mut rest)?;
        } else {
            given.free.push(argument.clone());
        }
    }
    Ok(given)
}

/// An entry of [`OPTIONS`].
type Entry = (&'static str, &'static str, Takes);

/// Finds an option by one of its names.
fn find(name: &str, key: fn(&Entry) -> &'static str) -> Result<Entry, String> {
    let entry = OPTIONS
        .iter()
        .find(|entry| !name.is_empty() && key(entry) == name);
    entry
        .copied()
        .ok_or_else(|| format!("Unrecognized option: '{name}'"))
}

impl Given {
    /// Takes options of one letter, of which the last may have its value behind
    /// it: `-qh`, `-Zunstable-options`.
    fn cluster(&mut self, shorts: &str, rest: &mut slice::Iter<'_, String>) -> Result<(), String> {
        let mut letters = shorts.chars();
        while let Some(letter) = letters.next() {
            let name = letter.to_string();
            let entry = find(&name, |entry| entry.1)?;
            let mut value = None;
            if entry.2 != Takes::Nothing && !letters.as_str().is_empty() {
                value = Some(letters.as_str().to_string());
                letters = "".chars();
            }
            self.option(entry, &name, value, rest)?;
        }
        Ok(())
    }

    /// Takes an option, with the next argument if it needs a value and has none.
    fn option(
        &mut self,
        (long, _, takes): Entry,
        name: &str,
        value: Option<String>,
        rest: &mut slice::Iter<'_, String>,
    ) -> Result<(), String> {
        let value = match (takes, value) {
            (Takes::Nothing, Some(_)) => {
                return Err(format!("Option '{name}' does not take an argument"));
            }
            (Takes::Nothing, None) => String::new(),
            (_, Some(value)) => value,
            (_, None) => rest
                .next()
                .cloned()
                .ok_or_else(|| format!("Argument to option '{name}' missing"))?,
        };
        if takes != Takes::Many && self.has(long) {
            return Err(format!("Option '{name}' given more than once"));
        }
        self.options.push((long, value));
        Ok(())
    }

    /// Says whether an option was given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// Returns the values that were given for an option.
    pub(crate) fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.options
            .iter()
            .filter(move |option| option.0 == name)
            .map(|option| option.1.as_str())
    }
}
