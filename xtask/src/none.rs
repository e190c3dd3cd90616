//! `cargo xtask run --none EXAMPLE` and `cargo xtask gdb --none EXAMPLE`: an example as the
//! only program of a machine, which QEMU emulates. `xtask boot [OPTION...] PROGRAM` is the
//! same for what is built already, in the form in which cargo and the tests start a runner.
//!
//! The example is built with the feature `none`, into a directory of its own, so that
//! nothing is built anew for it elsewhere. The machine's first serial port is the terminal.
//! What a program finds in its environment and in its arguments stands on the machine's
//! command line: `GOMAXPROCS=2 GODEBUG=… -- ARGS`.
//!
//! **How it ends.** The program writes its exit status to isa-debug-exit, with which QEMU
//! ends with twice that and one: what is odd is the program's, and all else is QEMU's own
//! end. That has room for 126; for a larger one it writes 127, and the last line on the
//! serial port is `exit status N`, as it is where there is no such device. A machine that
//! has not ended in time is switched off.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use lexopt::{Arg, Parser, ValueExt as _};

use crate::Outcome;
use crate::processes;
use crate::run::{self, Profile};
use crate::tools;

/// The variables of ours that a machine's program gets, too.
const PASSED_ON: &[&str] = &["GODEBUG", "GOMAXPROCS", "GOMEMLIMIT", "GOTRACEBACK"];

/// The machines that are known to work.
const MACHINES: &[&str] = &["microvm", "q35"];

/// How many CPUs a machine may have, QEMU's own limit for microvm and q35.
const MOST_CPUS: u32 = 288;

/// How long a machine may run, in seconds, unless somebody says otherwise: in the debugger
/// people take their time.
const RUN_LIMIT: u64 = 60;
const GDB_LIMIT: u64 = 3600;

/// How many bytes of command line q35's firmware has room for: more would overwrite what it
/// tells the program, or hang it.
const Q35_COMMAND_LINE: usize = 4096;

/// How often a machine is looked at while it runs.
const GLANCE: Duration = Duration::from_millis(5);

/// The machine, and what it runs.
#[derive(Debug)]
pub(crate) struct Machine {
    machine: String,
    cpus: u32,
    /// In MiB.
    memory: u32,
    release: bool,
    limit: Duration,
    variables: Vec<String>,
    /// More arguments for QEMU.
    more: Vec<String>,
    example: String,
    arguments: Vec<String>,
}

/// `run`: builds and boots the example, and ends with its exit status.
pub(crate) fn run(arguments: Parser) -> Outcome {
    let machine = Machine::parse("run", arguments, RUN_LIMIT)?;
    tools::need(tools::QEMU_SYSTEM)?;
    let program = machine.build()?;
    std::process::exit(machine.boot(&program)?)
}

/// `boot`: boots a program that is there, with the arguments behind it, and ends with its
/// exit status. Of our environment it gets what is gort's, and what is Go's.
pub(crate) fn boot(mut arguments: Parser) -> Outcome {
    let mut machine = Machine::new(RUN_LIMIT);
    let variables = env::vars().filter(|(name, _)| name.starts_with("GO"));
    machine.variables = variables
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let program = loop {
        match arguments.next()?.ok_or("boot: which PROGRAM?")? {
            Arg::Value(program) => break program,
            Arg::Long(name) => {
                let name = name.to_string();
                machine.set(&name, &mut arguments)?;
            }
            other => return Err(other.unexpected().into()),
        }
    };
    machine.arguments = arguments.raw_args()?.map(text).collect::<Outcome<_>>()?;
    std::process::exit(machine.boot(Path::new(&program))?)
}

/// Passes on what the serial port says, as it comes, and returns the end of it.
fn pass_on(mut serial: ChildStdout) -> JoinHandle<Vec<u8>> {
    const KEPT: usize = 64;
    thread::spawn(move || {
        let (mut chunk, mut last) = ([0; 4096], Vec::new());
        while let Ok(length @ 1..) = serial.read(&mut chunk) {
            let (stdout, said) = (&mut io::stdout(), &chunk[..length]);
            if stdout
                .write_all(said)
                .and_then(|()| stdout.flush())
                .is_err()
            {
                break; // nobody reads any more
            }
            last.extend_from_slice(said);
            last.drain(..last.len().saturating_sub(KEPT));
        }
        last
    })
}

