//! docs/gdb.md as a list of sessions: its fenced blocks that begin with a shell
//! command that starts gdb.
//!
//! ````text
//! ```gdb                      every build; ```gdb debug: that one alone
//! $ gdb/gort-gdb -q target/x86_64-unknown-linux-gnu/debug/examples/hello
//! (gdb) b main.main
//! Breakpoint 1 at 0x40d9f4: file src/macros.rs, line 28.
//! ...                         any lines
//! ```
//! ````

use std::fs;
use std::ops::Range;

use crate::session::{Kind, root};

/// The document, within the repository.
pub(crate) const PATH: &str = "docs/gdb.md";

/// One block.
#[derive(Debug)]
pub(crate) struct Session {
    /// The heading above it, in small letters with `_` between the words.
    pub(crate) heading: String,
    /// Which gdb.
    pub(crate) kind: Kind,
    /// The example to debug.
    pub(crate) example: String,
    /// The build that it holds for, if not for all.
    pub(crate) build: Option<String>,
    /// What is typed, and what is printed then.
    pub(crate) exchanges: Vec<Exchange>,
}

/// A command and its answer.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// What stands behind the prompt.
    pub(crate) command: String,
    /// The lines up to the next prompt.
    pub(crate) answer: Vec<String>,
    /// Where those lines are in the document, from 0.
    pub(crate) lines: Range<usize>,
}

/// Reads the document.
pub(crate) fn read() -> Result<String, String> {
    fs::read_to_string(root().join(PATH)).map_err(|error| format!("{PATH}: {error}"))
}

/// Finds the sessions in a document.
pub(crate) fn sessions(text: &str) -> Result<Vec<Session>, String> {
    let mut found = Vec::new();
    let mut heading = String::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            heading = title
                .to_lowercase()
                .replace(|c: char| !c.is_alphanumeric(), "_");
        }
        let Some(info) = line.strip_prefix("```gdb") else {
            continue;
        };
        let (_, start) = lines.next().unwrap_or_default();
        let block = lines.by_ref().take_while(|(_, line)| *line != "```");
        let session = session(&heading, info.trim(), start, block);
        found.push(session.map_err(|why| format!("{PATH}:{}: {why}", number + 2))?);
    }
    Ok(found)
}

/// Reads one block, of which `start` is the first line.
fn session<'a>(
    heading: &str,
    info: &str,
    start: &str,
    block: impl Iterator<Item = (usize, &'a str)>,
) -> Result<Session, String> {
    let words: Vec<&str> = start.split_whitespace().collect();
    let kind = match words.get(..2) {
        Some(["$", "gdb"]) => Kind::Plain,
        Some(["$", "gdb/gort-gdb"]) => Kind::Gort,
        _ => {
            return Err(format!(
                "expected `$ gdb` or `$ gdb/gort-gdb`, got {start:?}"
            ));
        }
    };
    let example = words
        .last()
        .and_then(|path| path.rsplit('/').next())
        .unwrap_or_default()
        .to_string();
    let mut exchanges: Vec<Exchange> = Vec::new();
    for (number, line) in block {
        match (line.strip_prefix("(gdb) "), exchanges.last_mut()) {
            (Some(command), _) => exchanges.push(Exchange {
                command: command.to_string(),
                answer: Vec::new(),
                lines: number + 1..number + 1,
            }),
            (None, Some(last)) => {
                last.answer.push(line.to_string());
                last.lines.end = number + 1;
            }
            (None, None) => {} // what gdb says before its first prompt
        }
    }
    let build = Some(info.to_string()).filter(|build| !build.is_empty());
    Ok(Session {
        heading: heading.to_string(),
        kind,
        example,
        build,
        exchanges,
    })
}
