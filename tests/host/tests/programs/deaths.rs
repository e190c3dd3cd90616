//! The ways to die that a program chooses: exit statuses, panics, and what the
//! runtime says when nothing can go on. The texts and the statuses are Go's.

use std::fs;
use std::io::{Read as _, Write as _};
use std::thread;

use gort_host_tests::ensure;
use gort_host_tests::programs::{
    Outcome, excerpt, in_shell, native, program, run, run_with, spawn, wait,
};
use libtest_mimic::{Failed, Trial};

/// The program's own source, as its panics name it.
const SOURCE: &str = "tests/testprog/deaths.rs";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("deaths::exit_statuses", exit_statuses),
        Trial::test("deaths::main_returns_err", main_returns_err),
        Trial::test("deaths::main_returns_first", main_returns_first),
        Trial::test("deaths::terminations", terminations),
        Trial::test("deaths::abort", abort),
        Trial::test("deaths::panic", panic),
        Trial::test("deaths::panic_on_a_goroutine", panic_on_a_goroutine),
        Trial::test("deaths::panic_with_much_to_say", panic_with_much_to_say),
        Trial::test("deaths::panic_into_a_full_pipe", panic_into_a_full_pipe),
        Trial::test("deaths::panic_that_gives_way", panic_that_gives_way),
        Trial::test("deaths::gotraceback", gotraceback),
        Trial::test("deaths::gotraceback_all", gotraceback_all),
        Trial::test("deaths::gotraceback_crash", gotraceback_crash),
        Trial::test("deaths::goexit_of_main", goexit_of_main),
        Trial::test("deaths::deadlock", deadlock),
        Trial::test("deaths::deadlock_on_locks", deadlock_on_locks),
        Trial::test("deaths::deadlock_of_many", deadlock_of_many),
        Trial::test("deaths::deadlock_without_timers", deadlock_without_timers),
        // Limits would hit the emulator itself.
        Trial::test("deaths::too_deep", too_deep).with_ignored_flag(!native()),
        Trial::test("deaths::too_many_goroutines", too_many_goroutines)
            .with_ignored_flag(!native()),
        Trial::test("deaths::too_many_threads", too_many_threads).with_ignored_flag(!native()),
    ]
}

/// Runs a command of testprog.
fn die(arguments: &[&str]) -> Result<Outcome, String> {
    run_with("testprog", arguments)
}

fn exit_statuses() -> Result<(), Failed> {
    for status in [0, 1, 2, 7, 127, 255] {
        for how in ["return", "exit", "exit-goroutine"] {
            die(&[how, &status.to_string()])?.expect(status, "", "")?;
        }
    }
    // The kernel keeps eight bits.
    die(&["exit", "258"])?.expect(2, "", "")?;
    Ok(())
}

fn main_returns_err() -> Result<(), Failed> {
    die(&["return-error"])?.expect(1, "", "Error: Failure { why: \"it was asked to\" }\n")?;
    // As in std, it does not matter whether that could be said.
    let mut command = in_shell("exec 2>/dev/full", "testprog")?;
    run(command.args(["return-error"]))?.expect(1, "", "")?;
    Ok(())
}

/// When main returns the program ends, whatever other goroutines do.
fn main_returns_first() -> Result<(), Failed> {
    die(&["return-with-others"])?.expect(0, "", "")?;
    Ok(())
}

fn terminations() -> Result<(), Failed> {
    let text = [0, 3, 0, 4, 1].map(|status| format!("ExitCode(unix_exit_status({status}))\n"));
    let text = text.concat();
    die(&["terminations"])?.expect(0, &text, "Error: \"a text\"\n")?;
    Ok(())
}

fn abort() -> Result<(), Failed> {
    const SIGABRT: i32 = 6;
    die(&["abort"])?.expect_signal(SIGABRT)?;
    Ok(())
}

