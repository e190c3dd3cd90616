//! What a trace is made of: the words in which a P writes down what its scheduler does,
//! and the file that they go to.
//!
//! **A word** has 16 bits: the upper three say what the others are.
//!
//! | upper bits | the others |
//! | --- | --- |
//! | 1 to 7, a kind up to [`END_NEXT`] | a goroutine's number, less what [`BASE`] has said last |
//! | [`LONG`] | a kind in five bits, and the upper 8 of its argument, of which the next word is the rest, unless the kind [`is_bare`] |
//!
//! So who runs among goroutines that were made at about the same time takes two bytes, and
//! anybody else four. A kind up to [`TAKEN`] is an event; the others say more
//! about the events that follow: from where numbers of goroutines are counted, the upper part
//! of large ones, why they park, where in the source they are made. Who runs is not repeated:
//! it follows from the events before.
//!
//! **Who is a P's next** (`runnext`) was mostly readied by the current goroutine, and runs
//! when that leaves the P. So that he was readied is not written down when it happens, but
//! with what becomes of him:
//!
//! | he | what is written |
//! | --- | --- |
//! | runs | [`PARK_NEXT`] or [`END_NEXT`]: he was readied, the current one leaves, he goes on |
//! | goes elsewhere: somebody else is next, or the scheduler comes | [`READY`] |
//! | is taken by another P | by that one: [`STEAL`], then [`TAKEN`] |
//!
//! When it happened is known as well as of any event: where the next word would have a stamp
//! [`NEXT`] is written, at once.
//!
//! **Times** stand beside the words, in stamps: a stamp is the time of the event that
//! begins at a word. Where much goes on only every so many events have one, 20 µs apart
//! or so, since to read the counter costs as much as all the rest: see `ring`.
//!
//! **The file** is [`MAGIC`] and chunks behind it: the kind, a `u32`; how many bytes follow,
//! a `u32`; those, padded to a multiple of 8. All numbers are little-endian.
//!
//! | chunk | what it holds |
//! | --- | --- |
//! | [`CLOCK`] | the counter, u64; the monotonic clock in nanoseconds at the same time, i64 |
//! | [`WORDS`] | the P, u32; how many stamps, u32; the number of the first word, u64; how many words, u32; how many the file has, u32; the stamps, of three u32: the word since the first, and the counter, low part first; the words, as [`pack`] writes them |
//! | [`NAME`] | [`OF_REASON`] or [`OF_PLACE`], u32; its number, u32; the text |
//! | [`EXTRA`] | events of threads without a P, [`Extra`] as it stands in memory |
//! | [`BOOT`] | a step of the boot: when it began and ended, two u64; its name |
//! | [`FINISH`] | the end: the exit status, u32 |
//!
//! The file stands alone: `cargo xtask trace` and the tests include it, too.

use core::cell::Cell;

/// What a file begins with.
pub(crate) const MAGIC: [u8; 8] = *b"gorttrc\x04";

/// The kinds of chunks.
pub(crate) const CLOCK: u32 = 1;
pub(crate) const WORDS: u32 = 2;
pub(crate) const NAME: u32 = 3;
pub(crate) const EXTRA: u32 = 4;
pub(crate) const BOOT: u32 = 5;
pub(crate) const FINISH: u32 = 6;

/// What a [`NAME`] is of.
pub(crate) const OF_REASON: u32 = 0;
pub(crate) const OF_PLACE: u32 = 1;

/// How many bits of a word say what the others are.
const FORM_BITS: u32 = 3;

/// How many those are.
const SHORT_BITS: u32 = 16 - FORM_BITS;

/// So many goroutines, from the base on, have a number that fits into one word.
pub(crate) const NEAR: u64 = 1 << SHORT_BITS;

/// How many bits the argument of a word and the next has.
pub(crate) const LONG_BITS: u32 = 24;

/// How many of those are in the first.
const UPPER_BITS: u32 = LONG_BITS - 16;

