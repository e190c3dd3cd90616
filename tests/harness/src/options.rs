//! What the options mean: those of libtest, and its errors.
//!
//! Pure. Where several mistakes are made, the first in libtest's order counts.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::num::NonZero;

use crate::arguments::{Given, split};

/// What the command line and the environment ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// The program's name, for the help.
    pub(crate) program: String,
    /// Only the help.
    pub(crate) help: bool,
    /// Only a list.
    pub(crate) list: bool,
    /// What names must contain, one of these; or be, if `exact`.
    pub(crate) filters: Vec<String>,
    pub(crate) exact: bool,
    /// What they must not contain, or be.
    pub(crate) skip: Vec<String>,
    /// Which of the ignored tests to run.
    pub(crate) ignored: Ignored,
    /// `--bench` without `--test`: no test runs, and there are no benchmarks.
    pub(crate) benches_only: bool,
    /// Tests write where the harness does.
    pub(crate) no_capture: bool,
    /// Show what tests have written that passed, too.
    pub(crate) show_output: bool,
    /// A character for each test instead of a line.
    pub(crate) terse: bool,
    pub(crate) color: Color,
    /// How many tests may run at a time; None for one on each CPU.
    pub(crate) threads: Option<NonZero<usize>>,
    /// After how many seconds a test is killed; None for never.
    pub(crate) timeout: Option<u64>,
    /// The one selected test runs in this process.
    pub(crate) in_process: bool,
}

/// Which of the ignored tests to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ignored {
    /// None.
    #[default]
    No,
    /// All, beside the others.
    Yes,
    /// All, and no others.
    Only,
}

/// Whether to colour the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

/// Looks up a variable of the environment.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads the arguments, the program's name first, and the environment.
///
/// An error is a line without a full stop, to go behind `error: `.
pub(crate) fn parse(arguments: &[String], environment: Environment<'_>) -> Result<Options, String> {
    let given = split(arguments.get(1..).unwrap_or_default())?;
    let program = arguments
        .first()
        .cloned()
        .unwrap_or_else(|| "...".to_string());
    if given.has("help") {
        return Ok(Options {
            program,
            help: true,
            ..Options::default()
        });
    }
    given.refuse_unstable()?;
    Ok(Options {
        program,
        help: false,
        ignored: given.ignored()?,
        no_capture: given.has("no-capture")
            || given.has("nocapture")
            || environment("RUST_TEST_NOCAPTURE").is_some_and(|value| value != "0"),
        threads: given.threads(environment)?,
        timeout: timeout(environment)?,
        color: given.color()?,
        terse: given.terse()?,
        list: given.has("list"),
        exact: given.has("exact"),
        skip: given.values("skip").map(ToString::to_string).collect(),
        benches_only: given.has("bench") && !given.has("test"),
        show_output: given.has("show-output"),
        in_process: given.has("force-run-in-process"),
        filters: given.free,
    })
}

impl Given {
    /// Refuses what libtest has on the nightly compiler only, and the log file.
    fn refuse_unstable(&self) -> Result<(), String> {
        if self.has("Z") {
            return Err("the option `Z` is only accepted on the nightly compiler".to_string());
        }
        for (name, kind) in [
            ("exclude-should-panic", "flag"),
            ("fail-fast", "flag"),
            ("report-time", "flag"),
            ("ensure-time", "flag"),
            ("shuffle", "flag"),
            ("shuffle-seed", "option"),
        ] {
            if self.has(name) {
                return Err(unstable(name, kind));
            }
        }
        match self.has("logfile") {
            true => Err("the option --logfile is deprecated, and not supported here".to_string()),
            false => Ok(()),
        }
    }

    /// Reads which of the ignored tests to run.
    fn ignored(&self) -> Result<Ignored, String> {
        match (self.has("include-ignored"), self.has("ignored")) {
            (true, true) => Err(
                "the options --include-ignored and --ignored are mutually exclusive".to_string(),
            ),
            (true, false) => Ok(Ignored::Yes),
            (false, true) => Ok(Ignored::Only),
            (false, false) => Ok(Ignored::No),
        }
    }

    /// Reads how many tests may run at a time; the option wins.
    fn threads(&self, environment: Environment<'_>) -> Result<Option<NonZero<usize>>, String> {
        let mut threads = None;
        for text in self.values("test-threads") {
            threads = match text.parse::<usize>().map(NonZero::new) {
                Ok(None) => return Err("argument for --test-threads must not be 0".to_string()),
                Ok(count) => count,
                Err(error) => {
                    return Err(format!(
                        "argument for --test-threads must be a number > 0 (error: {error})"
                    ));
                }
            };
        }
        match environment("RUST_TEST_THREADS").filter(|_| threads.is_none()) {
            None => Ok(threads),
            Some(text) => match text.parse() {
                Ok(count) => Ok(Some(count)),
                Err(_) => Err(format!(
                    "RUST_TEST_THREADS is `{text}`, should be a positive integer."
                )),
            },
        }
    }

    /// Reads the colour; the last one wins.
    fn color(&self) -> Result<Color, String> {
        self.values("color")
            .try_fold(Color::Auto, |_, value| match value {
                "auto" => Ok(Color::Auto),
                "always" => Ok(Color::Always),
                "never" => Ok(Color::Never),
                _ => Err(format!(
                    "argument for --color must be auto, always, or never (was {value})"
                )),
            })
    }

    /// Reads the format: true for a character for each test.
    fn terse(&self) -> Result<bool, String> {
        match self.values("format").next() {
            None => Ok(self.has("quiet")),
            Some("pretty") => Ok(false),
            Some("terse") => Ok(true),
            Some(name @ ("json" | "junit")) => Err(unstable(name, "format")),
            Some(name) => Err(format!(
                "argument for --format must be pretty, terse, json or junit (was {name})"
            )),
        }
    }
}

/// Reads after how many seconds a test is killed.
fn timeout(environment: Environment<'_>) -> Result<Option<u64>, String> {
    match environment("GORT_TEST_TIMEOUT") {
        None => Ok(None),
        Some(text) => match text.parse::<NonZero<u64>>() {
            Ok(seconds) => Ok(Some(seconds.get())),
            Err(_) => Err(format!(
                "GORT_TEST_TIMEOUT is `{text}`, should be a positive integer."
            )),
        },
    }
}

/// libtest's answer to what only the nightly compiler has.
fn unstable(name: &str, kind: &str) -> String {
    format!(
        "The \"{name}\" {kind} is only accepted on the nightly compiler with -Z unstable-options"
    )
}
