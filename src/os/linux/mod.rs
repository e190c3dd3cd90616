//! Linux: the system's face, by system calls alone.
//!
//! Go's counterparts: `runtime/os_linux.go`, `sys_linux_amd64.s`, `mem_linux.go`.

mod auxv;
pub(crate) mod cgroup;
mod fields;
mod file;
mod memory;
mod signal;
mod syscall;
mod thread;
mod time;

pub(crate) use auxv::{Auxv, cpu_count, huge_page_size, random};
pub(crate) use file::{check_fds, cpu_limit, open_read, read, write_all};
pub(crate) use memory::{map, open_up, reserve, unmap};
pub(crate) use signal::{Died, initsig, save_mask, set_mask, set_signal_stack};
pub(crate) use syscall::{die_by_abort, exit, thread_id};
pub(crate) use thread::{EAGAIN, Thread, nap, new_thread};
pub(crate) use time::{getcpu, nanotime, use_vdso_clock, use_vdso_getcpu, walltime};
