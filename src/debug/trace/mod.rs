//! `GORT_TRACE=FILE`: what the scheduler does, event by event, in a file that
//! `cargo xtask trace` makes a page of, or what Perfetto opens.
//!
//! Go's counterparts: `runtime/trace.go` and its like, `go tool trace`. With the feature
//! `sched-trace` alone: without it all of these functions are nothing. `docs/trace.md`
//! tells how to use it.
//!
//! | file | what it holds |
//! | --- | --- |
//! | here | what the scheduler calls |
//! | `words` | what is written down, and the file's format |
//! | `ring` | the words of one P, until they are in the file |
//! | `names` | numbers for texts |
//! | `extra` | what happens without a P |
//! | `out` | what goes to the file |
//! | `chrome` | the same in Chrome's format |
//! | `writer` | the thread that writes the file |
//! | `wait` | who waits for it: a full ring, and the program's end |
//!
//! ```text
//!   P 0's owner --> ring --+
//!   P 1's owner --> ring --+--> the writer's thread, every 5 ms --> FILE
//!   anybody else -> extra -+    at once when one fills up, and at the program's end
//! ```
//!
//! What stands in the middle of a switch calls nothing that is not far off: a call there, of a
//! closure say, costs more than the event. And that a goroutine was readied is said with what
//! becomes of it: see `words`. So whoever takes a P's next from its place has to say so
//! (`leaves_next`, `taken_next`, or one of the ways to leave the P to it), and whoever puts
//! somebody there who was runnable before, too (`put_back`).
//!
//! Whoever calls one of these holds the P and keeps it (`acquirem`, or on g0), or says
//! that it has none. It may hold any lock, and have stopped the world, since all that these
//! ever wait for is the writer, where there is nearly no room left, and the writer waits for
//! nobody: it has no P, takes no signal and no lock of the scheduler's. A file that stands
//! still is waited for once, for two seconds: then what finds no room is lost, and counted.
//! Not from signal handlers: those may have interrupted one.

#[cfg(feature = "sched-trace")]
mod chrome;
#[cfg(feature = "sched-trace")]
mod extra;
#[cfg(feature = "sched-trace")]
mod names;
#[cfg(feature = "sched-trace")]
mod out;
#[cfg(feature = "sched-trace")]
mod ring;
#[cfg(feature = "sched-trace")]
mod wait;
#[cfg(feature = "sched-trace")]
mod words;
#[cfg(feature = "sched-trace")]
mod writer;

#[cfg(feature = "sched-trace")]
use core::hint::cold_path;
#[cfg(feature = "sched-trace")]
use core::ptr;
#[cfg(feature = "sched-trace")]
use core::sync::atomic;
#[cfg(feature = "sched-trace")]
use core::sync::atomic::Ordering;

use crate::sched::{G, M, P, WaitReason};

#[cfg(feature = "sched-trace")]
pub(crate) use wait::finish;
#[cfg(feature = "sched-trace")]
pub(crate) use writer::{boot_step, is_on, new_p, start, start_writer};

/// What takes the place of all that where the feature is left out.
#[cfg(not(feature = "sched-trace"))]
mod off {
    /// Nothing ends.
    #[inline(always)]
    pub(crate) fn finish(_: i32) {}

    /// No ring.
    #[inline(always)]
    pub(crate) fn new_p(_: &'static crate::sched::P) {}

    /// No thread.
    #[inline(always)]
    pub(crate) fn start_writer() {}

    /// It never is.
    #[inline(always)]
    pub(crate) fn is_on() -> bool {
        false
    }

    /// Says that nobody listens.
    #[inline(always)]
    pub(crate) fn start() {}
}

#[cfg(not(feature = "sched-trace"))]
pub(crate) use off::{finish, is_on, new_p, start, start_writer};

/// The numbers of reasons and places.
#[cfg(feature = "sched-trace")]
static REASONS: names::Names<64> = names::Names::new();
#[cfg(feature = "sched-trace")]
static PLACES: names::Names<1024> = names::Names::new();

/// How the current goroutine leaves its P to another one.
#[cfg_attr(
    not(feature = "sched-trace"),
    expect(dead_code, reason = "nobody wants to know")
)]
#[derive(Clone, Copy)]
pub(crate) enum Leaves {
    /// It parks.
    Parks(WaitReason),
    /// It ends.
    Ends,
}

