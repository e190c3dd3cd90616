//! The walk: each chapter has a picture, an excerpt and a session, and each step of the
//! boot a section.

use libtest_mimic::{Failed, Trial};

use crate::document::{self, Document};
use crate::links;

/// Where the chapters are.
const WALK: &str = "docs/walk/";

/// The file with the table of the boot, and how the table begins.
const TABLE: &str = "src/lib.rs";
const HEAD: &str = "//! | step | symbol |";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("walk_shows_what_it_says", || {
            chapters().try_for_each_chapter(whole)
        }),
        Trial::test("walk_s_sessions_are_replayed", || {
            chapters().try_for_each_chapter(replayed)
        }),
        Trial::test("walk_has_every_step_of_the_boot", steps),
    ]
}

/// The chapters, or why there are none.
struct Chapters(Result<Vec<Document>, String>);

impl Chapters {
    /// Checks each.
    fn try_for_each_chapter(
        self,
        check: fn(&Document) -> Result<(), String>,
    ) -> Result<(), Failed> {
        let chapters = self.0?;
        if chapters.is_empty() {
            return Err(format!("no chapters in {WALK}").into());
        }
        let wrong: Vec<String> = chapters
            .iter()
            .filter_map(|chapter| check(chapter).err())
            .collect();
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(wrong.join("\n").into()),
        }
    }
}

fn chapters() -> Chapters {
    Chapters(document::all().map(|mut documents| {
        documents.retain(|document| document.path.starts_with(WALK));
        documents
    }))
}

/// A picture, code, a session.
fn whole(chapter: &Document) -> Result<(), String> {
    let blocks = chapter.blocks()?;
    let has = |info: &str| blocks.iter().any(|block| block.info == info);
    let picture = has("text")
        || links::of(chapter)
            .iter()
            .any(|link| link.target.ends_with(".svg"));
    let code = has("rust") || has("asm");
    let session = !chapter.sessions()?.is_empty();
    match picture && code && session {
        true => Ok(()),
        false => Err(format!(
            "{}: picture {picture}, code {code}, session {session}",
            chapter.path
        )),
    }
}

/// What looks like a session is one.
fn replayed(chapter: &Document) -> Result<(), String> {
    for block in chapter.blocks()? {
        let lines = chapter.lines.get(block.lines.clone()).unwrap_or_default();
        let shown = lines
            .iter()
            .any(|line| line.starts_with("(gdb) ") || line.starts_with("$ "));
        let run = block.info.starts_with("gdb") || block.info.starts_with("console ");
        if shown && !run && block.info != "sh" {
            return Err(format!(
                "{}:{}: a session that nobody replays",
                chapter.path, block.lines.start
            ));
        }
    }
    Ok(())
}

/// Every symbol of the boot's table is in a heading.
fn steps() -> Result<(), Failed> {
    let table = document::read(TABLE)?;
    let rows = table
        .lines
        .iter()
        .skip_while(|line| !line.starts_with(HEAD))
        .skip(2)
        .take_while(|line| line.starts_with("//! |"));
    let symbols: Vec<&str> = rows.filter_map(|row| row.split('`').nth(1)).collect();
    if symbols.len() < 12 {
        return Err(format!("{TABLE}: {symbols:?}").into());
    }
    let headings: Vec<String> = chapters()
        .0?
        .into_iter()
        .flat_map(|chapter| chapter.lines)
        .filter(|line| line.starts_with('#'))
        .collect();
    for symbol in symbols {
        let marked = format!("`{symbol}`");
        if !headings.iter().any(|heading| heading.contains(&marked)) {
            return Err(format!("no section of the walk is on {marked}").into());
        }
    }
    Ok(())
}
