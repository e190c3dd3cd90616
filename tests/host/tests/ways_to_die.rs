//! Each of `examples/ways_to_die`, compared with what stands in `ways_to_die/*.txt`:
//!
//! ```text
//! $ GOTRACEBACK=none ways_to_die panic
//! panic: a plain text
//! exit status 2
//! ```
//!
//! The first line is the command; in front of it may stand variables, and, ended by `;`,
//! what a shell is to do first. Lines with `#` behind it say what the test should know:
//! `natively` keeps it from emulators, `once` from being run with several GOMAXPROCS, and
//! of `first` there is the first goroutine alone, since what others are about is
//! anybody's guess. Then comes what the program prints, standard output first, and how it
//! ends.
//!
//! Addresses are `0x?`; a `*` stands for anything within a line. Of the traces there are the
//! frames that are the program's own. A release build is looked at without these, since it
//! has fewer frames; and once more stripped, where they have no names.
//!
//! `GORT_BLESS=1 cargo test -p gort-host-tests --test ways_to_die` writes down what the
//! programs print now, but for what is right already. A new death is a file with its first
//! line in it, and that command.

#[path = "ways_to_die/cores.rs"]
mod cores;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gort_host_tests::ensure;
use gort_host_tests::programs::{self, Outcome, find_tool, native, run, run_beside, runner};
use libtest_mimic::{Arguments, Failed, Trial};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The example's name, and of the directory here.
const NAME: &str = "ways_to_die";

/// What each is tried with.
const PROCS: &[&str] = &["1", "2", "8"];

fn main() {
    let arguments = Arguments::from_args();
    let trials = trials().unwrap_or_else(|error| vec![Trial::test(NAME, || Err(error.into()))]);
    libtest_mimic::run(&arguments, trials).exit();
}

/// Makes a trial for each file, in each build, and one that looks whether all are there.
fn trials() -> Result<Vec<Trial>, String> {
    let mut trials = vec![Trial::test(
        "every_command_is_tried",
        every_command_is_tried,
    )];
    // An emulator's core files are its own.
    let core = Trial::test("crash_leaves_a_core", cores::crash_leaves_a_core);
    trials.push(core.with_ignored_flag(!native()));
    trials.push(Trial::test(
        "a_handlers_death_is_not_preempted",
        a_handlers_death_is_not_preempted,
    ));
    for name in names()? {
        let death = Death::read(&name)?;
        let ignored = death.natively && !native();
        for build in Build::all() {
            let death = death.clone();
            let title = format!("{}::{name}", build.name());
            trials
                .push(Trial::test(title, move || death.compare(build)).with_ignored_flag(ignored));
        }
    }
    Ok(trials)
}

/// Returns where the texts are.
fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(NAME)
}

/// Lists the deaths, by their files.
fn names() -> Result<BTreeSet<String>, String> {
    let failed = |error| format!("{}: {error}", directory().display());
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(directory()).map_err(failed)? {
        let file = entry.map_err(failed)?.file_name();
        let file = file.to_string_lossy();
        names.extend(
            file.strip_suffix(".txt")
                .filter(|name| !name.contains('.'))
                .map(String::from),
        );
    }
    Ok(names)
}

/// How the program was built.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Build {
    Debug,
    Release,
    Stripped,
}

impl Build {
    /// Returns those of this run.
    fn all() -> Vec<Self> {
        if programs::release() {
            vec![Self::Release, Self::Stripped]
        } else {
            vec![Self::Debug]
        }
    }