/// Returns the ring of a P, if there is a trace.
#[cfg(feature = "sched-trace")]
#[inline(always)]
fn ring_of(pp: &P) -> Option<&'static ring::Ring> {
    // SAFETY: null, or what new_p put there before others knew the P; it is never freed.
    unsafe { pp.trace.get().cast::<ring::Ring>().as_ref() }
}

/// Calls `f` with the ring of a P, if there is a trace.
#[cfg(feature = "sched-trace")]
#[inline(always)]
fn with(pp: &P, f: impl FnOnce(&'static ring::Ring)) {
    if let Some(ring) = ring_of(pp) {
        f(ring);
    }
}

/// Returns the P that an M holds, our own.
#[cfg(feature = "sched-trace")]
#[inline(always)]
fn p_of(mp: &M) -> Option<&'static P> {
    // SAFETY: null, or a P, which is never freed. Relaxed: our own thread wrote it.
    unsafe { mp.p.load(Ordering::Relaxed).as_ref() }
}

/// Calls `f` with the ring of that P, if there is a trace.
#[cfg(feature = "sched-trace")]
#[inline(always)]
fn with_m(mp: &M, f: impl FnOnce(&'static ring::Ring)) {
    if let Some(pp) = p_of(mp) {
        with(pp, f);
    }
}

/// Defines what the scheduler calls: each does nothing without the feature.
macro_rules! hooks {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $type:ty),*) $body:block)*) => {$(
        $(#[$doc])*
        #[inline(always)]
        #[cfg_attr(
            not(feature = "sched-trace"),
            allow(unused_variables, reason = "nobody wants to know")
        )]
        pub(crate) fn $name($($argument: $type),*) {
            #[cfg(feature = "sched-trace")]
            $body
        }
    )*};
}

