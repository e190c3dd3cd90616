//! The book's table of contents: docs/SUMMARY.md.

use libtest_mimic::{Failed, Trial};

use crate::document::{self, DIRECTORY};
use crate::links;

/// The table, within docs/.
pub(crate) const SUMMARY: &str = "SUMMARY.md";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("summary_has_every_file_once", summary),
        Trial::test("titles_are_the_summary_s", titles),
    ]
}

/// Every file of docs/ has one line in the table, and every line a file.
fn summary() -> Result<(), Failed> {
    let summary = document::read(&format!("{DIRECTORY}/{SUMMARY}"))?;
    let mut listed: Vec<String> = links::of(&summary)
        .into_iter()
        .map(|link| format!("{DIRECTORY}/{}", link.target))
        .collect();
    listed.sort();
    let mut present: Vec<String> = document::all()?.into_iter().map(|file| file.path).collect();
    present.retain(|path| !path.ends_with(SUMMARY));
    if listed != present {
        return Err(format!("{SUMMARY} has {listed:#?}, {DIRECTORY}/ has {present:#?}").into());
    }
    Ok(())
}

/// A file begins with a title, by the name that the table has for it.
fn titles() -> Result<(), Failed> {
    let summary = document::read(&format!("{DIRECTORY}/{SUMMARY}"))?;
    for link in links::of(&summary) {
        let file = document::read(&format!("{DIRECTORY}/{}", link.target))?;
        let title = file.lines.first().map_or("", String::as_str);
        if title != format!("# {}", link.text) {
            return Err(format!("{}: {title:?}, in {SUMMARY} {:?}", file.path, link.text).into());
        }
    }
    Ok(())
}
