//! Replays the sessions of docs/.
//!
//! `GORT_BLESS=1 cargo test -p gort-host-tests --test gdb bless` writes into the documents
//! what gdb says now, in the sessions that would fail; `GORT_BLESS=all` does so in all, for
//! new addresses and line numbers. What `...` and `…` stand for stays out.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use goblin::elf::Elf;
use gort_host_tests::programs;
use libtest_mimic::{Failed, Trial};

use crate::document::{self, Document, EXAMPLES, Exchange, Session, Tool};
use crate::session::{Gdb, Kind, root};
use crate::{machine, normal};

/// How the documents call cargo's target directory.
const SOMEWHERE: &str = "/home/you/gort/target";

/// The command that stops at the program's entry point.
const AT_ENTRY: &str = "b *0x";

pub(crate) fn trials() -> Vec<Trial> {
    let failed = |why: String| vec![Trial::test("replay", || Err(why.into()))];
    let documents = match document::all() {
        Ok(documents) => documents,
        Err(why) => return failed(why),
    };
    if let Some(which) = env::var_os("GORT_BLESS") {
        let all = which == "all";
        return vec![Trial::test("replay_bless", move || bless(documents, all))];
    }
    let mut trials = Vec::new();
    for document in &documents {
        let sessions = match document.sessions() {
            Ok(sessions) => sessions,
            Err(why) => return failed(why),
        };
        for (index, session) in sessions.into_iter().enumerate() {
            if session.holds_for(&profile()) {
                let name = format!("replay_{}_{}", session.name, index + 1);
                let trial = Trial::test(name, move || replay(&session));
                trials.push(trial.with_ignored_flag(!programs::native()));
            }
        }
    }
    match trials.is_empty() {
        true => failed(format!("no sessions in {}", document::DIRECTORY)),
        false => trials,
    }
}

/// Returns the build whose programs are debugged.
fn profile() -> String {
    env::var("GORT_PROFILE").unwrap_or_else(|_| "debug".into())
}

impl Session {
    /// Tells whether it is to be replayed on a build.
    fn holds_for(&self, profile: &str) -> bool {
        self.build.as_deref().is_none_or(|build| build == profile)
    }
}

/// What a session talks to, when it has been started.
enum Running {
    Gdb(Gdb),
    Shell,
}

impl Running {
    /// Starts a session.
    fn start(session: &Session, program: &Path) -> Result<Self, String> {
        let kind = match session.tool {
            Tool::Gdb => Kind::Plain,
            Tool::GortGdb => Kind::Gort,
            Tool::Shell => return Ok(Self::Shell),
        };
        Gdb::start(kind, program).map(Self::Gdb)
    }

    /// Gives a command, and returns what is printed.
    fn answer(&mut self, exchange: &Exchange, program: &Path) -> Result<String, Failed> {
        match self {
            Self::Gdb(gdb) => Ok(gdb.command(&command(exchange, program)?)?),
            Self::Shell => shell(&exchange.command, program),
        }
    }
}

/// Has the shell carry a command out, in an environment that has only PATH.
fn shell(command: &str, program: &Path) -> Result<String, Failed> {
    let directory = program.parent().unwrap_or(Path::new("/"));
    let script = command.replace(EXAMPLES, &format!("{}/", directory.display()));
    let outcome = programs::run(
        Command::new("/bin/sh")
            .args(["-c", &format!("{script} 2>&1")])
            .current_dir(root())
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default()),
    )?;
    Ok(String::from_utf8_lossy(&outcome.stdout).into_owned())
}

/// Gives the commands one by one and compares the answers.
fn replay(session: &Session) -> Result<(), Failed> {
    let program = programs::path(&session.example)?;
    let mut running = Running::start(session, &program)?;
    for exchange in &session.exchanges {
        let answer = running.answer(exchange, &program)?;
        let expected = on_this_machine(exchange)?;
        if let Err(difference) = compare(&expected, &answer) {
            return Err(format!(
                "{}:{}: {}\n{difference}\n--- expected\n{expected}\n--- printed\n{answer}",
                session.path, exchange.lines.start, exchange.command
            )
            .into());
        }
    }
    Ok(())
}

