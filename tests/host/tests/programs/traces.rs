//! What traces show: of goroutines in every state, of what was inlined, of deep
//! recursion, of stacks that have been smashed, and from files that lack something.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use goblin::elf::Elf;
use goblin::elf::program_header::PT_LOAD;
use gort_host_tests::programs::{
    Outcome, command, excerpt, find_tool, install, native, path, program, release, run, run_with,
};
use gort_host_tests::{Random, ensure};
use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("traces::every_state", every_state),
        Trial::test("traces::inlined", inlined),
        Trial::test("traces::elided", elided),
        Trial::test("traces::elided_in_one_place", elided_in_one_place),
        // As the assembly has no lines, each place takes a walk over all of the program's: long in
        // a debug build.
        Trial::test("traces::many_places", many_places).with_ignored_flag(!release() || !native()),
        Trial::test("traces::smashed", smashed),
        Trial::test("traces::null_call", null_call),
        Trial::test("traces::own", own),
        Trial::test("traces::short_buffer", short_buffer),
        Trial::test("traces::many", many),
        Trial::test("traces::backtrace", backtrace),
        Trial::test("traces::stripped", stripped),
        Trial::test("traces::damaged_file", damaged_file),
    ]
}

const SOURCE: &str = "/tests/testprog/traces.rs:";

/// Finds the trace of the goroutine whose header has this state.
fn trace_of<'a>(text: &'a str, state: &str) -> Result<&'a str, String> {
    let mut traces = text.split("\n\n");
    let found = traces.find(|trace| {
        let header = trace.lines().next().unwrap_or_default();
        header.ends_with(&format!(" [{state}]:"))
    });
    found.ok_or_else(|| format!("no goroutine is [{state}] in {text}"))
}

/// Tells what the text of a program's stdout is, if it ended well.
fn printed(outcome: &Outcome) -> Result<String, String> {
    if outcome.status.success() {
        Ok(String::from_utf8_lossy(&outcome.stdout).into_owned())
    } else {
        Err(format!("{}: {}", outcome.status, excerpt(&outcome.stderr)))
    }
}

fn every_state() -> Result<(), Failed> {
    for procs in ["1", "2", "8"] {
        // Who is in a system call has an M of its own, so that one P will do.
        let outcome = run(program("testprog")?
            .arg("trace-states")
            .env("GOMAXPROCS", procs))?;
        let text = printed(&outcome)?;
        for (state, function) in [
            ("running", "testprog::traces::states"),
            ("chan receive", "testprog::traces::wait_for_ever()\n"),
            ("runnable", "testprog::traces::spin_for_ever()\n"),
            ("syscall", "testprog::traces::in_the_system()\n"),
            ("chan send", "testprog::traces::states::"),
            ("select", "testprog::traces::states::"),
            ("sleep", "testprog::traces::states::"),
            ("sync.Mutex.Lock", "testprog::traces::states::"),
            ("sync.WaitGroup.Wait", "testprog::traces::states::"),
            (
                "thread::park, locked to thread",
                "testprog::traces::states::",
            ),
        ] {
            let trace = trace_of(&text, state)?;
            ensure!(
                trace.contains(function) && trace.contains(SOURCE) && !trace.contains("gort::"),
                "[{state}]: {trace}"
            );
            let created = trace.contains("\ncreated by ") && trace.contains(" in goroutine 1\n");
            ensure!(created == (state != "running"), "[{state}]: {trace}");
            ensure!(!trace.contains("unexpected"), "[{state}]: {trace}");
        }
        // Over the seam between two pieces of stack.
        ensure!(
            text.contains("wait_for_ever()\n") && text.contains("on_a_segment"),
            "no segment in {text}"
        );
    }
    Ok(())
}

/// The names and the lines of functions that have no frame of their own.
fn inlined() -> Result<(), Failed> {
    let text = printed(&run_with("testprog", ["trace-inlined"])?)?;
    let frames: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("testprog::traces"))
        .collect();
    ensure!(
        frames.starts_with(&[
            "testprog::traces::inner(...)",
            "testprog::traces::middle(...)",
            "testprog::traces::outer()",
        ]),
        "{text}"
    );
    let file = fs::read_to_string(format!(
        "{}/../testprog/traces.rs",
        env!("CARGO_MANIFEST_DIR")
    ))?;
    let lines: Vec<&str> = file.lines().collect();
    let places = text.lines().filter_map(|line| line.split_once(SOURCE));
    let numbers: Vec<usize> = places
        .filter_map(|(_, rest)| rest.split([' ', '\n']).next()?.parse().ok())
        .collect();
    for (number, code) in numbers
        .iter()
        .zip(["debug::stack()", "inner();", "middle();"])
    {
        let line = lines.get(number.wrapping_sub(1)).unwrap_or(&"");
        ensure!(
            line.contains(code),
            "line {number} is {line:?}, without {code}: {text}"
        );
    }
    ensure!(numbers.len() >= 3, "{text}");
    Ok(())
}

