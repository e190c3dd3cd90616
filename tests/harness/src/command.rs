//! Programs run from a test: what they print, and how they end.
//!
//! Names and behaviour are those of `std::process`, as far as they go.

use alloc::ffi::CString;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use gort::env;
use rustix::io::Errno;

use crate::emulator;
use crate::spawn::{self, Channel, Program, Sink};
use crate::verdict::{NOT_STARTED, Status};
use crate::watch::{self, Process};

/// A program to be run, with this one's environment.
#[derive(Clone, Debug)]
pub struct Command {
    /// The program; None for this one.
    program: Option<String>,
    arguments: Vec<String>,
    /// Variables that are set, or removed, in this order.
    variables: Vec<(String, Option<String>)>,
}

/// What a program has printed, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub status: Status,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Command {
    /// Names a program: a path, or a name to be looked for in `PATH`.
    #[must_use]
    pub fn new(program: &str) -> Self {
        Self {
            program: Some(program.to_string()),
            ..Self::this_program()
        }
    }

    /// Names this program, which runs under QEMU again if it does now.
    #[must_use]
    pub fn this_program() -> Self {
        Self {
            program: None,
            arguments: Vec::new(),
            variables: Vec::new(),
        }
    }

    /// Adds an argument.
    pub fn arg(&mut self, argument: &str) -> &mut Self {
        self.arguments.push(argument.to_string());
        self
    }

    /// Adds arguments.
    pub fn args<'a>(&mut self, arguments: impl IntoIterator<Item = &'a str>) -> &mut Self {
        self.arguments
            .extend(arguments.into_iter().map(ToString::to_string));
        self
    }

    /// Sets a variable of its environment.
    pub fn env(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables
            .push((name.to_string(), Some(value.to_string())));
        self
    }

    /// Removes a variable from its environment.
    pub fn env_remove(&mut self, name: &str) -> &mut Self {
        self.variables.push((name.to_string(), None));
        self
    }

    /// Runs it, with /dev/null as its standard input, and waits for its end.
    /// What of its output is not UTF-8 is replaced.
    ///
    /// # Errors
    ///
    /// An errno, if it could not be started.
    pub fn output(&self) -> Result<Output, i32> {
        self.run().map_err(Errno::raw_os_error)
    }

    /// The same.
    fn run(&self) -> Result<Output, Errno> {
        let mut process = spawn::spawn(
            &self.prepare()?,
            Sink::Captured,
            Sink::Captured,
            Channel::new()?,
            false,
        )?;
        watch::wait([&mut process].into_iter(), None)?;
        let status = process.reap()?;
        let Process {
            output,
            errors,
            report,
            ..
        } = process;
        if let Some(errno) = report.bytes.strip_prefix(NOT_STARTED) {
            let errno = errno.try_into().map_or(0, i32::from_ne_bytes);
            return Err(Errno::from_raw_os_error(errno));
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Output {
            status,
            stdout: text(&output.bytes),
            stderr: text(&errors.bytes),
        })
    }

    /// Makes of it what exec wants.
    fn prepare(&self) -> Result<Program, Errno> {
        let (path, mut arguments) = match &self.program {
            None => emulator::this_program()?,
            Some(name) => {
                let path = emulator::find(name).ok_or(Errno::NOENT)?;
                (
                    emulator::c_string(&path)?,
                    [emulator::c_string(name)?].into(),
                )
            }
        };
        for argument in &self.arguments {
            arguments.push(emulator::c_string(argument)?);
        }
        let mut environment: Vec<CString> = env::vars_c().map(CString::from).collect();
        for (name, value) in &self.variables {
            let start = format!("{name}=");
            environment.retain(|entry| !entry.as_bytes().starts_with(start.as_bytes()));
            if let Some(value) = value {
                environment.push(emulator::c_string(&format!("{start}{value}"))?);
            }
        }
        Ok(Program {
            path,
            arguments,
            environment,
        })
    }
}
