//! Files that are written and then executed.

use std::path::Path;
use std::process::Command;

use super::run;

/// Makes a program of what is in a file; what was there before is another file.
///
/// Another process does that. What this one has open for writing, each child that another
/// thread starts has open as well, until it becomes the program that it is to be; and a
/// file that anybody has open for writing is not executed: "Text file busy".
///
/// # Errors
///
/// A message if that fails.
pub fn install(from: &Path, to: &Path) -> Result<(), String> {
    let outcome = run(Command::new("install")
        .args(["-m", "755"])
        .arg(from)
        .arg(to))?;
    outcome
        .expect(0, "", "")
        .map(drop)
        .map_err(|error| format!("install {}: {error}", to.display()))
}
