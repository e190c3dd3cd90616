//! Finding work: what an M with a P does between two goroutines, in a program that has
//! more than one.
//!
//! Go's counterparts: `schedule`, `findRunnable`, `stealWork`, `resetspinning` in
//! `runtime/proc.go`.
//!
//! **No ready goroutine is left lying while a P is idle.** Ms that have nothing to do
//! spin for a while, which is to look everywhere, and sleep then. Two counters tell
//! whoever readies a goroutine whether there is anybody to wake; `spinning.rs` has the
//! protocol and its proof.
//!
//! One that spins and finds something wakes the next before it runs that: so there are
//! always more out for work, until one of them finds none. That is why one at a time
//! is enough.

use core::hint::cold_path;
use core::hint::spin_loop;
use core::ptr;
use core::sync::atomic::Ordering;

use super::alone::idle_p_in_time;
use super::goexit::exit_to_next;
use super::idle::{acquirep, gcstopm, pidleget, pidleput, releasep, stopm, wakep};
use super::locked::{mexit, startlockedm, stoplockedm};
use super::newproc::{end_time_slice, runqget, runqputslow};
use super::park::{Park, gopark, goready};
use super::proc::{
    GLOBAL_QUEUE_TICKS, Many, execute, global_queue_len, globrunqget, globrunqget_in_turn,
};
use super::procresize::{Allp, allp};
use super::pstatus::PStatus;
use super::runtime2::{G, M, P};
use super::syscall::{need_p, try_entersyscall};
use super::timers::wake_time;
use super::{GOMAXPROCS, NCPU, SCHED, getp, netpoll, timers};
use crate::debug::trace;
use crate::os;

/// How often a thief goes round all Ps.
const STEAL_ROUNDS: u32 = 4;

/// How often, in ticks, the clock is asked whether a timer is due, while there is always
/// something to run: asking costs as much as two switches. sysmon's clock is looked at
/// each time.
const TIMER_TICKS: u32 = 4;

/// With so many on its queue a P runs those first, before it readies more by its timers:
/// who has just been readied is still in the caches, of which thousands at a time would
/// push each other out before they run.
const CROWD: u32 = 64;

/// How often, in ticks, the timers are looked at while the queue is as long as that. Each
/// time they ready some 16, so that the queue gets no longer, and none waits for ever. But
/// a tick may be a whole time slice long: sysmon asks for those that are late.
const CROWD_TICKS: u32 = 16;

/// How long a thief leaves a P alone with what it has just readied, in PAUSEs, some 2 µs:
/// who readies another often stops soon, and then runs it at once. Go sleeps instead for
/// 3 µs, which the kernel makes 60 of.
const STEAL_NEXT_DELAY: u32 = 50;

/// What [`super::proc::schedule`] does from the first `go` on.
pub(super) fn schedule_many(mp: &'static M) -> ! {
    loop {
        // SAFETY: a G is never freed.
        if let Some(gp) = unsafe { mp.lockedg.get().as_ref() } {
            stoplockedm(mp);
            execute(mp, gp, false); // never another's
        }
        let (gp, inherit_time) = find_runnable(mp);
        if mp.spinning.get() {
            resetspinning(mp);
        }
        if !gp.lockedm.load(Ordering::Relaxed).is_null() {
            // The owner wrote it before it gave way. Its M shall have the P.
            startlockedm(mp, gp);
            continue;
        }
        execute(mp, gp, inherit_time)
    }
}

/// Finds a goroutine to run, and sleeps until there is one. On g0, with a P, maybe
/// not the same in the end.
///
/// When sysmon has said that the time slice is over, nobody inherits it: runnext
/// goes to the queue's end, and the global queue comes first. Go asks only the
/// goroutine that runs, which a chain of short ones, each the next one's
/// runnext, can keep up for ever while all others wait.
#[unsafe(export_name = "runtime.findRunnable")]
#[inline(never)]
fn find_runnable(mp: &'static M) -> (&'static G, bool) {
    loop {
        if SCHED.gcwaiting.load(Ordering::Relaxed) {
            gcstopm(mp); // a request; who made it asks again
            continue;
        }
        let pp = getp(mp);
        if let Some(found) = at_hand(pp) {
            return found;
        }
        let (mut now, mut poll_until, _) = check_timers(pp, 0);
        if let Some((gp, inherit_time)) = runqget(pp) {
            return (gp, inherit_time);
        }
        if let Some(gp) = from_global_queue(pp) {
            return (gp, false);
        }
        let procs = GOMAXPROCS.load(Ordering::Relaxed); // changes with the world stopped
        if mp.spinning.get() || SCHED.spinning.join(procs) {
            mp.spinning.set(true);
            match steal_work(mp, pp, &mut now, &mut poll_until) {
                Stolen::Goroutine(gp, inherit_time) => return (gp, inherit_time),
                Stolen::LookAgain => continue,
                Stolen::Nothing => {}
            }
        }
        if let Some(gp) = sleep_until_work(mp, pp, now, poll_until) {
            return (gp, false);
        }
    }
}

