//! What depends on the CPU alone.

pub(crate) mod amd64;
pub(crate) use amd64::{Features, abort, cputicks, features, getg, has_sse2};
