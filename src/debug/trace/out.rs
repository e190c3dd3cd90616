//! What goes to the file: `words` has the format.

use core::panic::Location;
use core::{ptr, slice};

use super::ring::Ring;
use super::words::{self, Extra, PACKED, STAMP_SIZE};
use super::{PLACES, REASONS, chrome, extra, writer};
use crate::sched;
use crate::{arch, os};

/// How many words are in a chunk at most, how many stamps, how many other events.
const CHUNK_WORDS: usize = 4096;
const _: () = assert!(CHUNK_WORDS <= PACKED);
const CHUNK_STAMPS: usize = 1024;
const CHUNK_EXTRA: usize = 512;

/// From how many words on a chunk that repeats next to nothing is not packed, and goes to the
/// file from where it is: to copy it to here first costs a program with one CPU for all as
/// much as to write it down in the ring.
const DIRECT: usize = 2 * CHUNK_WORDS;

/// By how many words it is seen whether so many as a chunk has repeat anything.
const SAMPLE: usize = 512;

/// How many bytes there is room for.
const ROOM: usize = BATCH + (32 << 10);

/// How many are written at a time where there are many, and of what their place in the file
/// is a multiple: for each write the kernel finds memory in as large pieces as that allows,
/// and finding it costs more than what is copied.
const BATCH: usize = 256 << 10;

/// How long what came first may wait for that, in nanoseconds.
const AGE: i64 = 50_000_000;

/// How many steps the boot has at most.
const STEPS: usize = 40;

/// What is to be written. All zeros, so that it lies in .bss.
pub(super) struct Out {
    bytes: [u8; ROOM],
    length: usize,
    /// How many bytes the file has.
    position: usize,
    /// When it last had all that there was.
    flushed: i64,
    /// It is Chrome's format: for that alone the file has what `chrome` writes.
    pub(super) chrome: chrome::State,
    /// The names that the file has: a bit each.
    reasons: u64,
    places: [u64; 16],
    /// The steps of the boot that the file does not have yet.
    steps: [Option<(&'static str, u64, u64)>; STEPS],
    step_count: usize,
    /// Of a chunk.
    extra: [Extra; CHUNK_EXTRA],
}

impl Out {
    /// Makes one with nothing in it.
    pub(super) const fn new() -> Self {
        Self {
            bytes: [0; ROOM],
            length: 0,
            position: 0,
            flushed: 0,
            chrome: chrome::State::new(),
            reasons: 0,
            places: [0; 16],
            steps: [None; STEPS],
            step_count: 0,
            extra: [extra::NONE; CHUNK_EXTRA],
        }
    }

    /// Notes a step of the boot.
    pub(super) fn step(&mut self, name: &'static str, begin: u64, end: u64) {
        if let Some(slot) = self.steps.get_mut(self.step_count) {
            *slot = Some((name, begin, end));
            self.step_count += 1;
        }
    }

    /// Writes what there is.
    pub(super) fn flush(&mut self) {
        self.write(self.length);
        self.flushed = os::nanotime();
    }

    /// Writes that many bytes, of those that there are the first.
    fn write(&mut self, count: usize) {
        writer::write(self.bytes.get(..count).unwrap_or_default());
        self.bytes.copy_within(count..self.length, 0);
        self.length -= count;
        self.position += count;
    }

    /// Makes room for that many bytes, less than there is in all.
    fn reserve(&mut self, count: usize) {
        if self.bytes.len() - self.length < count {
            let over = (self.position + self.length) % BATCH;
            // Nothing, where it has not come to a multiple yet.
            self.write(self.length.saturating_sub(over));
        }
        if self.bytes.len() - self.length < count {
            self.write(self.length);
        }
    }

    /// Appends bytes.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        if let Some(to) = self.bytes.get_mut(self.length..self.length + bytes.len()) {
            to.copy_from_slice(bytes);
            self.length += bytes.len();
        }
    }