/// Looks at what is at hand: every 61st time in the global queue, then in the P's own.
#[inline(always)]
fn at_hand(pp: &'static P) -> Option<(&'static G, bool)> {
    let tick = pp.schedtick.load(Ordering::Relaxed); // only we write it
    let expired = pp.preempt.load(Ordering::Relaxed); // a request; a lost one comes again
    if expired {
        end_time_slice(pp);
    }
    if timers_due(pp, tick) {
        check_timers(pp, 0);
    }
    if (expired || tick.is_multiple_of(GLOBAL_QUEUE_TICKS)) && global_queue_len() > 0 {
        let mut sched = SCHED.lock.lock();
        if let Some(gp) = globrunqget_in_turn(&mut sched, pp) {
            return Some((gp, false));
        }
    }
    runqget(pp)
}

/// Calls what is due of a P's timers; see `timers::check`.
fn check_timers(pp: &'static P, now: i64) -> (i64, i64, bool) {
    timers::hooks().map_or((now, 0, false), |timers| (timers.check)(pp, now))
}

/// Makes the time an earlier one, if `when` is; 0 is none.
fn sooner(time: &mut i64, when: i64) {
    if when != 0 && (*time == 0 || when < *time) {
        *time = when;
    }
}

/// Makes the time that of the first of all Ps' timers, if that is earlier.
pub(super) fn soonest(all: &Allp, time: &mut i64) {
    for pp in all.iter() {
        sooner(time, wake_time(pp));
    }
}

/// Tells whether the P's timers are to be looked at, in this tick.
pub(super) fn timers_due(pp: &P, tick: u32) -> bool {
    let when = wake_time(pp);
    if when == 0 {
        return false;
    }
    cold_path(); // who has none shall not jump
    // Relaxed: a time, ordered with nothing.
    (tick.is_multiple_of(TIMER_TICKS) || when <= SCHED.now.load(Ordering::Relaxed))
        && (tick.is_multiple_of(CROWD_TICKS) || !is_crowded(pp) || pp.late.load(Ordering::Relaxed)) // a request, ordered with nothing
}

/// Tells whether the P has enough to run for a while.
pub(super) fn is_crowded(pp: &P) -> bool {
    pp.runq.len() >= CROWD
}

