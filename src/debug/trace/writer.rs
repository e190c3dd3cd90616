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
use core::panic::Location;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, Ordering};

use super::ring::Ring;
use super::words::{self, Extra, MAGIC, STAMP_SIZE};
use super::{PLACES, REASONS, extra};
use crate::debug::print::say;
use crate::io::errno::text_of;
use crate::sched::{self, P};
use crate::{arch, boot, mem, os};

/// How often the file gets what there is, in nanoseconds: at first, and when there is
/// nothing.
const REST: i64 = 2_000_000;
const LONG_REST: i64 = 64_000_000;

/// How long the program's end waits for the writer's turn to end, in nanoseconds, and
/// between two looks.
const PATIENCE: i64 = 2_000_000_000;
const NAP: u64 = 100_000;

/// How many words are in a chunk at most, how many stamps, how many other events.
const CHUNK_WORDS: usize = 4096;
const CHUNK_STAMPS: usize = 1024;
const CHUNK_EXTRA: usize = 512;

/// How many steps the boot has at most.
const STEPS: usize = 40;

/// So many Ps get the memory of their rings at once: to fault on each page costs as much
/// as all that is written to it.
const POPULATED: i32 = 16;

/// How many bytes are written at a time.
const ROOM: usize = 64 << 10;

/// The trace is on.
static ON: AtomicBool = AtomicBool::new(false);

/// The file's descriptor, and its name.
static FD: AtomicI32 = AtomicI32::new(-1);
static PATH: AtomicPtr<i8> = AtomicPtr::new(ptr::null_mut());

/// Somebody writes.
static TURN: AtomicBool = AtomicBool::new(false);

/// Not 0 if the writer is to come at once. What it sleeps on.
static HURRY: AtomicU32 = AtomicU32::new(0);