    /// Appends a chunk, whose parts together are a multiple of 8 bytes.
    pub(super) fn chunk(&mut self, kind: u32, parts: &[&[u8]]) {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        self.put(&kind.to_le_bytes());
        self.put(&(length as u32).to_le_bytes());
        for part in parts {
            self.put(part);
        }
    }

    /// Appends the time.
    pub(super) fn clock(&mut self) {
        let (ticks, now) = both_clocks();
        self.chunk(words::CLOCK, &[&ticks.to_le_bytes(), &now.to_le_bytes()]);
    }

    /// Appends all that has come in; tells whether there was any. What comes goes to the
    /// file when it is much, or old, or nothing more comes.
    pub(super) fn collect(&mut self) -> bool {
        let mut any = false;
        sched::for_each_p(|pp| {
            if let Some(ring) = super::ring_of(pp) {
                let p = pp.id.get() as u32;
                any |= match self.chrome.is_on() {
                    true => chrome::ring(self, p, ring),
                    false => self.collect_ring(p, ring),
                };
            }
        });
        loop {
            let count = extra::take(&mut self.extra);
            if count == 0 {
                break;
            }
            any = true;
            self.extra_chunk(count);
        }
        for at in 0..core::mem::take(&mut self.step_count) {
            any = true;
            let Some((name, begin, end)) = self.steps[at] else {
                break;
            };
            if self.chrome.is_on() {
                chrome::step(self, name, begin, end);
                continue;
            }
            let name = name.as_bytes();
            let pad = &[0; 8][..name.len().next_multiple_of(8) - name.len()];
            let (begin, end) = (begin.to_le_bytes(), end.to_le_bytes());
            self.chunk(words::BOOT, &[&begin, &end, name, pad]);
        }
        if any && !self.chrome.is_on() {
            self.names();
            self.clock();
        }
        if !any || os::nanotime() - self.flushed >= AGE {
            self.flush();
        }
        any
    }

    /// Appends the end, and writes it: what was lost and could not be said yet, and the exit
    /// status.
    pub(super) fn end(&mut self, status: i32) {
        let mut lost = 0;
        sched::for_each_p(|pp| lost += super::ring_of(pp).map_or(0, Ring::lost));
        if lost > 0 {
            self.extra[0] = Extra {
                ticks: arch::ticks(),
                kind: words::extra::LOST,
                a: 0,
                b: lost,
            };
            self.extra_chunk(1);
        }
        match self.chrome.is_on() {
            true => chrome::finish(self),
            false => self.chunk(words::FINISH, &[&(status as u32).to_le_bytes(), &[0; 4]]),
        }
        self.flush();
    }