/// Of a deep recursion the two ends are shown, 50 frames each.
fn elided() -> Result<(), Failed> {
    for (depth, elided) in [(10, 0), (200, 1), (1000, 1)] {
        let text = printed(&run_with("testprog", ["trace-deep", &depth.to_string()])?)?;
        let deep = text.matches("testprog::traces::deep()\n").count();
        let frames = text.lines().filter(|line| line.ends_with(')')).count();
        let notes: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("elided"))
            .collect();
        ensure!(notes.len() == elided, "{depth}: {text}");
        if elided == 0 {
            ensure!(deep == depth + 1, "{depth}: {text}");
            continue;
        }
        ensure!(frames == 100, "{depth}: {frames} frames: {text}");
        let number = notes[0].trim_start_matches("...").split(' ').next();
        let number: usize = number.unwrap_or_default().parse()?;
        ensure!(
            number + deep == depth + 1,
            "{depth}: {number} and {deep}: {text}"
        );
    }
    Ok(())
}

/// What is left out may begin and end between the frames of what was inlined in one place:
/// all others are shown, once.
fn elided_in_one_place() -> Result<(), Failed> {
    for depth in [200, 201] {
        let text = printed(&run_with(
            "testprog",
            ["trace-winding", &depth.to_string()],
        )?)?;
        let count = |name: &str| text.lines().filter(|line| line.ends_with(name)).count();
        let shown = count("winding()") + count("turn(...)") + count("bend(...)");
        let note = text.lines().find(|line| line.contains("elided"));
        let number = note.and_then(|note| note.strip_prefix("...")?.split(' ').next());
        let number: usize = number.ok_or("nothing is left out")?.parse()?;
        let all = 3 * (depth / 2 + 1);
        ensure!(number + shown == all, "{number}, {shown} of {all}: {text}");
        ensure!(text.contains("main.main()\n"), "{text}");
    }
    Ok(())
}

/// More places than are remembered: those found last are as right as the first.
fn many_places() -> Result<(), Failed> {
    const COUNT: usize = 2100;
    let text = printed(&run_with("testprog", ["trace-places", &COUNT.to_string()])?)?;
    let shown = text.lines().filter(|line| *line == "many_places()").count();
    let note = text.lines().find(|line| line.contains("elided"));
    let number = note.and_then(|note| note.strip_prefix("...")?.split(' ').next());
    let number: usize = number.ok_or("nothing is left out")?.parse()?;
    ensure!(
        number + shown == COUNT + 1,
        "{number}, {shown} of {}: {text}",
        COUNT + 1
    );
    // And from the last of them on.
    ensure!(
        text.contains("testprog::traces::places()\n") && text.contains("main.main()\n"),
        "{text}"
    );
    Ok(())
}

/// A trace that cannot go on says so, and the others are shown all the same.
fn smashed() -> Result<(), Failed> {
    for how in ["fp", "sp", "both", "loop", "return", "all"] {
        let outcome = run(program("testprog")?
            .args(["trace-smashed", how])
            .env("GOTRACEBACK", "all"))?;
        let text = String::from_utf8_lossy(&outcome.stderr);
        ensure!(
            outcome.status.code() == Some(2),
            "{how}: {}: {text}",
            outcome.status
        );
        ensure!(
            text.contains("\ngoroutine 1 [running]:\n") && text.contains("\ngoroutine 2 ["),
            "{how}: {text}"
        );
        let ended = text.contains("runtime: g 1: unexpected return pc for ");
        // What only has the frame pointer is found by that.
        ensure!(ended || how == "sp" || how == "fp", "{how}: {text}");
        ensure!(!text.contains("panic during panic"), "{how}: {text}");
    }
    Ok(())
}

/// Who calls what is no function is named.
fn null_call() -> Result<(), Failed> {
    let outcome = run_with("testprog", ["trace-null-call"])?;
    let text = String::from_utf8_lossy(&outcome.stderr);
    ensure!(
        outcome.status.code() == Some(2) && text.contains("null_call"),
        "{}: {text}",
        outcome.status
    );
    Ok(())
}

fn own() -> Result<(), Failed> {
    let outcome = run_with("testprog", ["trace-own"])?;
    let text = "goroutine 1 [running]:\n**/tests/testprog/traces.rs:*\n**main.main()\n\t*\n";
    outcome.expect(0, text, text)?;
    Ok(())
}

/// As much as there is room for.
fn short_buffer() -> Result<(), Failed> {
    run_with("testprog", ["trace-short", "0"])?.expect(0, "0 \n", "")?;
    run_with("testprog", ["trace-short", "9"])?.expect(0, "9 goroutine\n", "")?;
    Ok(())
}

