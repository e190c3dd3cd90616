//! The scheduler: goroutines (G) run on machines (M) that hold processors (P).
//!
//! Go's counterpart: `runtime/proc.go`. Up to the first `go` there is one goroutine on
//! one M, and the smallest of schedulers; from then on there is all of this.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `runtime2` | the structs |
//! | `runq` | a P's queue |
//! | `pstatus` | what a P is doing, and who gets it out of a system call |
//! | `glist` | queues and free lists of goroutines |
//! | `status` | a goroutine's states and the ways between them |
//! | `newproc` | how a goroutine is made |
//! | `goexit` | how a goroutine ends |
//! | `newstack` | how a goroutine goes on with another piece of stack |
//! | `gfree` | Gs and their stacks before that and after it |
//! | `proc` | the loop: schedule, execute, and the ways out of a goroutine |
//! | `findrunnable` | the loop's search for work, on many Ms |
//! | `spinning` | how many are out for work, and how many Ps have none |
//! | `idle` | Ms and Ps without work, and how they get some |
//! | `alone` | whether all Ps but one are idle |
//! | `netpoll` | the M that waits for the time |
//! | `switch` | the short way from one goroutine to the next |
//! | `gosched` | how a goroutine gives way |
//! | `park` | how a goroutine waits, and how it is told |
//! | `preempt` | how a goroutine is made to give way |
//! | `syscall` | how a goroutine blocks its thread and nobody else |
//! | `locked` | goroutines that are locked to their threads |
//! | `procresize`, `stw` | Ps; how their number changes while the world is stopped |
//! | `freeze` | how all stand still while the program dies |
//! | `machine` | Ms: mstart, newm |
//! | `sema` | a queue of goroutines, and the lock and the word that go with it |
//! | `active_spin` | whether to look at a lock or a channel for a moment before parking |
//! | `waitreason` | what goroutines wait for, in words |
//! | `waiter` | a wait for the first of several parties, or for the time |
//! | `timed` | a wait that the clock may end as well |
//! | `note` | what an M sleeps on |
//! | `checkdead` | the deadlock detector |
//! | `sysmon` | the watcher |
//! | `sighandler`, `sigqueue` | signals, and how they come to a goroutine |
//! | `system` | which goroutines are the runtime's own |
//! | `schedtrace` | `GODEBUG=schedtrace` |
//! | `layout` | where the fields of these structs are, for debuggers |
//! | `updatemaxprocs` | GOMAXPROCS follows the CPUs that the process may use |
//! | `timers` | timers and Ps; `timer`, `timer_set`, `timer_heap`, `timer_memory`: what they are made of |
//! | `bgscavenge` | the goroutine that gives free memory back |
//!
//! **The three classic bugs, and how each is ruled out.**
//! 1. *A context switch that inlines.* The switches are assembly routines in
//!    objects of their own, which no compiler sees into.
//! 2. *A TLS read that is cached over a switch.* All that we have in TLS is g,
//!    which is the same before and after a switch on the same stack; what hangs
//!    off the thread (m, p) is read through g each time, with `g.locks` up.
//! 3. *A signal between two instructions of a hand-off.* A goroutine can be found by
//!    others only when it has been saved whole: from g0, behind `mcall`; from the next
//!    one's stack (`switch`); or by the queue's new tail (`gosched`). And the handler
//!    that preempts looks whether it is a good moment: see `preempt`.

mod active_spin;
mod alone;
mod bgscavenge;
mod checkdead;
mod findrunnable;
#[cfg(not(feature = "archive"))]
mod freeze;
mod gfree;
mod glist;
mod goexit;
mod gosched;
mod gpack;
mod idle;
mod layout;
mod locked;
mod machine;
mod netpoll;
mod newproc;
mod newstack;
mod note;
mod park;
mod preempt;
mod proc;
mod procresize;
mod pstatus;
pub(crate) mod runq;
pub(crate) mod runtime2;
mod schedtrace;
pub(crate) mod sema;
mod sighandler;
mod sigqueue;
mod spinning;
mod status;
mod stw;
mod switch;
mod syscall;
mod sysmon;
mod system;
pub(crate) mod timed;
pub(crate) mod timer;
mod timer_heap;
mod timer_memory;
mod timer_set;
pub(crate) mod timers;
mod updatemaxprocs;
pub(crate) mod waiter;
pub(crate) mod waitreason;

