//! The boot, in boot order: from the entry in `asm/` to `main.main`.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `rt0` | `rt0_go`: the first Rust code, the boot as one list |
//! | `check` | the runtime's assumptions, tested |
//! | `args` | argc, argv, the environment, the auxiliary vector, the vDSO |
//! | `osinit` | CPUs and huge pages |
//! | `schedinit` | the subsystems, woken in order |
//! | `moduledata` | the program's own ELF headers |
//! | `rand`, `chacha8` | random numbers |
//! | `alg` | the hash function |
//! | `settings` | GOMAXPROCS, GODEBUG, GOTRACEBACK |
//! | `main` | `runtime.main`, the first goroutine |

pub(crate) mod alg;
pub(crate) mod args;
mod chacha8;
mod check;
pub(crate) mod init;
mod main;
mod moduledata;
mod osinit;
mod rand;
mod rt0;
mod schedinit;
mod settings;

/// The size of the stack that the entry carves for g0, for who makes the one it is carved
/// out of.
#[cfg(feature = "none")]
pub(crate) use crate::sched::runtime2::G0_STACK;
pub(crate) use moduledata::{hosted, tls_image};
pub(crate) use rand::rand;
#[cfg(feature = "sched-trace")]
pub(crate) use settings::gort_trace;
pub(crate) use settings::{
    asyncpreemptoff, default_gomaxprocs_now, gomaxprocs_is_set, guardinstall, read_gomemlimit,
    schedtrace, updatemaxprocs,
};
