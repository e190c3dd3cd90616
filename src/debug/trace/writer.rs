//! Who writes the file: a thread of its own, an M that never has a P. It begins with the
//! second goroutine, with sysmon; before that, and where there is no room for a thread, who
//! would wait for it does its work instead: [`write_now`]. (He is held up for as long as the
//! file stands still, but before that there is not more than a pipe takes.)
//!
//! Invariants:
//! 1. One at a time writes: who has [`TURN`].
//! 2. SIGXFSZ and SIGPIPE are blocked meanwhile, so that a full disk, a limit or a closed
//!    pipe is an errno and no death. The writer's thread takes no signal ever; who does its
//!    work forgets those two.
//! 3. After the first write that fails nothing is written and nothing noted any more: one
//!    line says so, and the program goes on.
//! 4. Who has the turn needs nothing that anybody holds who waits for room, or for the turn:
//!    it reads the list of the Ps, which has no lock, and takes the lock of `extra`, with
//!    which in hand nobody waits.

use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, Ordering};

use super::out::Out;
use super::ring::Ring;
use super::wait::{self, Patience};
use super::words::MAGIC;
use crate::debug::print::say;
use crate::io::errno::text_of;
use crate::sched::{self, P, acquirem, releasem};
use crate::{boot, mem, os};

/// How often the writer looks for what there is, in nanoseconds: at first, and when there is
/// nothing.
const REST: i64 = 5_000_000;
const LONG_REST: i64 = 64_000_000;

/// So many Ps get the memory of their rings at once: to fault on each page costs as much
/// as all that is written to it.
const POPULATED: i32 = 16;

/// The trace is on.
static ON: AtomicBool = AtomicBool::new(false);

/// The file's descriptor, and its name.
static FD: AtomicI32 = AtomicI32::new(-1);
static PATH: AtomicPtr<i8> = AtomicPtr::new(ptr::null_mut());

/// It is Chrome's format: each event has its time, and none is left out.
static EXACT: AtomicBool = AtomicBool::new(false);

/// Somebody writes.
static TURN: AtomicBool = AtomicBool::new(false);

/// The writer has its thread.
static WORKS: AtomicBool = AtomicBool::new(false);

/// Not 0 if the writer is to come at once. What it sleeps on.
static HURRY: AtomicU32 = AtomicU32::new(0);

struct Guarded(UnsafeCell<Out>);

// SAFETY: only who has TURN touches it.
unsafe impl Sync for Guarded {}

static OUT: Guarded = Guarded(UnsafeCell::new(Out::new()));

/// Tells whether there is a trace.
#[inline(always)]
pub(crate) fn is_on() -> bool {
    ON.load(Ordering::Relaxed) // whoever misses its beginning or its end loses nothing else
}

/// Begins the trace if GORT_TRACE names a file. During boot, on g0, when there are Ps.
pub(crate) fn start() {
    let Some(path) = boot::gort_trace() else {
        return;
    };
    match os::create(path) {
        Ok(fd) => {
            FD.store(fd, Ordering::Relaxed); // still one thread
            PATH.store(path.as_ptr().cast_mut(), Ordering::Relaxed); // as above
            ON.store(true, Ordering::Relaxed); // as above
            let chrome = path.to_bytes().ends_with(b".json");
            EXACT.store(chrome, Ordering::Relaxed); // as above
            turn(|out| match chrome {
                true => out.chrome.begin(),
                false => {
                    out.put(&MAGIC);
                    out.clock();
                }
            });
            sched::for_each_p(new_p);
            super::start_m(&sched::M0);
            let mp = acquirem();
            releasem();
            sched::for_each_p(|pp| {
                if ptr::eq(pp.m.load(Ordering::Relaxed), mp) {
                    super::start_p(mp, pp); // our own
                }
            });
        }
        Err(errno) => complain(path, errno),
    }
}

/// Gives a P its ring, if there is a trace: a megabyte.
pub(crate) fn new_p(pp: &'static P) {
    if !is_on() {
        return;
    }
    let size = size_of::<Ring>().next_multiple_of(mem::PAGE_SIZE);
    if let Some(memory) = os::map(0, size) {
        if pp.id.get() < POPULATED {
            // SAFETY: fresh memory of ours.
            unsafe { os::populate(memory, size) };
        }
        // Zeros, which are an empty one; the P is ours, or everybody's while nobody runs.
        pp.trace.set(memory.cast());
        if EXACT.load(Ordering::Relaxed)
            && let Some(ring) = super::ring_of(pp)
        {
            ring.stamp_all(); // written at boot
        }
    }
}

