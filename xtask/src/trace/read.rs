//! Reads a file that GORT_TRACE has made: `src/debug/trace/words.rs` has its format. What
//! is cut off at the end, since the program was killed, is left out.

use std::collections::{BTreeMap, HashMap};

use super::words::{self, Extra, Listener, PERIOD, Stamp};
use crate::Outcome;

/// What a file holds.
#[derive(Default)]
pub(crate) struct Recording {
    /// The events of each P, in its order.
    pub(crate) ps: BTreeMap<u32, Vec<Event>>,
    /// Those without a P, in the order of their times.
    pub(crate) extra: Vec<Aside>,
    /// What reasons and places are called.
    pub(crate) reasons: HashMap<u32, String>,
    pub(crate) places: HashMap<u32, String>,
    /// The steps of the boot: name, when it began, when it ended.
    pub(crate) boot: Vec<(String, f64, f64)>,
    /// The exit status, if the program came to its end.
    pub(crate) status: Option<i32>,
    /// How many bytes at the end are no whole chunk.
    pub(crate) cut: usize,
    /// When the trace ends.
    pub(crate) end: f64,
    /// How many of the writer's looks at the Ps' rings the file has whole.
    pub(crate) looks: usize,
}

impl Recording {
    /// Tells whether what led to an event may be missing, which was found in that look. As
    /// the rings are looked at one by one, it may have been found in the next one.
    pub(crate) fn is_tail(&self, look: usize) -> bool {
        look + 1 >= self.looks
    }
}

/// An event of a P's. Times are in nanoseconds since the trace began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    /// When, as far as is known.
    pub(crate) time: f64,
    /// When at the latest, by the next of its P's that has a time of its own.
    pub(crate) latest: f64,
    /// One of the kinds in `words`.
    pub(crate) kind: u32,
    /// The reason or the place that holds, a number.
    pub(crate) name: u32,
    /// Its argument: a goroutine's whole number, if it is about one.
    pub(crate) argument: u64,
    /// In which of the writer's looks at the rings it was found.
    pub(crate) look: usize,
    /// Whom this lets run, the same P runs, and nobody before it: see [`keep`].
    pub(crate) kept: bool,
    /// Of a wake-up: more about it, if that was said when it happened.
    pub(crate) next: Option<Next>,
    /// Of one: on which P it happened, if another has taken the goroutine from there.
    pub(crate) taken_from: Option<u32>,
}

/// What was said when a goroutine became a P's next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Next {
    /// When that was.
    pub(crate) time: f64,
    /// Who was the current one then, or 0.
    pub(crate) by: u64,
}

/// An event without a P.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aside {
    /// When.
    pub(crate) time: f64,
    pub(crate) event: Extra,
    /// As an [`Event`]'s.
    pub(crate) look: usize,
}

/// The words of a P, unpacked, and their stamps.
#[derive(Default)]
struct Stream {
    words: Vec<u16>,
    stamps: Vec<Stamp>,
    /// Where the words of each look begin that has any, and which it is.
    looks: Vec<(usize, usize)>,
}

/// A place in a file.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    /// The rest, less the zeros behind it.
    fn text(&mut self) -> String {
        let text = std::mem::take(&mut self.0);
        let end = text.iter().rposition(|&byte| byte != 0);
        String::from_utf8_lossy(&text[..end.map_or(0, |end| end + 1)]).into_owned()
    }
}

