//! sysmon: the watcher, on an M of its own, without a P.
//!
//! Go's counterparts: `sysmon`, `retake`, `preemptone`, `templateThread` in
//! `runtime/proc.go`.
//!
//! It takes the P from a system call that lasts, asks a goroutine that has run for
//! 10 ms to give way, wakes an M for a goroutine that was left to a P which does not run
//! it, sees whether one P alone is in use, tells the heap that time goes by, and starts threads for
//! goroutines that are locked to one: who knows what they have done to their own, and
//! what a clone of it would inherit.
//!
//! Its pace: it looks every 20 µs while there are system calls to interfere with, or
//! goroutines that are left to their Ps, in the end every 320 µs while those are run, one
//! after the other; after 50 looks at nothing ever less often, down to every 10 ms; and where
//! all Ps are idle it sleeps until one is taken, but for as long as the heap has something to
//! give back, or somebody wants its trace.

use core::sync::atomic::Ordering;

use super::alone::Watch;
use super::bgscavenge::wake_scavenger;
use super::gfree::cold_stacks;
use super::idle::{EAGER, handoffp, incidlelocked, wakep};
use super::machine::start_threads;
use super::preempt::{STORM_PACE, is_storm, preempt_m};
use super::procresize::allp;
use super::pstatus::PStatus;
use super::runtime2::P;
use super::sighandler::{answer_signals, signals_call};
use super::timers::wake_time;
use super::{GOMAXPROCS, SCHED, SchedLocked, schedtrace, updatemaxprocs};
use crate::debug::trace;
use crate::{mem, os};

/// How long a goroutine may run when others wait, in nanoseconds.
const FORCE_PREEMPT: i64 = 10_000_000;

/// From when on a timer is late whose P has much to run, in nanoseconds.
const LATE: i64 = 1_000_000;

/// The shortest and the longest rest between two looks, in nanoseconds.
const SHORTEST_REST: i64 = 20_000;
const LONGEST_REST: i64 = 10_000_000;

/// The longest one while goroutines are left to their Ps, which run one after the other. Each
/// look costs them something: it is made on a CPU that may share its core with theirs, and
/// takes cache lines from it. The first one that runs for long keeps one that was left behind
/// it waiting for as long; the next ones are not left.
const LONGEST_LONE_REST: i64 = 320_000;

/// Those who come as often as that, in nanoseconds, are taken to be run.
const LONE_PERIOD: i64 = 2_000;

/// After how many looks at nothing the rests get longer.
const PATIENCE: u32 = 50;

/// How often the heap is told that time goes by, in nanoseconds.
const MEMORY_PERIOD: i64 = 250_000_000;

/// Never returns. On its own g0.
#[unsafe(export_name = "runtime.sysmon")]
#[inline(never)]
pub(super) extern "C" fn sysmon() {
    let (mut idle, mut rest, mut memory) = (0u32, SHORTEST_REST, 0);
    let mut alone = Watch::new();
    let (mut steady, mut last) = (false, 0);
    loop {
        if steady {
            rest = (rest * 2).min(LONGEST_LONE_REST);
        } else if idle <= PATIENCE {
            rest = SHORTEST_REST;
        } else {
            rest = (rest * 2).min(LONGEST_REST);
        }
        // Relaxed: a hint. What is left alone after it was read is seen at the end of a
        // rest that is twice as long at most.
        SCHED
            .sysmonquick
            .store(rest == SHORTEST_REST || steady, Ordering::Relaxed);
        os::futexsleep(
            &SCHED.sysmonnote,
            0,
            if is_storm() { STORM_PACE } else { rest },
        );
        if all_idle() && !busy_with_memory() && !schedtrace::wanted() {
            sleep_until_needed();
            idle = 0; // a new day: who knows what is being started
        }
        // Whoever woke us, we look at everything. Acquire pairs with hurry_sysmon: who
        // finds the word set already, and does not wake us, is seen.
        SCHED.sysmonnote.swap(0, Ordering::Acquire);
        answer_signals();
        let now = os::nanotime();
        SCHED.now.store(now, Ordering::Relaxed); // a time, ordered with nothing
        start_threads();
        alone.look(now);
        let seen = retake(now, now - last);
        steady = seen.steady;
        last = now;
        idle = if seen.active {
            0
        } else {
            idle.saturating_add(1)
        };
        if memory + MEMORY_PERIOD <= now {
            memory = now;
            mem::tick();
        }
        updatemaxprocs::tick(now);
        wake_scavenger(now);
        schedtrace::tick(now);
    }
}

