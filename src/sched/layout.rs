//! Where the fields of the scheduler's structs are, for debuggers: see `debug::layout`.

use core::mem::offset_of;

use super::glist::{BATCH, Batch, GQueue};
use super::gpack::GFree;
use super::sema::{Sema, Sleeper};
use super::spinning::Spinning;
use super::timed::Timed;
use super::waiter::Waiter;
use super::{Sched, SchedLocked};
use crate::debug::layout::layout;
use crate::debug::lock::{Mutex, rank};

layout!("sched", Sched: goidgen, runqsize, now, gcwaiting, sysmonwait, polling);
layout!("sched":
    npidle = offset_of!(Sched, spinning) + offset_of!(Spinning, npidle),
    nmspinning = offset_of!(Sched, spinning) + offset_of!(Spinning, nmspinning),
    lock = offset_of!(Sched, lock),
    runq = LOCKED + offset_of!(SchedLocked, runq),
    g_free = LOCKED + offset_of!(SchedLocked, g_free) + offset_of!(GFree, size),
    pidle = LOCKED + offset_of!(SchedLocked, pidle),
    midle = LOCKED + offset_of!(SchedLocked, midle),
    nmidle = LOCKED + offset_of!(SchedLocked, nmidle),
    nmidlelocked = LOCKED + offset_of!(SchedLocked, nmidlelocked),
    nmsys = LOCKED + offset_of!(SchedLocked, nmsys),
    nmfreed = LOCKED + offset_of!(SchedLocked, nmfreed),
    mnext = LOCKED + offset_of!(SchedLocked, mnext),
    maxmcount = LOCKED + offset_of!(SchedLocked, maxmcount),
    allm = LOCKED + offset_of!(SchedLocked, allm),
    stopwait = LOCKED + offset_of!(SchedLocked, stopwait),
);
layout!("gqueue", GQueue: head, newest, size);
layout!("batch", Batch: older, begin, end, gs);
layout!("batch": most = BATCH);
layout!("waiter", Waiter: gp);
layout!("sema", Sema: word, lock, queues);
layout!("sleeper", Sleeper: waiter, next);
layout!("timed", Timed: gp, lock, deadline);

/// Where in [`Sched`] that is which its lock protects.
const LOCKED: usize = offset_of!(Sched, lock) + Mutex::<SchedLocked, { rank::SCHED }>::VALUE;
