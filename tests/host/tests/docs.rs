//! docs/ as a book, and as files on a forge: whether its table of contents is whole, its
//! links lead somewhere, and its excerpts still stand in the source.
//!
//! The sessions in it are replayed by the test `gdb`.

#[path = "docs/contents.rs"]
mod contents;
#[allow(dead_code, reason = "what only the sessions need")]
#[path = "gdb/document.rs"]
mod document;
#[path = "docs/excerpts.rs"]
mod excerpts;
#[path = "docs/links.rs"]
mod links;
#[path = "docs/walk.rs"]
mod walk;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let trials: Vec<Trial> = [
        contents::trials(),
        links::trials(),
        excerpts::trials(),
        walk::trials(),
    ]
    .into_iter()
    .flatten()
    .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