/// From here on a goroutine's number is large: of it two words have the bits below this one,
/// and this one, which says that [`HIGH`] has the rest. With 24 bits for that, too, they are
/// right up to 2^47 goroutines.
pub(crate) const LARGE: u64 = 1 << (LONG_BITS - 1);

/// A word and the next, or one without an argument.
const LONG: u32 = 0;

/// The current one parks, and the goroutine goes on.
pub(crate) const PARK_RUN: u32 = 1;
/// The current one ends, and the goroutine goes on.
pub(crate) const END_RUN: u32 = 2;
/// The current one gives way to the goroutine.
pub(crate) const YIELD_RUN: u32 = 3;
/// The goroutine may go on.
pub(crate) const READY: u32 = 4;
/// The goroutine is made.
pub(crate) const CREATE: u32 = 5;
/// The current one has readied the goroutine, parks, and the goroutine goes on.
pub(crate) const PARK_NEXT: u32 = 6;
/// The current one has readied the goroutine, ends, and the goroutine goes on.
pub(crate) const END_NEXT: u32 = 7;
/// The goroutine goes on, from the scheduler.
pub(crate) const RUN: u32 = 8;
/// The current one parks.
pub(crate) const PARK: u32 = 9;
/// The current one ends.
pub(crate) const END: u32 = 10;
/// The current one gives way.
pub(crate) const YIELD: u32 = 11;
/// The current one was made to give way.
pub(crate) const PREEMPT: u32 = 12;
/// The current one goes into a system call.
pub(crate) const ENTER: u32 = 13;
/// The goroutine comes back from one.
pub(crate) const EXIT: u32 = 14;
/// The M has the P from here on.
pub(crate) const P_START: u32 = 15;
/// The M gives it up.
pub(crate) const P_STOP: u32 = 16;
/// It has taken goroutines from that P.
pub(crate) const STEAL: u32 = 17;
/// A timer fires.
pub(crate) const TIMER: u32 = 18;
/// The goroutine, which was parked last, goes on: what it waited for was there.
pub(crate) const REFUSED: u32 = 19;
/// The goroutine had been readied on the P of the last [`STEAL`], and was its next.
pub(crate) const TAKEN: u32 = 20;

/// The goroutine is the P's next from here on: this has the time of what is said later, and
/// tells who is the current one. The number 0: whoever is the P's next was so before this.
pub(crate) const NEXT: u32 = 21;
/// Nothing: the next two words are to lie in a row.
pub(crate) const FILLER: u32 = 22;
/// So many events were lost here: there was no room for them.
pub(crate) const LOST: u32 = 23;
/// The upper part of large goroutines' numbers from here on.
pub(crate) const HIGH: u32 = 24;
/// From which number on goroutines are counted from here on.
pub(crate) const BASE: u32 = 25;
/// The number of the reason for which goroutines park from here on.
pub(crate) const REASON: u32 = 26;
/// The number of the place where goroutines are made from here on.
pub(crate) const PLACE: u32 = 27;

/// Tells whether there is no more to say of a kind.
#[inline(always)]
#[must_use]
pub(crate) const fn is_bare(kind: u32) -> bool {
    matches!(kind, PARK | END | YIELD | PREEMPT | FILLER)
}

/// Returns what else a kind says that says, too, that the goroutine was readied.
#[must_use]
pub(crate) const fn but_readied(kind: u32) -> Option<u32> {
    match kind {
        PARK_NEXT => Some(PARK_RUN),
        END_NEXT => Some(END_RUN),
        _ => None,
    }
}

/// In a goroutine's number: it is a P's next, or will be, and that it may run has been said.
/// With that the number is far from any [`BASE`].
pub(crate) const SAID: u64 = 1 << 63;

/// After how many words a pattern is taken for one: two goroutines that wake each other
/// write two, and with a third one in between four.
pub(crate) const PERIOD: usize = 4;

