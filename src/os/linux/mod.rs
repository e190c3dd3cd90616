//! Linux: the system's face, by system calls alone.
//!
//! Go's counterparts: `runtime/os_linux.go`, `sys_linux_amd64.s`, `mem_linux.go`.
//!
//! The system calls of a program that prints a line, from exec to exit, and why
//! each is there. A test compares this table with what strace shows.
//!
//! | call | times | for |
//! | --- | --- | --- |
//! | `execve` | 1 | the caller's: it starts us |
//! | `arch_prctl` | 1 | `runtime.settls`: FS is where g is found |
//! | `sched_getaffinity` | 1 | `runtime.osinit`: how many CPUs there are for us |
//! | `open`, `read`, `close` | 1 | `runtime.osinit`: the size of a huge page, from sysfs |
//! | `mmap` | 1 | `runtime.stackinit`: addresses for seven stacks |
//! | `madvise` | 1 | `runtime.stackinit`: a guard below the main goroutine's stack |
//! | `rt_sigprocmask` | 1 | `runtime.stackinit`: is that guard one? The system shall read from it |
//! | `rt_sigprocmask` | 1 | `runtime.sigsave`: the mask that threads and children get; and faults come through from here on |
//! | `fcntl` | 3 | `runtime.checkfds`: descriptors 0, 1 and 2 are open |
//! | `gettid` | 1 | `runtime.mstart`: the main thread's id, which a signal to it needs |
//! | `sigaltstack` | 1 | `runtime.mstart`: a stack to report a stack's overflow on |
//! | `rt_sigaction` | 4 | `runtime.mstart`: SIGILL, SIGBUS, SIGFPE, SIGSEGV end with a message |
//! | `rt_sigaction` | 6 | `runtime.mstart`: SIGQUIT, SIGABRT, SIGTRAP, SIGSTKFLT, SIGSYS end with a dump; who writes to a broken pipe is told (feature `signals`) |
//! | `write` | 1 | `main.main`: the line |
//! | `exit_group` | 1 | `runtime.main`: the end |
//!
//! Where there are more than two CPUs and GOMAXPROCS does not say how many Ps to
//! make, the control group's files are opened, read and closed as well, behind
//! `fcntl`: two to find the group and one for each group around it.
//!
//! With the first `go` there are a second thread, sysmon, and more by and by: `clone`,
//! `futex`, `sched_yield`, `tgkill` and `getpid` for what they have to do with each other, and
//! `membarrier`, once to ask for it, and again where one sleeps for a channel's lock.

pub(crate) mod cgroup;
mod exe;
mod fields;
mod file;
mod machine;
mod memory;
mod signal;
mod signal_context;
mod syscall;
mod thread;
mod time;

/// The name of the program's first instruction.
pub(crate) const ENTRY: &str = "_rt0_amd64_linux";

// SAFETY: only its address is used: nobody calls it but the kernel.
unsafe extern "C" {
    #[link_name = "_rt0_amd64_linux"]
    fn rt0();
}

/// Returns the address of the program's first instruction.
#[inline(always)] // an address
pub(crate) fn entry() -> usize {
    rt0 as *const () as usize
}

pub(crate) use exe::map_exe;
pub(crate) use file::{check_fds, cpu_limit, is_terminal, read_fd, write_all, write_fd};
#[cfg(feature = "getrandom")]
pub(crate) use machine::fill_random;
pub(crate) use machine::{cpu_count, huge_page_size, random};
pub(crate) use memory::{
    MAX_RANGES, Scarcity, discard, install_guard, install_guards, map, map_backed, max_map_count,
    no_huge_pages, populate, populate_each, protect, resident, scarcity, try_install_guard, unmap,
    will_touch,
};
pub(crate) use signal::{
    Sigaction, action, change_action, die_by_abort, die_from_signal, init_preempt_signal, initsig,
    let_faults_through, save_mask, set_mask, set_signal_stack, thread_mask,
};
pub(crate) use signal_context::{SignalContext, signal_code};
pub(crate) use syscall::{
    exit, preempt_thread, process_id, signal_process, signal_thread, thread_id,
};
pub(crate) use thread::{
    EAGAIN, exit_thread, futexsleep, futexwakeup, membarrier, nap, new_thread, osyield,
    register_membarrier,
};
pub(crate) use time::{getcpu, monotonic, nanotime, use_vdso_clock, use_vdso_getcpu, walltime};
#[cfg(feature = "sched-trace")]
pub(crate) use {file::create, signal::forget_write_signals};
