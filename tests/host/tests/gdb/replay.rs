//! Replays the sessions of docs/gdb.md.
//!
//! `GORT_BLESS=1 cargo test -p gort-host-tests --test gdb replay` writes into the
//! document what gdb says now; answers with `...` in them stay as they are.

use std::env;
use std::fs;
use std::path::Path;

use goblin::elf::Elf;
use gort_host_tests::programs;
use libtest_mimic::{Failed, Trial};

use crate::document::{self, Exchange, Session};
use crate::session::{Gdb, root};
use crate::{machine, normal};

/// How the document calls cargo's target directory.
const SOMEWHERE: &str = "/home/you/gort/target";

pub(crate) fn trials() -> Vec<Trial> {
    let sessions = document::read().and_then(|text| document::sessions(&text));
    let sessions = match sessions {
        Ok(sessions) if !sessions.is_empty() => sessions,
        Ok(_) => {
            return vec![Trial::test("replay", || {
                Err("no sessions in docs/gdb.md".into())
            })];
        }
        Err(why) => return vec![Trial::test("replay", || Err(why.into()))],
    };
    if env::var_os("GORT_BLESS").is_some() {
        return vec![Trial::test("replay_bless", move || bless(&sessions))];
    }
    sessions
        .into_iter()
        .enumerate()
        .filter(|(_, session)| {
            session
                .build
                .as_deref()
                .is_none_or(|build| build == profile())
        })
        .map(|(index, session)| {
            let name = format!("replay_{}_{}", index + 1, session.heading);
            Trial::test(name, move || replay(&session)).with_ignored_flag(!programs::native())
        })
        .collect()
}

/// Returns the build whose programs are debugged.
fn profile() -> String {
    env::var("GORT_PROFILE").unwrap_or_else(|_| "debug".into())
}

/// Gives the commands one by one and compares the answers.
fn replay(session: &Session) -> Result<(), Failed> {
    let program = programs::path(&session.example)?;
    let mut gdb = Gdb::start(session.kind, &program)?;
    for exchange in &session.exchanges {
        let answer = gdb.command(&command(exchange, &program)?)?;
        let expected = on_this_machine(exchange)?;
        if let Err(difference) = normal::compare(&normal::lines(&expected), &normal::lines(&answer))
        {
            return Err(format!(
                "{}:{}: (gdb) {}\n{difference}\n--- expected\n{expected}\n--- printed\n{answer}",
                document::PATH,
                exchange.lines.start,
                exchange.command
            )
            .into());
        }
    }
    Ok(())
}

/// Returns the command as it is to be given here: the address in `b *ADDRESS` is
/// the program's entry point, which the document cannot know.
fn command(exchange: &Exchange, program: &Path) -> Result<String, Failed> {
    if !exchange.command.starts_with("b *0x") {
        return Ok(exchange.command.clone());
    }
    let bytes = fs::read(program)?;
    let entry = Elf::parse(&bytes)?.entry;
    Ok(format!("b *{entry:#x}"))
}

/// Returns the expected answer, with this machine's numbers in the place of the
/// document's: CPUs and huge pages.
fn on_this_machine(exchange: &Exchange) -> Result<String, String> {
    let text = exchange.answer.join("\n");
    let value = match exchange
        .command
        .rsplit(['.', ' ', '\''])
        .find(|word| !word.is_empty())
    {
        Some("ncpu") => machine::cpus()?,
        Some("physHugePageSize") => machine::huge_page_size(),
        _ => return Ok(text),
    };
    let lines = text.lines().map(|line| match line.split_once(" = ") {
        Some((name, number)) if number != "0" => format!("{name} = {value}"),
        _ => line.to_string(),
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

/// Writes what gdb says into the document.
fn bless(sessions: &[Session]) -> Result<(), Failed> {
    let text = document::read()?;
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    for session in sessions.iter().rev() {
        let program = programs::path(&session.example)?;
        let mut gdb = Gdb::start(session.kind, &program)?;
        let mut answers = Vec::new();
        for exchange in &session.exchanges {
            answers.push(gdb.command(&command(exchange, &program)?)?);
        }
        for (exchange, answer) in session.exchanges.iter().zip(&answers).rev() {
            if exchange.answer.iter().any(|line| line == "...") {
                continue;
            }
            let target = program.ancestors().nth(4).unwrap_or(&program);
            let answer = answer.replace(&target.display().to_string(), SOMEWHERE);
            let answer = answer
                .lines()
                .filter(|line| !normal::tells_of_a_thread(line));
            let answer = answer.map(|line| line.trim_end().to_string());
            lines.splice(exchange.lines.clone(), answer);
        }
    }
    fs::write(root().join(document::PATH), lines.join("\n") + "\n")?;
    Ok(())
}
