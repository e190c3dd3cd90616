//! Bare system calls: those that rustix has no stable name for, and those on the
//! boot's way, where its checks would cost more than the call.
//!
//! | register | on the way in | on the way out |
//! | --- | --- | --- |
//! | rax | the number | the result, or -errno |
//! | rdi, rsi, rdx, r10, r8, r9 | the arguments | kept |
//! | rcx, r11 | | rip and rflags |

use core::arch::asm;

/// The numbers, as `asm/unistd_64.h` has them.
pub(crate) mod nr {
    /// `read`
    pub(crate) const READ: usize = 0;
    /// `write`
    pub(crate) const WRITE: usize = 1;
    /// `open`
    pub(crate) const OPEN: usize = 2;
    /// `lseek`
    pub(crate) const LSEEK: usize = 8;
    /// `mmap`
    pub(crate) const MMAP: usize = 9;
    /// `mprotect`
    pub(crate) const MPROTECT: usize = 10;
    /// `munmap`
    pub(crate) const MUNMAP: usize = 11;
    /// `mincore`
    pub(crate) const MINCORE: usize = 27;
    /// `madvise`
    pub(crate) const MADVISE: usize = 28;
    /// `process_madvise`
    pub(crate) const PROCESS_MADVISE: usize = 440;
    /// `close`
    pub(crate) const CLOSE: usize = 3;
    /// `fcntl`
    pub(crate) const FCNTL: usize = 72;
    /// `rt_sigaction`
    pub(crate) const RT_SIGACTION: usize = 13;
    /// `rt_sigprocmask`
    pub(crate) const RT_SIGPROCMASK: usize = 14;
    /// `rt_sigtimedwait`
    #[cfg(feature = "sched-trace")]
    pub(crate) const RT_SIGTIMEDWAIT: usize = 128;
    /// `sigaltstack`
    pub(crate) const SIGALTSTACK: usize = 131;
    /// `gettid`
    pub(crate) const GETTID: usize = 186;
    /// `kill`
    pub(crate) const KILL: usize = 62;
    /// `getpid`
    pub(crate) const GETPID: usize = 39;
    /// `exit`, of one thread
    pub(crate) const EXIT: usize = 60;
    /// `set_tid_address`
    pub(crate) const SET_TID_ADDRESS: usize = 218;
    /// `sched_getaffinity`
    pub(crate) const SCHED_GETAFFINITY: usize = 204;
    /// `clock_gettime`
    pub(crate) const CLOCK_GETTIME: usize = 228;
    /// `getcpu`
    pub(crate) const GETCPU: usize = 309;
    /// `exit_group`
    pub(crate) const EXIT_GROUP: usize = 231;
    /// `tgkill`
    pub(crate) const TGKILL: usize = 234;
    /// `ioctl`
    pub(crate) const IOCTL: usize = 16;
    /// `prlimit64`
    pub(crate) const PRLIMIT64: usize = 302;
    /// `getrandom`
    pub(crate) const GETRANDOM: usize = 318;
}

/// Makes a system call of up to four arguments; returns the raw result.
///
/// # Safety
///
/// The arguments must be what the kernel expects under that number: pointers
/// valid for as long as it says, and no effect that breaks what Rust or this
/// runtime relies on.
pub(crate) unsafe fn syscall4(number: usize, args: [usize; 4]) -> isize {
    let result;
    // SAFETY: the instruction itself changes rax, rcx and r11 only; the rest is
    // the caller's promise.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") args[0],
            in("rsi") args[1],
            in("rdx") args[2],
            in("r10") args[3],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// The same with six arguments.
///
/// # Safety
///
/// As for [`syscall4`].
pub(crate) unsafe fn syscall6(number: usize, args: [usize; 6]) -> isize {
    let result;
    // SAFETY: as in `syscall4`.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") args[0],
            in("rsi") args[1],
            in("rdx") args[2],
            in("r10") args[3],
            in("r8") args[4],
            in("r9") args[5],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// Ends the process, all threads of it.
pub(crate) fn exit(status: i32) -> ! {
    crate::debug::trace::finish(status);
    // SAFETY: no memory is involved, and nothing runs afterwards.
    unsafe { syscall4(nr::EXIT_GROUP, [status as usize, 0, 0, 0]) };
    crate::arch::abort() // never reached
}

/// Returns the process's id.
pub(crate) fn process_id() -> u32 {
    // SAFETY: takes and changes nothing.
    unsafe { syscall4(nr::GETPID, [0; 4]) as u32 }
}

/// Returns this thread's id.
pub(crate) fn thread_id() -> u64 {
    // SAFETY: takes and changes nothing.
    unsafe { syscall4(nr::GETTID, [0; 4]) as u64 }
}

/// Sends a signal to the thread of this process that has that id. Without effect if
/// there is none (any more): then false.
pub(crate) fn signal_thread(thread: u64, signal: i32) -> bool {
    // SAFETY: takes and changes nothing.
    let process = unsafe { syscall4(nr::GETPID, [0; 4]) } as usize;
    // SAFETY: what the signal does is the business of who installed its handler.
    unsafe { syscall4(nr::TGKILL, [process, thread as usize, signal as usize, 0]) == 0 }
}

/// Sends a signal to this process: to any thread that lets it through.
pub(crate) fn signal_process(signal: i32) {
    // SAFETY: what the signal does is the business of who installed its handler.
    unsafe { syscall4(nr::KILL, [process_id() as usize, signal as usize, 0, 0]) };
}

/// Sends the signal that preempts to a thread of ours; false if it has ended.
pub(crate) fn preempt_thread(thread: u64) -> bool {
    signal_thread(thread, super::super::signal_table::SIGURG)
}
