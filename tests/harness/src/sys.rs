//! The system calls that rustix does not offer, or not outside of `std`.
//!
//! Invariant: nothing here allocates or takes a lock. A child between fork and
//! exec is a copy of one thread out of several, so it may call no more than this
//! module, and those functions of rustix that are a bare system call.

use core::arch::asm;
use core::ffi::{CStr, c_char};

use rustix::fd::{BorrowedFd, RawFd};
use rustix::io::Errno;
use rustix::process::Pid;

/// Numbers of the system calls on x86_64.
mod nr {
    pub(super) const FORK: usize = 57;
    pub(super) const EXECVE: usize = 59;
    pub(super) const EXIT_GROUP: usize = 231;
}

/// Copies the process; None in the child.
///
/// # Safety
///
/// The child must keep to the invariant above until it calls [`execve`] or
/// [`exit`].
pub(crate) unsafe fn fork() -> Result<Option<Pid>, Errno> {
    // SAFETY: the child's memory is a copy, this stack too; the rest is the
    // caller's promise.
    let returned = unsafe { syscall3(nr::FORK, [0; 3]) };
    match i32::try_from(returned) {
        Ok(pid) if pid >= 0 => Ok(Pid::from_raw(pid)),
        Ok(negative) => Err(Errno::from_raw_os_error(-negative)),
        Err(_) => Err(Errno::OVERFLOW),
    }
}

/// Makes the process run another program; returns only if that fails.
///
/// # Safety
///
/// Both arrays must consist of C strings and end with a null pointer.
pub(crate) unsafe fn execve(
    path: &CStr,
    arguments: &[*const c_char],
    environment: &[*const c_char],
) -> Errno {
    let pointers = [
        path.as_ptr().addr(),
        arguments.as_ptr().addr(),
        environment.as_ptr().addr(),
    ];
    // SAFETY: the kernel only reads, as far as the null pointers, where the
    // caller promises that there are strings.
    let returned = unsafe { syscall3(nr::EXECVE, pointers) };
    i32::try_from(returned.wrapping_neg()).map_or(Errno::NOEXEC, Errno::from_raw_os_error)
}

/// Ends the process, without a word to the runtime.
pub(crate) fn exit(status: i32) -> ! {
    // SAFETY: no memory is concerned.
    unsafe {
        asm!(
            "syscall",
            "ud2",
            in("rax") nr::EXIT_GROUP,
            in("rdi") status,
            options(noreturn, nostack),
        )
    }
}

/// Returns standard output.
pub(crate) fn stdout() -> BorrowedFd<'static> {
    // SAFETY: the runtime has opened it if it was closed, and nobody closes it.
    unsafe { rustix::stdio::stdout() }
}

/// Returns standard error.
pub(crate) fn stderr() -> BorrowedFd<'static> {
    // SAFETY: as for standard output.
    unsafe { rustix::stdio::stderr() }
}

/// Returns the descriptor that the harness has left open for its child.
pub(crate) fn inherited(number: RawFd) -> Option<BorrowedFd<'static>> {
    if number < 0 {
        return None;
    }
    // SAFETY: nothing in this process owns it, so nothing closes it. Should it
    // not be open, then what is done with it fails.
    Some(unsafe { BorrowedFd::borrow_raw(number) })
}

/// Makes a system call.
///
/// # Safety
///
/// Its arguments must be good.
unsafe fn syscall3(number: usize, arguments: [usize; 3]) -> isize {
    let returned;
    let [first, second, third] = arguments;
    // SAFETY: the caller's promise. `syscall` itself changes rcx and r11; the
    // memory is taken as changed.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => returned,
            in("rdi") first,
            in("rsi") second,
            in("rdx") third,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    returned
}