hooks! {
    /// The P runs a goroutine, from the scheduler.
    run(mp: &M, gp: &G) {
        if let Some(pp) = p_of(mp) && let Some(ring) = ring_of(pp) {
            if pp.runq.has_next() {
                cold_number(ring, words::NEXT, 0); // by the scheduler: not by who runs now
            }
            ring.put_long_goid(words::RUN, gp.goid.get(), clock);
        }
    }

    /// The current goroutine parks; the scheduler comes.
    park(mp: &M, reason: WaitReason) {
        with_m(mp, |ring| {
            _ = say_reason(ring, Leaves::Parks(reason)) && ring.put_bare(words::PARK, clock);
        });
    }

    /// The current goroutine leaves the P to `next`, which was in its queue.
    leave_to(pp: &P, leaves: Leaves, next: &G) {
        // No closure: one that is called would cost a switch more than all the rest.
        if let Some(ring) = ring_of(pp) && say_reason(ring, leaves) {
            ring.put_goid(leaves.to_queued(), next.goid.get(), clock);
        }
    }

    /// The same; `next` was the P's next, and nothing says yet that it was readied.
    leave_to_next(pp: &P, leaves: Leaves, next: &G) {
        if let Some(ring) = ring_of(pp) {
            if !say_reason(ring, leaves) {
                cold_path();
                was_said(next); // that is lost with the event
            } else if !ring.put_near(leaves.to_next(), next.trace_goid.get(), clock) {
                leave_to_far_next(ring, leaves, next);
            }
        }
    }

    /// The goroutine that has just parked is the current one again.
    refused(mp: &M, gp: &G) {
        with_m(mp, |ring| cold(ring, words::REFUSED, gp));
    }

    /// The current goroutine ends; the scheduler comes.
    end(mp: &M) {
        with_m(mp, |ring| _ = ring.put_bare(words::END, clock));
    }

    /// The current goroutine gives way to `next`.
    yield_run(pp: &P, next: &G) {
        with(pp, |ring| _ = ring.put_goid(words::YIELD_RUN, next.goid.get(), clock));
    }

    /// The current goroutine gives way; the scheduler comes.
    yields(mp: &M) {
        with_m(mp, |ring| _ = ring.put_bare(words::YIELD, clock));
    }

    /// The current goroutine is made to give way.
    preempt(mp: &M) {
        with_m(mp, |ring| _ = ring.put_bare(words::PREEMPT, clock));
    }

    /// A goroutine that was parked may go on, and is to be the P's next. What is said of that
    /// comes when it leaves that place; here only its time, if it is to have one of its own.
    /// Before others can find it.
    next_is(pp: &P, gp: &G) {
        with(pp, |ring| ring.note_next(gp.goid.get(), clock));
    }

    /// A goroutine is made, and is to be the P's next. Before others can find it.
    create(pp: &P, gp: &G) {
        let goid = gp.goid.get();
        gp.trace_goid.set(goid | words::SAID);
        with(pp, |ring| {
            let place = gp.gopc.get().map_or(0, |place| ptr::from_ref(place).addr());
            _ = ring.place(place, number_of_place, clock)
                && ring.put_goid(words::CREATE, goid, clock);
        });
    }

    /// Who was the P's next, and has been taken from there, does not run at once. Before
    /// others can find it.
    leaves_next(pp: &P, gp: &G) {
        let was_said = was_said(gp);
        if let Some(ring) = ring_of(pp) && !was_said {
            ring.put_goid(words::READY, gp.goid.get(), clock);
        }
    }

    /// The P has taken it from another P, whose next it was: right behind `steal`.
    taken_next(pp: &P, gp: &G) {
        let was_said = was_said(gp);
        if let Some(ring) = ring_of(pp) && !was_said {
            ring.put_long_goid(words::TAKEN, gp.goid.get(), clock);
        }
    }

    /// A goroutine is put back as the P's next, from there or from the queue, where it has been
    /// said already that it may run. Before others can find it.
    put_back(pp: &P, gp: &G, was_next: bool) {
        if was_next {
            leaves_next(pp, gp); // while who readied it is the current one
        }
        gp.trace_goid.set(gp.goid.get() | words::SAID);
    }

    /// A goroutine may go on, says an M without a P.
    ready_without_p(mp: &M, gp: &G) {
        extra::put(words::extra::READY, mp.id.get() as u32, gp.goid.get());
    }

    /// The current goroutine goes into a system call. While the P is still its own.
    /// With its time, as when it comes back, since what it does may last.
    enter(pp: &P) {
        with(pp, |ring| cold_number(ring, words::ENTER, 0));
    }

    /// It is back, with this P.
    exit(mp: &M, gp: &G) {
        with_m(mp, |ring| cold(ring, words::EXIT, gp));
    }

    /// It is back, and there is no P for it. Before others can find it.
    exit_without_p(mp: &M, gp: &G) {
        extra::put(words::extra::EXIT, mp.id.get() as u32, gp.goid.get());
    }

    /// The M has the P from now on.
    start_p(mp: &M, pp: &P) {
        with(pp, |ring| cold_number(ring, words::P_START, mp.id.get() as u32));
    }

    /// The M is about to give its P up.
    stop_p(pp: &P) {
        with(pp, |ring| cold_number(ring, words::P_STOP, 0));
    }

    /// The P has taken goroutines from another one.
    steal(pp: &P, victim: &P) {
        with(pp, |ring| cold_number(ring, words::STEAL, victim.id.get() as u32));
    }

    /// A timer's function is about to be called. On g0, or on a goroutine.
    timer() {
        let mp = crate::sched::acquirem();
        with_m(mp, |ring| cold_number(ring, words::TIMER, 0));
        crate::sched::releasem();
    }

    /// The P has been taken out of a system call.
    retake(pp: &P) {
        extra::put(words::extra::RETAKE, pp.id.get() as u32, 0);
    }

    /// The M's thread has begun.
    start_m(mp: &M) {
        extra::put(words::extra::M_START, mp.id.get() as u32, mp.procid.get());
    }

    /// The M's thread ends.
    end_m(mp: &M) {
        extra::put(words::extra::M_END, mp.id.get() as u32, 0);
    }

    /// The M goes to sleep.
    park_m(mp: &M) {
        extra::put(words::extra::M_PARK, mp.id.get() as u32, 0);
    }

    /// It has been woken.
    unpark_m(mp: &M) {
        extra::put(words::extra::M_UNPARK, mp.id.get() as u32, 0);
    }

    /// The M is about to stop the world.
    stop_world(mp: &M) {
        extra::put(words::extra::STOP, mp.id.get() as u32, 0);
    }

    /// It goes on, with that many Ps.
    start_world(mp: &M, procs: i32) {
        extra::put(words::extra::START, mp.id.get() as u32, procs as u64);
    }
}