/// Tells whether no goroutine runs, or could.
fn all_idle() -> bool {
    let procs = GOMAXPROCS.load(Ordering::Relaxed); // a hint
    SCHED.gcwaiting.load(Ordering::Relaxed) || SCHED.spinning.idle() == procs // another
}

/// Tells whether the heap or the stacks have something that is to be given back soon.
fn busy_with_memory() -> bool {
    mem::wants_scavenger() || cold_stacks() > 0
}

/// Sleeps until a P is taken from the idle list, or a thread is to be started.
#[inline(never)]
fn sleep_until_needed() {
    let sched = SCHED.lock.lock();
    // Both are changed under the lock, and so is the flag.
    let needed = !all_idle() || !sched.newm.is_null();
    SCHED.sysmonnote.swap(0, Ordering::Acquire); // what it said is seen above and below
    SCHED.sysmonwait.store(!needed, Ordering::Relaxed);
    drop(sched);
    SCHED.now.store(0, Ordering::Relaxed); // the clock stands still
    // A signal's handler can take no lock, and leaves sysmonwait as it is.
    while SCHED.sysmonwait.load(Ordering::Acquire) && !signals_call() {
        os::futexsleep(&SCHED.sysmonnote, 0, -1);
        // What comes late, for something that we have seen long ago, shall not keep us
        // from sleeping. Acquire pairs with hurry_sysmon: who wakes us in earnest has
        // changed the flag before.
        SCHED.sysmonnote.swap(0, Ordering::Acquire);
    }
    SCHED.sysmonwait.store(false, Ordering::Relaxed); // awake, whoever did it
}

/// Wakes sysmon where it has gone to bed. Under sched.lock.
pub(super) fn wake_sysmon(_: &SchedLocked) {
    if SCHED.sysmonwait.load(Ordering::Relaxed) {
        SCHED.sysmonwait.store(false, Ordering::Release); // pairs with its load
        hurry_sysmon();
    }
}

/// Ends sysmon's rest.
pub(super) fn hurry_sysmon() {
    // Release pairs with sleep_until_needed.
    if SCHED.sysmonnote.swap(1, Ordering::Release) == 0 {
        os::futexwakeup(&SCHED.sysmonnote, 1);
    }
}

/// What [`retake`] has seen.
struct Seen {
    /// It took a P, or one leaves goroutines to itself: it is to look again soon.
    active: bool,
    /// The latter, and so many that they are run; and no P is in a system call.
    steady: bool,
}

