//! What `--help` prints.
//!
//! Pure.

use alloc::format;
use alloc::string::String;

/// Returns the help, for a program of that name.
pub(crate) fn usage(program: &str) -> String {
    format!("Usage: {program} [OPTIONS] [FILTERS...]\n{TEXT}")
}

/// All but the first line.
const TEXT: &str = r#"
Options:
        --include-ignored 
                        Run ignored and not ignored tests
        --ignored       Run only ignored tests
        --force-run-in-process 
                        Run the one selected test in this process, for a
                        debugger
        --test          Run tests and not benchmarks
        --bench         Run benchmarks instead of tests
        --list          List all tests and benchmarks
    -h, --help          Display this message
        --no-capture    don't capture stdout/stderr of each task, allow
                        printing directly
        --test-threads n_threads
                        Number of tests to run at the same time
        --skip FILTER   Skip tests whose names contain FILTER (this flag can
                        be used multiple times)
    -q, --quiet         Display one character per test instead of one line.
                        Alias to --format=terse
        --exact         Exactly match filters rather than by substring
        --color auto|always|never
                        Configure coloring of output:
                        auto = colorize if stdout is a tty (default);
                        always = always colorize output;
                        never = never colorize output;
        --format pretty|terse
                        Configure formatting of output:
                        pretty = Print verbose output;
                        terse = Display one character per test
        --show-output   Show captured stdout of successful tests


The FILTER string is tested against the name of all tests, and only those
tests whose names contain the filter are run. Multiple filter strings may
be passed, which will run all tests matching any of the filters.

The tests are started in alphabetical order, each in a process of its own, as
many at a time as there are CPUs. This can be altered with the --test-threads
flag, or the environment variable RUST_TEST_THREADS.

All tests have their standard output and standard error captured by default.
This can be overridden with the --no-capture flag, or by setting the environment
variable RUST_TEST_NOCAPTURE to a value other than "0". Their standard input is
/dev/null.

A test may run as long as it likes, unless the environment variable
GORT_TEST_TIMEOUT says after how many seconds it is killed.
"#;