/// Reads the counter for a ring. Where that fills up it wakes the writer, and if it fills
/// up nevertheless, since that gets no CPU or the file is slow, waits for it.
#[cfg(feature = "sched-trace")]
fn clock(ring: &ring::Ring) -> u64 {
    match ring.eighths() {
        0..wait::MANY => {}
        wait::MANY..wait::FULL => writer::hurry(),
        _ => wait::for_ring(ring),
    }
    if ring.is_exact() {
        crate::arch::cputicks() // in the order in which things happen
    } else {
        crate::arch::ticks()
    }
}

/// Says why goroutines park from here on, if the current one does.
#[cfg(feature = "sched-trace")]
#[inline(always)]
fn say_reason(ring: &ring::Ring, leaves: Leaves) -> bool {
    match leaves {
        Leaves::Parks(reason) => {
            ring.reason(reason.address(), |address| REASONS.number(address), clock)
        }
        Leaves::Ends => true,
    }
}

#[cfg(feature = "sched-trace")]
impl Leaves {
    /// Returns the kind of the event, where who goes on was in the queue.
    #[inline(always)]
    const fn to_queued(self) -> u32 {
        match self {
            Leaves::Parks(_) => words::PARK_RUN,
            Leaves::Ends => words::END_RUN,
        }
    }

    /// The same where it was the P's next.
    #[inline(always)]
    const fn to_next(self) -> u32 {
        match self {
            Leaves::Parks(_) => words::PARK_NEXT,
            Leaves::Ends => words::END_NEXT,
        }
    }
}

/// Writes that the P goes on with its next one, of which more has been said, or which is not
/// near.
#[cfg(feature = "sched-trace")]
#[inline(never)]
fn leave_to_far_next(ring: &ring::Ring, leaves: Leaves, next: &G) {
    let goid = next.goid.get();
    if was_said(next) {
        ring.put_goid(leaves.to_queued(), goid, clock);
    } else {
        ring.put_long_goid(leaves.to_next(), goid, clock);
    }
}

/// Tells whether it has been said that the goroutine may run, which was a P's next and is
/// not any more.
#[cfg(feature = "sched-trace")]
#[inline(always)]
fn was_said(gp: &G) -> bool {
    gp.trace_goid.replace(gp.goid.get()) & words::SAID != 0
}

/// Returns the number of a place, whose address may be 0.
#[cfg(feature = "sched-trace")]
fn number_of_place(address: usize) -> u32 {
    if address == 0 {
        names::UNKNOWN
    } else {
        PLACES.number(address)
    }
}

/// Writes what does not happen often, about a goroutine.
#[cfg(feature = "sched-trace")]
#[cold]
#[inline(never)]
fn cold(ring: &ring::Ring, kind: u32, gp: &G) {
    ring.ask();
    ring.put_long_goid(kind, gp.goid.get(), clock);
}

/// The same with a number.
#[cfg(feature = "sched-trace")]
#[cold]
#[inline(never)]
fn cold_number(ring: &ring::Ring, kind: u32, number: u32) {
    ring.ask();
    ring.put_long(kind, number, clock);
}