    /// Returns its name, in our messages and in files.
    const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
            Self::Stripped => "stripped",
        }
    }

    /// Finds the program; a stripped one is made of the other.
    fn program(self) -> Result<PathBuf, Failed> {
        let whole = programs::path(NAME)?;
        if self != Self::Stripped {
            return Ok(whole);
        }
        let stripped = whole.with_file_name(format!("{NAME}.stripped"));
        let modified = |file: &Path| file.metadata().and_then(|data| data.modified()).ok();
        if modified(&stripped) < modified(&whole) {
            let strip = find_tool("strip").ok_or("strip is not there: apt-get install binutils")?;
            // Under a name of its own first: several trials may be about this.
            let mine = whole.with_file_name(format!("{NAME}.{:?}", std::thread::current().id()));
            let status = Command::new(strip)
                .arg("-o")
                .arg(&mine)
                .arg(&whole)
                .status()?;
            ensure!(status.success(), "strip: {status}");
            fs::rename(&mine, &stripped)?;
        }
        Ok(stripped)
    }
}

/// A file: the command, and how it should end.
#[derive(Clone)]
struct Death {
    name: String,
    /// Its first lines, which are no output.
    head: String,
    natively: bool,
    once: bool,
    first: bool,
    /// What a shell does first, if anything.
    script: Option<String>,
    variables: Vec<(String, String)>,
    arguments: Vec<String>,
    wanted: String,
}

impl Death {
    /// Reads it.
    fn read(name: &str) -> Result<Self, String> {
        let path = directory().join(format!("{name}.txt"));
        let text = fs::read_to_string(&path).map_err(|error| format!("{name}: {error}"))?;
        let end = text
            .split_inclusive('\n')
            .take_while(|line| line.starts_with(['$', '#']));
        let (head, wanted) = text.split_at(end.map(str::len).sum());
        let command = head.lines().next().and_then(|line| line.strip_prefix("$ "));
        let command = command.ok_or_else(|| format!("{name}.txt does not begin with a command"))?;
        let (script, command) = match command.rsplit_once("; ") {
            Some((script, command)) => (Some(script.to_string()), command),
            None => (None, command),
        };
        let (variables, arguments) = command
            .split_once(NAME)
            .ok_or_else(|| format!("{name}.txt is not about {NAME}"))?;
        let pairs = variables
            .split_whitespace()
            .filter_map(|word| word.split_once('='));
        let remarks: Vec<&str> = head
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .collect();
        let says = |word: &str| remarks.iter().any(|remark| remark.contains(word));
        Ok(Self {
            name: name.into(),
            head: head.into(),
            natively: says("natively"),
            once: says("once"),
            first: says("first"),
            script,
            variables: pairs
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            arguments: arguments.split_whitespace().map(String::from).collect(),
            wanted: wanted.into(),
        })
    }

    /// Dies, and compares.
    fn compare(&self, build: Build) -> Result<(), Failed> {
        let bless = env::var_os("GORT_BLESS").is_some();
        let wanted = match build {
            Build::Debug => self.wanted.clone(),
            _ => without_places(&self.wanted),
        };
        let program = build.program()?;
        // A debug build takes long under an emulator, and how many Ps there are is tried without.
        let slow = build == Build::Debug && !native();
        let procs = match self.once || bless || slow {
            true => &["2"],
            false => PROCS,
        };
        for procs in procs {
            let mut command = self.command(&program, procs);
            let mut got = masked(&run(&mut command)?);
            if self.first {
                got = first_goroutine(&got);
            }
            if build != Build::Debug {
                got = without_places(&got);
            }
            if programs::like(got.as_bytes(), wanted.as_bytes()) {
                continue;
            }
            if bless && build == Build::Debug {
                let file = directory().join(format!("{}.txt", self.name));
                let text = format!("{}{}", self.head, with_stars(&got, &wanted));
                return Ok(fs::write(file, text)?);
            }
            return Err(format!(
                "{}with GOMAXPROCS={procs} it should be\n{wanted}\nand it is\n{got}",
                self.head
            )
            .into());
        }
        Ok(())
    }

