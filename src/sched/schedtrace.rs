//! `GODEBUG=schedtrace=MS`: the scheduler's state on stderr, every MS milliseconds; with
//! `scheddetail=1` also each P, M and goroutine.
//!
//! Go's counterpart: `schedtrace` in `runtime/proc.go`, and its format, so that what
//! reads Go's lines reads these:
//!
//! ```text
//! SCHED 1004ms: gomaxprocs=2 idleprocs=0 threads=4 spinningthreads=0 needspinning=0 idlethreads=1 runqueue=0 [ 0 1 ] schedticks=[ 120 93 ]
//! ```
//!
//! Times count from the first line. In brackets stand the lengths of the Ps' queues, and
//! how often each P has run another goroutine. What Go has and gort has not is there and
//! says nothing: `needspinning`, `mallocing` and `throwing` are 0, `preemptoff` is empty.
//! An M is `blocked` when it has neither a P nor a goroutine and is not sysmon, which
//! looks. Dead goroutines are left out.
//!
//! sysmon prints it, and does not sleep deep meanwhile: an idle program that is traced
//! wakes up a hundred times a second. The first line comes with the scheduler, at the
//! first `go` or timer. Go's comes at the start; but up to then there is one goroutine on
//! one thread, of which every line would say the same, and the shortest program would be
//! three times as large if it had sysmon, and all that sysmon has, for that.
//!
//! Invariants:
//! 1. Lines are put together in a buffer on sysmon's stack and written as wholes, as many
//!    as fit at a time, and never with a lock held: whoever reads them slowly holds up
//!    sysmon and nobody else.
//! 2. What another thread may be writing meanwhile is read once, by itself: a number may
//!    be a moment old, and two of them may not fit together, but none is made up.
//! 3. An M's number changes under `sched.lock` only, when it is another's: it is read
//!    there.
//!
//! Without the feature `trace` nobody calls any of this.

use core::cell::Cell;
use core::ptr;
use core::sync::atomic::{AtomicI64, Ordering};

use super::gfree::allgs;
use super::procresize::allp;
use super::runtime2::{G, GStatus, M, P};
use super::{GOMAXPROCS, SCHED, SchedLocked, acquirem, releasem, timers};
use crate::boot;
use crate::debug::print::Line;

/// What a line of a thousand Ps needs: 15 bytes for each, and 250 for the rest.
const ROOM: usize = 16 << 10;

/// The longest line of one P, M or goroutine.
const DETAIL: usize = 256;

type Lines = Line<ROOM>;

/// When the first line was printed, and the last, in nanoseconds; 0 before. Only sysmon
/// reads and writes them.
static START: AtomicI64 = AtomicI64::new(0);
static LAST: AtomicI64 = AtomicI64::new(0);

/// Starts sysmon if the trace is wanted. With the first timer: the first `go` does it
/// anyway. From a goroutine or an M without a P.
#[cfg_attr(not(feature = "trace"), inline(always))]
pub(super) fn start() {
    if wanted() {
        super::machine::start_sysmon();
    }
}

/// Tells whether the trace is wanted.
pub(super) fn wanted() -> bool {
    boot::schedtrace().0 > 0
}

/// Prints the trace when it is time to. By sysmon, which looks at the clock.
pub(super) fn tick(now: i64) {
    let (milliseconds, detailed) = boot::schedtrace();
    let last = LAST.load(Ordering::Relaxed); // ours
    if milliseconds == 0 || (last != 0 && last + i64::from(milliseconds) * 1_000_000 > now) {
        return;
    }
    LAST.store(now, Ordering::Relaxed); // as above
    super::sysmon::look_away(); // who reads the lines may keep us waiting
    if last == 0 {
        START.store(now, Ordering::Relaxed); // as above
    }
    schedtrace(now - START.load(Ordering::Relaxed), detailed); // as above
}

/// Prints the trace.
#[unsafe(export_name = "runtime.schedtrace")]
#[inline(never)]
fn schedtrace(since: i64, detailed: bool) {
    let mut lines = Lines::new();
    summary(&mut lines, &SCHED.lock.lock(), since, detailed);
    lines.print();
    if detailed {
        print_ps(&mut lines);
        print_ms(&mut lines);
        print_gs(&mut lines);
    }
}

