//! What is in docs/: its files, and in them the sessions, blocks whose first line is a
//! shell command that starts gdb, or whose lines are shell commands and what they print.
//!
//! ````text
//! ```gdb                      every build; ```gdb debug: that one alone
//! $ gdb/gort-gdb -q target/x86_64-unknown-linux-gnu/debug/examples/hello
//! (gdb) b main.main
//! Breakpoint 1 at 0x40d9f4: file src/macros.rs, line 28.
//! ...                         any lines
//! $1 = …                      any text within a line
//! ```
//!
//! ```console debug            a plain ```console is not run
//! $ readelf -h target/x86_64-unknown-linux-gnu/debug/examples/hello
//! ELF Header:
//! ...
//! ```
//! ````

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Where the documents are, within the repository.
pub(crate) const DIRECTORY: &str = "docs";

/// How the documents call the directory of the built examples.
pub(crate) const EXAMPLES: &str = "target/x86_64-unknown-linux-gnu/debug/examples/";

/// A file of docs/.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    /// Its path within the repository.
    pub(crate) path: String,
    /// Its lines.
    pub(crate) lines: Vec<String>,
}

/// What a session talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// gdb as it is installed.
    Gdb,
    /// gdb with gort's script, by the wrapper.
    GortGdb,
    /// The shell.
    Shell,
}

/// One session: a fenced block.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// The file that it is in, within the repository.
    pub(crate) path: String,
    /// The file's name and the heading above the block, in small letters with `_` between
    /// the words.
    pub(crate) name: String,
    /// What it talks to.
    pub(crate) tool: Tool,
    /// The example to debug.
    pub(crate) example: String,
    /// The build that it holds for, if not for all.
    pub(crate) build: Option<String>,
    /// What is typed, and what is printed then.
    pub(crate) exchanges: Vec<Exchange>,
}

/// A command and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// What stands behind the prompt.
    pub(crate) command: String,
    /// The lines up to the next prompt.
    pub(crate) answer: Vec<String>,
    /// Where those lines are in the document, from 0. The command is right before.
    pub(crate) lines: Range<usize>,
}

/// Returns the repository's directory, which the source's names are relative to.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap_or(Path::new("/"))
        .into()
}

/// Reads all documents, in the order of their paths.
pub(crate) fn all() -> Result<Vec<Document>, String> {
    let mut documents = Vec::new();
    let mut directories = vec![PathBuf::from(DIRECTORY)];
    while let Some(directory) = directories.pop() {
        let say = |error| format!("{}: {error}", directory.display());
        for entry in fs::read_dir(root().join(&directory)).map_err(say)? {
            let entry = entry.map_err(say)?;
            let path = directory.join(entry.file_name());
            if entry.path().is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                documents.push(read(&path.display().to_string())?);
            }
        }
    }
    documents.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(documents)
}

/// Reads one file of the repository.
pub(crate) fn read(path: &str) -> Result<Document, String> {
    let text = fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"))?;
    Ok(Document {
        path: path.into(),
        lines: text.lines().map(String::from).collect(),
    })
}

/// A fenced block.
#[derive(Debug)]
pub(crate) struct Block {
    /// What stands behind the opening fence.
    pub(crate) info: String,
    /// Where the lines between the fences are, from 0.
    pub(crate) lines: Range<usize>,
    /// The heading above it.
    pub(crate) heading: String,
}

impl Document {
    /// Finds the fenced blocks.
    pub(crate) fn blocks(&self) -> Result<Vec<Block>, String> {
        let mut found: Vec<Block> = Vec::new();
        let mut heading = String::new();
        let mut open = false;
        for (number, line) in self.lines.iter().enumerate() {
            match (line.strip_prefix("```"), open, found.last_mut()) {
                (Some(""), true, Some(block)) => {
                    block.lines.end = number;
                    open = false;
                }
                (Some(info), false, _) => {
                    found.push(Block {
                        info: info.into(),
                        lines: number + 1..number + 1,
                        heading: heading.clone(),
                    });
                    open = true;
                }
                (None, false, _) if line.starts_with('#') => {
                    heading = line.trim_start_matches('#').trim().into();
                }
                _ => {}
            }
        }
        match open {
            true => Err(format!("{}: a block without an end", self.path)),
            false => Ok(found),
        }
    }

    /// Finds the sessions.
    pub(crate) fn sessions(&self) -> Result<Vec<Session>, String> {
        let mut found = Vec::new();
        for block in self.blocks()? {
            let (language, build) = block.info.split_once(' ').unwrap_or((&block.info, ""));
            let (prompt, build) = match (language, build) {
                ("gdb", "") => ("(gdb) ", None),
                ("gdb", build) => ("(gdb) ", Some(build.to_string())),
                ("console", build) if !build.is_empty() => ("$ ", Some(build.to_string())),
                _ => continue,
            };
            let session = self.session(&block, prompt, build);
            let at = block.lines.start + 1;
            found.push(session.map_err(|why| format!("{}:{at}: {why}", self.path))?);
        }
        Ok(found)
    }

    /// Reads one block.
    fn session(
        &self,
        block: &Block,
        prompt: &str,
        build: Option<String>,
    ) -> Result<Session, String> {
        let lines = self.lines.get(block.lines.clone()).unwrap_or_default();
        let first = lines.first().map_or("", String::as_str);
        let words: Vec<&str> = first.split_whitespace().collect();
        let tool = match (prompt, words.get(..2)) {
            ("$ ", _) => Tool::Shell,
            (_, Some(["$", "gdb"])) => Tool::Gdb,
            (_, Some(["$", "gdb/gort-gdb"])) => Tool::GortGdb,
            _ => {
                return Err(format!(
                    "expected `$ gdb` or `$ gdb/gort-gdb`, got {first:?}"
                ));
            }
        };
        let named = lines.iter().find_map(|line| line.split_once(EXAMPLES));
        let example = named
            .and_then(|(_, rest)| {
                rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                    .next()
            })
            .ok_or_else(|| format!("no program: {EXAMPLES}NAME"))?
            .to_string();
        let mut exchanges: Vec<Exchange> = Vec::new();
        for (number, line) in block.lines.clone().zip(lines) {
            match (line.strip_prefix(prompt), exchanges.last_mut()) {
                (Some(command), _) => exchanges.push(Exchange {
                    command: command.to_string(),
                    answer: Vec::new(),
                    lines: number + 1..number + 1,
                }),
                (None, Some(last)) => {
                    last.answer.push(line.to_string());
                    last.lines.end = number + 1;
                }
                (None, None) => {} // the command that starts gdb, and what it says then
            }
        }
        let file = Path::new(&self.path).file_stem().unwrap_or_default();
        let name = format!("{}_{}", file.to_string_lossy(), block.heading);
        Ok(Session {
            path: self.path.clone(),
            name: name
                .to_lowercase()
                .replace(|c: char| !c.is_alphanumeric(), "_"),
            tool,
            example,
            build,
            exchanges,
        })
    }
}