    /// Makes the command.
    fn command(&self, program: &Path, procs: &str) -> Command {
        let mut command = match &self.script {
            None => programs::command(program),
            Some(script) => {
                let mut shell = Command::new("/bin/sh");
                shell
                    .args(["-c", &format!("{script}\nexec \"$@\""), "sh"])
                    .args(runner())
                    .arg(program)
                    .env_clear()
                    .stdin(Stdio::null());
                shell
            }
        };
        command
            .args(&self.arguments)
            .env("GOMAXPROCS", procs)
            .envs(self.variables.iter().cloned());
        command
    }
}

/// Who dies in a handler reports that on another stack, and the signals by which others would
/// have it give way leave alone what is on the signal stack.
fn a_handlers_death_is_not_preempted() -> Result<(), Failed> {
    let death = Death::read("nil-handler")?;
    // Often enough for one to come while the report is written.
    for build in Build::all().into_iter().flat_map(|build| [build; 8]) {
        let program = build.program()?;
        let mut command = death.command(&program, "1");
        let outcome = run_beside(&mut command, interrupt)?;
        let (mut got, mut wanted) = (first_goroutine(&masked(&outcome)), death.wanted.clone());
        if build != Build::Debug {
            (got, wanted) = (without_places(&got), without_places(&wanted));
        }
        ensure!(
            programs::like(got.as_bytes(), wanted.as_bytes()),
            "it should be\n{wanted}\nand it is\n{got}"
        );
    }
    Ok(())
}

/// Sends a program one signal after another by which it would be preempted, until it ends.
fn interrupt(child: &mut Child) -> Result<(), String> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or("a child without a number")?;
    let handle = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| error.to_string())?;
    let end = Instant::now() + Duration::from_secs(100);
    loop {
        let status = child.try_wait().map_err(|error| error.to_string())?;
        if status.is_some() || Instant::now() >= end {
            return Ok(());
        }
        let _ = pidfd_send_signal(&handle, Signal::URG); // it may have ended
    }
}

/// Returns what a program printed, and how it ended, without what is different each time.
fn masked(outcome: &Outcome) -> String {
    let mut text = String::from_utf8_lossy(&outcome.stdout).into_owned();
    text += &String::from_utf8_lossy(&outcome.stderr);
    // What the emulator says of an end by a signal, and what a stripped program says of its
    // traces.
    let lines = text
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("qemu: uncaught"));
    let text: String = lines.collect();
    let mut text = text.replace(&root(), "");
    if let Some(start) = text.find("\n(no names: ")
        && let Some(length) = text[start + 1..].find('\n')
    {
        text.replace_range(start..=start + 1 + length, "");
    }
    let mut text = frames(&addresses(&text));
    text += &match (outcome.status.code(), outcome.status.signal()) {
        (Some(code), _) => format!("exit status {code}\n"),
        (None, Some(signal)) => format!("signal {signal}\n"),
        (None, None) => format!("{}\n", outcome.status),
    };
    text
}

/// Returns where the sources are, with a slash behind it.
fn root() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.map_or_else(String::new, |root| format!("{}/", root.display()))
}

/// Takes addresses out: what has five digits at least. Other numbers are parts of the message.
fn addresses(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("0x") {
        let digits = after.find(|character: char| !character.is_ascii_hexdigit());
        let (number, behind) = after.split_at(digits.unwrap_or(after.len()));
        let offset = before.ends_with('+'); // into a function
        masked += before;
        masked += if number.len() >= 5 || offset {
            "0x?"
        } else {
            "0x"
        };
        masked += if number.len() >= 5 || offset {
            ""
        } else {
            number
        };
        rest = behind;
    }
    masked += rest;
    masked
}

