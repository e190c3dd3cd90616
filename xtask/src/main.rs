//! `cargo xtask`: gort's chores.
//!
//! | command | what it does | where |
//! | --- | --- | --- |
//! | `test` | runs every test, in every way in which gort can run | [`mod@test`] |
//! | `stress` | runs storms of goroutines for minutes | [`stress`] |
//! | `dist` | makes the archive for C and for other Rust programs | [`dist`] |
//! | `bench` | measures gort beside its peers | [`mod@bench`] |
//! | `gdb` | starts an example in the debugger | [`gdb`] |
//! | `run` | boots an example on a machine without an operating system | [`none`] |
//! | `trace` | makes a page of what GORT_TRACE has written | [`trace`] |

mod archive;
mod bench;
mod dist;
mod gdb;
mod none;
mod on_machines;
mod processes;
mod run;
mod stress;
mod tally;
mod test;
mod tools;
mod trace;

use std::error::Error;
use std::process::ExitCode;

use lexopt::Parser;
use lexopt::ValueExt as _;

/// What a chore returns: why it could not be done, as a line to print.
type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test [--quick]        run all tests: debug and release, native and under QEMU
                        (--quick: debug and native alone)
  stress [MINUTES] [NAME...]
                        run the storms of tests/stress round robin, in all of these
                        ways and on 1, 2 and 8 Ps, for 10 minutes by default;
                        the first failure ends it
  stress --none [MINUTES] [--rounds N] [--release|--debug] [WORD...]
                        boot the tests on gort whose names, PROGRAM::TEST, contain a
                        WORD, each alone on a machine: a round on microvm and on q35,
                        with 1, 2 and 4 CPUs, in release and debug builds in turn
                        (--release, --debug: those alone);
                        for so many minutes, or N rounds. What fails is shown, and
                        what hangs asked for its goroutines
  dist [--trace]        make target/dist: libgort.a, gort.h, linker and gdb scripts
                        (--trace: with GODEBUG=boottrace=1 and inittrace=1)
  bench [NAME...] [--json] [--rounds N] [--scale N] [--subject NAME]...
                        measure gort beside Go, C, Rust's std and the bare minimum
                        (without a NAME: all benchmarks; `bench --list` names them;
                        --scale: an N-th of the work, for a quick look)
  gdb EXAMPLE [ARG...]  build an example and start gdb on it, with gort's script
  run --none [OPTION...] EXAMPLE [-- ARG...]
                        build an example for a machine without an operating system,
                        and boot it in QEMU: its serial port is the terminal, its exit
                        status ours. GODEBUG, GOMAXPROCS, GOMEMLIMIT and GOTRACEBACK are
                        passed on, and --env NAME=VALUE
                        --machine microvm|q35  --cpus N  --memory MIB  --release
                        --timeout SECONDS (60 by default)  --qemu ARGUMENT, once for each
  boot [OPTION...] PROGRAM [ARG...]
                        the same for a program that is built, as a runner
  gdb --none [OPTION...] EXAMPLE [-- ARG...]
                        the same in gdb, from the first instruction on
  trace FILE [-o OUT]   make a page of what GORT_TRACE=FILE has written: FILE.html, or
                        OUT; OUT.json is for ui.perfetto.dev and chrome://tracing
";

fn main() -> ExitCode {
    match command() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Does what the command line says.
fn command() -> Outcome {
    let mut arguments = Parser::from_env();
    let Some(command) = arguments.next()? else {
        return Err(format!("which command?\n{USAGE}").into());
    };
    match command {
        lexopt::Arg::Value(name) => match name.string()?.as_str() {
            "test" => test::command(arguments),
            "stress" => stress::command(arguments),
            "dist" => dist::command(arguments),
            "bench" => bench::command(arguments),
            "gdb" => gdb::command(arguments),
            "run" => none::run(arguments),
            "boot" => none::boot(arguments),
            "trace" => trace::command(arguments),
            "help" => {
                print!("{USAGE}");
                Ok(())
            }
            other => Err(format!("there is no command {other}\n{USAGE}").into()),
        },
        lexopt::Arg::Short('h') | lexopt::Arg::Long("help") => {
            print!("{USAGE}");
            Ok(())
        }
        other => Err(format!("{}\n{USAGE}", other.unexpected()).into()),
    }
}
