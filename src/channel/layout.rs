//! Where the fields of a channel are, for debuggers: see `debug::layout`.

use super::hchan::{CLOSED, Hchan};
use super::selecting::Locks;
use super::shared::Shared;
use super::waitq::{Sudog, Waitq};
use crate::debug::layout::layout;

layout!("hchan", Hchan: lock, flags, recvq, sendq, items, room, size, capacity, recv_watch, send_watch, elemtype);
layout!("hchan": closed = CLOSED);
layout!("waitq", Waitq: first);
layout!("sudog", Sudog: gp, next);
layout!("selectlocks", Locks: first, count);
layout!("shared", Shared: chan, senders, receivers);
