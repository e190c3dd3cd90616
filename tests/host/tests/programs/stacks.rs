//! Where goroutines' stacks lie, as the kernel's list of a program's memory has it.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use gort_host_tests::ensure;
use gort_host_tests::programs::{native, program, spawn, wait};
use libtest_mimic::{Failed, Trial};

pub(crate) fn trials() -> Vec<Trial> {
    // An emulator's list is its own.
    vec![Trial::test("stacks::a_guard_below", a_guard_below).with_ignored_flag(!native())]
}

/// The kernel's list has 64 KiB without rights right below the main goroutine's
/// stack. Something else may lie below that, so that a fault would not show it.
fn a_guard_below() -> Result<(), Failed> {
    const STACK: usize = 256 << 10;
    const GUARD: usize = 64 << 10;
    let mut command = program("testprog")?;
    let mut child = spawn(command.arg("spin").stderr(Stdio::null()))?;
    let maps = || std::fs::read_to_string(format!("/proc/{}/maps", child.id()));
    // `7f0123450000-7f0123460000 rw-p …`
    let parse = |line: &str| {
        let (range, rest) = line.split_once(' ')?;
        let (lo, hi) = range.split_once('-')?;
        let number = |text| usize::from_str_radix(text, 16).ok();
        Some((number(lo)?, number(hi)?, rest.starts_with("rw-p")))
    };
    let start = Instant::now();
    let mut found = None;
    while found.is_none() && start.elapsed() < Duration::from_secs(60) {
        let text = maps()?;
        let all: Vec<_> = text.lines().filter_map(parse).collect();
        found = all.windows(2).find_map(|pair| match *pair {
            [below, (lo, hi, true)] if hi - lo == STACK => Some((below, lo, text.clone())),
            _ => None,
        });
        thread::sleep(Duration::from_millis(1));
    }
    child.kill()?;
    wait(&mut child)?;
    let ((lo, hi, writable), stack, text) = found.ok_or("no stack of 256 KiB to be seen")?;
    ensure!(
        !writable && hi == stack && hi - lo == GUARD && text.contains("---p"),
        "{lo:#x}-{hi:#x} lies below the stack at {stack:#x}:\n{text}"
    );
    Ok(())
}
