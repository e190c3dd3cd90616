//! No system: the machine itself, as a virtual machine monitor hands it over. With the
//! feature `none`.
//!
//! Go has no counterpart in its own tree; TamaGo's is its board packages. What is here is
//! the same small interface as Linux's, [`super::linux`], by means of
//!
//! | file | what it has |
//! | --- | --- |
//! | `start` | from the entry to `_rt0_amd64`: a stack like Linux's |
//! | `boot_info`, `command_line` | what the virtual machine monitor has told; pure |
//! | `memory`, `paging`, `entries`, `frames` | address space, page tables, memory |
//! | `serial`, `file`, `exit` | standard streams, and the end |
//! | `time`, `pit`, `rtc` | clocks |
//! | `machine` | random bits |
//! | `lock` | a lock against interrupts and other CPUs |
//! | `cpu`, `trap`, `apic` | a CPU, and what interrupts it |
//! | `cpus`, `acpi` | the other CPUs |
//! | `kernel`, `queue`, `thread` | threads, and how they share the CPUs |
//! | `signal`, `signal_context` | what exceptions are to the runtime, and what threads send each other |
//!
//! `docs/none.md` goes through it, and says what there is not.

mod acpi;
mod apic;
mod boot_info;
mod command_line;
mod cpu;
mod cpus;
mod entries;
mod exit;
mod file;
mod frames;
mod kernel;
mod lock;
mod machine;
mod memory;
mod paging;
mod pit;
mod queue;
mod rtc;
mod serial;
mod signal;
mod signal_context;
mod start;
mod thread;
mod time;
mod trap;

/// The name of the program's first instruction.
pub(crate) const ENTRY: &str = "_rt0_amd64_none";

// SAFETY: only its address is used: nobody calls it but a loader.
unsafe extern "C" {
    #[link_name = "_rt0_amd64_none"]
    fn rt0();
}

/// Returns the address of the program's first instruction, in 64-bit mode.
pub(crate) fn entry() -> usize {
    rt0 as *const () as usize
}

pub(crate) use cpus::cpu_count;
pub(crate) use exit::exit;
pub(crate) use file::{check_fds, is_terminal, map_exe, read_fd, write_all, write_fd};
#[cfg(feature = "getrandom")]
pub(crate) use machine::fill_random;
pub(crate) use machine::{cgroup, cpu_limit, huge_page_size, process_id, random};
pub(crate) use memory::{
    MAX_RANGES, Scarcity, discard, free_memory, install_guard, install_guards, map, map_backed,
    max_map_count, no_huge_pages, populate, populate_each, protect, resident, scarcity,
    try_install_guard, unmap, will_touch,
};
pub(crate) use signal::{
    Sigaction, action, change_action, die_by_abort, die_from_signal, init_preempt_signal, initsig,
    let_faults_through, preempt_thread, save_mask, set_mask, set_signal_stack, signal_process,
    signal_thread, thread_mask,
};
pub(crate) use signal_context::{SignalContext, signal_code};
pub(crate) use thread::{
    EAGAIN, exit_thread, futexsleep, futexwakeup, getcpu, membarrier, nap, new_thread, osyield,
    register_membarrier, thread_id,
};
pub(crate) use time::{monotonic, nanotime, use_vdso_clock, use_vdso_getcpu, walltime};
#[cfg(feature = "sched-trace")]
pub(crate) use {file::create, signal::forget_write_signals};
