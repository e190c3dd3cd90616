//! The test harness, tested by itself: samples of tests that pass and fail in
//! every way, and what it prints about them.
//!
//! The samples are ignored ones, which the tests here have run: by this program,
//! started again with `--ignored`.

#![no_std]
#![no_main]

extern crate alloc;

mod samples;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use gort_test::{Command, Output, Status, under_qemu};

gort_test::tests! {
    mod samples;

    fn a_test_that_passes_is_ok_and_its_output_hidden() {
        let output = run("--ignored --exact samples::passes");
        assert_eq!(output.status, Status::Exited(0));
        assert_eq!(output.stderr, "");
        assert_eq!(
            timeless(&output.stdout),
            "\nrunning 1 test\ntest samples::passes ... ok\n\n\
             test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; N filtered out\n\n",
        );
    }

    fn a_test_that_fails_does_so_alone_and_with_its_message() {
        let output = run("--ignored --test-threads 1 --exact samples::fails samples::passes");
        assert_eq!(output.status, Status::Exited(101));
        assert_eq!(output.stderr, "");
        let stdout = timeless(&output.stdout);
        let rest = after(&stdout,
            "\nrunning 2 tests\ntest samples::fails ... FAILED\ntest samples::passes ... ok\n\n\
             failures:\n\n---- samples::fails stdout ----\non stdout\non stderr\n\
             panic: assertion `left == right` failed: numbers\n\t  left: 1\n\t right: 2\n\n\
             goroutine 1 [running]:\n",
        );
        assert!(rest.contains("samples.rs:"), "{rest}");
        assert!(rest.ends_with(
            "\n\n\nfailures:\n    samples::fails\n\n\
             test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; N filtered out\n\n",
        ), "{rest}");
    }

    fn an_error_that_a_test_returns_is_its_message() {
        fails("samples::returns_an_error", "Error: \"no\"\n");
    }

    fn a_test_that_exits_has_failed() {
        fails("samples::exits_with_success", "note: exit status: 0, before the test returned");
        fails("samples::exits_like_a_panic", "note: exit status: 2");
    }

    fn a_test_that_a_signal_kills_has_failed() {
        // The emulator may say a line of its own, and the kernel dump core.
        let output = run("--ignored --exact samples::dies_of_a_signal");
        assert_eq!(output.status, Status::Exited(101));
        assert!(output.stdout.contains("\nnote: signal: 6 (SIGABRT)"), "{}", output.stdout);
    }

    fn a_test_that_hangs_is_killed_after_the_time_it_is_given() {
        let mut command = command("--ignored --exact samples::hangs");
        let output = command.env("GORT_TEST_TIMEOUT", "1").output();
        let output = output.expect("the program starts");
        assert_eq!(output.status, Status::Exited(101));
        assert!(output.stdout.contains("\nnote: killed after 1 seconds\n"), "{}", output.stdout);
    }

    fn the_note_stands_on_a_line_of_its_own() {
        fails("samples::prints_no_newline", "half a line\nnote: exit status: 3");
    }

    fn all_of_a_long_output_is_captured() {
        let output = run("--ignored --exact samples::prints_more_than_a_pipe_holds");
        let lines = output.stdout.lines().filter_map(|line| line.strip_prefix("line "));
        assert!(lines.map(str::parse).eq((0..30_000).map(Ok)));
    }

    fn should_panic_wants_a_panic_with_the_text() {
        let good = "samples::shall_panic samples::shall_panic_with_boom";
        let output = run(&format!("--ignored --test-threads 1 --exact {good}"));
        assert_eq!(output.status, Status::Exited(0));
        after(&output.stdout,
            "\nrunning 2 tests\ntest samples::shall_panic - should panic ... ok\n\
             test samples::shall_panic_with_boom - should panic ... ok\n",
        );
        fails("samples::shall_panic_but_returns", "note: test did not panic as expected");
        let ending = "note: test did not panic as expected\nexit status: 2";
        fails("samples::shall_panic_but_exits", ending);
        let output = run("--ignored --exact samples::shall_panic_but_says_bang");
        assert_eq!(output.status, Status::Exited(101));
        let note = "note: panic did not contain expected string\n      \
                    panic message: \"bang\"\n expected substring: \"boom\"\n";
        assert!(output.stdout.contains(note), "{}", output.stdout);
    }

    fn a_test_is_ignored_unless_that_is_undone() {
        let three = "samples::passes samples::passes_too samples::fails";
        let output = run(&format!("--test-threads 1 --exact {three}"));
        assert_eq!(output.status, Status::Exited(0));
        assert_eq!(
            timeless(&output.stdout),
            "\nrunning 3 tests\ntest samples::fails ... ignored, a sample\n\
             test samples::passes ... ignored, a sample\ntest samples::passes_too ... ignored\n\n\
             test result: ok. 0 passed; 0 failed; 3 ignored; 0 measured; N filtered out\n\n",
        );
        let output = run("--include-ignored --exact samples::passes");
        assert!(output.stdout.contains("\ntest samples::passes ... ok\n"), "{}", output.stdout);
    }

    fn filters_are_parts_of_names_or_exact_ones() {
        let names = |options: &str| -> Vec<String> {
            let stdout = run(&("--list --format terse ".to_string() + options)).stdout;
            let names = stdout.lines().map(|line| line.strip_suffix(": test"));
            names.map(|name| name.expect("a test").to_string()).collect()
        };
        assert_eq!(names("samples::passes"), ["samples::passes", "samples::passes_too"]);
        assert_eq!(names("samples::passes --exact"), ["samples::passes"]);
        assert_eq!(names("samples::passes --skip too"), ["samples::passes"]);
        assert_eq!(names("samples::passes --skip too --exact"), ["samples::passes"]);
        assert_eq!(names("samples::hangs passes_too"), ["samples::hangs", "samples::passes_too"]);
        assert_eq!(names("left_out"), [""; 0]);
        assert!(names("--ignored").iter().all(|name| name.starts_with("samples::")));
        assert!(names("").is_sorted());
    }

    fn the_list_counts() {
        let list = "samples::passes_too: test\n\n1 test, 0 benchmarks\n";
        assert_eq!(run("--list samples::passes_too").stdout, list);
        assert_eq!(run("--list no_such_test").stdout, "0 tests, 0 benchmarks\n");
    }

    fn the_terse_format_is_a_character_for_each_test() {
        let good = "samples::passes samples::shall_panic";
        let output = run(&format!("-q --test-threads 1 --include-ignored --exact {good}"));
        assert_eq!(
            timeless(&output.stdout),
            "\nrunning 2 tests\n..\n\
             test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; N filtered out\n\n",
        );
        let mixed = "samples::exits_like_a_panic samples::passes";
        let output = run(&format!("--format terse --test-threads 1 --ignored --exact {mixed}"));
        let start = "\nrunning 2 tests\nsamples::exits_like_a_panic --- FAILED\n.\nfailures:\n";
        after(&output.stdout, start);
    }

    fn output_is_shown_where_that_is_asked_for() {
        let output = run("--ignored --exact samples::passes --show-output");
        let shown = "\nsuccesses:\n\n---- samples::passes stdout ----\n\
                     a line of a test that passes\nan error of a test that passes\n\n";
        assert!(output.stdout.contains(shown), "{}", output.stdout);

        let output = run("--ignored --exact samples::passes --nocapture");
        assert!(output.stdout.contains("a line of a test that passes\n"), "{}", output.stdout);
        assert_eq!(output.stderr, "an error of a test that passes\n");

        let output = run("--ignored --exact samples::shall_panic_with_boom --nocapture");
        assert_eq!(output.status, Status::Exited(0));
        after(&output.stderr, "panic: a big boom\n");
    }

    fn colours_are_a_matter_of_taste() {
        let output = run("--ignored --exact samples::passes --color always");
        assert!(output.stdout.contains(" ... \x1b[32mok\x1b[0m\n"), "{:?}", output.stdout);
    }

    fn a_mistake_on_the_command_line_is_an_error() {
        let error = |options| {
            let output = run(options);
            assert_eq!((output.status, output.stdout.as_str()), (Status::Exited(101), ""));
            output.stderr
        };
        assert_eq!(error("--no-such-option"), "error: Unrecognized option: 'no-such-option'\n");
        assert_eq!(error("--test-threads 0"), "error: argument for --test-threads must not be 0\n");
    }

    fn tests_run_where_the_harness_does() {
        let shown = format!("\nunder QEMU: {}\nSAMPLE: Ok(\"a value\")\n", under_qemu());
        let output = command("--ignored --exact samples::shows_its_surroundings --show-output")
            .env("SAMPLE", "a value")
            .output();
        let stdout = output.expect("the program starts").stdout;
        assert!(stdout.contains(&shown), "{stdout}");
        let child = |machine| format!("--gort-test-child 1 {machine} samples::passes_too");
        let reports = ["emulated", "native"].map(|machine| run(&child(machine)).stdout);
        let expected = if under_qemu() { ["passed", "escaped"] } else { ["escaped", "passed"] };
        assert_eq!(reports, expected);
    }

    fn a_test_can_run_without_a_process_of_its_own() {
        let output = run("--force-run-in-process --ignored --exact samples::passes");
        assert_eq!(output.status, Status::Exited(0));
        assert_eq!(output.stdout, "a line of a test that passes\n");
    }

    fn a_program_that_is_not_there_cannot_be_run() {
        const ENOENT: i32 = 2;
        assert_eq!(Command::new("/no/such/program").output(), Err(ENOENT));
        assert_eq!(Command::new("no-such-program").output(), Err(ENOENT));
    }
}