/// Checks that the line that stderr names in the program's source is the one
/// that holds `code`.
fn names_the_line(outcome: &Outcome, code: &str) -> Result<(), Failed> {
    let text = String::from_utf8_lossy(&outcome.stderr);
    let place = text
        .split_once(SOURCE)
        .and_then(|(_, rest)| rest.strip_prefix(':'));
    let number = place.and_then(|place| place.split([':', ' ', '\n']).next());
    let number: usize = number.unwrap_or_default().parse()?;
    let file = fs::read_to_string(format!("{}/../../{SOURCE}", env!("CARGO_MANIFEST_DIR")))?;
    let line = file.lines().nth(number.wrapping_sub(1)).unwrap_or_default();
    ensure!(
        line.contains(code),
        "{SOURCE}:{number} is {line:?}, without {code}: {text}"
    );
    Ok(())
}

fn panic() -> Result<(), Failed> {
    let at_main = format!("\n\ngoroutine 1 [running]:\n**{SOURCE}:*\n**main.main()\n\t*\n");
    let cases = [
        ("panic", "panic!(\"the value", "the value is 42"),
        ("panic-plain", "panic!(\"a plain", "a plain text"),
        ("panic-lines", "panic!(\"first", "first\n\tsecond"),
        (
            "panic-index",
            "black_box(7)",
            "index out of bounds: the len is 2 but the index is 7",
        ),
    ];
    for (command, code, message) in cases {
        let outcome = die(&[command, "42"])?;
        outcome.expect(2, "", &format!("panic: {message}{at_main}"))?;
        names_the_line(&outcome, code)?;
    }
    Ok(())
}

fn panic_on_a_goroutine() -> Result<(), Failed> {
    let outcome = die(&["panic-goroutine"])?;
    let text = format!(
        "panic: on a goroutine\n\ngoroutine 2 [running]:\n**{SOURCE}:*\n**\
         created by * in goroutine 1\n\t*{SOURCE}:*\n"
    );
    outcome.expect(2, "", &text)?;
    names_the_line(&outcome, "panic!(\"on a goroutine")?;

    // The same for one that another waits for: it never hears of it.
    let outcome = die(&["panic-thread"])?;
    let text = format!(
        "panic: in a spawned one\n\ngoroutine 2 [running]:\n**{SOURCE}:*\n**\
         created by * in goroutine 1\n\t*{SOURCE}:*\n"
    );
    outcome.expect(2, "", &text)?;
    names_the_line(&outcome, "panic!(\"in a spawned one")
}

/// A message longer than any buffer comes whole.
fn panic_with_much_to_say() -> Result<(), Failed> {
    for length in [0, 1, 248, 249, 255, 256, 257, 511, 512, 513, 1024, 100_000] {
        let message: String = ('a'..='z').cycle().take(length).collect();
        let outcome = die(&["panic-long", &length.to_string()])?;
        let start = format!("panic: {message}\n\ngoroutine 1 [running]:\n");
        let got = outcome.stderr.get(..start.len()).unwrap_or(&outcome.stderr);
        ensure!(
            got == start.as_bytes(),
            "{length} letters: got {}",
            excerpt(got)
        );
        ensure!(
            outcome.status.code() == Some(2),
            "{length} letters: {}",
            outcome.status
        );
    }
    Ok(())
}

/// What is said into a pipe that others keep full comes whole; the program ends then.
fn panic_into_a_full_pipe() -> Result<(), Failed> {
    let (mut reader, writer) = std::io::pipe()?;
    let mut other = writer.try_clone()?;
    // Much more than a pipe has room for.
    let filler = thread::spawn(move || other.write_all(&[0; 1 << 20]));
    let mut command = program("testprog")?;
    command.arg("panic-lines").stderr(writer);
    let mut child = spawn(&mut command)?;
    drop(command); // the pipe's end that we have
    let mut stderr = Vec::new();
    reader.read_to_end(&mut stderr)?;
    stderr.retain(|&byte| byte != 0);
    ensure!(matches!(filler.join(), Ok(Ok(()))), "the pipe broke");
    let outcome = Outcome {
        stdout: Vec::new(),
        stderr,
        status: wait(&mut child)?,
    };
    let text = format!("panic: first\n\tsecond\n\ngoroutine 1 [running]:\n**{SOURCE}:*\n**");
    outcome.expect(2, "", &text)?;
    Ok(())
}

