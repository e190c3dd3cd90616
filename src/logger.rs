//! A `log::Log` that prints to standard error, by one write a record.
//!
//! ```
//! # #![no_std]
//! # #![no_main]
//! # gort::main!(main);
//! # #[cfg(feature = "log")]
//! fn main() {
//!     gort::logger::init(); // the level is what RUST_LOG says, or `error`
//!     log::error!("it is {}", 42);
//! }
//! # #[cfg(not(feature = "log"))]
//! # fn main() {}
//! ```

use crate::alloc::string::String;
use core::fmt::Write as _;

use log::{LevelFilter, Log, Metadata, Record, SetLoggerError};

use crate::env;
use crate::io::{self, Write as _};

/// What `log` calls.
struct Logger;

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut line = String::new();
        let (level, target) = (record.level(), record.target());
        // Formatted before the lock is taken: what is formatted may log.
        let formatted = writeln!(line, "{level:<5} {target}: {}", record.args());
        if formatted.is_ok() {
            let _ = io::stderr().lock().write_all(line.as_bytes()); // nobody to tell
        }
    }

    fn flush(&self) {}
}

/// Has `log`'s macros print records, those up to the level that the environment variable
/// RUST_LOG names: `off`, `error`, `warn`, `info`, `debug` or `trace`, and `error` where it
/// names none.
///
/// # Panics
///
/// If there is a logger already.
pub fn init() {
    let level = env::var("RUST_LOG").ok().and_then(|name| name.parse().ok());
    let result = init_with_level(level.unwrap_or(LevelFilter::Error));
    result.expect("gort::logger::init: there is a logger already");
}

/// The same with a level of the program's.
///
/// # Errors
///
/// If there is a logger already.
pub fn init_with_level(level: LevelFilter) -> Result<(), SetLoggerError> {
    log::set_logger(&Logger)?;
    log::set_max_level(level);
    Ok(())
}
