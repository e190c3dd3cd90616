//! What is in the words of a wait group and a semaphore, for debuggers: see `debug::layout`.

use super::{go, semaphore};
use crate::debug::layout::layout;

layout!("group": one = go::ONE);
// How many bits there are below the one that says that somebody waits.
layout!("semaphore": bits = semaphore::WAITERS.trailing_zeros());
