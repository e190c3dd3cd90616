//! Examples that end well: they print what they print on Linux.

use std::process::Stdio;

use gort_host_tests::ensure;
use gort_host_tests::programs::{built_for_none, program, run};
use libtest_mimic::{Failed, Trial};

use crate::boot::{MACHINES, Machine, Said};

/// What is run: the example, its arguments, and whether the order of its lines, and of the
/// words within, is anybody's.
const PROGRAMS: &[(&str, &[&str], bool)] = &[
    ("hello", &[], false),
    ("goroutines", &[], false),
    ("init_order", &[], true),
    ("walk", &["switch"], false),
    // Another P may take what is queued, and the main goroutine may be preempted before all
    // is: the session in docs/ has one thread run alone.
    ("walk", &["queue"], true),
    ("walk", &["park"], false),
    ("walk", &["preempt"], false),
    ("walk", &["grow"], false),
    ("walk", &["heap"], false),
    ("walk", &["buffer"], false),
    ("walk", &["blocking"], false),
    ("walk", &["sleep"], false),
    ("walk", &["no such"], false),
    ("testprog", &["exit-7"], false),
    ("testprog", &["threads-end", "20"], false),
    ("testprog", &["storm-exit"], false),
];

/// Those that are tried in release builds, too.
const OPTIMIZED: &[&str] = &["hello", "goroutines"];

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for &machine in MACHINES {
        for &(example, arguments, any_order) in PROGRAMS {
            let name = [&[example], arguments].concat().join("_").replace(' ', "_");
            let title = format!("programs::{}::{name}", machine.title());
            trials.push(Trial::test(title, move || {
                compare(machine, example, arguments, any_order)
            }));
        }
        let title = format!("programs::{}::arguments_and_variables", machine.title());
        trials.push(Trial::test(title, move || arguments_and_variables(machine)));
    }
    for example in OPTIMIZED {
        let directory = built_for_none().map(|debug| debug.with_file_name("release"));
        let program = directory.unwrap_or_default().join("examples").join(example);
        let title = format!("programs::release::{example}");
        trials.push(Trial::test(title, move || {
            let linux = run(self::program(example)?.stdin(Stdio::null()))?;
            let said = Said::by(&mut Machine::new("microvm", 2).command(&[], program)?)?;
            said.expect(0, &String::from_utf8_lossy(&linux.stdout))
        }));
    }
    trials
}

/// Runs a program on Linux and on a machine.
fn compare(
    machine: Machine,
    example: &str,
    arguments: &[&str],
    any_order: bool,
) -> Result<(), Failed> {
    let linux = run(program(example)?.args(arguments).stdin(Stdio::null()))?;
    let mut wanted = String::from_utf8_lossy(&linux.stdout).into_owned();
    wanted += &String::from_utf8_lossy(&linux.stderr);
    let said = machine.boot(&[], example, arguments)?;
    let sorted = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    if any_order {
        ensure!(sorted(&said.text) == sorted(&wanted), "got {said:?}");
        return Ok(());
    }
    said.expect(linux.status.code().unwrap_or(-1), &wanted)
}

/// What stands on the machine's command line arrives.
fn arguments_and_variables(machine: Machine) -> Result<(), Failed> {
    let odd = "quotes \" and \\";
    let options = ["--env", "HOME=/home = gopher"];
    let said: Said = machine.boot(&options, "args_env", &["one", "two words", "", odd])?;
    let wanted = format!(
        "5 arguments\n  0: \"program\"\n  1: \"one\"\n  2: \"two words\"\n  3: \"\"\n  4: {odd:?}\n\
         HOME is /home = gopher\n1 variables\n  \"HOME=/home = gopher\"\n"
    );
    said.expect(0, &wanted)
}
