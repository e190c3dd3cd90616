//! A trace in Chrome's format, which ui.perfetto.dev and chrome://tracing open, as it is
//! written: event by event, each P's for itself.
//!
//! Tracks: the Ps, the Ms, the goroutines. What a goroutine does goes on from one event to
//! the next, on whichever P: each ends what was before (`E`) and begins the next (`B`), so
//! that nobody need know what was before; viewers sort events by their times, of which each
//! has its own here. An arrow goes from who readied a goroutine to where it ran; its number
//! is the goroutine's, since one has ended before the next begins.
//!
//! The list need not be closed: a program that is killed leaves one that opens as well.

use core::cell::Cell;
use core::panic::Location;
use core::ptr;

use super::out::{Out, both_clocks, decimal};
use super::ring::Ring;
use super::words::{self, Extra, Listener};
use super::{PLACES, REASONS};
use crate::debug::boottrace;

/// The "processes" that tracks belong to.
const PS: u64 = 1;
const MS: u64 = 2;
const GOROUTINES: u64 = 3;
const BOOT: u64 = 4;

/// What the writer knows of a P. All zeros at the beginning.
pub(super) struct Reader {
    listener: Listener,
    /// Who runs on it, and since when.
    goid: Cell<u64>,
    since: Cell<u64>,
    /// Its M, plus one, and since when.
    m: Cell<u64>,
    m_since: Cell<u64>,
    /// Who is its next, and since when.
    next: Cell<(u64, u64)>,
    /// From which P it has taken goroutines last.
    victim: Cell<u64>,
    /// It has a name.
    named: Cell<bool>,
}

/// What it knows of the file. All zeros if it is another format's.
pub(super) struct State {
    on: bool,
    /// The first event has been written: the next begins with a comma.
    some: bool,
    /// The counter at the entry, and nanoseconds for 2^20 of its ticks.
    start: u64,
    rate: u64,
}

impl State {
    /// Makes one of another format.
    pub(super) const fn new() -> Self {
        Self {
            on: false,
            some: false,
            start: 0,
            rate: 0,
        }
    }

    /// Tells whether the file is in this format.
    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    /// From now on it is. Takes a millisecond, to compare the counter with the clock.
    pub(super) fn begin(&mut self) {
        const INTERVAL: i64 = 1_000_000;
        self.on = true;
        let (start, clock) = both_clocks();
        self.start = boottrace::boot_ticks();
        loop {
            let (ticks, now) = both_clocks();
            let (ticks, passed) = (ticks - start, now - clock);
            if passed >= INTERVAL {
                self.rate = ((passed as u64) << 20) / ticks.max(1);
                break;
            }
        }
    }

    /// Makes nanoseconds of the counter.
    fn time(&self, ticks: u64) -> u64 {
        let ticks = u128::from(ticks.saturating_sub(self.start));
        ((ticks * u128::from(self.rate)) >> 20) as u64
    }
}