/// Compares an answer with what was expected; says what differs first.
fn compare(expected: &str, answer: &str) -> Result<(), String> {
    normal::align(&normal::lines(expected), &normal::lines(answer)).map(drop)
}

/// Returns the command as it is to be given here: the address in `b *ADDRESS` is
/// the program's entry point, which the document cannot know.
fn command(exchange: &Exchange, program: &Path) -> Result<String, Failed> {
    if !exchange.command.starts_with(AT_ENTRY) {
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

/// Writes what gdb says into the documents: into all sessions, or into those that differ.
fn bless(documents: Vec<Document>, all: bool) -> Result<(), Failed> {
    let mut failures = Vec::new();
    for mut document in documents {
        let before = document.lines.clone();
        for session in document.sessions()?.iter().rev() {
            if !session.holds_for(&profile()) {
                continue;
            }
            if let Err(why) = bless_session(&mut document.lines, session, all) {
                failures.push(format!("{}: {}", session.name, why));
            }
        }
        if document.lines != before {
            let text = document.lines.join("\n") + "\n";
            fs::write(root().join(&document.path), text)?;
        }
    }
    match failures.is_empty() {
        true => Ok(()),
        false => Err(failures.join("\n").into()),
    }
}

/// The same for one session, in the document's lines. The sessions behind it have been
/// done.
fn bless_session(
    lines: &mut Vec<String>,
    session: &Session,
    even_if_same: bool,
) -> Result<(), String> {
    let program = programs::path(&session.example)?;
    let target = program.ancestors().nth(4).unwrap_or(&program);
    let mut running = Running::start(session, &program)?;
    let mut answers = Vec::new();
    for exchange in &session.exchanges {
        let answer = running.answer(exchange, &program);
        answers.push(answer.map_err(|failed| failed.message().unwrap_or_default().to_string())?);
    }
    let mut different = even_if_same;
    for (exchange, answer) in session.exchanges.iter().zip(&answers) {
        different |= compare(&on_this_machine(exchange)?, answer).is_err();
    }
    if !different {
        return Ok(());
    }
    let mut failures = Vec::new();
    for (exchange, answer) in session.exchanges.iter().zip(&answers).rev() {
        let answer = answer.replace(&target.display().to_string(), SOMEWHERE);
        match blessed(&exchange.answer, &answer) {
            Ok(new) => {
                lines.splice(exchange.lines.clone(), new);
            }
            Err(why) => failures.push(format!("{}: {why}; printed:\n{answer}", exchange.command)),
        }
        if exchange.command.starts_with(AT_ENTRY) {
            let command = command(exchange, &program);
            let command =
                command.map_err(|failed| failed.message().unwrap_or_default().to_string())?;
            if let Some(line) = lines.get_mut(exchange.lines.start - 1) {
                *line = format!("(gdb) {command}");
            }
        }
    }
    match failures.is_empty() {
        true => Ok(()),
        false => Err(failures.join("\n")),
    }
}

/// Returns the lines that shall stand in a document for an answer: those of the answer
/// itself, but for what the lines that stand there now leave out.
fn blessed(expected: &[String], answer: &str) -> Result<Vec<String>, String> {
    let answer = normal::kept(answer);
    let masked = |line: &String| line == "..." || line.contains('…');
    if !expected.iter().any(masked) {
        return Ok(answer);
    }
    let expected = normal::kept(&expected.join("\n"));
    let normal = |lines: &[String]| normal::lines(&lines.join("\n"));
    let places = normal::align(&normal(&expected), &normal(&answer))?;
    let line = |(expected, place): (&String, Option<usize>)| match place {
        Some(at) if !masked(expected) => answer.get(at).unwrap_or(expected).clone(),
        Some(at) => renumbered(expected, answer.get(at).unwrap_or(expected)),
        None => expected.clone(),
    };
    Ok(expected.iter().zip(places).map(line).collect())
}

/// Gives a line that ends with a place in the source the place's number in another one.
fn renumbered(line: &str, like: &str) -> String {
    let place = |line: &str| {
        let (before, number) = line.rsplit_once(':')?;
        let number: u32 = number.parse().ok()?;
        Some((before.to_string(), number))
    };
    match (place(line), place(like)) {
        (Some((before, _)), Some((_, number))) => format!("{before}:{number}"),
        _ => line.into(),
    }
}