/// Reads a file's bytes.
pub(crate) fn read(bytes: &[u8]) -> Outcome<Recording> {
    let mut cursor = Cursor(bytes);
    if cursor.take(words::MAGIC.len()) != Some(&words::MAGIC) {
        return Err("this is not what GORT_TRACE writes".into());
    }
    let mut recording = Recording::default();
    let mut streams: BTreeMap<u32, Stream> = BTreeMap::new();
    let mut clocks: Vec<(u64, i64)> = Vec::new();
    let mut extra: Vec<(Extra, usize)> = Vec::new();
    let mut boot: Vec<(String, u64, u64)> = Vec::new();
    while !cursor.0.is_empty() {
        let before = cursor.0.len();
        let chunk = cursor.u32().zip(cursor.u32());
        let Some((kind, body)) =
            chunk.and_then(|(kind, size)| Some((kind, cursor.take(size as usize)?)))
        else {
            recording.cut = before;
            break;
        };
        let mut body = Cursor(body);
        // There is a clock at the beginning, and one behind each look.
        let look = clocks.len().saturating_sub(1);
        let whole = match kind {
            words::CLOCK => body.u64().zip(body.u64()).map(|(ticks, now)| {
                clocks.push((ticks, now as i64));
            }),
            words::WORDS => stream(&mut body, &mut streams, look),
            words::NAME => body.u32().zip(body.u32()).map(|(of, number)| {
                let names = match of {
                    words::OF_REASON => &mut recording.reasons,
                    _ => &mut recording.places,
                };
                names.insert(number, body.text());
            }),
            words::EXTRA => {
                while let Some(event) = one_extra(&mut body) {
                    extra.push((event, look));
                }
                Some(())
            }
            words::BOOT => body.u64().zip(body.u64()).map(|(begin, end)| {
                boot.push((body.text(), begin, end));
            }),
            words::FINISH => body.u32().map(|status| {
                recording.status = Some(status as i32);
            }),
            _ => Some(()), // a later version's
        };
        whole.ok_or_else(|| format!("a chunk of kind {kind} is too short"))?;
    }
    let mut clock = Clock::new(&clocks).ok_or("the file ends before the program began")?;
    // The boot's steps begin before the file.
    let first = boot.iter().map(|&(_, begin, _)| begin).min();
    clock.start = clock.start.min(first.unwrap_or(u64::MAX));
    recording.looks = clocks.len().saturating_sub(1);
    recording.end = clocks.last().map_or(0.0, |&(ticks, _)| clock.time(ticks));
    for (p, stream) in streams {
        let events = events(&stream, &clock);
        if let Some(last) = events.last() {
            recording.end = recording.end.max(last.time);
        }
        recording.ps.insert(p, events);
    }
    for (event, look) in extra {
        let time = clock.time(event.ticks);
        recording.extra.push(Aside { time, event, look });
    }
    for (name, begin, end) in boot {
        recording
            .boot
            .push((name, clock.time(begin), clock.time(end)));
    }
    Ok(recording)
}

/// Reads an event without a P.
fn one_extra(body: &mut Cursor<'_>) -> Option<Extra> {
    Some(Extra {
        ticks: body.u64()?,
        kind: body.u32()?,
        a: body.u32()?,
        b: body.u64()?,
    })
}

/// Reads a chunk of words, and appends them to the P's.
fn stream(body: &mut Cursor<'_>, streams: &mut BTreeMap<u32, Stream>, look: usize) -> Option<()> {
    let (p, stamps, first) = (body.u32()?, body.u32()?, body.u64()?);
    let (count, packed) = (body.u32()?, body.u32()?);
    let stream = streams.entry(p).or_default();
    // Every word is in the file, in this order.
    if first != stream.words.len() as u64 {
        return None;
    }
    stream.looks.push((stream.words.len(), look));
    for _ in 0..stamps {
        let at = first + u64::from(body.u32()?);
        let ticks = body.u64()?;
        stream.stamps.push(Stamp { at, ticks });
    }
    let mut words = Cursor(body.take(packed as usize * 2)?);
    while !words.0.is_empty() {
        for _ in 0..words.u16()? {
            stream.words.push(words.u16()?);
        }
        for _ in 0..words.u16()? {
            let from = stream.words.len().checked_sub(PERIOD)?;
            stream.words.push(stream.words[from]);
        }
    }
    (stream.words.len() as u64 == first + u64::from(count)).then_some(())
}

/// From the counter to nanoseconds.
struct Clock {
    start: u64,
    rate: f64,
}

impl Clock {
    /// By the first and the last that the file has of both.
    fn new(clocks: &[(u64, i64)]) -> Option<Self> {
        let (&(start, from), &(end, to)) = (clocks.first()?, clocks.last()?);
        let ticks = end.saturating_sub(start).max(1);
        let rate = (to - from) as f64 / ticks as f64;
        Some(Self { start, rate })
    }

    fn time(&self, ticks: u64) -> f64 {
        (ticks as i64).wrapping_sub(self.start as i64) as f64 * self.rate
    }
}

/// Makes events of words: gives them the whole numbers of goroutines, and times.
fn events(stream: &Stream, clock: &Clock) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    // Which events have a time of their own, by their indices.
    let mut stamped: Vec<usize> = Vec::new();
    let mut stamps = stream.stamps.iter().peekable();
    let mut looks = stream.looks.iter().peekable();
    let mut look = 0;
    let listener = Listener::default();
    let mut time = None;
    let mut words = stream.words.iter().copied().enumerate();
    while let Some((at, word)) = words.next() {
        if let Some(stamp) = stamps.next_if(|stamp| stamp.at <= at as u64) {
            time = Some(clock.time(stamp.ticks));
        }
        while let Some(&(_, next)) = looks.next_if(|&&(from, _)| from <= at) {
            look = next;
        }
        // What is cut off behind the first of two words is nothing that happened.
        let said = words::said(word, || words.next().map_or(0, |(_, word)| word));
        if let Some((kind, argument)) = listener.hear(said) {
            if time.is_some() {
                stamped.push(events.len());
            }
            let name = if kind == words::CREATE {
                &listener.place
            } else {
                &listener.reason
            };
            events.push(Event {
                time: time.take().unwrap_or_default(),
                latest: f64::INFINITY,
                kind,
                name: name.get(),
                argument,
                look,
                kept: false,
                next: None,
                taken_from: None,
            });
        }
    }
    spread(&mut events, &stamped);
    let mut events = take_apart(events);
    keep(&mut events);
    events
}