/// What happens without a P. The arguments are in [`Extra`]'s `a` and `b`.
pub(crate) mod extra {
    /// The thread of M `a` begins; its number is `b`.
    pub(crate) const M_START: u32 = 1;
    /// M `a` has ended.
    pub(crate) const M_END: u32 = 2;
    /// M `a` goes to sleep, since nobody needs it.
    pub(crate) const M_PARK: u32 = 3;
    /// M `a` has been woken.
    pub(crate) const M_UNPARK: u32 = 4;
    /// P `a` was taken out of a system call by sysmon, or for a stop of the world.
    pub(crate) const RETAKE: u32 = 5;
    /// Goroutine `b` may go on: M `a` said so.
    pub(crate) const READY: u32 = 6;
    /// Goroutine `b` comes back from a system call to M `a`, and waits for a P.
    pub(crate) const EXIT: u32 = 7;
    /// M `a` stops the world.
    pub(crate) const STOP: u32 = 8;
    /// M `a` lets it go on, with `b` Ps.
    pub(crate) const START: u32 = 9;
    /// So many events like these were lost: `b`.
    pub(crate) const LOST: u32 = 10;
}

/// An event without a P.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extra {
    /// When: the counter.
    pub(crate) ticks: u64,
    /// One of [`extra`].
    pub(crate) kind: u32,
    /// Its arguments.
    pub(crate) a: u32,
    /// As above.
    pub(crate) b: u64,
}

/// How many bytes one has in a file.
pub(crate) const EXTRA_SIZE: usize = size_of::<Extra>();

/// The time of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The number of the word that it begins with.
    pub(crate) at: u64,
    /// The counter.
    pub(crate) ticks: u64,
}

/// How many bytes one has in a file.
pub(crate) const STAMP_SIZE: usize = 12;

/// Makes the word of an event about a goroutine, `offset` behind the base.
#[inline(always)]
#[must_use]
pub(crate) const fn near(kind: u32, offset: u64) -> u16 {
    (kind << SHORT_BITS) as u16 | offset as u16
}

/// Makes the word of an event of which there is no more to say.
#[inline(always)]
#[must_use]
pub(crate) const fn bare(kind: u32) -> u16 {
    (LONG << SHORT_BITS | kind << UPPER_BITS) as u16
}

/// Makes two words of a kind and its argument. What that has too much of is cut.
#[must_use]
pub(crate) const fn long(kind: u32, argument: u32) -> [u16; 2] {
    let upper = argument >> 16 & ((1 << UPPER_BITS) - 1);
    [
        (LONG << SHORT_BITS | kind << UPPER_BITS | upper) as u16,
        argument as u16,
    ]
}

/// What a word says, or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// An event about the goroutine that is so far behind the base.
    Near(u32, u32),
    /// One of which there is no more to say.
    Bare(u32),
    /// The next word is the rest of its argument.
    Long(u32, u32),
}

/// Takes a word apart, and the next, of which `next` is called where it is needed.
#[must_use]
pub(crate) fn said(word: u16, next: impl FnOnce() -> u16) -> Said {
    let word = u32::from(word);
    let (form, rest) = (word >> SHORT_BITS, word & ((1 << SHORT_BITS) - 1));
    match form {
        LONG if is_bare(rest >> UPPER_BITS) => Said::Bare(rest >> UPPER_BITS),
        LONG => {
            let upper = rest & ((1 << UPPER_BITS) - 1);
            Said::Long(rest >> UPPER_BITS, upper << 16 | u32::from(next()))
        }
        kind => Said::Near(kind, rest),
    }
}

/// Makes the arguments of [`HIGH`] and of two words about a large number.
#[must_use]
pub(crate) const fn parts_of_large(goid: u64) -> (u32, u32) {
    ((goid / LARGE) as u32, ((goid % LARGE) | LARGE) as u32)
}

