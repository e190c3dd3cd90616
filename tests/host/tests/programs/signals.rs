//! Signals from outside: deaths by them, dumps, what is ignored from the start, broken
//! pipes, and process 1.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};

use gort_host_tests::ensure;
use gort_host_tests::programs::{
    Outcome, excerpt, find_tool, in_shell, like, native, path, program, release, run, run_with,
    runner, spawn, wait,
};
use libtest_mimic::{Failed, Trial};
use rustix::process::{Pid, Signal, kill_process};

const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGQUIT: i32 = 3;
const SIGABRT: i32 = 6;
const SIGUSR1: i32 = 10;
const SIGPIPE: i32 = 13;
const SIGTERM: i32 = 15;

pub(crate) fn trials() -> Vec<Trial> {
    // What follows a namespace's first process is the emulator there, and a core file is
    // an emulator's.
    vec![
        Trial::test("signals::deaths", deaths),
        Trial::test("signals::wanted", wanted),
        Trial::test("signals::the_second_interrupt", the_second_interrupt),
        Trial::test("signals::without_hangup", without_hangup),
        Trial::test("signals::ignored_at_the_start", ignored_at_the_start),
        Trial::test("signals::dumps", dumps),
        Trial::test("signals::dump_while_it_runs", dump_while_it_runs),
        Trial::test(
            "signals::dump_while_the_world_stops",
            dump_while_the_world_stops,
        ),
        Trial::test("signals::dump_as_told", dump_as_told),
        Trial::test("signals::dump_by_an_instruction", dump_by_an_instruction),
        Trial::test("signals::dump_in_a_panic", dump_in_a_panic),
        Trial::test("signals::nobody_reads", nobody_reads),
        Trial::test("signals::nobody_reads_what_died", nobody_reads_what_died),
        Trial::test("signals::broken_pipe_elsewhere", broken_pipe_elsewhere),
        Trial::test("signals::broken_pipe_wanted", broken_pipe_wanted),
        Trial::test("signals::process_1", process_1).with_ignored_flag(!native()),
    ]
}

/// A program that has said that it is ready.
struct Ready {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Ready {
    /// Starts a command and waits for that.
    fn start(command: &mut Command) -> Result<Self, Failed> {
        let mut child = spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let output = BufReader::new(child.stdout.take().ok_or("no pipe")?);
        let mut ready = Self { child, output };
        let line = ready.line()?;
        ensure!(line == "ready\n", "it says {line:?}");
        Ok(ready)
    }

    /// The same of testprog.
    fn testprog(arguments: &[&str]) -> Result<Self, Failed> {
        Self::start(program("testprog")?.args(arguments))
    }

    /// Sends it a signal.
    fn kill(&self, signal: i32) -> Result<(), Failed> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let signal = Signal::from_named_raw(signal).ok_or("no such signal")?;
        Ok(kill_process(pid.ok_or("no process")?, signal)?)
    }

    /// Reads a line of what it prints.
    fn line(&mut self) -> Result<String, Failed> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line)
    }

    /// Waits for its end, and returns all that it has printed since.
    fn end(mut self) -> Result<Outcome, Failed> {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        self.output.read_to_end(&mut stdout)?;
        let errors = self.child.stderr.as_mut().ok_or("no pipe")?;
        errors.read_to_end(&mut stderr)?;
        Ok(Outcome {
            stdout,
            stderr,
            status: wait(&mut self.child)?,
        })
    }
}

/// Nobody has asked for them.
fn deaths() -> Result<(), Failed> {
    for signal in [SIGHUP, SIGINT, SIGTERM, SIGUSR1, 9, 12, 14] {
        // Whatever whoever has started us ignores.
        let mut command = Command::new("/usr/bin/env");
        if signal != 9 {
            command.arg(format!("--default-signal={signal}"));
        }
        command.env_clear().args(runner()).arg(path("testprog")?);
        let ready = Ready::start(command.args(["dump"]))?;
        ready.kill(signal)?;
        let outcome = ready.end()?;
        outcome.expect_signal(signal)?;
        ensure!(outcome.stderr.is_empty() || !native(), "{outcome:?}");
    }
    Ok(())
}

/// They come, in their order, and however often.
fn wanted() -> Result<(), Failed> {
    let mut ready = Ready::testprog(&["notify", "1,2,3,10,15"])?;
    for _ in 0..3 {
        for (signal, text) in [
            (SIGINT, "interrupt\n"),
            (SIGHUP, "hangup\n"),
            (SIGTERM, "terminated\n"),
            (SIGQUIT, "quit\n"),
            (SIGUSR1, "user defined signal 1\n"),
        ] {
            ready.kill(signal)?;
            let line = ready.line()?;
            ensure!(line == text, "expected {text:?}, got {line:?}");
        }
    }
    ready.kill(9)?;
    ready.end()?.expect_signal(9)?;
    Ok(())
}

