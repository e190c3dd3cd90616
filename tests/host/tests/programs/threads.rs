//! How programs end that have many threads: the deadlock detector knows who could still
//! wake somebody, and an end is the end, whatever other threads are doing.

use gort_host_tests::ensure;
use gort_host_tests::programs::{Outcome, like, program, run};
use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("threads::the_end_is_everybodys", the_end_is_everybodys),
        Trial::test("threads::deadlocks", deadlocks),
        Trial::test("threads::a_call_is_no_deadlock", a_call_is_no_deadlock),
        Trial::test("threads::goexit_of_main", goexit_of_main),
        Trial::test("threads::exhaustion", exhaustion),
        Trial::test("threads::one_report", one_report),
        Trial::test("threads::gotraceback_all", gotraceback_all),
        Trial::test("threads::an_init_task_locks_main", an_init_task_locks_main),
    ]
}

const DEADLOCK: &str = "fatal error: all goroutines are asleep - deadlock!\n";
const NO_GOROUTINES: &str = "fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n";

/// What GOMAXPROCS is tried as; a command may set its own.
const PROCS: &[&str] = &["1", "2", "8"];

/// Runs a command of testprog on so many Ps.
fn end(procs: &str, arguments: &[&str]) -> Result<Outcome, String> {
    run(program("testprog")?
        .args(arguments)
        .env("GOMAXPROCS", procs))
}

/// Checks how it ends and what it prints; of standard error, how that begins.
fn begins(outcome: &Outcome, status: i32, stdout: &str, stderr: &str) -> Result<(), Failed> {
    let errors = String::from_utf8_lossy(&outcome.stderr);
    ensure!(
        outcome.status.code() == Some(status)
            && like(&outcome.stderr, format!("{stderr}**").as_bytes()),
        "{}: {errors}",
        outcome.status
    );
    let output = String::from_utf8_lossy(&outcome.stdout);
    ensure!(output == stdout, "printed {output}");
    Ok(())
}

/// Threads that spin, that are blocked, or asleep, end with the program.
fn the_end_is_everybodys() -> Result<(), Failed> {
    for how in ["return-busy", "exit-busy"] {
        for status in [0, 7] {
            for procs in PROCS {
                let outcome = end(procs, &[how, &status.to_string()])?;
                outcome.expect(status, "", "")?;
            }
        }
    }
    Ok(())
}

/// Each goroutine waits, wherever its threads are.
fn deadlocks() -> Result<(), Failed> {
    for how in [
        "deadlock-parallel",
        "deadlock-locked",
        "deadlock-locked-main",
        "deadlock-ended-locked",
    ] {
        for procs in PROCS {
            let outcome = end(procs, &[how])?;
            let text = format!("{DEADLOCK}\ngoroutine 1 [thread::park*]:\n");
            begins(&outcome, 2, "", &text).map_err(|error| format!("{how}, {procs}: {error:?}"))?;
        }
    }
    Ok(())
}

/// Who is in the system may come back, and when it has, and waits as well, that is a
/// deadlock.
fn a_call_is_no_deadlock() -> Result<(), Failed> {
    for procs in PROCS {
        begins(
            &end(procs, &["deadlock-after-call"])?,
            2,
            "back\n",
            DEADLOCK,
        )?;
    }
    Ok(())
}

/// The others go on, and with the last of them the program dies.
fn goexit_of_main() -> Result<(), Failed> {
    for how in ["goexit-parallel", "goexit-locked"] {
        for rounds in ["0", "1000"] {
            for procs in PROCS {
                let outcome = end(procs, &[how, rounds])?;
                outcome.expect(2, "the last one\n", NO_GOROUTINES)?;
            }
        }
    }
    Ok(())
}

/// There are not more threads than there may be.
fn exhaustion() -> Result<(), Failed> {
    for how in ["too-many-system-threads", "fewer-system-threads"] {
        for procs in PROCS {
            let text = "runtime: program exceeds 6-thread limit\nfatal error: thread exhaustion\n";
            begins(&end(procs, &[how, "6"])?, 2, "", text)?;
        }
    }
    Ok(())
}

/// Of those that die at the same time the first one says why, and nobody cuts it short.
fn one_report() -> Result<(), Failed> {
    for (how, text) in [
        ("panic-together", "panic: all at once\n\n"),
        (
            "nil-together",
            "panic: runtime error: invalid memory address or nil pointer dereference\n\
             [signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=*]\n\n",
        ),
        (
            "overflow-together",
            "runtime: goroutine stack exceeds 262144-byte limit\n\
             runtime: sp=* stack=[*, *]\nfatal error: stack overflow\n\n",
        ),
    ] {
        // What the runtime ends the program for, it shows all of.
        let who = match how {
            "overflow-together" => "goroutine * *[running*]:\n**",
            _ => "goroutine * [running*]:\n**created by * in goroutine 1\n\t*\n",
        };
        for _ in 0..5 {
            for procs in ["2", "8"] {
                end(procs, &[how, "4"])?.expect(2, "", &format!("{text}{who}"))?;
            }
        }
    }
    Ok(())
}

/// Those that run on other threads, or are in the system, are goroutines as well.
fn gotraceback_all() -> Result<(), Failed> {
    let outcome = run(program("testprog")?
        .args(["fault-in-company"])
        .env("GOTRACEBACK", "all"))?;
    let errors = String::from_utf8_lossy(&outcome.stderr);
    let headers = |what: &str| {
        let lines = errors.lines().filter(|line| line.starts_with("goroutine "));
        lines.filter(|line| line.ends_with(what)).count()
    };
    ensure!(outcome.status.code() == Some(2), "{}", outcome.status);
    ensure!(errors.contains("\ngoroutine 1 [running]:\n"), "{errors}");
    ensure!(headers("[syscall]:") == 1, "{errors}");
    ensure!(
        headers("[running]:") + headers("[runnable]:") == 3,
        "{errors}"
    );
    Ok(())
}

/// Main is then on the main thread, among all others.
fn an_init_task_locks_main() -> Result<(), Failed> {
    for procs in PROCS {
        end(procs, &["locked-init"])?.expect(0, "on the main thread: true\n", "")?;
    }
    Ok(())
}