/// `gdb --none`, behind that: builds the example and becomes gdb, which has QEMU start
/// with the machine's CPU standing still at its first instruction.
pub(crate) fn gdb(arguments: Parser) -> Outcome {
    let machine = Machine::parse("gdb", arguments, GDB_LIMIT)?;
    tools::need(tools::QEMU_SYSTEM)?;
    machine.check()?;
    let program = machine.build()?;
    // Short, as a socket's path must be; and gdb has our number then.
    let socket = env::temp_dir().join(format!("gort-gdb-{}", std::process::id()));
    let _ = fs::remove_file(&socket); // of another one of that number
    let chardev = format!("socket,path={},server=on,wait=off,id=gdb", socket.display());
    let mut qemu = machine.qemu(&program);
    qemu.args(["-S", "-chardev", &chardev, "-gdb", "chardev:gdb"]);

    let error = Command::new(run::root().join("gdb/gort-gdb"))
        .current_dir(run::root())
        .args(["-q", "-ex", &start_in_python(&qemu, machine.limit, &socket)])
        .arg("-ex")
        .arg(format!("target remote {}", socket.display()))
        .args(["-ex", "python forget()"]) // nobody else is to connect
        .arg(&program)
        .exec();
    Err(format!("gdb/gort-gdb: {error}").into())
}

