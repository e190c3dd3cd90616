//! The features for other crates: `critical-section`, `embedded-io`, `getrandom`, `log`.
//! getrandom asks for a flag as well (src/random.rs), which .cargo/config.toml has. This is a
//! stage of `cargo xtask test`:
//!
//! ```text
//! cargo test --test hooks --features critical-section,embedded-io,getrandom,log
//! ```

#![no_std]
#![no_main]

extern crate alloc;

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;

use critical_section::Mutex;
use embedded_io::{BufRead as _, Read as _};
use gort::{env, io, runtime, thread};
use gort_test::Command;

/// Runs a test of this file again, and returns what it prints on both streams.
fn again(name: &str, variable: &str, value: &str) -> gort_test::Output {
    let mut command = Command::this_program();
    command.args(["--force-run-in-process", "--nocapture", "--exact", name]);
    command.env("GORT_HOOKS_AGAIN", "1").env(variable, value);
    command.output().unwrap()
}

/// Tells whether this is that other run.
fn is_again() -> bool {
    env::var_os("GORT_HOOKS_AGAIN").is_some()
}

/// Logs while it is formatted.
struct Logs;

impl fmt::Display for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        log::info!("from within");
        f.write_str("outer")
    }
}

gort_test::tests! {
    fn critical_sections_exclude_each_other() {
        static COUNT: Mutex<Cell<usize>> = Mutex::new(Cell::new(0));
        let goroutines: Vec<_> = (0..8)
            .map(|_| {
                thread::spawn(|| {
                    for _ in 0..5000 {
                        critical_section::with(|outer| {
                            let count = COUNT.borrow(outer);
                            let before = count.get();
                            // One more within: the inner end does not end the outer.
                            critical_section::with(|inner| COUNT.borrow(inner).set(before));
                            core::hint::spin_loop();
                            count.set(before + 1);
                        });
                    }
                })
            })
            .collect();
        for goroutine in goroutines {
            goroutine.join().unwrap();
        }
        assert_eq!(critical_section::with(|section| COUNT.borrow(section).get()), 40_000);
        // Afterwards the goroutine may wait again, also where it had left its P.
        runtime::blocking(|| critical_section::with(|_| ()));
        runtime::gosched();
    }

    /// In one the number of Ps stays: who waits for its end may keep one of them.
    fn critical_sections_keep_the_number_of_ps() {
        if is_again() {
            critical_section::with(|_| runtime::gomaxprocs(5));
            return;
        }
        let output = again("critical_sections_keep_the_number_of_ps", "GOMAXPROCS", "2");
        assert!(output.stderr.contains("fatal error: gomaxprocs: holding locks\n"), "{output:?}");
        // To ask for it is no change.
        assert!(critical_section::with(|_| runtime::gomaxprocs(0)) > 0);
    }

    /// Nothing can wait there, and so what is panicked with is printed as it comes.
    fn critical_sections_panic() {
        if is_again() {
            critical_section::with(|_| panic!("at {}", 42));
        }
        let output = again("critical_sections_panic", "GOMAXPROCS", "2");
        let text = "panic: at 42\nfatal error: panic holding locks\n\ngoroutine ";
        assert!(output.stderr.contains(text), "{output:?}");
    }

    fn random_bytes_are_random() {
        let mut seen = BTreeSet::new();
        for _ in 0..100 {
            let mut bytes = [0u8; 32];
            getrandom::fill(&mut bytes).unwrap();
            assert!(seen.insert(bytes));
        }
        let mut many = alloc::vec![0u8; 100_000];
        getrandom::fill(&mut many).unwrap();
        let ones: u32 = many.iter().map(|byte| byte.count_ones()).sum();
        assert!((380_000..420_000).contains(&ones), "{ones} of 800,000 bits");
        assert!(many.windows(16).all(|window| window != [0; 16]));
        getrandom::fill(&mut []).unwrap();
        assert_ne!(getrandom::u64().unwrap(), getrandom::u64().unwrap());
    }

    fn records_are_printed_up_to_the_level() {
        if is_again() {
            gort::logger::init();
            log::error!("it is {}", 42);
            log::warn!(target: "elsewhere", "careful");
            log::info!("{Logs}");
            log::debug!("never seen");
            log::logger().flush();
            assert!(gort::logger::init_with_level(log::LevelFilter::Off).is_err());
            return;
        }
        let name = "records_are_printed_up_to_the_level";
        let lines = |value: &str| -> Vec<String> {
            let output = again(name, "RUST_LOG", value);
            let lines = output.stderr.lines().map(String::from);
            lines.filter(|line| line.contains(": ")).collect()
        };
        let (error, warn) = ("ERROR hooks: it is 42", "WARN  elsewhere: careful");
        assert_eq!(lines("info"), [error, warn, "INFO  hooks: from within", "INFO  hooks: outer"]);
        assert_eq!(lines("warn"), [error, warn]);
        assert_eq!(lines("nonsense"), [error]);
        assert!(lines("off").is_empty());
    }

    fn embedded_traits_write() {
        fn write<W: embedded_io::Write>(mut writer: W, text: &str) -> Result<(), W::Error> {
            writer.write_all(text.as_bytes())?;
            write!(writer, " {}", 1).map_err(|error| match error {
                embedded_io::WriteFmtError::Other(error) => error,
                embedded_io::WriteFmtError::FmtError => unreachable!(),
            })?;
            writer.write_all(b"\n")?;
            writer.flush()
        }
        if is_again() {
            write(io::stdout(), "stdout").unwrap();
            write(io::stdout().lock(), "locked stdout").unwrap();
            write(io::stderr(), "stderr").unwrap();
            write(io::stderr().lock(), "locked stderr").unwrap();
            return;
        }
        let output = again("embedded_traits_write", "RUST_LOG", "");
        assert!(output.stdout.contains("stdout 1\nlocked stdout 1\n"), "{output:?}");
        assert!(output.stderr.contains("stderr 1\nlocked stderr 1\n"), "{output:?}");
    }

    /// Standard input is /dev/null here.
    fn embedded_traits_read() {
        let mut buffer = [0; 4];
        assert_eq!(io::stdin().read(&mut buffer).unwrap(), 0);
        let mut lock = io::stdin().lock();
        assert_eq!(embedded_io::Read::read(&mut lock, &mut buffer).unwrap(), 0);
        assert_eq!(lock.fill_buf().unwrap(), b"");
        lock.consume(0);
    }

    fn errors_have_embedded_kinds() {
        let kind = |code| embedded_io::Error::kind(&io::Error::from_raw_os_error(code));
        assert_eq!(kind(32), embedded_io::ErrorKind::BrokenPipe);
        assert_eq!(kind(2), embedded_io::ErrorKind::NotFound);
        assert_eq!(kind(5), embedded_io::ErrorKind::Other);
        assert_eq!(format!("{:?}", io::Error::other("x").kind()), "Other");
    }
}
