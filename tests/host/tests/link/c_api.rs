//! All of gort.h, used from C: what each function promises, how those who misuse it die,
//! and the example.

use gort_host_tests::ensure;
use gort_host_tests::programs::{command, run};
use libtest_mimic::{Failed, Trial};

use crate::programs::{documented, link};
use crate::scratch::Scratch;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("c_api::promises", promises),
        Trial::test("c_api::deaths", deaths),
        Trial::test("c_api::example", example),
    ]
}

/// On one processor, two, and more than there may be.
const PROCS: [&str; 3] = ["1", "2", "8"];

fn promises() -> Result<(), Failed> {
    let scratch = Scratch::new("c-api")?;
    let program = link(&scratch, "tests/link-c/channels.c", &documented("hello.c")?)?;
    for procs in PROCS {
        let mut command = command(&program);
        run(command.env("GOMAXPROCS", procs))?.expect(0, "all is well\n", "")?;
    }
    Ok(())
}

fn deaths() -> Result<(), Failed> {
    for (name, text, reason) in [
        (
            "UNLOCK",
            "fatal error: sync: unlock of unlocked mutex\n",
            "running",
        ),
        (
            "ASLEEP",
            "fatal error: all goroutines are asleep - deadlock!\n",
            "chan receive",
        ),
        (
            "NOTHING",
            "fatal error: all goroutines are asleep - deadlock!\n",
            "select (no cases)",
        ),
    ] {
        let scratch = Scratch::new(&format!("c-api-{}", name.to_lowercase()))?;
        let recipe = documented("hello.c")?.replace("-Os", &format!("-Os -D{name}"));
        ensure!(recipe.contains(name), "the recipe has no -Os");
        let program = link(&scratch, "tests/link-c/channels.c", &recipe)?;
        let died = format!("{text}\ngoroutine 1 [{reason}]:\n");
        run(&mut command(&program))?.expect(2, "", &died)?;
    }
    Ok(())
}

fn example() -> Result<(), Failed> {
    let scratch = Scratch::new("c-example")?;
    let program = link(&scratch, "examples/c/workers.c", &documented("hello.c")?)?;
    for procs in PROCS {
        let mut command = command(&program);
        let expected = "tested 10000\nsum of the primes 5736396\n";
        run(command.env("GOMAXPROCS", procs))?.expect(0, expected, "")?;
    }
    Ok(())
}