/// Returns what has gdb start QEMU, in a session of its own so that Ctrl-C is not for it,
/// and end it when gdb ends.
fn start_in_python(qemu: &Command, limit: Duration, socket: &Path) -> String {
    let mut words = vec![
        "timeout".to_string(),
        format!("{}", limit.as_secs()),
        qemu.get_program().to_string_lossy().into_owned(),
    ];
    words.extend(
        qemu.get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    // Rust's form of a list of strings is Python's, as far as ASCII goes.
    let socket = socket.to_string_lossy();
    format!(
        "python import atexit, os, subprocess, time; \
         forget = lambda: os.path.exists({socket:?}) and os.unlink({socket:?}); \
         machine = subprocess.Popen({words:?}, stdin=subprocess.DEVNULL, start_new_session=True); \
         atexit.register(forget); \
         atexit.register(machine.terminate); \
         [time.sleep(0.01) for _ in range(1000) \
          if not os.path.exists({socket:?}) and machine.poll() is None]"
    )
}

/// Returns the program's exit status, by QEMU's and what the serial port said last.
pub(crate) fn exit_status(status: ExitStatus, last: &[u8]) -> Outcome<i32> {
    const LARGE: i32 = 127;
    let last = String::from_utf8_lossy(last);
    let said = last.lines().next_back().and_then(|line| {
        let (_, number) = line.rsplit_once("exit status ")?;
        number.trim().parse().ok()
    });
    match (status.code(), said) {
        (Some(code), _) if code & 1 == 1 && code >> 1 != LARGE => Ok(code >> 1),
        (Some(0 | 255), Some(said)) => Ok(said),
        (Some(0 | 255), None) => Err("the machine has ended without an exit status".into()),
        _ => Err(format!("{} ended by itself: {status}", tools::QEMU_SYSTEM).into()),
    }
}

impl Machine {
    /// Makes one that runs nothing yet, for so many seconds.
    fn new(limit: u64) -> Self {
        Self {
            machine: "microvm".into(),
            cpus: 1,
            memory: 128,
            release: false,
            limit: Duration::from_secs(limit),
            variables: passed_on(),
            more: Vec::new(),
            example: String::new(),
            arguments: Vec::new(),
        }
    }

    /// Makes one with so many CPUs and MiB of memory, whose program has arguments.
    pub(crate) fn of(machine: &str, cpus: u32, memory: u32, arguments: &[&str]) -> Self {
        Self {
            machine: machine.into(),
            cpus,
            memory,
            arguments: arguments.iter().map(|word| word.to_string()).collect(),
            ..Self::new(RUN_LIMIT)
        }
    }

    /// Sets what an option with a value says.
    fn set(&mut self, name: &str, arguments: &mut Parser) -> Outcome {
        let known = ["machine", "cpus", "memory", "timeout", "env", "qemu"];
        if !known.contains(&name) {
            return Err(format!("invalid option '--{name}'").into());
        }
        let option = format!("--{name}");
        let value = arguments.value()?.string()?;
        match name {
            "machine" if MACHINES.contains(&value.as_str()) => self.machine = value,
            "machine" => {
                let known = MACHINES.join(" or ");
                return Err(format!("{option} {value}: expected {known}").into());
            }
            "cpus" => self.cpus = number(&option, &value, MOST_CPUS)?,
            "memory" => self.memory = number(&option, &value, u32::MAX)?,
            "timeout" => {
                let seconds = number(&option, &value, u32::MAX)?;
                self.limit = Duration::from_secs(seconds.into());
            }
            "qemu" => self.more.push(value),
            _ if value.find('=').is_some_and(|at| at > 0) => self.variables.push(value),
            _ => return Err(format!("{option} {value}: expected NAME=VALUE").into()),
        }
        Ok(())
    }

    /// Reads what stands behind the command's name.
    fn parse(command: &str, mut arguments: Parser, limit: u64) -> Outcome<Self> {
        let mut none = false;
        let mut example = None;
        let mut machine = Self::new(limit);
        loop {
            // What stands behind `--` is the program's, whatever it looks like.
            if let Some(rest) = arguments.try_raw_args()
                && rest.peek().is_some_and(|word| word == "--")
            {
                machine.arguments = rest.skip(1).map(text).collect::<Outcome<_>>()?;
                break;
            }
            let Some(argument) = arguments.next()? else {
                break;
            };
            match argument {
                Arg::Long("none") => none = true,
                Arg::Long("release") => machine.release = true,
                Arg::Long(name) => {
                    let name = name.to_string();
                    machine.set(&name, &mut arguments)?;
                }
                Arg::Value(name) if example.is_none() => example = Some(name.string()?),
                other => return Err(other.unexpected().into()),
            }
        }
        if !none {
            return Err(format!("{command}: without --none: cargo run --example does that").into());
        }
        machine.example = example.ok_or_else(|| format!("{command}: which EXAMPLE?"))?;
        Ok(machine)
    }

    /// Builds the example, and returns where it is.
    fn build(&self) -> Outcome<PathBuf> {
        let profile = match self.release {
            true => Profile::Release,
            false => Profile::Debug,
        };
        run::succeed(&mut building(
            &["build", "--example", &self.example],
            profile,
        ))?;
        Ok(examples(profile).join(&self.example))
    }

    /// Refuses what the machine's firmware has no room for.
    fn check(&self) -> Outcome {
        let length = self.command_line().len();
        if self.machine == "q35" && length > Q35_COMMAND_LINE {
            let limit = Q35_COMMAND_LINE;
            return Err(format!(
                "the command line has {length} bytes, and q35's firmware has room for {limit}: \
                 microvm's has for more"
            )
            .into());
        }
        Ok(())
    }

    /// Runs the program to its end, and returns its exit status.
    fn boot(&self, program: &Path) -> Outcome<i32> {
        self.check()?;
        let mut child = self
            .qemu(program)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", tools::QEMU_SYSTEM))?;
        let serial = pass_on(child.stdout.take().ok_or("no pipe")?);
        let end = Instant::now() + self.limit;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if Instant::now() >= end {
                processes::end(child.id());
                child.wait()?;
                return Err(format!(
                    "{}: still running after {} s, and switched off (see --timeout)",
                    program.display(),
                    self.limit.as_secs()
                )
                .into());
            }
            thread::sleep(GLANCE);
        };
        let last = serial.join().unwrap_or_default();
        exit_status(status, &last)
    }

    /// Makes the command that is the machine.
    pub(crate) fn qemu(&self, program: &Path) -> Command {
        let mut qemu = Command::new(tools::QEMU_SYSTEM);
        qemu.args(["-M", &self.machine, "-accel", "tcg", "-cpu", "max"])
            .args(["-m", &self.memory.to_string()])
            .args(["-smp", &self.cpus.to_string()])
            .args(["-nodefaults", "-no-user-config", "-display", "none"])
            .args(["-serial", "stdio", "-no-reboot"])
            .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=4"])
            .arg("-kernel")
            .arg(program)
            .arg("-initrd") // where it finds its own symbols
            .arg(program)
            .args(["-append", &self.command_line()])
            .args(&self.more);
        qemu
    }

    /// Returns the machine's command line.
    fn command_line(&self) -> String {
        let mut words: Vec<String> = self.variables.iter().map(|word| quoted(word)).collect();
        if !self.arguments.is_empty() {
            words.push("--".into());
            words.extend(self.arguments.iter().map(|word| quoted(word)));
        }
        words.join(" ")
    }
}