fn gotraceback() -> Result<(), Failed> {
    let with = |value: &str| {
        run(program("testprog")?
            .args(["panic-plain"])
            .env("GOTRACEBACK", value))
    };
    let whole = format!(
        "panic: a plain text\n\ngoroutine 1 *[running]:\n**{SOURCE}:*\n**main.main()\n\t*\n**"
    );
    for value in ["", "single", "all", "1", "system", "2"] {
        with(value)?.expect(2, "", &whole)?;
    }
    for value in ["none", "0"] {
        with(value)?.expect(2, "", "panic: a plain text\n")?;
    }
    let complaint = "gort: GOTRACEBACK=loud: expected none, single, all, system or crash\n";
    with("loud")?.expect(2, "", &format!("{complaint}{whole}"))?;
    const SIGABRT: i32 = 6;
    let crash = with("crash")?;
    crash.expect_signal(SIGABRT)?;
    let text = crash
        .stderr
        .get(..crash.stderr.len().min(whole.len()))
        .unwrap_or_default();
    ensure!(
        text.starts_with(b"panic: a plain text\n\ngoroutine 1"),
        "got {}",
        excerpt(text)
    );
    Ok(())
}

/// Until its message is there a goroutine that has panicked is one like any: another one
/// may die first.
fn panic_that_gives_way() -> Result<(), Failed> {
    let text = format!(
        "panic: another one\n\ngoroutine 2 [running]:\n**{SOURCE}:*\n**\
         created by * in goroutine 1\n\t*{SOURCE}:*\n"
    );
    // With more of them which is the first is anybody's guess.
    run(program("testprog")?
        .args(["panic-gosched"])
        .env("GOMAXPROCS", "1"))?
    .expect(2, "", &text)?;
    Ok(())
}

/// All goroutines but the one that died, with what they are about.
fn gotraceback_all() -> Result<(), Failed> {
    let others = "\ngoroutine 2 [*]:\n**\ngoroutine 3 [*]:\n**";
    let with = |value: &str| {
        run(program("testprog")?
            .args(["panic-with-others"])
            .env("GOTRACEBACK", value)
            .env("GOMAXPROCS", "1"))
    };
    let whole = format!(
        "panic: a plain text\n\ngoroutine 1 *[running]:\n**{SOURCE}:*\n**main.main()\n\t*\n**"
    );
    with("single")?.expect(2, "", &whole)?;
    with("all")?.expect(2, "", &format!("{whole}{others}"))?;
    Ok(())
}

/// A core file is left whatever the end is, and whatever signals are blocked.
fn gotraceback_crash() -> Result<(), Failed> {
    const SIGABRT: i32 = 6;
    for how in ["panic-plain", "nil", "overflow", "deadlock", "illegal"] {
        run(program("testprog")?.args([how]).env("GOTRACEBACK", "crash"))?
            .expect_signal(SIGABRT)
            .map_err(|error| format!("{how}: {error}"))?;
    }
    Ok(())
}

const NO_GOROUTINES: &str = "fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n";

fn goexit_of_main() -> Result<(), Failed> {
    die(&["goexit"])?.expect(2, "", NO_GOROUTINES)?;
    // From an init task, while main is tied to its thread.
    die(&["goexit-init"])?.expect(2, "", NO_GOROUTINES)?;
    let rounds = "round 0 without main\nround 1 without main\nround 2 without main\n";
    die(&["goexit-others"])?.expect(2, rounds, NO_GOROUTINES)?;
    Ok(())
}

fn deadlock() -> Result<(), Failed> {
    let text = "fatal error: all goroutines are asleep - deadlock!\n";
    die(&["deadlock"])?.expect(2, "", &format!("{text}\ngoroutine 1 [thread::park]:\n**"))?;
    // Main has gone, and the others wait for ever: that is no lack of goroutines.
    die(&["deadlock-others"])?.expect(
        2,
        "",
        &format!("{text}\ngoroutine 2 [thread::park]:\n**\n\ngoroutine 3 [thread::park]:\n**"),
    )?;
    // One that waits for the other's end.
    die(&["deadlock-join"])?.expect(
        2,
        "",
        &format!("{text}\ngoroutine 1 [JoinHandle::join]:\n**\n\ngoroutine 2 [thread::park]:\n**"),
    )?;
    // Those that wait on channels, each in its way.
    die(&["deadlock-channels"])?.expect(
        2,
        "",
        &format!(
            "{text}\ngoroutine 1 [thread::park]:\n**\n\ngoroutine 2 [chan receive]:\n**\n\n\
             goroutine 3 [chan send]:\n**\n\ngoroutine 4 [select]:\n**\n\n\
             goroutine 5 [chan receive (nil chan)]:\n**\n\n\
             goroutine 6 [select (no cases)]:\n**"
        ),
    )?;
    Ok(())
}