/// The first one is asked for, the second one ends the program.
fn the_second_interrupt() -> Result<(), Failed> {
    for signal in [SIGINT, SIGTERM] {
        let mut ready = Ready::testprog(&["notify-once", &signal.to_string()])?;
        ready.kill(signal)?;
        ready.line()?;
        ready.kill(signal)?;
        ready.end()?.expect_signal(signal)?;
    }
    Ok(())
}

/// As under nohup: it stays ignored, unless somebody asks for it, and is again afterwards.
fn without_hangup() -> Result<(), Failed> {
    let shell = |arguments: &[&str]| -> Result<Outcome, Failed> {
        let mut command = in_shell("trap '' HUP INT TERM", "testprog")?;
        Ok(run(command.args(arguments))?)
    };
    shell(&["ignored", "1,2,15,10"])?.expect(0, "SIGHUP SIGINT SIGTERM\n", "")?;
    let text = "hangup Ok(SIGHUP)\ninterrupt Ok(SIGINT)\nterminated Ok(SIGTERM)\nstill there\n";
    shell(&["reset", "1,2,15"])?.expect(0, text, "")?;
    run_with("testprog", ["ignored", "1,15,10"])?.expect(0, "\n", "")?;

    let mut command = in_shell("trap '' HUP INT", "testprog")?;
    let mut ready = Ready::start(command.args(["notify", "10"]))?;
    ready.kill(SIGHUP)?;
    ready.kill(SIGINT)?;
    ready.kill(SIGUSR1)?;
    let line = ready.line()?;
    ensure!(line == "user defined signal 1\n", "got {line:?}");
    ready.kill(SIGTERM)?;
    ready.end()?.expect_signal(SIGTERM)?;
    Ok(())
}

/// Go has the dump whatever was ignored, and so a job in the background of a script, which
/// the shell starts with SIGINT and SIGQUIT ignored, shows its goroutines.
fn ignored_at_the_start() -> Result<(), Failed> {
    let mut command = in_shell("trap '' QUIT", "testprog")?;
    let ready = Ready::start(command.args(["dump"]))?;
    ready.kill(SIGQUIT)?;
    is_dump(&ready.end()?, "SIGQUIT: quit", 2)
}

/// Checks a dump: what it begins with, the goroutines, the registers, in this order.
fn is_dump(outcome: &Outcome, text: &str, goroutines: usize) -> Result<(), Failed> {
    ensure!(outcome.status.code() == Some(2), "{outcome:?}");
    let error = String::from_utf8_lossy(&outcome.stderr).into_owned();
    let begin = format!("{text}\nPC=0x* m=* sigcode=*\n\n");
    let lines: Vec<&str> = error.lines().collect();
    let head: String = lines
        .iter()
        .take(3)
        .map(|line| format!("{line}\n"))
        .collect();
    ensure!(
        like(head.as_bytes(), begin.as_bytes()),
        "{}",
        excerpt(&outcome.stderr)
    );
    let found = lines
        .iter()
        .filter(|line| line.starts_with("goroutine ") && line.ends_with("]:"))
        .filter(|line| !line.starts_with("goroutine 0 "))
        .count();
    ensure!(found == goroutines, "{found} goroutines in {error}");
    const REGISTERS: [&str; 21] = [
        "rax", "rbx", "rcx", "rdx", "rdi", "rsi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12",
        "r13", "r14", "r15", "rip", "rflags", "cs", "fs", "gs",
    ];
    let first = lines.len().saturating_sub(REGISTERS.len());
    let registers = lines.get(first..).unwrap_or_default();
    for (name, line) in REGISTERS.iter().zip(registers) {
        ensure!(
            line.starts_with(&format!("{name:6} 0x")),
            "{line:?} for {name} in {error}"
        );
    }
    let value = |name: &str| -> Option<&str> {
        let line = registers.iter().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)
    };
    let pc = value("rip").ok_or("no rip")?;
    ensure!(
        lines
            .get(1)
            .is_some_and(|line| line.starts_with(&format!("PC={pc} "))),
        "rip is {pc}, in {error}"
    );
    ensure!(value("cs") == Some("0x33"), "cs in {error}");
    Ok(())
}