/// Takes a share of the global queue.
fn from_global_queue(pp: &'static P) -> Option<&'static G> {
    if global_queue_len() == 0 {
        return None;
    }
    globrunqget(&mut SCHED.lock.lock(), pp)
}

/// What a thief comes back with.
enum Stolen {
    Goroutine(&'static G, bool),
    /// A timer ran, or the world is to stop.
    LookAgain,
    Nothing,
}

/// Goes round the other Ps, each time in another order, and takes half of what the
/// first that has something has; in the last round also its timers that are due and
/// what it would run next.
#[unsafe(export_name = "runtime.stealWork")]
#[inline(never)]
fn steal_work(mp: &'static M, pp: &'static P, now: &mut i64, poll_until: &mut i64) -> Stolen {
    let all = allp();
    let count = all.len();
    let mut ran_timer = false;
    for round in 0..STEAL_ROUNDS {
        let last = round == STEAL_ROUNDS - 1;
        let random = super::cheaprand(mp);
        let (mut at, stride) = order(random, count as u32);
        for _ in 0..count {
            if SCHED.gcwaiting.load(Ordering::Relaxed) {
                return Stolen::LookAgain; // a request
            }
            at = (at + stride) % count as u32;
            let Some(victim) = all.get(at as usize) else {
                continue;
            };
            if ptr::eq(victim, pp) {
                continue;
            }
            if last {
                let (tnow, when, ran) = check_timers(victim, *now);
                *now = tnow;
                sooner(poll_until, when);
                if ran {
                    // What it readied is in our queue.
                    if let Some((gp, inherit_time)) = runqget(pp) {
                        return Stolen::Goroutine(gp, inherit_time);
                    }
                    ran_timer = true;
                }
            }
            if let Some(gp) = runqsteal(pp, victim, last) {
                return Stolen::Goroutine(gp, false);
            }
        }
    }
    if ran_timer {
        Stolen::LookAgain
    } else {
        Stolen::Nothing
    }
}

/// Steals from a P's queue into our own, and takes one of it.
fn runqsteal(pp: &'static P, victim: &'static P, next_too: bool) -> Option<&'static G> {
    let leave_alone = || {
        if !victim.state.is(PStatus::Running) {
            return; // a hint
        }
        if NCPU.load(Ordering::Relaxed) > 1 {
            (0..STEAL_NEXT_DELAY).for_each(|_| spin_loop()); // written at boot
        } else {
            os::osyield(); // it has the only CPU
        }
    };
    let (gp, was_next) = pp.runq.steal_from(&victim.runq, next_too, leave_alone)?;
    // SAFETY: what a run queue holds are Gs, which are never freed.
    let gp = unsafe { &*gp };
    trace::steal(pp, victim);
    if was_next {
        trace::taken_next(pp, gp);
    }
    Some(gp)
}

/// Chooses a way through `count` Ps that comes by each of them once: where to begin,
/// and by how many to go on, which has no divisor with `count` in common.
fn order(random: u32, count: u32) -> (u32, u32) {
    const fn gcd(a: u32, b: u32) -> u32 {
        if b == 0 { a } else { gcd(b, a % b) }
    }
    let mut stride = random / count % count + 1;
    while gcd(stride, count) != 1 {
        stride = stride % count + 1;
    }
    (random % count, stride)
}

/// Gives the P up, looks everywhere once more, and sleeps until there is something to
/// do, or until `poll_until` if nobody else does. Then this M has a P again. On g0.
#[inline(never)]
fn sleep_until_work(
    mp: &'static M,
    pp: &'static P,
    mut now: i64,
    mut poll_until: i64,
) -> Option<&'static G> {
    let all = allp(); // as it is while we have a P
    let mut sched = SCHED.lock.lock();
    if SCHED.gcwaiting.load(Ordering::Relaxed) {
        return None; // under the lock
    }
    if let Some(gp) = globrunqget(&mut sched, pp) {
        return Some(gp);
    }
    releasep(mp);
    pidleput(&mut sched, pp);
    drop(sched);

    let was_spinning = mp.spinning.replace(false);
    if SCHED.spinning.rest(was_spinning) {
        if let Some(pp) = p_for_queued(&all) {
            acquirep(mp, pp);
            become_spinning(mp);
            return None;
        }
        soonest(&all, &mut poll_until);
    }
    // A time may be that of a timer that has been stopped. Where there are no others
    // nobody is to wait for it: all may be asleep for good.
    if !timers::hooks().is_some_and(|timers| (timers.any)()) {
        netpoll::interrupt();
    } else if poll_until != 0 {
        if let Some(word) = netpoll::begin() {
            if now == 0 {
                now = os::nanotime();
            }
            netpoll::wait(word, poll_until, now);
            if let Some(pp) = idle_p_in_time() {
                acquirep(mp, pp);
                if was_spinning {
                    become_spinning(mp);
                }
                return None;
            }
        } else {
            netpoll::until(poll_until);
        }
    }
    stopm(mp);
    None
}

/// Looks at all queues again, and takes an idle P if there is something in one.
fn p_for_queued(all: &Allp) -> Option<&'static P> {
    if global_queue_len() > 0 || all.any_queued() {
        return pidleget(&mut SCHED.lock.lock());
    }
    None
}

/// This M looks for work from now on.
fn become_spinning(mp: &'static M) {
    mp.spinning.set(true);
    SCHED.spinning.add();
}

/// It has found some: where there is one there may be more, for somebody else.
fn resetspinning(mp: &'static M) {
    mp.spinning.set(false);
    SCHED.spinning.leave();
    wakep();
}

/// From here on there is more to do than to run the main goroutine: others, or timers.
pub(super) fn start_many() {
    static MANY: Many = Many {
        schedule: schedule_many,
        runqputslow,
        exit: exit_to_next,
        try_entersyscall,
        need_p,
        park: Park {
            need_p,
            gopark,
            goready,
        },
        gosched: super::gosched,
        mexit,
        #[cfg(not(feature = "archive"))]
        freeze: super::freeze::freeze_the_world,
        #[cfg(not(feature = "archive"))]
        fault: crate::debug::fatal::fault_in_handler,
    };
    SCHED
        .many
        .store(ptr::from_ref(&MANY).cast_mut(), Ordering::Release); // pairs with many()
}