/// Makes events of what is said of those who are a P's next.
///
/// Who was readied there and then runs, or goes elsewhere, has been seen by nobody before
/// that: so that is where his wake-up stands in the order, whenever it happened.
fn take_apart(said: Vec<Event>) -> Vec<Event> {
    let mut events = Vec::with_capacity(said.len());
    let (mut current, mut victim) = (0, 0);
    // Whom the last NEXT was about, or 0, and what it said.
    let mut noted: Option<(u64, Next)> = None;
    for event in said {
        let next = noted
            .filter(|(goid, _)| [0, event.argument].contains(goid))
            .map(|(_, next)| next);
        let ready = Event {
            kind: words::READY,
            next,
            ..event
        };
        let then = match event.kind {
            words::NEXT => {
                let by = if event.argument == 0 { 0 } else { current };
                let next = Next {
                    time: event.time,
                    by,
                };
                noted = Some((event.argument, next));
                continue;
            }
            words::READY => ready,
            words::TAKEN => Event {
                next: None,
                taken_from: Some(victim),
                ..ready
            },
            said => match words::but_readied(said) {
                Some(kind) => {
                    events.push(ready);
                    Event { kind, ..event }
                }
                None => event,
            },
        };
        match then.kind {
            words::STEAL => victim = then.argument as u32,
            words::RUN | words::EXIT | words::REFUSED => current = then.argument,
            words::PARK_RUN | words::END_RUN | words::YIELD_RUN => {
                current = then.argument;
                noted = None; // he runs, or was not there any more
            }
            words::READY | words::CREATE | words::TIMER => {}
            _ => current = 0,
        }
        events.push(then);
    }
    events
}

/// Finds those who are let run, and then run on the same P from its own queue: who was put
/// there by that P, and comes out again before it has stolen anything, has not been away in
/// between. Times need not tell that, and where two goroutines wake each other many times
/// between two events with a time they could not.
fn keep(events: &mut [Event]) {
    let mut queued: HashMap<u64, usize> = HashMap::new();
    for at in 0..events.len() {
        let Event { kind, argument, .. } = events[at];
        match kind {
            words::READY | words::CREATE => _ = queued.insert(argument, at),
            words::PARK_RUN | words::END_RUN | words::YIELD_RUN => {
                if let Some(from) = queued.remove(&argument) {
                    events[from].kept = true;
                }
            }
            // From the global queue, maybe.
            words::RUN => _ = queued.remove(&argument),
            words::STEAL | words::P_START | words::P_STOP | words::LOST => queued.clear(),
            _ => {}
        }
    }
}

/// Gives the events without a time of their own theirs, between their neighbours': evenly,
/// or where that would be much slower than it was before, at the pace that it was. Then
/// the last of them lasted: the next was stamped since it came late.
fn spread(events: &mut [Event], stamped: &[usize]) {
    const SLOWER: f64 = 4.0;
    const SOON: f64 = 4_000.0;
    let mut pace = 0.0;
    for (index, &from) in stamped.iter().enumerate() {
        let start = events[from].time;
        let to = stamped.get(index + 1).copied();
        let count = (to.unwrap_or(events.len()) - from) as f64;
        let mut step = pace;
        if let Some(to) = to {
            let passed = events[to].time - start;
            let even = passed / count;
            step = if count > 1.0 && pace > 0.0 && even > SLOWER * pace && passed > SOON {
                pace
            } else {
                even
            };
            pace = step;
        }
        let until = to.map_or(f64::INFINITY, |to| events[to].time);
        let end = to.unwrap_or(events.len());
        for (place, event) in events[from..end].iter_mut().enumerate() {
            event.time = start + step * place as f64;
            // These are written down when it has happened, others before that.
            let has_been = matches!(
                event.kind,
                words::RUN | words::REFUSED | words::EXIT | words::P_START
            );
            event.latest = if place == 0 && has_been { start } else { until };
        }
    }
}