/// Starts the writer's thread. With sysmon, on g0.
pub(crate) fn start_writer() {
    if is_on() && sched::start_system_m(writer) {
        // Though it may get no CPU for a while: it does in the end. Relaxed: whoever misses
        // it has the turn as well as the writer.
        WORKS.store(true, Ordering::Relaxed);
    }
}

/// The writer. On its own g0.
extern "C" fn writer() {
    os::set_mask(!0);
    let mut rest = REST;
    loop {
        os::futexsleep(&HURRY, 0, rest);
        // Acquire and release: what it was said for is seen below, or it is said once more.
        HURRY.swap(0, Ordering::AcqRel);
        let mut any = true; // who else has the turn leaves something
        turn(|out| any = collect_or_end(out));
        rest = if any { REST } else { (rest * 2).min(LONG_REST) };
    }
}

/// Does the writer's work, if it has no thread and nobody is at it; tells whether it did.
#[cold]
pub(super) fn write_now() -> bool {
    if WORKS.load(Ordering::Relaxed) {
        return false; // see start_writer
    }
    let mask = os::set_mask(!0);
    let done = turn(|out| _ = collect_or_end(out));
    if !is_on() {
        os::forget_write_signals();
    }
    os::set_mask(mask);
    done
}

/// Writes what there is; if the program is at its end, that, too. Tells whether there was
/// anything.
fn collect_or_end(out: &mut Out) -> bool {
    let status = if is_on() { wait::end() } else { None };
    let any = out.collect();
    if let Some(status) = status {
        out.end(status);
        ON.store(false, Ordering::Relaxed); // of several that end it one is enough
        FD.store(-1, Ordering::Relaxed); // what others do meanwhile comes too late; as above
        wait::ended();
    }
    any
}

/// Has the writer come at once.
pub(super) fn hurry() {
    // Release: pairs with writer, which looks at all that there is from then on.
    if HURRY.swap(1, Ordering::Release) == 0 {
        os::futexwakeup(&HURRY, 1);
    }
}

/// Notes a step of the boot, maybe before there is a file.
pub(crate) fn boot_step(name: &'static str, begin: u64, end: u64) {
    acquirem(); // who has the turn is not preempted
    // The last step may come while the writer has it, for microseconds, unless the file
    // stands still.
    let mut patience = Patience::new();
    while !turn(|out| out.step(name, begin, end)) && !patience.is_over() {
        os::osyield();
    }
    releasem();
}

/// Calls `f` if nobody else writes, and tells whether it did.
fn turn(f: impl FnOnce(&mut Out)) -> bool {
    // Acquire and release: each sees what the one before has done.
    if TURN.swap(true, Ordering::Acquire) {
        return false;
    }
    // SAFETY: invariant 1.
    f(unsafe { &mut *OUT.0.get() });
    TURN.store(false, Ordering::Release);
    true
}

/// Says that the file's end is missing. From any stack.
pub(super) fn complain_of_end() {
    say(
        "gort: GORT_TRACE=%q: it stands still: what was done last is not in it",
        &[],
        &[path().to_bytes()],
    );
}

/// Returns the file's name, if there is a file.
fn path() -> &'static CStr {
    // SAFETY: GORT_TRACE's value, which is the kernel's and stays.
    unsafe { CStr::from_ptr(PATH.load(Ordering::Relaxed)) } // written at boot
}

/// Says that there is no trace, or no more of it.
fn complain(path: &CStr, errno: i32) {
    say(
        "gort: GORT_TRACE=%q: %s (os error %d)",
        &[errno as u64],
        &[path.to_bytes(), text_of(errno).as_bytes()],
    );
}

/// Writes bytes to the file. If that fails the trace is over.
pub(super) fn write(bytes: &[u8]) {
    let fd = FD.load(Ordering::Relaxed); // written at boot, or by who has the turn
    if fd < 0 || bytes.is_empty() {
        return;
    }
    let Err(errno) = os::write_all(fd, bytes) else {
        wait::got_on();
        return;
    };
    FD.store(-1, Ordering::Relaxed); // as above
    complain(path(), errno);
    // Now that it has been said: who ends the program waits for this. Whoever misses it is
    // soon out of room.
    ON.store(false, Ordering::Relaxed);
}