/// What is between the braces of an event, piece by piece.
enum Piece<'a> {
    /// As it stands.
    Raw(&'a str),
    /// A text inside of quotes.
    Text(&'a str),
    /// In decimal.
    Number(u64),
    /// Nanoseconds, as microseconds.
    Micros(u64),
}
use Piece::{Micros, Number, Raw, Text};

/// Appends an event.
fn event(out: &mut Out, pieces: &[Piece<'_>]) {
    let begin: &[u8] = if out.chrome.some { b",\n{" } else { b"[\n{" };
    out.chrome.some = true;
    out.put(begin);
    for piece in pieces {
        let mut digits = [0; 20];
        match piece {
            Raw(text) => out.put(text.as_bytes()),
            Text(text) => {
                for byte in text.bytes() {
                    match byte {
                        b'"' | b'\\' => out.put(&[b'\\', byte]),
                        0..b' ' => out.put(b"?"),
                        _ => out.put(&[byte]),
                    }
                }
            }
            Number(number) => out.put(decimal(*number, &mut digits)),
            Micros(time) => {
                out.put(decimal(time / 1000, &mut digits));
                let rest = time % 1000;
                let digit = |number: u64| b'0' + (number % 10) as u8;
                out.put(&[b'.', digit(rest / 100), digit(rest / 10), digit(rest)]);
            }
        }
    }
    out.put(b"}");
}

/// Appends the name of a track.
fn name(out: &mut Out, (pid, tid): (u64, u64), text: &[Piece<'_>]) {
    let head = [
        Raw("\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":"),
        Number(pid),
        Raw(",\"tid\":"),
        Number(tid),
        Raw(",\"args\":{\"name\":\""),
    ];
    let tail = [Raw("\"}")];
    long(out, &head, text, &tail);
}

/// Appends an event in three parts.
fn long(out: &mut Out, head: &[Piece<'_>], middle: &[Piece<'_>], tail: &[Piece<'_>]) {
    const NOTHING: Piece<'_> = Raw("");
    let mut all = [NOTHING; 16];
    let pieces = head.iter().chain(middle).chain(tail);
    for (to, from) in all.iter_mut().zip(pieces) {
        *to = match *from {
            Raw(text) => Raw(text),
            Text(text) => Text(text),
            Number(number) => Number(number),
            Micros(time) => Micros(time),
        };
    }
    event(out, &all);
}

/// Appends what has a phase, a track, a time and a name.
fn mark(out: &mut Out, phase: &'static str, (pid, tid): (u64, u64), time: u64, text: &[Piece<'_>]) {
    let head = [
        Raw("\"ph\":\""),
        Raw(phase),
        Raw("\",\"cat\":\"sched\",\"pid\":"),
        Number(pid),
        Raw(",\"tid\":"),
        Number(tid),
        Raw(",\"ts\":"),
        Micros(time),
        Raw(",\"name\":\""),
    ];
    long(out, &head, text, &[Raw("\"")]);
}

/// Appends a slice.
fn slice(out: &mut Out, (pid, tid): (u64, u64), start: u64, end: u64, text: &[Piece<'_>]) {
    let head = [
        Raw("\"ph\":\"X\",\"cat\":\"sched\",\"pid\":"),
        Number(pid),
        Raw(",\"tid\":"),
        Number(tid),
        Raw(",\"ts\":"),
        Micros(start),
        Raw(",\"dur\":"),
        Micros(end.saturating_sub(start)),
        Raw(",\"name\":\""),
    ];
    long(out, &head, text, &[Raw("\"")]);
}

/// Appends that a goroutine does something else from now on.
fn does(out: &mut Out, goid: u64, time: u64, text: &[Piece<'_>]) {
    mark(out, "E", (GOROUTINES, goid), time, &[]);
    mark(out, "B", (GOROUTINES, goid), time, text);
}

/// Appends an arrow's beginning or end.
fn arrow(out: &mut Out, phase: &'static str, (pid, tid): (u64, u64), time: u64, goid: u64) {
    event(
        out,
        &[
            Raw("\"ph\":\""),
            Raw(phase),
            Raw("\",\"bp\":\"e\",\"cat\":\"wake\",\"name\":\"ready\",\"id\":"),
            Number(goid),
            Raw(",\"pid\":"),
            Number(pid),
            Raw(",\"tid\":"),
            Number(tid),
            Raw(",\"ts\":"),
            Micros(time),
        ],
    );
}

/// Appends what a P has written down; tells whether there was any.
pub(super) fn ring(out: &mut Out, p: u32, ring: &Ring) -> bool {
    let (end, stamps_end) = ring.ends();
    let (mut at, mut stamp) = ring.begins();
    let any = at < end;
    let reader = &ring.reader;
    if any && !reader.named.replace(true) {
        name(out, (PS, p.into()), &[Raw("P "), Number(p.into())]);
    }
    let mut time = None;
    while at < end {
        if stamp < stamps_end && ring.stamp(stamp).at <= at {
            time = Some(out.chrome.time(ring.stamp(stamp).ticks));
            stamp += 1;
        }
        let (said, next) = ring.said(at);
        at = next;
        if let Some((kind, argument)) = reader.listener.hear(said) {
            let now = time.unwrap_or_else(|| reader.since.get());
            one(out, p.into(), reader, now, kind, argument);
        }
        ring.taken(at, stamp);
    }
    ring.ask();
    any
}

/// The P's goroutine runs no longer.
fn leave(out: &mut Out, p: u64, reader: &Reader, now: u64) -> u64 {
    let goid = reader.goid.replace(0);
    if goid != 0 {
        slice(
            out,
            (PS, p),
            reader.since.get(),
            now,
            &[Raw("G "), Number(goid)],
        );
    }
    goid
}

/// The P runs a goroutine.
fn enter(out: &mut Out, p: u64, reader: &Reader, now: u64, goid: u64, woken: bool) {
    reader.goid.set(goid);
    reader.since.set(now);
    does(out, goid, now, &[Raw("running on P "), Number(p)]);
    if woken {
        arrow(out, "f", (GOROUTINES, goid), now, goid);
    }
}

/// A goroutine may run, says `by`, or the P.
fn ready(out: &mut Out, p: u64, by: u64, now: u64, goid: u64) {
    let from = if by == 0 { (PS, p) } else { (GOROUTINES, by) };
    arrow(out, "s", from, now, goid);
    does(out, goid, now, &[Raw("runnable")]);
}

/// Appends an event of a P's.
fn one(out: &mut Out, p: u64, reader: &Reader, now: u64, kind: u32, argument: u64) {
    let current = reader.goid.get();
    let track = (PS, p);
    // When who may run was made the P's next, if that has been said.
    let since = || match reader.next.get() {
        (goid, since) if goid == argument => since,
        _ => now,
    };
    let mut kind = kind;
    if let Some(then) = words::but_readied(kind) {
        ready(out, p, current, since(), argument);
        kind = then;
    }
    match kind {
        words::RUN => {
            leave(out, p, reader, now);
            enter(out, p, reader, now, argument, true);
        }
        words::PARK | words::PARK_RUN => {
            leave(out, p, reader, now);
            let reason = reason(reader.listener.reason.get());
            does(out, current, now, &[Text(reason)]);
        }
        words::END | words::END_RUN => {
            leave(out, p, reader, now);
            mark(out, "E", (GOROUTINES, current), now, &[]);
        }
        words::YIELD | words::YIELD_RUN | words::PREEMPT | words::REFUSED => {
            leave(out, p, reader, now);
            ready(out, p, current, now, current);
            if kind == words::PREEMPT {
                mark(out, "i", track, now, &[Raw("preempted")]);
            }
        }
        words::NEXT => reader.next.set((argument, now)),
        words::READY => ready(out, p, current, since(), argument),
        words::TAKEN => ready(out, reader.victim.get(), 0, now, argument),
        words::CREATE => {
            let place = place(reader.listener.place.get());
            let (file, line) = place.map_or(("", 0), |place| (place.file(), place.line()));
            let text = [
                Raw("G "),
                Number(argument),
                Raw(" "),
                Text(file),
                Raw(":"),
                Number(line.into()),
            ];
            let known = if place.is_some() { text.len() } else { 2 };
            name(out, (GOROUTINES, argument), &text[..known]);
            let from = if current == 0 {
                track
            } else {
                (GOROUTINES, current)
            };
            arrow(out, "s", from, now, argument);
            mark(out, "B", (GOROUTINES, argument), now, &[Raw("runnable")]);
        }
        words::ENTER => {
            leave(out, p, reader, now);
            does(out, current, now, &[Raw("system call")]);
        }
        words::EXIT => {
            leave(out, p, reader, now);
            enter(out, p, reader, now, argument, false);
        }
        words::P_START => {
            leave_m(out, p, reader, now);
            reader.m.set(argument + 1);
            reader.m_since.set(now);
        }
        words::P_STOP => {
            leave(out, p, reader, now);
            leave_m(out, p, reader, now);
        }
        words::STEAL => {
            reader.victim.set(argument);
            let text = [Raw("stolen from P "), Number(argument)];
            mark(out, "i", track, now, &text);
        }
        words::TIMER => mark(out, "i", track, now, &[Raw("timer")]),
        words::LOST => {
            reader.goid.set(0);
            let text = [Number(argument), Raw(" events were lost")];
            mark(out, "i", track, now, &text);
        }
        _ => {}
    }
    if matches!(kind, words::PARK_RUN | words::END_RUN | words::YIELD_RUN) {
        enter(out, p, reader, now, argument, true);
    }
    if kind == words::REFUSED {
        enter(out, p, reader, now, argument, false);
    }
}

/// The P has no M any more.
fn leave_m(out: &mut Out, p: u64, reader: &Reader, now: u64) {
    if let Some(m) = reader.m.replace(0).checked_sub(1) {
        slice(
            out,
            (MS, m),
            reader.m_since.get(),
            now,
            &[Raw("P "), Number(p)],
        );
    }
}

/// Appends an event without a P.
pub(super) fn extra(out: &mut Out, event: &Extra) {
    use words::extra as kinds;
    let now = out.chrome.time(event.ticks);
    let m = (MS, u64::from(event.a));
    match event.kind {
        kinds::M_START => {
            let text = [Raw("M "), Number(m.1), Raw(", thread "), Number(event.b)];
            name(out, m, &text);
        }
        kinds::M_END => mark(out, "i", m, now, &[Raw("end")]),
        kinds::M_PARK => mark(out, "i", m, now, &[Raw("sleeps")]),
        kinds::M_UNPARK => mark(out, "i", m, now, &[Raw("is woken")]),
        kinds::RETAKE => mark(out, "i", (PS, m.1), now, &[Raw("retaken")]),
        kinds::READY => {
            arrow(out, "s", m, now, event.b);
            does(out, event.b, now, &[Raw("runnable")]);
        }
        kinds::EXIT => ready(out, 0, event.b, now, event.b),
        kinds::STOP => mark(out, "i", m, now, &[Raw("stops the world")]),
        kinds::START => {
            let text = [Raw("starts the world, Ps: "), Number(event.b)];
            mark(out, "i", m, now, &text);
        }
        _ => {
            let text = [Number(event.b), Raw(" events were lost")];
            mark(out, "i", m, now, &text);
        }
    }
}

/// Appends a step of the boot.
pub(super) fn step(out: &mut Out, text: &'static str, begin: u64, end: u64) {
    let (begin, end) = (out.chrome.time(begin), out.chrome.time(end));
    slice(out, (BOOT, 0), begin, end, &[Text(text)]);
}

/// Ends the list, with what the tracks are called in all.
pub(super) fn finish(out: &mut Out) {
    for (pid, text) in [
        (PS, "Ps: what runs"),
        (MS, "Ms: threads"),
        (GOROUTINES, "goroutines"),
        (BOOT, "the boot"),
    ] {
        event(
            out,
            &[
                Raw("\"ph\":\"M\",\"name\":\"process_name\",\"pid\":"),
                Number(pid),
                Raw(",\"args\":{\"name\":\""),
                Raw(text),
                Raw("\"}"),
            ],
        );
    }
    out.put(b"\n]\n");
}

/// Returns the text of a reason.
fn reason(number: u32) -> &'static str {
    REASONS.address(number).map_or("waiting", |address| {
        // SAFETY: a WaitReason's address.
        unsafe { *ptr::with_exposed_provenance::<&'static str>(address) }
    })
}

/// Returns a place.
fn place(number: u32) -> Option<&'static Location<'static>> {
    let address = PLACES.address(number)?;
    // SAFETY: a Location's address.
    Some(unsafe { &*ptr::with_exposed_provenance(address) })
}