/// What `timer` and its like use; the tests put loom's here, and no trace.
use crate::debug::trace;
use core::{cell, hint};

use crate::arch::prefetch;

use core::sync::atomic::{
    self, AtomicBool, AtomicI32, AtomicI64, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering,
    compiler_fence,
};

use crate::arch;
use crate::debug::fatal::throw;
use crate::debug::lock::{Mutex, ParkLock, rank};
use crate::os;

pub(crate) use active_spin::{can_linger, can_spin, do_spin};
pub(crate) use alone::alone_ended;
pub(crate) use bgscavenge::{scavenged_for, start_bgscavenge};
pub(crate) use gfree::{malg_first, scavenge_stacks};
use glist::GQueue;
pub(crate) use gosched::gosched;
use gpack::GFree;
pub(crate) use locked::{lock_os_thread, unlock_os_thread};
#[cfg(not(feature = "archive"))]
pub(crate) use machine::gsignal_at;
#[cfg(feature = "sched-trace")]
pub(crate) use machine::start_system_m;
pub(crate) use machine::{mcommoninit, set_max_threads, start_sysmon};
pub(crate) use newproc::{Entry, NOTHING, NewG, NoRoom, go, gomaxprocs, newproc, num_goroutine};
pub(crate) use newproc::{try_go, try_go_unchecked};
pub(crate) use newstack::newstack;
pub(crate) use park::{
    Locked, Park, gopark, goparkunlock, goready, goready_releasem, open, park_locked, wait_with,
};
pub(crate) use preempt::{is_async_preempt, preemptions, storm};
use proc::Many;
#[cfg(not(feature = "archive"))]
pub(crate) use proc::{fault_with_many, freeze_many, gosched_to_many};
pub(crate) use proc::{for_each_g, for_every_g, goexit, systemstack as on_system_stack};
pub(crate) use sighandler::{
    disable_signal, enable_signal, ignore_signal, raise_signal, signal_is_ignored, signal_recv,
    signals_are_handed_on, sigpipe, start_signal_receiver,
};
use spinning::Spinning;
pub(crate) use stw::{set_default_gomaxprocs, set_gomaxprocs, stop_everybody};
pub(crate) use syscall::{blocking, need_p};

#[cfg(feature = "sched-trace")]
pub(crate) use procresize::for_each_p;
pub(crate) use procresize::procresize;
pub(crate) use runtime2::{G, GStatus, M, Note, P, ThreadHead};
pub(crate) use status::readgstatus;
pub(crate) use waitreason::WaitReason;

/// The lock of a P's timers.
type TimersLock<T> = Mutex<T, { rank::TIMERS }>;

/// The goroutine whose stack the kernel gave: m0's scheduling stack.
#[unsafe(export_name = "runtime.g0")]
pub(crate) static G0: G = G::new();

/// The main thread.
#[unsafe(export_name = "runtime.m0")]
pub(crate) static M0: M = M::new();

/// How many CPUs the process may run on.
#[unsafe(export_name = "runtime.ncpu")]
pub(crate) static NCPU: AtomicI32 = AtomicI32::new(0);

/// How many Ps there are.
#[unsafe(export_name = "runtime.gomaxprocs")]
pub(crate) static GOMAXPROCS: AtomicI32 = AtomicI32::new(0);

/// The largest number of Ps.
pub(crate) const MAX_PROCS: i32 = 1024;

