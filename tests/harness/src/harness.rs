//! The run, from the tables of tests to the exit code.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::num::NonZero;

use gort::io::Write as _;
use gort::process::ExitCode;
use gort::{env, eprintln};
use rustix::process::Signal;
use rustix::termios::isatty;

use crate::case::Test;
use crate::child;
use crate::help;
use crate::options::{self, Color, Options};
use crate::report::{self, Report, Sink, Style};
use crate::select::{Selected, select};
use crate::sys;
use crate::verdict::{End, Verdict, judge, not_started};
use crate::watch::{self, Process, now, write_all};

/// libtest's status for failed tests and for mistakes on the command line.
const ERROR_STATUS: u8 = 101;

/// After this time libtest mentions a test that is still running.
const SLOW_SECONDS: u64 = 60;
/// How long a test may take to die of SIGQUIT.
const GRACE_SECONDS: u64 = 5;
const SECOND: u64 = 1_000_000_000;

/// The `main.main` of a test program.
#[must_use]
pub fn main(tables: &[&[Option<Test>]]) -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    if let Some(code) = child::run(tables, &arguments) {
        return code;
    }
    match options::parse(&arguments, &|name| env::var(name).ok()) {
        Ok(options) => obey(tables, &options),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(ERROR_STATUS)
        }
    }
}

/// Does what the options ask for.
fn obey(tables: &[&[Option<Test>]], options: &Options) -> ExitCode {
    if options.help {
        Stdout.write(help::usage(&options.program).as_bytes());
        return ExitCode::SUCCESS;
    }
    let (selected, filtered_out) = select(tables, options);
    if options.list {
        report::list(&mut Stdout, &selected, options.terse);
        return ExitCode::SUCCESS;
    }
    let success = match options.in_process {
        true => run_here(&selected),
        false => Run::new(selected, options).finish(filtered_out),
    };
    if success {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(ERROR_STATUS)
    }
}

/// Runs the one selected test in this process; false if it failed.
fn run_here(selected: &[Selected]) -> bool {
    match selected {
        [
            Selected {
                test,
                ignored: None,
            },
        ] => {
            if !gort::__private::HAS_SYSTEM
                && let Some(expected) = test.expected_panic()
            {
                // Who has started the machine judges, and knows nothing else of the test.
                Stdout.write(format!("to panic: {expected}\n").as_bytes());
            }
            test.run()
        }
        _ => {
            eprintln!("error: --force-run-in-process needs exactly one test to run");
            false
        }
    }
}

/// A run of tests, each in a process of its own.
struct Run<'a> {
    options: &'a Options,
    report: Report<Stdout>,
    /// How many may run at a time.
    threads: usize,
    /// Those whose turn has not come.
    waiting: VecDeque<Selected>,
    running: Vec<Running>,
    /// When it began.
    start: u64,
}

/// A test that runs.
struct Running {
    test: Test,
    process: Process,
    /// When something is to be done about it, and what; None for nothing.
    alarm: Option<(u64, Alarm)>,
    /// When it began.
    start: u64,
    /// That it was told to end.
    timed_out: bool,
}

/// What is done about a test that runs for long.
#[derive(Clone, Copy, Debug)]
enum Alarm {
    /// Say so.
    Mention,
    /// Ask it to end.
    Quit,
    /// End it.
    Kill,
}

impl<'a> Run<'a> {
    /// Prepares one.
    fn new(selected: Vec<Selected>, options: &'a Options) -> Self {
        let threads = options
            .threads
            .map_or(gort::runtime::num_cpu(), NonZero::get);
        let style = Style {
            terse: options.terse,
            color: match options.color {
                Color::Auto => isatty(sys::stdout()),
                Color::Always => true,
                Color::Never => false,
            },
            concurrent: threads > 1,
            show_output: options.show_output,
        };
        Self {
            options,
            report: Report::start(Stdout, style, selected.len()),
            threads,
            waiting: selected.into(),
            running: Vec::new(),
            start: now(),
        }
    }