fn dumps() -> Result<(), Failed> {
    for (signal, text) in [
        (SIGQUIT, "SIGQUIT: quit"),
        (SIGABRT, "SIGABRT: abort"),
        (5, "SIGTRAP: trace trap"),
        (16, "SIGSTKFLT: stack fault"),
        (31, "SIGSYS: bad system call"),
    ] {
        let ready = Ready::testprog(&["dump"])?;
        ready.kill(signal)?;
        is_dump(&ready.end()?, text, 2)?;
    }
    Ok(())
}

/// One goroutine runs, and is shown as such.
fn dump_while_it_runs() -> Result<(), Failed> {
    for procs in ["1", "4"] {
        let mut command = program("testprog")?;
        command.env("GOMAXPROCS", procs).args(["dump", "spin"]);
        let ready = Ready::start(&mut command)?;
        ready.kill(SIGQUIT)?;
        let outcome = ready.end()?;
        is_dump(&outcome, "SIGQUIT: quit", 2)?;
        let error = String::from_utf8_lossy(&outcome.stderr).into_owned();
        // It runs, or has been made to stand still by whoever shows it, or it is still on its
        // way back from saying that it is ready.
        let first = error.lines().find(|line| line.starts_with("goroutine 1 "));
        let states = [" [running", " [runnable", " [syscall"];
        ensure!(
            first.is_some_and(|line| states.iter().any(|state| line.contains(state)))
                && error.contains(" [chan receive"),
            "{error}"
        );
    }
    Ok(())
}

/// Somebody stops the world and starts it, again and again.
fn dump_while_the_world_stops() -> Result<(), Failed> {
    for _ in 0..if native() { 10 } else { 2 } {
        let mut command = program("testprog")?;
        command.env("GOMAXPROCS", "2").args(["dump", "stop"]);
        let ready = Ready::start(&mut command)?;
        ready.kill(SIGQUIT)?;
        let outcome = ready.end()?;
        is_dump(&outcome, "SIGQUIT: quit", 3)?;
        // Who shows traces is on another piece of its stack meanwhile.
        let text = String::from_utf8_lossy(&outcome.stderr);
        ensure!(!text.contains("unexpected return pc"), "{text}");
    }
    Ok(())
}

/// GOTRACEBACK: nothing at all, or a core file behind it.
fn dump_as_told() -> Result<(), Failed> {
    let told = |level: &str| -> Result<Outcome, Failed> {
        let mut command = program("testprog")?;
        let ready = Ready::start(command.env("GOTRACEBACK", level).args(["dump"]))?;
        ready.kill(SIGQUIT)?;
        ready.end()
    };
    let text = "SIGQUIT: quit\nPC=0x* m=* sigcode=0\n";
    told("none")?.expect(2, "", text)?;
    is_dump(&told("single")?, "SIGQUIT: quit", 2)?;
    is_dump(&told("all")?, "SIGQUIT: quit", 2)?;
    let crash = told("crash")?;
    crash.expect_signal(SIGABRT)?;
    ensure!(
        crash.stderr.starts_with(b"SIGQUIT: quit\nPC=0x"),
        "{}",
        excerpt(&crash.stderr)
    );
    Ok(())
}

fn dump_by_an_instruction() -> Result<(), Failed> {
    let outcome = run_with("testprog", ["breakpoint"])?;
    is_dump(&outcome, "SIGTRAP: trace trap", 1)
}

/// While it is found out what it has panicked with a goroutine is one like any.
fn dump_in_a_panic() -> Result<(), Failed> {
    let outcome = run_with("testprog", ["panic-slowly"])?;
    is_dump(&outcome, "SIGQUIT: quit", 1)
}

/// Runs a command whose standard output or error nobody reads.
fn into_broken(stream: i32, arguments: &[&str], script: &str) -> Result<Outcome, Failed> {
    let (reader, writer) = std::io::pipe()?;
    drop(reader);
    let mut command = in_shell(script, "testprog")?;
    command.args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    if stream == 1 {
        command.stdout(writer);
    } else {
        command.stderr(writer);
    }
    let mut child = spawn(&mut command)?;
    drop(command);
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    if let Some(pipe) = child.stdout.as_mut() {
        pipe.read_to_end(&mut stdout)?;
    }
    if let Some(pipe) = child.stderr.as_mut() {
        pipe.read_to_end(&mut stderr)?;
    }
    let status = wait(&mut child)?;
    Ok(Outcome {
        stdout,
        stderr,
        status,
    })
}