/// All of a crowd are shown. How long that takes is for people to see.
fn many() -> Result<(), Failed> {
    let count = if native() { 10_000 } else { 500 };
    let outcome = run_with("testprog", ["trace-many", &count.to_string()])?;
    let text = format!("{} goroutines\n{count} waiting\n", count + 1);
    outcome.expect(0, &text, "* ms, * bytes\n")?;
    Ok(())
}

fn backtrace() -> Result<(), Failed> {
    let with =
        |name: &str, value: &str| run(program("testprog")?.arg("backtrace").env(name, value));
    let disabled = "Disabled\ndisabled backtrace\n";
    run_with("testprog", ["backtrace"])?.expect(0, disabled, "")?;
    with("RUST_BACKTRACE", "0")?.expect(0, disabled, "")?;
    let captured = "Captured\n   0: testprog::traces::COMMANDS::{{closure}}\n             at *\
        /tests/testprog/traces.rs:*\n**: main.main\n**";
    with("RUST_BACKTRACE", "1")?.expect(0, captured, "")?;
    with("RUST_LIB_BACKTRACE", "full")?.expect(0, captured, "")?;
    let forced = "   0: testprog::**Backtrace [{ fn: \"testprog::**\", file: \"*\", line: * }**]\n";
    run_with("testprog", ["backtrace-forced"])?.expect(0, forced, "")?;
    Ok(())
}

/// Says where a changed testprog is to be.
fn changed(name: &str) -> Result<PathBuf, Failed> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("traces");
    fs::create_dir_all(&directory)?;
    Ok(directory.join(format!("{name}-{}", std::process::id())))
}

const NO_NAMES: &str = "(no names: the program's file is stripped, changed or not to be read)\n";

/// Without symbols there are addresses, and a line that says what is missing.
fn stripped() -> Result<(), Failed> {
    let Some(strip) = find_tool("strip") else {
        return Err("strip is not there: apt-get install binutils".into());
    };
    let program = changed("stripped")?;
    let mut command_line = Command::new(strip);
    command_line.arg("-o").arg(&program).arg(path("testprog")?);
    run(&mut command_line)?.expect(0, "", "")?;
    let outcome = run(command(&program).arg("trace-own"))?;
    fs::remove_file(&program)?;
    let text = format!("goroutine 1 [running]:\n0x*\n0x*\n0x*\n**\n{NO_NAMES}");
    outcome.expect(0, &text, &text)?;
    Ok(())
}

/// Returns where in the file that ends which the kernel loads of it.
fn end_of_loaded(file: &[u8]) -> Result<usize, Failed> {
    let elf = Elf::parse(file).map_err(|error| error.to_string())?;
    let loaded = elf.program_headers.iter().filter(|it| it.p_type == PT_LOAD);
    let end = loaded.map(|it| it.file_range().end).max();
    end.ok_or_else(|| "nothing is loaded".into())
}

/// Returns where a program's section headers are, which is behind all else.
fn section_headers(program: &[u8]) -> Result<usize, Failed> {
    const AT: std::ops::Range<usize> = 0x28..0x30;
    let bytes = program.get(AT).and_then(|bytes| bytes.try_into().ok());
    Ok(usize::from_le_bytes(bytes.ok_or("no ELF file")?))
}

/// Whatever there is in the file where nobody runs it: a trace, and no crash.
fn damaged_file() -> Result<(), Failed> {
    const ROUNDS: usize = 40;
    let whole = fs::read(path("testprog")?)?;
    let loaded = end_of_loaded(&whole)?;
    // QEMU looks for symbols itself, and dies of a section that links to none that there is.
    let end = if native() {
        whole.len()
    } else {
        section_headers(&whole)?
    };
    let program = changed("damaged")?;
    let data = program.with_extension("data");
    let mut random = Random::new(0x9e37_79b9_7f4a_7c15);
    for round in 0..ROUNDS {
        let mut bytes = whole.clone();
        if round == 0 {
            bytes.truncate(loaded);
        } else {
            for _ in 0..1 << (round % 16) {
                let at = loaded + random.below(end - loaded);
                bytes[at] = random.next() as u8;
            }
        }
        fs::write(&data, &bytes)?;
        install(&data, &program)?;
        let outcome = run(command(&program).arg("trace-own"))?;
        ensure!(
            outcome.status.success() && outcome.stdout.starts_with(b"goroutine 1 [running]:\n"),
            "round {round}: {}: {}",
            outcome.status,
            excerpt(&outcome.stderr)
        );
    }
    fs::remove_file(&program)?;
    fs::remove_file(&data)?;
    Ok(())
}
