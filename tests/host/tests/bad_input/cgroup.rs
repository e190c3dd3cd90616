//! A control group whose `cpu.max` is no limit: the program starts as if there
//! were none. The parser has tests of its own with the pure modules; here the
//! program itself reads such files.
//!
//! A mount namespace shows it a control group of our own making. Up to two CPUs
//! a limit changes nothing and gort does not look, so that on such a machine
//! `cpu_max` says only that the program starts. For `a_limit_is_followed` gdb has the
//! kernel say that there are eight.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gort_host_tests::ensure;
use gort_host_tests::programs::{Outcome, Running, find_tool, native, path, run, run_with, spawn};
use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("cgroup::cpu_max", cpu_max).with_ignored_flag(!native()),
        Trial::test("cgroup::a_limit_is_followed", a_limit_is_followed)
            .with_ignored_flag(!native()),
    ]
}

/// Puts our files in the place of the kernel's, for this process alone, and
/// becomes the program.
const SCRIPT: &str = r#"
set -e
mount --bind "$1/group" /proc/$$/cgroup
mount --bind "$1/mounts" /proc/$$/mountinfo
shift
exec "$@"
"#;

/// A directory that goes away with its owner.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0); // a leftover in the temporary directory
    }
}

impl Directory {
    /// Makes one with the files that lead to its own `cpu.max`.
    fn new(name: &str) -> Result<Self, Failed> {
        let name = format!("gort-cgroup-{name}-{}", std::process::id());
        let directory = Self(std::env::temp_dir().join(name));
        let files = directory.0.as_path();
        fs::create_dir_all(files)?;
        fs::write(files.join("group"), "0::/\n")?;
        fs::write(
            files.join("mounts"),
            format!("41 31 0:38 / {} rw - cgroup2 cgroup2 rw\n", files.display()),
        )?;
        Ok(directory)
    }
}

/// What gdb is told: in whatever the program asks for its CPUs with, the kernel's answer
/// has eight of them. `$rdx` is where the mask goes; at the call's start it is overwritten.
const EIGHT_CPUS: &str = "\
set pagination off
set confirm off
set language c
handle SIGURG nostop noprint pass
catch syscall sched_getaffinity
commands
silent
set var *(unsigned long *)$rdx = 0xff
continue
end
run
";

/// A container's limit on a machine of eight CPUs, while the program runs: it goes down, it
/// is lifted, it comes back.
fn a_limit_is_followed() -> Result<(), Failed> {
    let gdb = find_tool("gdb").ok_or("gdb is not there: apt-get install gdb")?;
    let directory = Directory::new("followed")?;
    let files = directory.0.as_path();
    // At once: who reads it finds the old or the new.
    let limit = |text: &str| {
        fs::write(files.join("next"), text)?;
        fs::rename(files.join("next"), files.join("cpu.max"))
    };
    if may_not_mount(files)? {
        return Ok(());
    }
    limit("400000 100000\n")?;
    fs::write(files.join("script"), SCRIPT)?;
    let wrapper = format!(
        "set exec-wrapper sh {0}/script {0}\n{EIGHT_CPUS}",
        files.display()
    );
    fs::write(files.join("commands"), wrapper)?;
    let mut command = unshare()?;
    command
        .arg(gdb)
        .args(["-batch", "-nx", "-x"])
        .arg(files.join("commands"))
        .arg("--args")
        .arg(path("testprog")?)
        .arg("watch-gomaxprocs")
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut debugger = Running(spawn(&mut command)?); // which takes its program along
    let stdout = debugger.0.stdout.take().ok_or("no pipe")?;
    // The others are gdb's.
    let mut numbers = BufReader::new(stdout)
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| line.parse::<u64>().ok());
    let mut expect = |procs: u64| -> Result<(), Failed> {
        let seen = numbers.next().ok_or("gdb has ended")?;
        ensure!(seen == procs, "{seen} Ps, expected {procs}");
        Ok(())
    };
    expect(4)?;
    limit("300000 100000\n")?;
    expect(3)?;
    limit("max 100000\n")?;
    expect(8)?;
    limit("150000 100000\n")?;
    expect(2) // as in Go: no fewer than two for a limit, where there are as many CPUs
}

/// Prepares what makes a mount namespace.
fn unshare() -> Result<Command, Failed> {
    let tool = find_tool("unshare").ok_or("unshare is not there: apt-get install util-linux")?;
    let mut command = Command::new(tool);
    if fs::metadata("/proc/self")?.uid() != 0 {
        command.arg("--map-root-user");
    }
    command.arg("--mount").env_clear();
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    Ok(command)
}

/// Tells, and says, whether this is a container that may not make namespaces.
fn may_not_mount(files: &Path) -> Result<bool, Failed> {
    let first = run(unshare()?
        .args(["sh", "-c", SCRIPT, "sh"])
        .arg(files)
        .arg("true"))?;
    let it_may_not = !first.status.success();
    if it_may_not {
        let why = String::from_utf8_lossy(&first.stderr);
        eprintln!("a control group of our own: not tried: {why}");
    }
    Ok(it_may_not)
}

fn cpu_max() -> Result<(), Failed> {
    let directory = Directory::new("cpu-max")?;
    let files = directory.0.as_path();

    let cpus: u64 = String::from_utf8(run_with("testprog", ["num-cpu"])?.stdout)?
        .trim()
        .parse()?;
    let no_limit = format!("{cpus}\n");
    if may_not_mount(files)? {
        return Ok(());
    }
    under(files, b"max 100000\n")?.expect(0, &no_limit, "")?;
    // That the files are read at all.
    let limited = under(files, b"250000 100000\n")?;
    limited.expect(0, &format!("{}\n", cpus.min(3)), "")?;

    let endless = vec![b'9'; 1 << 20];
    let malformed: [&[u8]; 9] = [
        b"",
        b"garbage",
        b"-1 100000\n",
        b"300000 0\n",
        b"300000 100000 x\n",
        b"300000\0 100000\n",
        b"99999999999999999999999 1\n",
        b"\xff\xfe\x00\n\n\n",
        &endless,
    ];
    for text in malformed {
        let outcome = under(files, text)?;
        let shown = String::from_utf8_lossy(text.get(..40).unwrap_or(text));
        outcome
            .expect(0, &no_limit, "")
            .map_err(|error| format!("cpu.max is {shown:?}: {error}"))?;
    }
    // The same for the files that lead there.
    for name in ["group", "mounts"] {
        fs::write(files.join(name), &endless)?;
        let outcome = under(files, b"250000 100000\n")?;
        ensure!(
            outcome.expect(0, &no_limit, "").is_ok(),
            "{name} is malformed: {outcome:?}"
        );
    }
    Ok(())
}

/// Asks testprog for GOMAXPROCS in a control group with this `cpu.max`.
fn under(files: &Path, cpu_max: &[u8]) -> Result<Outcome, Failed> {
    fs::write(files.join("cpu.max"), cpu_max)?;
    let mut command = unshare()?;
    command
        .args(["sh", "-c", SCRIPT, "sh"])
        .arg(files)
        .arg(path("testprog")?)
        .arg("gomaxprocs");
    Ok(run(&mut command)?)
}
