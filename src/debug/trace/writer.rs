//! Who writes the file: a thread of its own, an M that never has a P; whoever ends the
//! program; and, if that thread gets no CPU, a thread whose ring is nearly full.
//!
//! Invariants:
//! 1. One at a time writes: who has [`TURN`].
//! 2. SIGXFSZ and SIGPIPE are blocked meanwhile, so that a full disk, a limit or a closed
//!    pipe is an errno and no death. The writer's thread takes no signal ever; who ends the
//!    program takes none from there on; who helps forgets those two.
//! 3. After the first write that fails nothing is written and nothing noted any more: one
//!    line says so, and the program goes on.

use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, Ordering};

use super::chrome;
use super::out::Out;
use super::ring::Ring;
use super::words::{self, MAGIC};
use crate::debug::print::say;
use crate::io::errno::text_of;
use crate::sched::{self, P};
use crate::{boot, mem, os};

/// How often the file gets what there is, in nanoseconds: at first, and when there is
/// nothing.
const REST: i64 = 2_000_000;
const LONG_REST: i64 = 64_000_000;

/// How long the program's end waits for the writer's turn to end, in nanoseconds, and
/// between two looks.
const PATIENCE: i64 = 2_000_000_000;
const NAP: u64 = 100_000;

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
            let mp = sched::acquirem();
            sched::releasem();
            sched::for_each_p(|pp| {
                if ptr::eq(pp.m.load(Ordering::Relaxed), mp) {
                    super::start_p(mp, pp); // our own
                }
            });
        }
        Err(errno) => complain(path, errno),
    }
}

/// Gives a P its ring, if there is a trace: one and a half megabytes.
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
            && let Some(ring) = ring_of(pp)
        {
            ring.stamp_all(); // written at boot
        }
    }
}

/// Returns a P's ring.
pub(super) fn ring_of(pp: &P) -> Option<&'static Ring> {
    // SAFETY: null, or what new_p put there before others knew the P, which is never freed.
    unsafe { pp.trace.get().cast::<Ring>().as_ref() }
}

/// Starts the writer's thread. With sysmon, on g0.
pub(crate) fn start_writer() {
    if is_on() {
        sched::start_system_m(writer);
    }
}

/// The writer. On its own g0.
extern "C" fn writer() {
    os::set_mask(!0);
    let mut rest = REST;
    loop {
        os::futexsleep(&HURRY, 0, rest);
        HURRY.store(0, Ordering::Relaxed); // what it was said for is seen below
        let mut any = false;
        turn(|out| any = out.collect());
        rest = if any { REST } else { (rest * 2).min(LONG_REST) };
    }
}

/// Has the writer come at once.
pub(super) fn hurry() {
    // Relaxed: it looks at all there is.
    if HURRY.swap(1, Ordering::Relaxed) == 0 {
        os::futexwakeup(&HURRY, 1);
    }
}

/// Writes what there is, if nobody is at it. From a thread whose ring is nearly full.
#[cold]
pub(super) fn help() {
    if !is_on() {
        return; // the writer throws away what comes
    }
    let mask = os::set_mask(!0);
    // Chrome's format is for those who have the time.
    while !turn(|out| _ = out.collect()) && EXACT.load(Ordering::Relaxed) {
        os::osyield(); // written at boot
    }
    if !is_on() {
        os::forget_write_signals();
    }
    os::set_mask(mask);
}

/// Ends the trace: the program is about to exit with that status. From any stack.
#[cold]
pub(crate) fn finish(status: i32) {
    if !is_on() {
        return;
    }
    os::set_mask(!0);
    let deadline = os::nanotime() + PATIENCE;
    let mut done = false;
    while !done && os::nanotime() < deadline {
        done = turn(|out| {
            out.collect();
            match out.chrome.is_on() {
                true => chrome::finish(out),
                false => out.chunk(words::FINISH, &[&(status as u32).to_le_bytes(), &[0; 4]]),
            }
            out.flush();
            ON.store(false, Ordering::Relaxed); // of several that end it one is enough
        });
        if !done {
            os::nap(NAP);
        }
    }
}

/// Notes a step of the boot, maybe before there is a file.
pub(crate) fn boot_step(name: &'static str, begin: u64, end: u64) {
    // The last step may come while the writer has its turn: it takes microseconds.
    while !turn(|out| {
        out.step(name, begin, end);
    }) {
        os::osyield();
    }
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
    if let Err(errno) = os::write_all(fd, bytes) {
        ON.store(false, Ordering::Relaxed); // whoever misses it is soon out of room
        FD.store(-1, Ordering::Relaxed); // as above
        // SAFETY: GORT_TRACE's value, which is the kernel's and stays.
        let path = unsafe { CStr::from_ptr(PATH.load(Ordering::Relaxed)) }; // as FD
        complain(path, errno);
    }
}