/// What all Ms share, behind `sched.lock`.
pub(crate) struct SchedLocked {
    /// The goroutines that no P has.
    runq: GQueue,
    /// Dead goroutines for any P to take.
    g_free: GFree,
    /// Idle Ps, a list through `link`; `spinning` counts them.
    pidle: *mut P,
    /// How often one has been taken from it.
    taken: u32,
    /// One of them has become idle since there was no room for another M.
    p_waits: bool,
    /// Idle Ms, a list through `schedlink`.
    midle: *const M,
    /// How many those are.
    nmidle: i32,
    /// How many Ms wait for the goroutine that is locked to them.
    nmidlelocked: i32,
    /// How many Ms are the system's own, and none of a deadlock's business.
    nmsys: i32,
    /// How many Ms have ended.
    nmfreed: i64,
    /// The number of the next M.
    mnext: i64,
    /// How many Ms there may be.
    maxmcount: i64,
    /// All Ms, a list through `alllink`.
    allm: *const M,
    /// Ms that have ended: their memory is another's when the thread is gone.
    freem: *const M,
    /// Ms that sysmon is to start threads for, a list through `schedlink`.
    newm: *const M,
    /// How many Ps have yet to stop before the world has.
    stopwait: i32,
}

// SAFETY: the pointers are to Ps and Ms, which live for ever.
unsafe impl Send for SchedLocked {}

/// The scheduler's state. Go's `sched`.
pub(crate) struct Sched {
    /// The last goroutine number that was given to a P.
    goidgen: AtomicU64,
    /// How long the global queue is, to look at without the lock.
    runqsize: AtomicUsize,
    /// The time when sysmon last looked, in nanoseconds; 0 until it does. To ask
    /// for the time would be a third of what it costs to park.
    now: AtomicI64,
    /// The Ps shall stop: somebody wants the world for itself.
    gcwaiting: AtomicBool,
    /// sysmon sleeps until somebody wakes it by `sysmonnote`.
    sysmonwait: AtomicBool,
    /// sysmon looks at the Ps at its quickest pace.
    sysmonquick: AtomicBool,
    /// An M does nothing but wait for the next timer.
    polling: AtomicBool,
    /// Until when that M waits; 0 if there is none.
    poll_until: AtomicI64,
    /// Ms that look for work, and Ps that have none.
    spinning: Spinning,
    /// There may be many Ms that run goroutines: from the first `go` on, unless a libc
    /// hosts us.
    parallel: AtomicBool,
    /// What schedule does from the first `go` or timer on; null before.
    many: AtomicPtr<Many>,
    /// Who stops the world waits here for the last P.
    stopnote: Note,
    /// What sysmon sleeps on: not 0 if somebody wants it to look.
    sysmonnote: AtomicU32,
    /// The rest.
    lock: Mutex<SchedLocked, { rank::SCHED }>,
}

/// The scheduler.
#[unsafe(export_name = "runtime.sched")]
pub(crate) static SCHED: Sched = Sched {
    goidgen: AtomicU64::new(0),
    runqsize: AtomicUsize::new(0),
    now: AtomicI64::new(0),
    gcwaiting: AtomicBool::new(false),
    sysmonwait: AtomicBool::new(false),
    sysmonquick: AtomicBool::new(false),
    polling: AtomicBool::new(false),
    poll_until: AtomicI64::new(0),
    spinning: Spinning::new(),
    parallel: AtomicBool::new(false),
    many: AtomicPtr::new(core::ptr::null_mut()),
    stopnote: Note::new(),
    sysmonnote: AtomicU32::new(0),
    lock: Mutex::new(SchedLocked {
        runq: GQueue::new(),
        g_free: GFree::new(),
        pidle: core::ptr::null_mut(),
        taken: 0,
        p_waits: false,
        midle: core::ptr::null(),
        nmidle: 0,
        nmidlelocked: 0,
        nmsys: 0,
        nmfreed: 0,
        mnext: 0,
        maxmcount: 0,
        allm: core::ptr::null(),
        freem: core::ptr::null(),
        newm: core::ptr::null(),
        stopwait: 0,
    }),
};

/// Sets how many Ms there may be.
pub(crate) fn schedinit(maxmcount: i64) {
    SCHED.lock.lock().maxmcount = maxmcount;
}