/// Takes the runtime's and the library's frames out, and of the program's the registers, and
/// all but the first of those that are the same; and what is in the registers at the end.
fn frames(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let place = lines.peek().and_then(|next| next.strip_prefix('\t'));
        if line.starts_with("goroutine ") {
            kept += &header(line);
        } else if let Some((register, _)) = line.split_once(" 0x").filter(|(name, _)| {
            name.len() <= 6 && name.starts_with(['r', 'c', 'f', 'g']) && !name.contains(':')
        }) {
            kept += &format!("{register} 0x?");
        } else if line == "0x?" || line == "0x0" {
            continue;
        } else if let Some(place) = place.filter(|_| line.ends_with(')')) {
            if place.starts_with("examples/") || line == "main.main()" {
                let place = place.split(" fp=").next().unwrap_or(place);
                let frame = format!("{line}\n\t{place}");
                lines.next();
                if kept.trim_end().ends_with(&frame) {
                    continue;
                }
                kept += &frame;
            } else {
                lines.next();
                continue;
            }
        } else {
            kept += line;
        }
        kept.push('\n');
    }
    kept
}

/// Takes out of a goroutine's header which thread it is on.
fn header(line: &str) -> String {
    match (line.split_once(" m="), line.split_once(" [")) {
        (Some((before, _)), Some((_, behind))) => format!("{before} m=? [{behind}"),
        _ => line.into(),
    }
}

/// Takes out where goroutines are, and who made them: what an optimized build may show differently, and a
/// stripped one not at all.
fn without_places(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.split_inclusive('\n').peekable();
    let mut in_trace = false;
    while let Some(line) = lines.next() {
        in_trace |= line.starts_with("goroutine ") || line.starts_with("runtime stack:");
        if in_trace && (line.starts_with("...") || line.starts_with("runtime: g ")) {
            continue; // what is left out, or where the trace ends
        }
        let place = lines.peek().is_some_and(|next| next.starts_with('\t'));
        if in_trace && (place || line.starts_with('\t')) && !line.ends_with(":\n") {
            if !line.starts_with('\t') {
                lines.next();
            }
            continue;
        }
        // Only the large trace says where a goroutine's struct is.
        match (
            line.starts_with("goroutine "),
            line.split_once(" gp=0x? m=?"),
        ) {
            (true, Some((before, behind))) => kept.extend([before, behind]),
            _ => kept += line,
        }
    }
    kept
}

/// Leaves one goroutine of a report, and how it ended.
fn first_goroutine(text: &str) -> String {
    let starts = [text.find("\ngoroutine "), text.find("\nruntime stack:")];
    let start = starts.into_iter().flatten().min();
    let end = start.and_then(|start| Some(start + text[start..].find("\n\n")? + 1));
    let last = text.trim_end().rfind('\n').map_or(0, |newline| newline + 1);
    match end {
        Some(end) if end < last => format!("{}{}", &text[..end], &text[last..]),
        _ => text.into(),
    }
}

/// Returns the text with the stars that another one has, in lines that are otherwise alike.
fn with_stars(text: &str, starred: &str) -> String {
    let starred: Vec<&str> = starred
        .split_inclusive('\n')
        .filter(|line| line.contains('*'))
        .collect();
    let lines = text.split_inclusive('\n').map(|line| {
        let like = |pattern: &&&str| programs::like(line.as_bytes(), pattern.as_bytes());
        starred.iter().find(like).copied().unwrap_or(line)
    });
    lines.collect()
}

/// Looks whether the program has commands that no file is about, and the other way round.
fn every_command_is_tried() -> Result<(), Failed> {
    let listed = run(&mut programs::command(&programs::path(NAME)?))?;
    let listed = String::from_utf8(listed.stdout)?;
    let commands: BTreeSet<&str> = listed
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let deaths = names()?
        .iter()
        .map(|name| Death::read(name))
        .collect::<Result<Vec<_>, _>>()?;
    let tried: BTreeSet<&str> = deaths
        .iter()
        .filter_map(|death| death.arguments.first().map(String::as_str))
        .collect();
    let missing: Vec<_> = commands.difference(&tried).collect();
    ensure!(
        !commands.is_empty() && missing.is_empty(),
        "no file for {missing:?}"
    );
    Ok(())
}