/// What is to be written.
struct Out {
    bytes: [u8; ROOM],
    length: usize,
    /// The names that the file has: a bit each.
    reasons: u64,
    places: [u64; 16],
    /// The steps of the boot that the file does not have yet.
    steps: [Option<(&'static str, u64, u64)>; STEPS],
    step_count: usize,
    /// Of a chunk.
    words: [u32; CHUNK_WORDS],
    extra: [Extra; CHUNK_EXTRA],
}

struct Guarded(UnsafeCell<Out>);

// SAFETY: only who has TURN touches it.
unsafe impl Sync for Guarded {}

static OUT: Guarded = Guarded(UnsafeCell::new(Out {
    bytes: [0; ROOM],
    length: 0,
    reasons: 0,
    places: [0; 16],
    steps: [None; STEPS],
    step_count: 0,
    words: [0; CHUNK_WORDS],
    extra: [Extra {
        ticks: 0,
        kind: 0,
        a: 0,
        b: 0,
    }; CHUNK_EXTRA],
}));

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
            turn(|out| {
                out.put(&MAGIC);
                out.clock();
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
    }
}

/// Returns a P's ring.
fn ring_of(pp: &P) -> Option<&'static Ring> {
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
    let mask = os::set_mask(!0);
    turn(|out| _ = out.collect());
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
            out.chunk(words::FINISH, &[&(status as u32).to_le_bytes(), &[0; 4]]);
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
        if let Some(slot) = out.steps.get_mut(out.step_count) {
            *slot = Some((name, begin, end));
            out.step_count += 1;
        }
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

impl Out {
    /// Writes what there is. If that fails the trace is over.
    fn flush(&mut self) {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        self.length = 0;
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

    /// Appends bytes.
    fn put(&mut self, bytes: &[u8]) {
        if self.bytes.len() - self.length < bytes.len() {
            self.flush();
        }
        if let Some(to) = self.bytes.get_mut(self.length..self.length + bytes.len()) {
            to.copy_from_slice(bytes);
            self.length += bytes.len();
        }
    }

    /// Appends a chunk, whose parts together are a multiple of 8 bytes.
    fn chunk(&mut self, kind: u32, parts: &[&[u8]]) {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        self.put(&kind.to_le_bytes());
        self.put(&(length as u32).to_le_bytes());
        for part in parts {
            self.put(part);
        }
    }

    /// Appends the time.
    fn clock(&mut self) {
        let (ticks, now) = (arch::ticks(), os::nanotime());
        self.chunk(words::CLOCK, &[&ticks.to_le_bytes(), &now.to_le_bytes()]);
    }

    /// Appends all that has come in, and writes it; tells whether there was any.
    fn collect(&mut self) -> bool {
        let mut any = false;
        sched::for_each_p(|pp| {
            if let Some(ring) = ring_of(pp) {
                any |= self.collect_ring(pp.id.get() as u32, ring);
            }
        });
        loop {
            let count = extra::take(&mut self.extra);
            if count == 0 {
                break;
            }
            any = true;
            self.put(&words::EXTRA.to_le_bytes());
            self.put(&((count * words::EXTRA_SIZE) as u32).to_le_bytes());
            for at in 0..count {
                let Extra { ticks, kind, a, b } = self.extra[at];
                self.put(&ticks.to_le_bytes());
                self.put(&kind.to_le_bytes());
                self.put(&a.to_le_bytes());
                self.put(&b.to_le_bytes());
            }
        }
        for at in 0..core::mem::take(&mut self.step_count) {
            any = true;
            let Some((name, begin, end)) = self.steps[at] else {
                break;
            };
            let name = name.as_bytes();
            let pad = &[0; 8][..name.len().next_multiple_of(8) - name.len()];
            let (begin, end) = (begin.to_le_bytes(), end.to_le_bytes());
            self.chunk(words::BOOT, &[&begin, &end, name, pad]);
        }
        if any {
            self.names();
            self.clock();
            self.flush();
        }
        any
    }

    /// Appends what a ring has, and has the next event stamped.
    fn collect_ring(&mut self, p: u32, ring: &Ring) -> bool {
        let (end, stamps_end) = ring.ends();
        let (mut at, mut stamp) = ring.begins();
        let any = at < end;
        while at < end {
            let (first, first_stamp) = (at, stamp);
            let mut count = ((end - at) as usize).min(CHUNK_WORDS);
            // The stamps of those words; where there are too many, fewer words.
            while stamp < stamps_end && ring.stamp(stamp).at < first + count as u64 {
                if (stamp - first_stamp) as usize == CHUNK_STAMPS {
                    count = (ring.stamp(stamp).at - first) as usize;
                    break;
                }
                stamp += 1;
            }
            for (slot, number) in self.words.iter_mut().zip(first..first + count as u64) {
                *slot = ring.word(number);
            }
            let stamps = (stamp - first_stamp) as usize;
            self.words_chunk(p, first, count, stamps, |at| {
                let stamp = ring.stamp(first_stamp + at as u64);
                ((stamp.at - first) as u32, stamp.ticks)
            });
            at += count as u64;
            ring.taken(at, stamp);
        }
        ring.ask();
        any
    }

    /// Appends a chunk of words, those in `self.words`.
    fn words_chunk(
        &mut self,
        p: u32,
        first: u64,
        count: usize,
        stamps: usize,
        stamp: impl Fn(usize) -> (u32, u64),
    ) {
        const HEAD: usize = 8 + 24;
        let most = HEAD + stamps * STAMP_SIZE + count * 4 + 8;
        if self.bytes.len() - self.length < most {
            self.flush();
        }
        let start = self.length;
        self.length += HEAD;
        for at in 0..stamps {
            let (at, ticks) = stamp(at);
            self.put(&at.to_le_bytes());
            self.put(&ticks.to_le_bytes());
        }
        let Self {
            bytes,
            length,
            words,
            ..
        } = self;
        let packed = words::pack(words.get(..count).unwrap_or_default(), |word| {
            if let Some(to) = bytes.get_mut(*length..*length + 4) {
                to.copy_from_slice(&word.to_le_bytes());
                *length += 4;
            }
        });
        while !(self.length - start).is_multiple_of(8) {
            self.put(&[0]);
        }
        let size = (self.length - start - 8) as u32;
        let end = core::mem::replace(&mut self.length, start);
        self.put(&words::WORDS.to_le_bytes());
        self.put(&size.to_le_bytes());
        self.put(&p.to_le_bytes());
        self.put(&(stamps as u32).to_le_bytes());
        self.put(&first.to_le_bytes());
        self.put(&(count as u32).to_le_bytes());
        self.put(&(packed as u32).to_le_bytes());
        self.length = end;
    }

    /// Appends the names that the file does not have yet.
    fn names(&mut self) {
        for number in 1..=64 {
            if let Some(address) = REASONS.address(number)
                && self.reasons >> (number - 1) & 1 == 0
            {
                self.reasons |= 1 << (number - 1);
                // SAFETY: a WaitReason's address.
                let text = unsafe { *ptr::with_exposed_provenance::<&'static str>(address) };
                self.name(words::OF_REASON, number, &[text.as_bytes()]);
            }
        }
        for number in 1..=1024 {
            let (word, bit) = ((number as usize - 1) / 64, (number - 1) % 64);
            if let Some(address) = PLACES.address(number)
                && self.places[word] >> bit & 1 == 0
            {
                self.places[word] |= 1 << bit;
                // SAFETY: a Location's address.
                let place = unsafe { &*ptr::with_exposed_provenance::<Location<'static>>(address) };
                let mut line = [0; 10];
                let line = decimal(place.line(), &mut line);
                self.name(
                    words::OF_PLACE,
                    number,
                    &[place.file().as_bytes(), b":", line],
                );
            }
        }
    }

    /// Appends a name.
    fn name(&mut self, of: u32, number: u32, text: &[&[u8]]) {
        let length: usize = text.iter().map(|part| part.len()).sum();
        let size = 8 + length;
        self.put(&words::NAME.to_le_bytes());
        self.put(&(size.next_multiple_of(8) as u32).to_le_bytes());
        self.put(&of.to_le_bytes());
        self.put(&number.to_le_bytes());
        for part in text {
            self.put(part);
        }
        self.put(&[0; 8][..size.next_multiple_of(8) - size]);
    }
}

/// Writes a number in decimal.
fn decimal(mut number: u32, digits: &mut [u8; 10]) -> &[u8] {
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &digits[at..];
        }
    }
}