/// The line on all of it.
fn summary(line: &mut Lines, sched: &SchedLocked, since: i64, detailed: bool) {
    let counts = [
        since as u64 / 1_000_000,
        GOMAXPROCS.load(Ordering::Relaxed) as u64, // a hint, as all that follows
        SCHED.spinning.idle() as u64,
        (sched.mnext - sched.nmfreed) as u64,
        SCHED.spinning.spinning().max(0) as u64,
        sched.nmidle as u64,
        sched.runq.len() as u64,
    ];
    line.add(
        "SCHED %dms: gomaxprocs=%d idleprocs=%d threads=%d spinningthreads=%d needspinning=0 idlethreads=%d runqueue=%d",
        &counts,
        &[],
    );
    if detailed {
        let waiting = SCHED.gcwaiting.load(Ordering::Relaxed); // as above
        let asleep = SCHED.sysmonwait.load(Ordering::Relaxed); // as above
        line.add(
            " gcwaiting=%s nmidlelocked=%s%d stopwait=%d sysmonwait=%s",
            &[
                sched.nmidlelocked.unsigned_abs().into(),
                sched.stopwait as u64,
            ],
            &[truth(waiting), sign(sched.nmidlelocked), truth(asleep)],
        );
        return;
    }
    line.add(" [", &[], &[]);
    for pp in allp().iter() {
        line.add(" %d", &[pp.runq.len().into()], &[]);
    }
    line.add(" ] schedticks=[", &[], &[]);
    for pp in allp().iter() {
        let tick = pp.schedtick.load(Ordering::Relaxed); // as above
        line.add(" %d", &[tick.into()], &[]);
    }
    line.add(" ]", &[], &[]);
}

/// A line for each P.
fn print_ps(lines: &mut Lines) {
    for pp in allp().iter() {
        print_p(lines, pp, &SCHED.lock.lock());
        finish(lines);
    }
    flush(lines);
}

fn print_p(line: &mut Lines, pp: &P, locked: &SchedLocked) {
    let (status, syscalltick) = pp.state.numbers();
    let tick = pp.schedtick.load(Ordering::Relaxed); // a hint
    begin(line);
    let numbers = [
        pp.id.get() as u64,
        status.into(),
        tick.into(),
        syscalltick.into(),
    ];
    line.add(
        "  P%d: status=%d schedtick=%d syscalltick=%d m=",
        &numbers,
        &[],
    );
    // SAFETY: an M is never freed.
    or_nil(
        line,
        number_of(unsafe { pp.m.load(Ordering::Relaxed).as_ref() }, locked),
    ); // a hint
    line.add(
        " runqsize=%d gfreecnt=%d timerslen=%d",
        &[
            pp.runq.len().into(),
            peek(&pp.g_free.size).into(),
            timers::count(pp) as u64,
        ],
        &[],
    );
}

/// A line for each M that has not ended, the youngest first. The lock is given back
/// wherever the buffer is full: the list goes on behind the last number.
fn print_ms(lines: &mut Lines) {
    let mut below = i64::MAX;
    while below > 0 {
        let sched = SCHED.lock.lock();
        // SAFETY: an M is never freed; the list is behind the lock.
        let mut rest = unsafe { sched.allm.as_ref() };
        below = loop {
            let Some(mp) = rest else { break 0 };
            let id = mp.id.get();
            if id < below {
                if lines.room() < DETAIL {
                    break id + 1;
                }
                print_m(lines, mp, &sched);
            }
            // SAFETY: as above.
            rest = unsafe { mp.alllink.get().as_ref() };
        };
        drop(sched);
        flush(lines);
    }
}

