//! Breakpoints on the steps of the boot, in both gdbs, natively and through
//! QEMU's gdbstub: they are hit once each, in the design's order.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use gort_host_tests::{ensure, programs};
use libtest_mimic::{Failed, Trial};

use crate::machine;
use crate::session::{Gdb, Kind};

/// Where to stop, and what bt then reads, from the innermost frame to the last.
const STEPS: [(&str, &[&str]); 10] = [
    ("runtime.rt0_go", &["runtime.rt0_go", "runtime.rt0_common"]),
    (
        "runtime.settls",
        &[
            "runtime.settls",
            "runtime.needtls",
            "runtime.rt0_go",
            "runtime.rt0_common",
        ],
    ),
    (
        "runtime.check",
        &["runtime.check", "runtime.rt0_go", "runtime.rt0_common"],
    ),
    (
        "runtime.args",
        &["runtime.args", "runtime.rt0_go", "runtime.rt0_common"],
    ),
    (
        "runtime.osinit",
        &["runtime.osinit", "runtime.rt0_go", "runtime.rt0_common"],
    ),
    (
        "runtime.schedinit",
        &["runtime.schedinit", "runtime.rt0_go", "runtime.rt0_common"],
    ),
    (
        "runtime.newproc",
        &["runtime.newproc", "runtime.rt0_go", "runtime.rt0_common"],
    ),
    (
        "runtime.mstart",
        &["runtime.mstart", "runtime.rt0_go", "runtime.rt0_common"],
    ),
    ("runtime.main", &["runtime.main", "runtime.goexit"]),
    (
        "main.main",
        &["main.main", "runtime.main", "runtime.goexit"],
    ),
];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("boot_order_plain", || boot_order(Kind::Plain)),
        Trial::test("boot_order_script", || boot_order(Kind::Gort)),
    ]
}

/// Stops at each step, looks at what osinit has found, and goes on to the end.
fn boot_order(kind: Kind) -> Result<(), Failed> {
    let program = programs::path("hello")?;
    let mut gdb = Gdb::start(kind, &program)?;
    let qemu = match programs::native() {
        true => None,
        false => Some(Qemu::start(&program)?),
    };
    // QEMU has loaded the program, and waits before its first instruction.
    let first = match &qemu {
        Some(qemu) => {
            gdb.command(&format!("target remote {}", qemu.socket))?;
            "c"
        }
        None => "r",
    };
    for (step, _) in STEPS {
        let answer = gdb.command(&format!("b {step}"))?;
        ensure!(answer.starts_with("Breakpoint "), "b {step}: {answer}");
    }

    for (index, (step, frames)) in STEPS.iter().enumerate() {
        let answer = gdb.command(if index == 0 { first } else { "c" })?;
        ensure!(
            answer.contains(&format!("Breakpoint {}, ", index + 1)),
            "expected to stop in {step}, breakpoint {}, but: {answer}",
            index + 1
        );
        let place = gdb.command("with print demangle off -- info symbol $pc")?;
        ensure!(
            place.starts_with(&format!("{step} ")),
            "expected to be in {step}, but: {place}"
        );
        if kind == Kind::Gort {
            backtrace_reads(&mut gdb, frames)?;
        }
        match *step {
            "runtime.osinit" => osinit_is_yet_to_come(&mut gdb)?,
            "runtime.schedinit" => osinit_has_found_the_machine(&mut gdb)?,
            _ => {}
        }
    }

    let end = gdb.command("c")?;
    ensure!(
        end.contains("exited normally]"),
        "expected a normal exit, but: {end}"
    );
    let printed = match qemu {
        Some(qemu) => qemu.output()?,
        None => end,
    };
    ensure!(printed.contains("vim-go\n"), "hello printed {printed:?}");
    Ok(())
}

/// Checks all frames of a backtrace, and that it ends without a complaint.
fn backtrace_reads(gdb: &mut Gdb, expected: &[&str]) -> Result<(), Failed> {
    let text = gdb.command("bt")?;
    let frames: Vec<&str> = text.lines().map(frame_function).collect();
    ensure!(
        frames == expected,
        "expected a backtrace of {expected:?}, but:\n{text}"
    );
    Ok(())
}

/// Returns the function in `#1  0x... in FUNCTION (...) at ...`.
fn frame_function(line: &str) -> &str {
    let line = line.trim_start_matches(|c: char| c == '#' || c == ' ' || c.is_ascii_digit());
    let line = line
        .split_once(" in ")
        .map_or(line, |(_, function)| function);
    line.split(" (").next().unwrap_or(line)
}

fn osinit_is_yet_to_come(gdb: &mut Gdb) -> Result<(), Failed> {
    prints(gdb, "ncpu", 0)
}

/// Both ways to name a variable, and C's third.
fn osinit_has_found_the_machine(gdb: &mut Gdb) -> Result<(), Failed> {
    let cpus = machine::cpus()?;
    for name in ["ncpu", "runtime.ncpu"] {
        prints(gdb, name, cpus)?;
    }
    let quoted = gdb.command("with language c -- output 'runtime.ncpu'")?;
    ensure!(
        quoted.starts_with(&cpus.to_string()),
        "output 'runtime.ncpu': {quoted}"
    );

    let size = machine::huge_page_size();
    for name in ["physHugePageSize", "runtime.physHugePageSize"] {
        prints(gdb, name, size)?;
    }
    Ok(())
}

/// Checks what `p NAME` prints.
fn prints(gdb: &mut Gdb, name: &str, expected: u64) -> Result<(), Failed> {
    let answer = gdb.command(&format!("p {name}"))?;
    let value = answer.trim_end().rsplit(" = ").next().unwrap_or_default();
    ensure!(
        value == expected.to_string(),
        "expected p {name} to print {expected}, but: {answer}"
    );
    Ok(())
}

/// A program in QEMU's user mode, stopped until a debugger comes.
struct Qemu {
    child: Child,
    socket: String,
}

impl Qemu {
    fn start(program: &Path) -> Result<Self, String> {
        let runner = programs::runner();
        let [emulator, options @ ..] = runner.as_slice() else {
            return Err("GORT_RUNNER is empty".into());
        };
        let socket = std::env::temp_dir().join(format!(
            "gort-gdb-{}-{:?}",
            std::process::id(),
            thread::current().id()
        ));
        let _ = fs::remove_file(&socket); // of a process that had our number
        let mut command = Command::new(emulator);
        command
            .args(options)
            .arg("-g")
            .arg(&socket)
            .arg(program)
            .env_clear();
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut qemu = Self {
            child: programs::spawn(&mut command)?,
            socket: socket.display().to_string(),
        };
        // It is there once QEMU listens, and QEMU does not live for ever.
        while !socket.exists() {
            if let Ok(Some(status)) = qemu.child.try_wait() {
                return Err(format!("{emulator} -g: {status}"));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(qemu)
    }

    /// Returns what the program has printed, when it has ended.
    fn output(mut self) -> Result<String, String> {
        let mut text = String::new();
        if let Some(stdout) = self.child.stdout.as_mut() {
            stdout
                .read_to_string(&mut text)
                .map_err(|error| format!("QEMU's output: {error}"))?;
        }
        let status = programs::wait(&mut self.child)?;
        if status.success() {
            Ok(text)
        } else {
            Err(format!("in QEMU: {status}, printed {text:?}"))
        }
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        let _ = self.child.kill(); // if a test failed half-way
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.socket);
    }
}