/// Runs one sample, which must fail and have written what ends with `ending`.
#[track_caller]
fn fails(name: &str, ending: &str) {
    let output = run(&format!("--ignored --exact {name}"));
    assert_eq!(output.status, Status::Exited(101));
    let written = output
        .stdout
        .split(" stdout ----\n")
        .nth(1)
        .expect("its output");
    let (written, _) = written.split_once("\n\nfailures:\n").expect("its end");
    assert_eq!(written, ending);
}

/// Runs this program with these options.
#[track_caller]
fn run(options: &str) -> Output {
    command(options).output().expect("the program starts")
}

/// Names this program with these options, and none from the environment.
fn command(options: &str) -> Command {
    let mut command = Command::this_program();
    command.args(options.split_ascii_whitespace());
    for name in [
        "RUST_TEST_THREADS",
        "RUST_TEST_NOCAPTURE",
        "GORT_TEST_TIMEOUT",
    ] {
        command.env_remove(name);
    }
    command
}

/// Returns what comes after `start`, which must be there.
#[track_caller]
fn after<'a>(text: &'a str, start: &str) -> &'a str {
    text.strip_prefix(start)
        .unwrap_or_else(|| panic!("{text:?}\ndoes not begin with\n{start:?}"))
}

/// Leaves out how long it took, and how many tests had no part in it.
fn timeless(stdout: &str) -> String {
    let (before, time) = stdout.rsplit_once("; finished in ").expect("the time");
    let (before, filtered_out) = before.rsplit_once("; ").expect("a count");
    assert!(filtered_out.ends_with(" filtered out") && time.ends_with("s\n\n"));
    before.to_string() + "; N filtered out\n\n"
}