/// Who reads words, and remembers what those have said that are no events.
#[derive(Default)]
pub(crate) struct Listener {
    high: Cell<u32>,
    base: Cell<u64>,
    /// The numbers of the reason and of the place that hold.
    pub(crate) reason: Cell<u32>,
    pub(crate) place: Cell<u32>,
}

impl Listener {
    /// Hears what was said; if it is an event, returns its kind and its argument: a
    /// goroutine's whole number, if it is about one.
    pub(crate) fn hear(&self, said: Said) -> Option<(u32, u64)> {
        let (kind, argument) = match said {
            Said::Near(kind, offset) => return Some((kind, self.base.get() + u64::from(offset))),
            Said::Bare(kind) => (kind, 0),
            Said::Long(kind, argument) => (kind, argument),
        };
        match kind {
            HIGH => self.high.set(argument),
            BASE => self.base.set(self.goid(argument)),
            REASON => self.reason.set(argument),
            PLACE => self.place.set(argument),
            FILLER => {}
            LOST | P_START | STEAL => return Some((kind, argument.into())),
            _ => return Some((kind, self.goid(argument))),
        }
        None
    }

    /// Makes a goroutine's number of an argument, and of what [`HIGH`] has said last.
    fn goid(&self, argument: u32) -> u64 {
        let low = u64::from(argument);
        if low < LARGE {
            low
        } else {
            low % LARGE + u64::from(self.high.get()) * LARGE
        }
    }
}

/// Writes words as a file has them: how many follow, a word; those; how many as those
/// [`PERIOD`] before come then, a word; and so on. Calls `put` with each row of words that
/// goes to the file, and returns how many words those were. Most of the writer's work, and its
/// thread may have no CPU of its own: so words are looked at [`PERIOD`] at a time, with one
/// comparison, and of a repetition that is shorter than two such looks nothing may be seen.
/// Of at most [`PACKED`] words.
pub(crate) fn pack(words: &[u16], mut put: impl FnMut(&[u16])) -> usize {
    let mut count = 0;
    let mut put = |row: &[u16], same: usize| {
        put(&[row.len() as u16]);
        put(row);
        put(&[same as u16]);
        count += row.len() + 2;
    };
    // What stands before `row` has been put, and what stands before `at` repeats nothing.
    let (mut row, mut at) = (0, PERIOD);
    let (looks, _) = words.as_chunks::<PERIOD>();
    while let Some([before, now]) = looks.get(at / PERIOD - 1..=at / PERIOD) {
        if before != now {
            at += PERIOD;
            continue;
        }
        let same = as_before(words, at);
        put(words.get(row..at).unwrap_or_default(), same);
        row = at + same;
        at = row.next_multiple_of(PERIOD);
    }
    let rest = words.get(row..).unwrap_or_default();
    if !rest.is_empty() {
        put(rest, 0);
    }
    count
}

/// How many words are packed at a time at most.
pub(crate) const PACKED: usize = u16::MAX as usize;

/// Tells how many words from there on are as those [`PERIOD`] before.
#[inline(always)]
fn as_before(words: &[u16], at: usize) -> usize {
    let Some(before) = at.checked_sub(PERIOD).and_then(|from| words.get(from..)) else {
        return 0;
    };
    let after = words.get(at..).unwrap_or_default();
    let ((before, _), (after, rest)) = (before.as_chunks::<PERIOD>(), after.as_chunks::<PERIOD>());
    let whole = before
        .iter()
        .zip(after)
        .take_while(|(before, after)| before == after)
        .count();
    // Of what is left, one by one: of the first that differs, or behind the last.
    let start = at + whole * PERIOD;
    let end = match after.get(whole) {
        Some(_) => start + PERIOD,
        None => start + rest.len(),
    };
    let single = (start..end)
        .take_while(|&at| words.get(at) == words.get(at - PERIOD))
        .count();
    whole * PERIOD + single
}