/// Returns the current g. From any code behind `needtls`.
pub(crate) fn getg() -> &'static G {
    // SAFETY: the slot holds a G from `needtls` or `clone` on, and no G is ever
    // freed.
    unsafe { &*arch::getg().cast::<G>() }
}

/// Returns the current g where there may be none: in a death before the thread is set up,
/// or on a thread that is not ours. Those that a libc makes have a slot of their own, as
/// every thread there has, with nothing in it. One that the program has made by itself, without
/// thread-local storage for it, has the slot of its maker, and passes for that.
pub(crate) fn try_getg() -> Option<&'static G> {
    // Relaxed: needtls set it on this thread, or long before another was made.
    if G0.m.load(Ordering::Relaxed).is_null() {
        return None;
    }
    // SAFETY: null, or a G, and none is ever freed.
    unsafe { arch::getg().cast::<G>().as_ref() }
}

/// Returns the M of the current g, if there is one yet.
pub(crate) fn getm() -> Option<&'static M> {
    let mp = try_getg()?.m.load(Ordering::Relaxed); // our own thread wrote it
    // SAFETY: an M is never freed.
    unsafe { mp.as_ref() }
}

/// Keeps the current goroutine on its M, and running, until [`releasem`], and returns
/// that M.
///
/// A signal handler that would preempt the goroutine looks at the count, on this
/// same thread: the fence keeps the compiler from moving what follows before it.
/// Should it strike between the load and the store, the goroutine goes on, elsewhere,
/// with the count that it had.
pub(crate) fn acquirem() -> &'static M {
    let gp = getg();
    gp.locks
        .store(gp.locks.load(Ordering::Relaxed) + 1, Ordering::Relaxed); // see above
    compiler_fence(Ordering::SeqCst);
    let mp = gp.m.load(Ordering::Relaxed); // our own thread wrote it
    // SAFETY: a G that runs has an M, and no M is ever freed.
    unsafe { &*mp }
}

/// Returns the M of a goroutine, the current one, that has called [`acquirem`].
fn held(gp: &'static G) -> &'static M {
    // SAFETY: as there.
    unsafe { &*gp.m.load(Ordering::Relaxed) } // our own thread wrote it
}

/// Ends what [`acquirem`] began.
pub(crate) fn releasem() {
    unlock(getg());
}

/// Ends what [`acquirem`] began on the goroutine `gp`: the current one, or from g0 the
/// one that `mcall` has left.
fn unlock(gp: &G) {
    compiler_fence(Ordering::SeqCst); // as in acquirem
    gp.locks
        .store(gp.locks.load(Ordering::Relaxed) - 1, Ordering::Relaxed); // as there
}

/// Returns the P of this M, if it has one: not in a system call, and sysmon's never. With
/// [`acquirem`] in force, or on g0.
fn try_getp(mp: &'static M) -> Option<&'static P> {
    // SAFETY: a P is never freed. Relaxed: our own thread wrote it.
    unsafe { mp.p.load(Ordering::Relaxed).as_ref() }
}

/// Returns the P that this M holds. With [`acquirem`] in force, or on g0.
fn getp(mp: &'static M) -> &'static P {
    let pp = mp.p.load(Ordering::Relaxed); // our own thread wrote it
    // SAFETY: an M that runs goroutines or schedules them holds a P, and no P
    // is ever freed.
    unsafe { &*pp }
}

/// Returns a random number, good enough to choose by. With [`acquirem`] in force, or on
/// g0.
pub(crate) fn cheaprand(mp: &'static M) -> u32 {
    // xorshift64*, seeded by mcommoninit.
    let mut state = mp.cheaprand.get();
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    mp.cheaprand.set(state);
    (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
}

/// Tells whether there may be many Ms.
fn parallel() -> bool {
    SCHED.parallel.load(Ordering::Relaxed) // only ever set; whoever misses it is alone
}

/// Tells whether this is a goroutine that may start another: not g0, and nothing
/// holds the thread.
pub(crate) fn may_go() -> bool {
    let gp = getg();
    gp.goid.get() != 0 && gp.locks.load(Ordering::Relaxed) == 0 // our own
}