/// Returns what has cargo build programs for bare machines: a command, and what it is about.
/// What they share with programs on Linux, the crates that gort uses, is built once for both.
pub(crate) fn building(command: &[&str], profile: Profile) -> Command {
    let mut cargo = run::cargo();
    cargo
        .env("CARGO_TARGET_DIR", target())
        .env("CARGO_BUILD_BUILD_DIR", run::target())
        .args(command)
        .args(["--features", "none"])
        .args(profile.arguments());
    cargo
}

/// Builds a program of tests on gort, and returns where it is. In release builds without
/// the optimization of the whole, which would take a minute for each.
pub(crate) fn build_test(name: &str, profile: Profile) -> Outcome<PathBuf> {
    let test = ["test", "--no-run", "--test", name];
    let text = run::output(
        building(&test, profile)
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .args(["--target", run::TARGET, "--message-format=json"]),
    )?;
    run::executable(&text)
}

/// Puts the programs of tests, which have been built in debug builds, beside the examples, by
/// their names alone: where cargo has them, there are those for Linux as well.
pub(crate) fn link_tests(names: &[&str]) -> Outcome {
    let profile = Profile::Debug;
    let directory = examples(profile).with_file_name("tests");
    run::clean_dir(&directory)?;
    let mut command = building(&["test", "--no-run", "--quiet"], profile);
    command.args(names.iter().flat_map(|name| ["--test", name]));
    let said = run::output(command.arg("--message-format=json"))?;
    for name in names {
        let named = format!("\"name\":\"{name}\"");
        let mut lines = said.lines().filter(|line| line.contains(&named));
        let path = lines.find_map(|line| run::executable(line).ok());
        let path = path.ok_or_else(|| format!("cargo does not say where the test {name} is"))?;
        fs::hard_link(&path, directory.join(name))
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// Returns the directory of what is built for bare machines.
fn target() -> PathBuf {
    run::target().join("none")
}

/// Returns the directory of the examples there.
fn examples(profile: Profile) -> PathBuf {
    target()
        .join(run::TARGET)
        .join(profile.name())
        .join("examples")
}

/// Returns the variables of ours that a machine's program gets, too.
fn passed_on() -> Vec<String> {
    PASSED_ON
        .iter()
        .filter_map(|name| Some(format!("{name}={}", env::var(name).ok()?)))
        .collect()
}

/// Reads the number of an option, from 1.
fn number(option: &str, value: &str, most: u32) -> Outcome<u32> {
    match value.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(format!("{option} {value}: expected a number from 1 to {most}").into()),
    }
}

/// Returns a word as the machine's command line has it: where there is a blank, between
/// quotes, and a backslash in front of what would end them.
fn quoted(word: &str) -> String {
    let special = |character: char| character.is_whitespace() || "\"\\".contains(character);
    if !word.is_empty() && !word.contains(special) {
        return word.into();
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Returns an argument as a text.
fn text(word: OsString) -> Outcome<String> {
    word.into_string()
        .map_err(|word| format!("{}: expected UTF-8", word.display()).into())
}
