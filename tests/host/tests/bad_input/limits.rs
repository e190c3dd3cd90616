//! Resource limits that leave little room, CPUs that are taken away, and signals
//! that nobody asked for.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use gort_host_tests::ensure;
use gort_host_tests::programs::{
    Outcome, find_tool, in_shell, install, native, path, program, run, runner, spawn, wait,
};
use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("limits::small_stack", small_stack),
        Trial::test(
            "limits::small_stack_many_arguments",
            small_stack_many_arguments,
        )
        .with_ignored_flag(!native()),
        Trial::test("limits::address_space", address_space).with_ignored_flag(!native()),
        Trial::test("limits::no_thread_to_be_had", no_thread_to_be_had)
            .with_ignored_flag(!native()),
        Trial::test("limits::one_cpu", one_cpu),
        Trial::test("limits::cpu_without_aes", cpu_without_aes),
        Trial::test(
            "limits::signals_that_mean_nothing",
            signals_that_mean_nothing,
        ),
    ]
}

/// Runs an example under a limit of the shell's.
fn limited(limit: &str, name: &str, arguments: &[&str]) -> Result<Outcome, String> {
    run(in_shell(limit, name)?.args(arguments)).map_err(|error| format!("{limit}: {error}"))
}

/// g0 takes 64 KiB of the stack that the kernel gives; with a limit below that
/// it gets what there is, which the boot never uses up.
fn small_stack() -> Result<(), Failed> {
    for kilobytes in [256, 128, 96, 64, 32] {
        let limit = format!("ulimit -s {kilobytes}");
        limited(&limit, "hello", &[])?
            .expect(0, "vim-go\n", "")
            .map_err(|error| format!("{limit}: {error}"))?;
        let outcome = limited(&limit, "goroutines", &[])?;
        ensure!(
            outcome.status.success() && outcome.stdout.ends_with(b"done\n"),
            "{limit}: {outcome:?}"
        );
        // Goroutines have stacks of their own, and so have signals.
        let overflow = limited(&limit, "testprog", &["overflow"])?;
        let text = "runtime: goroutine stack exceeds *\n*\nfatal error: stack overflow\n\ngoroutine 1 *[running]:\n**";
        overflow
            .expect(2, "", text)
            .map_err(|error| format!("{limit}: {error}"))?;
    }
    Ok(())
}

/// Arguments and environment lie on the same stack, above g0's part.
fn small_stack_many_arguments() -> Result<(), Failed> {
    let argument = "x".repeat(80_000);
    let bytes = path("testprog")?.as_os_str().len() + "arguments".len() + argument.len();
    let outcome = limited("ulimit -s 128", "testprog", &["arguments", &argument])?;
    outcome.expect(0, &format!("3 arguments, {bytes} bytes\n"), "")?;
    Ok(())
}

/// Too little for the first goroutine's stack, or for the heap's first arena.
fn address_space() -> Result<(), Failed> {
    let text = "fatal error: out of memory (stack allocation)\n\nruntime stack:\n**";
    limited("ulimit -v 6000", "hello", &[])?.expect(2, "", text)?;
    limited("ulimit -v 20000", "hello", &[])?.expect(0, "vim-go\n", "")?;
    // The heap makes do with less than it would like.
    limited("ulimit -v 20000", "testprog", &["return", "7"])?.expect(7, "", "")?;
    Ok(())
}

/// sysmon needs a thread. Where the system gives none, that is what is said.
fn no_thread_to_be_had() -> Result<(), Failed> {
    const NOBODY: u32 = 65534;
    let Some(prlimit) = find_tool("prlimit") else {
        return Err("prlimit is not there: apt-get install util-linux".into());
    };
    let one_process = |program: &std::path::Path| {
        let mut command = Command::new(&prlimit);
        command.arg("--nproc=1").arg(program).env_clear();
        command
    };
    let outcome = if fs::metadata("/proc/self")?.uid() == 0 {
        // The limit does not hold for root, and nobody may not come here.
        let copy = std::env::temp_dir().join(format!("gort-no-thread-{}", std::process::id()));
        install(&path("goroutines")?, &copy)?;
        let outcome = run(one_process(&copy).uid(NOBODY));
        fs::remove_file(&copy)?;
        outcome?
    } else {
        run(&mut one_process(&path("goroutines")?))?
    };
    let text = "runtime: failed to create new OS thread (have 1 already; errno=11)\n\
        runtime: may need to increase max user processes (ulimit -u)\n\
        fatal error: newosproc\n\nruntime stack:\n**";
    outcome.expect(2, "", text)?;
    Ok(())
}

/// The hash function has another way there. Only an emulator has such a CPU.
fn cpu_without_aes() -> Result<(), Failed> {
    let all = "6280 hashes of 6280 keys\n";
    run(program("testprog")?.arg("hashes"))?.expect(0, all, "")?;
    if let Some(qemu) = find_tool("qemu-x86_64") {
        let mut command = Command::new(qemu);
        command.args(["-cpu", "max,-aes"]).arg(path("testprog")?);
        run(command.arg("hashes").env_clear())?.expect(0, all, "")?;
    }
    Ok(())
}

fn one_cpu() -> Result<(), Failed> {
    let Some(taskset) = find_tool("taskset") else {
        return Err("taskset is not there: apt-get install util-linux".into());
    };
    let status = fs::read_to_string("/proc/self/status")?;
    let allowed = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let digits = |character: char| !character.is_ascii_digit();
    let first = allowed
        .unwrap_or_default()
        .trim()
        .split(digits)
        .next()
        .unwrap_or("0");
    let on_first = |name: &str, arguments: &[&str]| {
        let mut command = Command::new(&taskset);
        command
            .args(["-c", first])
            .args(runner())
            .arg(path(name)?)
            .args(arguments)
            .env_clear();
        run(&mut command)
    };
    on_first("testprog", &["num-cpu"])?.expect(0, "1\n", "")?;
    on_first("testprog", &["gomaxprocs"])?.expect(0, "1\n", "")?;
    on_first("testprog", &["cpu"])?.expect(0, &format!("{first}\n"), "")?;
    let outcome = on_first("goroutines", &[])?;
    ensure!(
        outcome.status.success() && outcome.stdout.ends_with(b"done\n"),
        "{outcome:?}"
    );
    Ok(())
}

/// Signals whose default is to be ignored, as fast as they can be sent, to a
/// program in all of its stages: from the exec to the last goroutine.
fn signals_that_mean_nothing() -> Result<(), Failed> {
    let Some(kill) = find_tool("kill") else {
        return Err("kill is not there: apt-get install procps".into());
    };
    let mut sent = 0;
    for _ in 0..3 {
        let mut child = spawn(
            program("goroutines")?
                .stdout(Stdio::piped())
                .stderr(Stdio::piped()),
        )?;
        let id = child.id().to_string();
        while child.try_wait()?.is_none() {
            for signal in ["-URG", "-CHLD", "-WINCH", "-CONT"] {
                let mut kill = command_of(&kill, &[signal, &id]);
                // It may have ended meanwhile; it is still ours, as a zombie.
                sent += usize::from(wait(&mut spawn(&mut kill)?)?.success());
            }
        }
        let outcome = child.wait_with_output()?;
        let done = outcome.status.success() && outcome.stdout.ends_with(b"done\n");
        ensure!(
            done && outcome.stderr.is_empty(),
            "{outcome:?} after {sent} signals"
        );
    }
    ensure!(sent > 0, "no signal got there");
    Ok(())
}

/// A host's tool with its arguments.
fn command_of(tool: &std::path::Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(tool);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}
