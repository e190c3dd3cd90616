//! Links: to files that are there, and to headings that are in them.

use std::path::{Component, Path, PathBuf};

use libtest_mimic::{Failed, Trial};

use crate::contents::SUMMARY;
use crate::document::{self, DIRECTORY, Document, root};

/// A link or a picture.
#[derive(Debug)]
pub(crate) struct Link {
    /// What one reads.
    pub(crate) text: String,
    /// Where it leads.
    pub(crate) target: String,
    /// Its line in the document, from 1.
    pub(crate) line: usize,
}

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("links_lead_somewhere", || {
            for document in document::all()? {
                follow(&document, true)?;
            }
            Ok(())
        }),
        Trial::test("links_of_the_readme_lead_somewhere", || {
            follow(&document::read("README.md")?, false)
        }),
        Trial::test("pictures_stand_alone", pictures),
    ]
}

/// Follows a document's links. In a book they must not lead out of it.
fn follow(document: &Document, book: bool) -> Result<(), Failed> {
    for link in of(document) {
        let say = |why: &str| -> Failed {
            format!("{}:{}: {}: {why}", document.path, link.line, link.target).into()
        };
        if link.target.contains("://") {
            continue; // another's
        }
        let (file, anchor) = link.target.split_once('#').unwrap_or((&link.target, ""));
        let path = match file {
            "" => PathBuf::from(&document.path),
            file => join(&document.path, file),
        };
        // The table of contents is no page of the book.
        if book && (!path.starts_with(DIRECTORY) || path.ends_with(SUMMARY)) {
            return Err(say("leads out of the book"));
        }
        if !root().join(&path).exists() {
            return Err(say("is not there"));
        }
        if anchor.is_empty() {
            continue;
        }
        let target = document::read(&path.display().to_string())?;
        if !anchors(&target)?.iter().any(|known| known == anchor) {
            return Err(say("has no such heading"));
        }
    }
    Ok(())
}

/// Returns where a relative path leads to from a document.
fn join(from: &str, to: &str) -> PathBuf {
    let mut path = PathBuf::from(from);
    path.pop();
    for part in Path::new(to).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path
}

/// Finds a document's links: `[text](target)`, outside of code.
pub(crate) fn of(document: &Document) -> Vec<Link> {
    let mut found = Vec::new();
    let mut code = false;
    let mut before_line = "";
    for (number, line) in document.lines.iter().enumerate() {
        if line.starts_with("```") {
            code = !code;
        }
        if code {
            continue;
        }
        // What stands in backquotes is code, unless it is within a link's text.
        let mut rest = line.as_str();
        while let Some((before, behind)) = rest.split_once("](") {
            let text = match (before.rsplit_once('['), before_line.rsplit_once('[')) {
                (Some((_, text)), _) => text.to_string(),
                (None, Some((_, start))) => format!("{start} {before}"), // wrapped
                (None, None) => String::new(),
            };
            let (target, behind) = behind.split_once(')').unwrap_or((behind, ""));
            found.push(Link {
                text,
                target: target.into(),
                line: number + 1,
            });
            rest = behind;
        }
        before_line = line;
    }
    found
}

/// Returns the names by which links find a document's headings: forges and mdBook agree
/// on them.
fn anchors(document: &Document) -> Result<Vec<String>, Failed> {
    let blocks = document.blocks()?;
    let mut names = Vec::new();
    for (number, line) in document.lines.iter().enumerate() {
        let code = blocks.iter().any(|block| block.lines.contains(&number));
        let Some((_, title)) = line.split_once(' ').filter(|(marks, _)| {
            !code && !marks.is_empty() && marks.bytes().all(|byte| byte == b'#')
        }) else {
            continue;
        };
        let name: String = title
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        if names.contains(&name) {
            return Err(format!("{}:{}: a heading twice", document.path, number + 1).into());
        }
        names.push(name);
    }
    Ok(names)
}

/// A picture is an SVG file that loads nothing, and has a text for who does not see it.
fn pictures() -> Result<(), Failed> {
    for document in document::all()? {
        for link in of(&document) {
            if !link.target.ends_with(".svg") {
                continue;
            }
            let path = join(&document.path, &link.target);
            let svg = std::fs::read_to_string(root().join(&path))?;
            let says = |why: &str| -> Failed { format!("{}: {why}", path.display()).into() };
            if !svg.contains("xmlns=\"http://www.w3.org/2000/svg\"") || !svg.contains("viewBox=") {
                return Err(says("no xmlns, or no viewBox"));
            }
            if ["<script", "href=", "<image", "@import", "url(http"]
                .iter()
                .any(|word| svg.contains(word))
            {
                return Err(says("loads something"));
            }
            if link.text.is_empty() {
                return Err(says("has no text"));
            }
        }
    }
    Ok(())
}
