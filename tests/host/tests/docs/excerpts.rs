//! Excerpts: what docs/ shows of the source must stand there.
//!
//! A block of `rust` or `asm` is an excerpt. The line before it names the file; a line
//! `...` stands for lines that are left out. Only the depth of the whole may differ.
//!
//! ````text
//! `src/boot/osinit.rs`:
//!
//! ```rust
//! pub(super) extern "C" fn osinit() {
//! ...
//! }
//! ```
//! ````

use std::fs;

use libtest_mimic::{Failed, Trial};

use crate::document::{self, Block, Document, root};

/// The languages whose blocks are excerpts.
const LANGUAGES: [&str; 3] = ["rust", "asm", "c"];

pub(crate) fn trials() -> Vec<Trial> {
    let documents = match document::all() {
        Ok(documents) => documents,
        Err(why) => return vec![Trial::test("excerpts", || Err(why.into()))],
    };
    documents
        .into_iter()
        .map(|document| {
            let name = format!("excerpts_of_{}", document.path);
            Trial::test(name, move || excerpts(&document))
        })
        .collect()
}

/// Checks a document's excerpts.
fn excerpts(document: &Document) -> Result<(), Failed> {
    let mut wrong = String::new();
    for block in document.blocks()? {
        if LANGUAGES.contains(&block.info.as_str())
            && let Err(why) = excerpt(document, &block)
        {
            wrong += &format!("{}:{}: {why}\n", document.path, block.lines.start);
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.into()),
    }
}

/// Checks one.
fn excerpt(document: &Document, block: &Block) -> Result<(), String> {
    let path = named(document, block).ok_or("the line before does not name a file")?;
    let text = fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"))?;
    let source: Vec<&str> = text.lines().collect();
    let lines = document.lines.get(block.lines.clone()).unwrap_or_default();
    let mut from = 0;
    for piece in lines.split(|line| line.trim() == "...") {
        if piece.is_empty() {
            continue;
        }
        let rest = source.get(from..).unwrap_or_default();
        let found = rest
            .windows(piece.len())
            .position(|window| is_same(window, piece));
        match found {
            Some(at) => from += at + piece.len(),
            None => {
                return Err(format!(
                    "{path} does not have this, or not here:\n{}",
                    piece.join("\n")
                ));
            }
        }
    }
    match from {
        0 => Err("there is nothing in it".into()),
        _ => Ok(()),
    }
}

/// Returns the file that the line before a block names.
fn named<'a>(document: &'a Document, block: &Block) -> Option<&'a str> {
    let before = document.lines.get(..block.lines.start - 1)?;
    let line = before.iter().rev().find(|line| !line.is_empty())?;
    line.strip_prefix('`')?.split('`').next()
}

/// Tells whether lines are the same but for how deep they stand.
fn is_same(source: &[&str], piece: &[String]) -> bool {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let least = |lines: &mut dyn Iterator<Item = &str>| {
        lines
            .filter(|line| !line.trim().is_empty())
            .map(depth)
            .min()
            .unwrap_or_default()
    };
    let deep = least(&mut source.iter().copied());
    let shallow = least(&mut piece.iter().map(String::as_str));
    source.iter().zip(piece).all(|(source, piece)| {
        source.get(deep..).unwrap_or_default() == piece.get(shallow..).unwrap_or_default()
    })
}