fn print_m(line: &mut Lines, mp: &'static M, locked: &SchedLocked) {
    let me = acquirem();
    releasem(); // sysmon's g0 does not move
    // SAFETY: a P is never freed.
    let pp = unsafe { mp.p.load(Ordering::Relaxed).as_ref() }; // a hint
    // SAFETY: a G is never freed.
    let curg = unsafe { mp.curg.load(Ordering::Relaxed).as_ref() }; // a hint
    // SAFETY: as above.
    let g0 = unsafe { peek(&mp.g0).as_ref() };
    // SAFETY: as above.
    let lockedg = unsafe { peek(&mp.lockedg).as_ref() };
    let spinning = peek(&mp.spinning);
    let blocked = pp.is_none() && curg.is_none() && !spinning && !ptr::eq(mp, me);
    let locks: i32 = [curg, g0]
        .into_iter()
        .flatten()
        .map(|gp| gp.locks.load(Ordering::Relaxed)) // a hint
        .sum();
    let goid = |gp: Option<&G>| gp.map(|gp| peek(&gp.goid));
    begin(line);
    line.add(
        "  M%d: p=",
        &[number_of(Some(mp), locked).unwrap_or(0)],
        &[],
    );
    or_nil(line, pp.map(|pp| pp.id.get() as u64));
    line.add(" curg=", &[], &[]);
    or_nil(line, goid(curg));
    line.add(
        " mallocing=0 throwing=0 preemptoff= locks=%s%d dying=%d spinning=%s blocked=%s lockedg=",
        &[locks.unsigned_abs().into(), peek(&mp.dying) as u64],
        &[sign(locks), truth(spinning), truth(blocked)],
    );
    or_nil(line, goid(lockedg));
}

/// A line for each goroutine that is not dead, the runtime's own too.
fn print_gs(lines: &mut Lines) {
    allgs(|gp| {
        let status = super::readgstatus(gp);
        if status != GStatus::Dead as u32 && status != GStatus::Idle as u32 {
            print_g(lines, gp, status, &SCHED.lock.lock());
            finish(lines);
        }
    });
    flush(lines);
}

fn print_g(line: &mut Lines, gp: &G, status: u32, locked: &SchedLocked) {
    let reason = peek(&gp.waitreason).map_or("", |reason| reason.text());
    begin(line);
    line.add(
        "  G%d: status=%d(%s) m=",
        &[peek(&gp.goid), status.into()],
        &[reason.as_bytes()],
    );
    // SAFETY: an M is never freed.
    or_nil(
        line,
        number_of(unsafe { gp.m.load(Ordering::Relaxed).as_ref() }, locked),
    ); // a hint
    line.add(" lockedm=", &[], &[]);
    // SAFETY: as above.
    let lockedm = unsafe { gp.lockedm.load(Ordering::Relaxed).as_ref() }; // a hint
    or_nil(line, number_of(lockedm, locked));
}

/// Begins a line, behind those in the buffer.
fn begin(lines: &mut Lines) {
    if lines.room() + 1 < ROOM {
        lines.add("\n", &[], &[]);
    }
}

/// Writes what is in the buffer if the next line might not fit. Without locks.
fn finish(lines: &mut Lines) {
    if lines.room() < DETAIL {
        flush(lines);
    }
}

/// Writes what is in the buffer. Without locks.
fn flush(lines: &mut Lines) {
    if lines.room() + 1 < ROOM {
        lines.print();
    }
}

/// Returns an M's number.
fn number_of(mp: Option<&M>, _: &SchedLocked) -> Option<u64> {
    mp.map(|mp| mp.id.get() as u64)
}

/// Appends a number, or Go's word for none.
fn or_nil(line: &mut Lines, number: Option<u64>) {
    match number {
        Some(number) => line.add("%d", &[number], &[]),
        None => line.add("nil", &[], &[]),
    }
}

fn truth(what: bool) -> &'static [u8] {
    if what { b"true" } else { b"false" }
}

fn sign(number: i32) -> &'static [u8] {
    if number < 0 { b"-" } else { b"" }
}

/// Reads a field that is somebody else's, who may be writing it: a word that the
/// hardware reads and writes as a whole.
fn peek<T: Copy>(field: &Cell<T>) -> T {
    const { assert!(size_of::<T>() <= size_of::<usize>()) };
    // SAFETY: the field lives for ever, and whatever is found in it was put there: each
    // of these types is one word, or less, which is never seen half-written. Volatile, so
    // that the compiler takes it for no more than a look.
    unsafe { field.as_ptr().read_volatile() }
}
