//! What the workloads need beside the allocator, on gort. The clock and
//! `/proc/self/status` are asked by bare system calls: gort has no public `time`
//! and no `fs` yet.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::arch::asm;
use core::fmt::Arguments;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

/// The system calls, as `asm/unistd_64.h` numbers them.
mod nr {
    pub(super) const READ: usize = 0;
    pub(super) const OPEN: usize = 2;
    pub(super) const CLOSE: usize = 3;
    pub(super) const CLOCK_GETTIME: usize = 228;
}

const CLOCK_MONOTONIC: usize = 1;

/// Returns the nanoseconds of the monotonic clock.
pub(crate) fn now() -> u64 {
    let mut time = [0_u64; 2];
    let to = (&raw mut time).expose_provenance();
    // SAFETY: the kernel writes seconds and nanoseconds, two words.
    let result = unsafe { syscall(nr::CLOCK_GETTIME, [CLOCK_MONOTONIC, to, 0]) };
    assert!(result == 0);
    time[0] * 1_000_000_000 + time[1]
}

/// Lets others run.
pub(crate) fn yield_now() {
    gort::runtime::gosched();
}

/// Runs `here`, and beside it `there` on a goroutine of its own.
#[allow(dead_code, reason = "not every program needs it")]
pub(crate) fn both<A, B: Send + 'static>(
    here: impl FnOnce() -> A,
    there: impl FnOnce() -> B + Send + 'static,
) -> (A, B) {
    let result = Arc::new(AtomicPtr::new(ptr::null_mut()));
    let slot = Arc::clone(&result);
    gort::go(move || {
        let outcome = Box::into_raw(Box::new(there()));
        slot.store(outcome, Ordering::Release); // pairs with the load below
    });
    let here = here();
    loop {
        // Acquire pairs with the goroutine's store.
        let outcome: *mut B = result.load(Ordering::Acquire);
        if !outcome.is_null() {
            // SAFETY: the goroutine's Box, which it has given up.
            return (here, *unsafe { Box::from_raw(outcome) });
        }
        yield_now();
    }
}

/// Reads `/proc/self/status`, and adds up the bytes that the fields tell.
pub(crate) fn status(fields: &[&str]) -> u64 {
    let path = c"/proc/self/status".as_ptr().expose_provenance();
    // SAFETY: a string with its NUL.
    let fd = unsafe { syscall(nr::OPEN, [path, 0, 0]) };
    let fd = usize::try_from(fd).expect("Linux has it");
    let mut text = [0_u8; 8192];
    let mut length = 0;
    loop {
        let rest = &mut text[length..];
        let to = rest.as_mut_ptr().expose_provenance();
        // SAFETY: the kernel writes as many bytes as there is room for.
        let read = unsafe { syscall(nr::READ, [fd, to, rest.len()]) };
        match usize::try_from(read).expect("it is a file") {
            0 => break,
            read => length += read,
        }
    }
    // SAFETY: a descriptor of ours, which nobody uses afterwards.
    unsafe { syscall(nr::CLOSE, [fd, 0, 0]) };
    let text = core::str::from_utf8(&text[..length]).expect("a name that is UTF-8");
    fields
        .iter()
        .map(|field| crate::status::bytes(text, field))
        .sum()
}

/// Prints to standard output.
#[allow(dead_code, reason = "not every program needs it")]
pub(crate) fn print(text: Arguments<'_>) {
    gort::print!("{text}");
}

/// Makes a system call of up to three arguments; returns the raw result.
///
/// # Safety
///
/// The arguments must be what the kernel expects under that number.
unsafe fn syscall(number: usize, arguments: [usize; 3]) -> isize {
    let result;
    // SAFETY: the instruction changes rax, rcx and r11; the rest is the caller's
    // promise.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") arguments[0],
            in("rsi") arguments[1],
            in("rdx") arguments[2],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}