    /// Appends the first so many of [`Self::extra`].
    fn extra_chunk(&mut self, count: usize) {
        if self.chrome.is_on() {
            for at in 0..count {
                let event = self.extra[at];
                chrome::extra(self, &event);
            }
            return;
        }
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

    /// Appends what a ring has, and has the next event stamped.
    fn collect_ring(&mut self, p: u32, ring: &Ring) -> bool {
        let (end, stamps_end) = ring.ends();
        let (mut at, mut stamp) = ring.begins();
        let any = at < end;
        while at < end {
            let (first, first_stamp) = (at, stamp);
            let row = ring.row(first, (end - at) as usize);
            let direct = direct(row);
            let mut count = direct.unwrap_or(row.len().min(CHUNK_WORDS));
            // The stamps of those words; where there are too many, fewer words.
            while stamp < stamps_end && ring.stamp(stamp).at < first + count as u64 {
                if (stamp - first_stamp) as usize == CHUNK_STAMPS {
                    count = (ring.stamp(stamp).at - first) as usize;
                    break;
                }
                stamp += 1;
            }
            let stamps = (stamp - first_stamp) as usize;
            let words = row.get(..count).unwrap_or_default();
            self.words_chunk(p, first, words, stamps, direct.is_some(), |at| {
                let stamp = ring.stamp(first_stamp + at as u64);
                ((stamp.at - first) as u32, stamp.ticks)
            });
            at += count as u64;
            ring.taken(at, stamp);
        }
        ring.ask();
        any
    }

    /// Appends a chunk of words: packed, or all of them from where they are, in which case
    /// they are in the file when this returns.
    fn words_chunk(
        &mut self,
        p: u32,
        first: u64,
        words: &[u16],
        stamps: usize,
        direct: bool,
        stamp: impl Fn(usize) -> (u32, u64),
    ) {
        const HEAD: usize = 8 + 24;
        let count = words.len();
        let here = if direct { 0 } else { size_of_val(words) };
        self.reserve(HEAD + stamps * STAMP_SIZE + here + 2 * 2 + 8);
        let start = self.length;
        self.length += HEAD;
        for at in 0..stamps {
            let (at, ticks) = stamp(at);
            self.put(&at.to_le_bytes());
            self.put(&ticks.to_le_bytes());
        }
        let packed = if direct {
            self.put(&(count as u16).to_le_bytes()); // as pack says it
            count + 2
        } else {
            let Self { bytes, length, .. } = self;
            words::pack(words, |row| {
                let size = size_of_val(row);
                if let Some(to) = bytes.get_mut(*length..*length + size) {
                    let (to, _) = to.as_chunks_mut();
                    for (to, word) in to.iter_mut().zip(row) {
                        *to = word.to_le_bytes();
                    }
                    *length += size;
                }
            })
        };
        let whole = HEAD + stamps * STAMP_SIZE + packed * 2;
        let size = (whole.next_multiple_of(8) - 8) as u32;
        let end = core::mem::replace(&mut self.length, start);
        self.put(&words::WORDS.to_le_bytes());
        self.put(&size.to_le_bytes());
        self.put(&p.to_le_bytes());
        self.put(&(stamps as u32).to_le_bytes());
        self.put(&first.to_le_bytes());
        self.put(&(count as u32).to_le_bytes());
        self.put(&(packed as u32).to_le_bytes());
        self.length = end;
        if direct {
            self.write(self.length);
            let bytes = bytes_of(words);
            writer::write(bytes);
            self.position += bytes.len();
            self.put(&0_u16.to_le_bytes()); // no more of them
        }
        self.put(&[0; 8][..whole.next_multiple_of(8) - whole]);
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
                let mut line = [0; 20];
                let line = decimal(place.line().into(), &mut line);
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

/// Returns how many words of a row are to go to the file as they are, if it begins with so
/// many of that sort.
fn direct(row: &[u16]) -> Option<usize> {
    let repeats_nothing = |words: &&[u16]| {
        let sample = words.get(..SAMPLE).unwrap_or(words);
        words::pack(sample, |_| ()) > sample.len() / 8 * 7
    };
    let chunks = row.chunks(CHUNK_WORDS).take(PACKED / CHUNK_WORDS);
    let count: usize = chunks.take_while(repeats_nothing).map(<[_]>::len).sum();
    (count >= DIRECT).then_some(count)
}

/// Returns the bytes of words, which lie in memory as they do in the file.
fn bytes_of(words: &[u16]) -> &[u8] {
    const { assert!(cfg!(target_endian = "little")) };
    // SAFETY: any word is two bytes, and bytes lie anywhere.
    unsafe { slice::from_raw_parts(words.as_ptr().cast(), size_of_val(words)) }
}

/// Writes a number in decimal.
pub(super) fn decimal(mut number: u64, digits: &mut [u8; 20]) -> &[u8] {
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

/// Reads the counter and the clock, at the same moment as nearly as may be: of some tries
/// the one that took least. Who loses the CPU between the two has one that is old, and a
/// trace of 40 ms is wrong by a tenth then.
pub(super) fn both_clocks() -> (u64, i64) {
    const TRIES: usize = 8;
    let read = |_| {
        let before = arch::ticks();
        let now = os::nanotime();
        let took = arch::ticks().saturating_sub(before);
        (took, before + took / 2, now)
    };
    let pairs = (0..TRIES).map(read);
    let best = pairs.min_by_key(|&(took, ..)| took);
    best.map_or((0, 0), |(_, ticks, now)| (ticks, now))
}