/// Descriptors 1 and 2: the end by SIGPIPE, unless that is ignored.
fn nobody_reads() -> Result<(), Failed> {
    into_broken(1, &["lines", "3"], "")?.expect_signal(SIGPIPE)?;
    into_broken(2, &["error-lines", "3"], "")?.expect_signal(SIGPIPE)?;
    into_broken(1, &["half-line", "return"], "")?.expect_signal(SIGPIPE)?;
    let outcome = into_broken(1, &["lines", "3"], "trap '' PIPE")?;
    let text = "panic: failed printing to stdout: Broken pipe (os error 32)\n";
    ensure!(
        outcome.status.code() == Some(2) && outcome.stderr.starts_with(text.as_bytes()),
        "{outcome:?}"
    );
    let outcome = into_broken(2, &["error-lines", "3"], "trap '' PIPE")?;
    ensure!(outcome.status.code() == Some(2), "{outcome:?}");
    Ok(())
}

/// A report that nobody reads: the status is the death's.
fn nobody_reads_what_died() -> Result<(), Failed> {
    for command in ["panic", "deadlock", "nil"] {
        let outcome = into_broken(2, &[command], "")?;
        ensure!(outcome.status.code() == Some(2), "{command}: {outcome:?}");
    }
    Ok(())
}

/// Any other descriptor: an error.
fn broken_pipe_elsewhere() -> Result<(), Failed> {
    run_with("testprog", ["write-elsewhere"])?.expect(0, "Err(*)\n", "")?;
    Ok(())
}

/// Who wants to know of it, or of nothing, gets the error on standard output as well.
fn broken_pipe_wanted() -> Result<(), Failed> {
    let outcome = into_broken(1, &["broken-pipe", "wanted"], "")?;
    outcome.expect(0, "", "Err(BrokenPipe)\nOk(SIGPIPE)\n")?;
    into_broken(1, &["broken-pipe", "ignored"], "")?.expect(0, "", "Err(BrokenPipe)\n")?;
    Ok(())
}

/// Process 1 of a namespace, which the kernel's own actions do not touch: SIGTERM ends it
/// all the same, as shells say that; SIGUSR1 does nothing; and the other ways to die end.
fn process_1() -> Result<(), Failed> {
    let Some(unshare) = find_tool("unshare") else {
        return Err("unshare is not there: apt-get install util-linux".into());
    };
    let testprog = path("testprog")?;
    let as_1 = |arguments: &[&str]| {
        let mut command = Command::new(&unshare);
        command.env_clear().stdin(Stdio::null());
        command.args([
            "--user",
            "--map-root-user",
            "--pid",
            "--fork",
            "--kill-child",
        ]);
        command.arg(&testprog).args(arguments);
        command
    };
    let probe = run(Command::new(&unshare).args([
        "--user",
        "--map-root-user",
        "--pid",
        "--fork",
        "/bin/true",
    ]))?;
    if probe.status.code() != Some(0) {
        eprintln!("no namespaces here: {}", excerpt(&probe.stderr));
        return Ok(());
    }
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        // It sends them to itself, twice: the first is wanted.
        let outcome = run(&mut as_1(&["reset", &signal.to_string()]))?;
        ensure!(
            outcome.status.code() == Some(128 + signal),
            "signal {signal}: {outcome:?}"
        );
    }
    let outcome = run(&mut as_1(&["reset", &SIGUSR1.to_string()]))?;
    let text = "user defined signal 1 Ok(SIGUSR1)\nstill there\n";
    outcome.expect(0, text, "")?;
    let outcome = run(&mut as_1(&["reset", &SIGQUIT.to_string()]))?;
    // In debug builds with the runtime's own, which hands signals on.
    is_dump(&outcome, "SIGQUIT: quit", if release() { 1 } else { 2 })?;
    let outcome = run(as_1(&["panic"]).env("GOTRACEBACK", "crash"))?;
    ensure!(outcome.status.code() == Some(128 + SIGABRT), "{outcome:?}");
    // From outside of its namespace.
    let mut ready = Ready::start(&mut as_1(&["notify", "10"]))?;
    let id = ready.child.id();
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
    let first = children.split_whitespace().next().ok_or("no child")?;
    let pid = first.parse().ok().and_then(Pid::from_raw).ok_or("no pid")?;
    kill_process(pid, Signal::USR1)?;
    let line = ready.line()?;
    ensure!(line == "user defined signal 1\n", "got {line:?}");
    kill_process(pid, Signal::TERM)?;
    let outcome = ready.end()?;
    let code = outcome.status.code();
    ensure!(
        code == Some(128 + SIGTERM) && outcome.status.signal().is_none(),
        "{outcome:?}"
    );
    Ok(())
}