/// The trace says what each one waits for, in Go's words where there are such.
fn deadlock_on_locks() -> Result<(), Failed> {
    for (what, reason) in [
        ("mutex", "sync.Mutex.Lock"),
        ("write", "sync.RWMutex.Lock"),
        ("read", "sync.RWMutex.RLock"),
        ("condvar", "sync.Cond.Wait"),
        ("once", "Once::wait"),
        ("barrier", "Barrier::wait"),
        ("group", "sync.WaitGroup.Wait"),
        ("semaphore", "semacquire"),
    ] {
        let text = "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1";
        die(&["deadlock-on", what])?.expect(2, "", &format!("{text} [{reason}]:\n**"))?;
    }
    Ok(())
}

/// Who sleeps is not dead, and a timer that will fire helps; one that was stopped does
/// not, though it is still in the heap.
fn deadlock_without_timers() -> Result<(), Failed> {
    let text = "fatal error: all goroutines are asleep - deadlock!\n\n\
        goroutine 1 [thread::park]:\n**";
    die(&["deadlock-slept"])?.expect(2, "awake\n", text)?;
    die(&["deadlock-timers"])?.expect(2, "fired\ntrue\n", text)?;
    Ok(())
}

/// Each has a number of its own, without a gap, though a P takes them by batches.
fn deadlock_of_many() -> Result<(), Failed> {
    const COUNT: usize = 100;
    let count = COUNT.to_string();
    let outcome = run(program("testprog")?
        .args(["deadlock-many", &count])
        .env("GOMAXPROCS", "1"))?;
    let text = String::from_utf8(outcome.stderr)?;
    let numbers = text
        .lines()
        .filter_map(|line| line.strip_prefix("goroutine "))
        .filter_map(|rest| rest.split(' ').next());
    let mut numbers: Vec<usize> = numbers.map(str::parse).collect::<Result<_, _>>()?;
    numbers.sort_unstable();
    ensure!(
        numbers.iter().copied().eq(1..=COUNT + 1),
        "goroutines {numbers:?} in {text}"
    );
    Ok(())
}

fn too_many_goroutines() -> Result<(), Failed> {
    let outcome = run(in_shell("ulimit -v 300000", "testprog")?.args(["too-many-goroutines"]))?;
    let text = "runtime: may need to increase the limit of the address space (ulimit -v)\n\
        fatal error: out of memory (stack allocation)\n\ngoroutine 1 *[running]:\n**";
    outcome.expect(2, "", text)?;
    Ok(())
}

/// What ends the program where it is a `go` that has no room is an error to who
/// asks for a thread; the closure that could not run is dropped.
fn too_many_threads() -> Result<(), Failed> {
    for (size, some) in [(256 << 10, true), (64 << 20, true), (1 << 30, false)] {
        let outcome =
            run(in_shell("ulimit -v 300000", "testprog")?
                .args(["too-many-threads", &size.to_string()]))?;
        let text = format!(
            "some: {some}, dropped: 1, the others later: true; \
             out of memory: no room for a stack of {size} bytes\n"
        );
        outcome.expect(0, &text, "")?;
    }
    Ok(())
}

/// A segment that is too large, or for which there is no room, at once or after
/// many others.
fn too_deep() -> Result<(), Failed> {
    let text = "fatal error: out of memory (stack allocation)\n\ngoroutine 1 *[running]:\n**";
    for size in [u64::MAX, u64::MAX >> 1, (1 << 30) + 1] {
        die(&["grow", &size.to_string()])?.expect(2, "", text)?;
    }
    die(&["grow", &(1 << 30).to_string()])?.expect(0, "", "")?;
    for command in [["grow", "1000000000"], ["segments", "1000000"]] {
        let outcome = run(in_shell("ulimit -v 300000", "testprog")?.args(command))?;
        outcome.expect(2, "", text)?;
    }
    Ok(())
}