    /// Runs all of them; true if none has failed.
    fn finish(mut self, filtered_out: usize) -> bool {
        loop {
            self.fill();
            if self.running.is_empty() {
                return self
                    .report
                    .finish(filtered_out, now().saturating_sub(self.start));
            }
            let next = self
                .running
                .iter()
                .filter_map(|running| running.alarm)
                .map(|(at, _)| at)
                .min();
            let timeout = next.map(|at| at.saturating_sub(now()));
            match watch::wait(
                self.running.iter_mut().map(|running| &mut running.process),
                timeout,
            ) {
                Ok(Some(index)) => self.ended(index),
                Ok(None) => self.alarms(),
                Err(errno) => panic!("cannot watch the tests: {errno}"),
            }
        }
    }

    /// Starts as many tests as may run.
    fn fill(&mut self) {
        while self.running.len() < self.threads
            && let Some(Selected { test, ignored }) = self.waiting.pop_front()
        {
            self.report.started(&test);
            if let Some(reason) = ignored {
                self.report.ignored(&test, reason);
                continue;
            }
            match child::start(&test, self.options.no_capture) {
                Ok(process) => {
                    let mut running = Running {
                        test,
                        process,
                        alarm: None,
                        start: now(),
                        timed_out: false,
                    };
                    running.alarm = running.first_alarm(self.options, self.threads > 1);
                    self.running.push(running);
                }
                Err(errno) => {
                    let verdict = Verdict::failed(not_started(errno.raw_os_error()));
                    self.report.ended(&test, verdict, Vec::new());
                }
            }
        }
    }

    /// Judges a test that has ended.
    fn ended(&mut self, index: usize) {
        let Running {
            test,
            mut process,
            timed_out,
            ..
        } = self.running.swap_remove(index);
        let status = match process.reap() {
            Ok(status) => status,
            Err(errno) => panic!("cannot wait for {}: {errno}", test.name()),
        };
        let Process {
            output,
            errors,
            report,
            ..
        } = process;
        // Without capture it was forwarded, and is not printed again.
        let captured = if errors.bytes.is_empty() {
            &output.bytes
        } else {
            &errors.bytes
        };
        let end = End {
            status,
            report: &report.bytes,
            output: captured,
            timed_out: self.options.timeout.filter(|_| timed_out),
        };
        let verdict = judge(&end, test.expected_panic());
        self.report.ended(&test, verdict, output.bytes);
    }

    /// Does what is due.
    fn alarms(&mut self) {
        let now = now();
        for running in &mut self.running {
            let Some((_, alarm)) = running.alarm.filter(|(at, _)| *at <= now) else {
                continue;
            };
            match alarm {
                Alarm::Mention => self.report.slow(&running.test, SLOW_SECONDS),
                Alarm::Quit => running.process.kill(Signal::QUIT),
                Alarm::Kill => running.process.kill(Signal::KILL),
            }
            running.next_alarm(alarm, self.options, now);
        }
    }
}

impl Running {
    /// Says what is done about it first. libtest mentions nothing where the name
    /// of the test stands there already.
    fn first_alarm(&self, options: &Options, mention: bool) -> Option<(u64, Alarm)> {
        let limit = options.timeout;
        match mention && limit.is_none_or(|limit| limit > SLOW_SECONDS) {
            true => Some((self.after(SLOW_SECONDS), Alarm::Mention)),
            false => limit.map(|limit| (self.after(limit), Alarm::Quit)),
        }
    }

    /// Sets what is done about it next.
    fn next_alarm(&mut self, last: Alarm, options: &Options, now: u64) {
        self.alarm = match last {
            Alarm::Mention => options
                .timeout
                .map(|limit| (self.after(limit), Alarm::Quit)),
            Alarm::Quit => Some((now.saturating_add(GRACE_SECONDS * SECOND), Alarm::Kill)),
            Alarm::Kill => None,
        };
        self.timed_out |= !matches!(last, Alarm::Mention);
    }

    /// Returns the time so many seconds after its start.
    fn after(&self, seconds: u64) -> u64 {
        self.start.saturating_add(seconds.saturating_mul(SECOND))
    }
}

/// Standard output.
struct Stdout;

impl Sink for Stdout {
    fn write(&mut self, text: &[u8]) {
        if !gort::__private::HAS_SYSTEM {
            // A machine's serial port takes all: for the list of tests, of which the machine
            // can then be asked to run one in its only process.
            let _ = gort::io::stdout().write_all(text);
        } else if write_all(sys::stdout(), text).is_err() {
            // Nobody reads on; the tests that run die with us.
            gort::process::exit(ERROR_STATUS.into());
        }
    }
}