/// Looks at each P that is in use, for the first time in so many nanoseconds.
#[unsafe(export_name = "runtime.retake")]
#[inline(never)]
fn retake(now: i64, elapsed: i64) -> Seen {
    let mut active = false;
    let (mut any_left, mut steady) = (false, true);
    for pp in allp().iter() {
        let syscall = pp.state.syscall();
        if syscall.is_none() && !pp.state.is(PStatus::Running) {
            continue;
        }
        let seen = &pp.sysmontick;
        let tick = pp.schedtick.load(Ordering::Relaxed); // only compared
        let since = look_at_lone(pp);
        any_left |= since > 0;
        let are_run = pp.runq.is_empty() || i64::from(since) * LONE_PERIOD >= elapsed;
        steady &= syscall.is_none() && are_run;
        let when = wake_time(pp);
        if when != 0 && when <= now - LATE {
            pp.late.store(true, Ordering::Relaxed); // a request, ordered with nothing
        }
        let mut too_long = false;
        if seen.schedtick.replace(tick) != tick {
            seen.schedwhen.set(now);
        }
        if seen.schedwhen.get() + FORCE_PREEMPT <= now || is_storm() {
            preemptone(pp);
            too_long = true; // in a system call nobody hears that
        }
        if let Some(syscall) = syscall
            && (lasts(pp, syscall, now) || too_long)
            && retake_one(pp, syscall)
        {
            active = true;
        }
    }
    Seen {
        active: active || any_left,
        steady: steady && any_left,
    }
}

/// Looks whether a goroutine was left to a P that has not run it since the last look:
/// then others are woken, now and the next times. Returns how many the P has left to itself
/// since.
fn look_at_lone(pp: &P) -> u32 {
    let lone = pp.lone.load(Ordering::Relaxed); // only compared
    let since = lone.wrapping_sub(pp.sysmontick.lone.replace(lone));
    if since > 0 {
        return since; // if there is one now, it may have come this moment
    }
    if !pp.runq.is_empty() && SCHED.spinning.idle() > 0 {
        pp.eager.store(EAGER, Ordering::Relaxed); // a hint
        wakep();
    }
    0
}

/// sysmon will not look for a while, as long as somebody else likes: nobody shall leave a
/// goroutine to its P and to sysmon meanwhile, and those that were left already get another.
#[cold]
pub(super) fn look_away() {
    // Relaxed: a hint, which the next round gives again. Who has not seen it has put his
    // goroutine into the queue before he looked, which is there to see after a rest.
    SCHED.sysmonquick.store(false, Ordering::Relaxed);
    os::nap(SHORTEST_REST as u64);
    for pp in allp().iter() {
        look_at_lone(pp); // the first time it may only take note
        look_at_lone(pp);
    }
}

/// Tells whether the system call that a P was left in is one that lasts: we have seen it
/// before, and somebody could use the P, or it has been 10 ms.
fn lasts(pp: &P, syscall: u32, now: i64) -> bool {
    let seen = &pp.sysmontick;
    if seen.syscall.replace(Some(syscall)) != Some(syscall) {
        seen.syscallwhen.set(now);
        return false;
    }
    let others = SCHED.spinning.spinning() + SCHED.spinning.idle() > 0;
    !(pp.runq.is_empty() && others && seen.syscallwhen.get() + FORCE_PREEMPT > now)
}

/// Takes a P out of that system call, if it is still in it.
fn retake_one(pp: &'static P, syscall: u32) -> bool {
    // The M that comes back from the call may find no P and nothing to do, and is idle
    // then, while we have the P in our hands.
    incidlelocked(-1);
    let taken = pp.state.retake_from(syscall);
    if taken {
        trace::retake(pp);
        handoffp(pp);
    }
    incidlelocked(1);
    taken
}

/// Asks the goroutine that runs on a P to give way when it can, and the P to let
/// nobody inherit the time slice. Best effort: it may have stopped meanwhile, and
/// another may get the request.
pub(super) fn preemptone(pp: &P) {
    pp.preempt.store(true, Ordering::Relaxed); // a request, ordered with nothing
    // SAFETY: an M is never freed. Acquire pairs with acquirep.
    let Some(mp) = (unsafe { pp.m.load(Ordering::Acquire).as_ref() }) else {
        return;
    };
    // SAFETY: a G is never freed. The M may change curg under our hands; either
    // value is a G, or null.
    if let Some(gp) = unsafe { mp.curg.load(Ordering::Relaxed).as_ref() } {
        gp.preempt.store(true, Ordering::Relaxed); // preempt_m orders it
        preempt_m(mp);
    }
}
