//! Threads: Ms from the kernel's point of view.

use core::arch::asm;
use core::ffi::c_void;
use core::sync::atomic::AtomicU32;

use rustix::thread::futex::{self, Flags};
use rustix::thread::{MembarrierCommand, NanosleepRelativeResult, Timespec};

use super::super::thread::Thread;
use super::signal::set_mask;
use super::syscall::{nr, syscall4};

/// Go's flags, and TLS: one address space, file system view, descriptor table,
/// signal handlers, System V semaphores, thread group. QEMU's user mode takes
/// these and no fewer.
const CLONE_FLAGS: i32 = 0x0000_0100 // CLONE_VM
    | 0x0000_0200 // CLONE_FS
    | 0x0000_0400 // CLONE_FILES
    | 0x0000_0800 // CLONE_SIGHAND
    | 0x0004_0000 // CLONE_SYSVSEM
    | 0x0001_0000 // CLONE_THREAD
    | 0x0008_0000; // CLONE_SETTLS

/// The errno of a thread that the limits do not allow.
pub(crate) const EAGAIN: i32 = 11;

// SAFETY: the routine's contract stands in asm/sys_linux_amd64.S.
unsafe extern "C" {
    #[link_name = "runtime.clone"]
    fn runtime_clone(
        flags: i32,
        stack: usize,
        mp: *const c_void,
        gp: *const c_void,
        start: extern "C" fn(),
        tls: usize,
    ) -> i32;
}

/// Starts a thread with all signals blocked: `start` sets its mask when it can
/// take some. Returns the errno if the kernel refuses. Go's `newosproc`.
///
/// # Safety
///
/// The M, its g0, the stack and the TLS block must be used by nobody else, ever.
pub(crate) unsafe fn new_thread(thread: &Thread) -> Result<(), i32> {
    let mask = set_mask(!0);
    // SAFETY: the caller's promise.
    let result = unsafe {
        runtime_clone(
            CLONE_FLAGS,
            thread.stack_hi,
            thread.mp,
            thread.g0,
            thread.start,
            thread.tls,
        )
    };
    set_mask(mask);
    if result < 0 { Err(-result) } else { Ok(()) }
}

/// Ends this thread alone. `alive` becomes zero when the kernel is done with the thread:
/// from then on its stacks and its M are nobody's. (The kernel wakes a futex there as
/// well, but not the private one of [`futexsleep`]: look at the word.)
pub(crate) fn exit_thread(alive: &'static AtomicU32) -> ! {
    // SAFETY: the kernel writes four bytes, which are there as long as the process.
    unsafe { syscall4(nr::SET_TID_ADDRESS, [alive.as_ptr().addr(), 0, 0, 0]) };
    // SAFETY: the thread ends here; nothing on its stack is used again.
    unsafe {
        asm!(
            "syscall",
            "ud2",
            in("rax") nr::EXIT,
            in("rdi") 0,
            options(noreturn, nostack),
        )
    }
}

/// Sleeps until [`futexwakeup`] of that word, if `value` is in it: for at most `ns`
/// nanoseconds, or for ever if that is negative. May return for no reason at all.
pub(crate) fn futexsleep(word: &AtomicU32, value: u32, ns: i64) {
    let timeout = timespec(ns.max(0) as u64);
    let timeout = (ns >= 0).then_some(&timeout);
    // Another value, a signal, the time: whoever sleeps looks at the word again.
    let _ = futex::wait(word, Flags::PRIVATE, value, timeout);
}

/// Wakes up to `count` threads that sleep on that word.
pub(crate) fn futexwakeup(word: &AtomicU32, count: u32) {
    // It fails for addresses that are none.
    let _ = futex::wake(word, Flags::PRIVATE, count);
}

/// Prepares [`membarrier`]; false if the system has none.
pub(crate) fn register_membarrier() -> bool {
    rustix::thread::membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok()
}

/// Has each thread of this process run through a fence of all its loads and stores, this one
/// too, before it returns. What pairs with it elsewhere is `light_barrier`. False if it is
/// not allowed any more: a program may have locked itself in.
pub(crate) fn membarrier() -> bool {
    rustix::thread::membarrier(MembarrierCommand::PrivateExpedited).is_ok()
}

/// Lets whoever else waits for this CPU go first.
pub(crate) fn osyield() {
    rustix::thread::sched_yield();
}

/// Puts this thread to sleep for at least so many nanoseconds.
pub(crate) fn nap(nanoseconds: u64) {
    let mut left = timespec(nanoseconds);
    while let NanosleepRelativeResult::Interrupted(rest) = rustix::thread::nanosleep(&left) {
        left = rest;
    }
}

/// Returns what the kernel takes for so many nanoseconds.
fn timespec(nanoseconds: u64) -> Timespec {
    Timespec {
        tv_sec: (nanoseconds / 1_000_000_000) as i64,
        tv_nsec: (nanoseconds % 1_000_000_000) as i64,
    }
}
