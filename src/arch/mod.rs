//! What depends on the CPU alone.

pub(crate) mod amd64;
pub(crate) use amd64::named_nothing;
pub(crate) use amd64::{Features, abort, cputicks, getg, getsp, has, has_sse2};
