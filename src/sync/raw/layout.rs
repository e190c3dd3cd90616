//! What the bits of a lock's word are, for debuggers: see `debug::layout`.

use super::modes::{LOCKED, READER, WAITERS};
use crate::debug::layout::layout;

layout!("lock": locked = LOCKED, waiters = WAITERS, reader = READER);
