//! What depends on the CPU alone. Public is what `std::arch` has.

pub(crate) mod amd64;
mod xsave;
pub(crate) use amd64::named_nothing;
#[cfg(feature = "sched-trace")]
pub(crate) use amd64::ticks;
pub(crate) use amd64::{Features, TCB_CANARY, abort, canary, set_canary};
pub(crate) use amd64::{call_on, cputicks, getg, getsp, has, has_sse2, prefetch, registers};
pub(crate) use xsave::{init_xsave, xsave_size};

pub use core::arch::*;
