//! What a trace is made of: the words in which a P writes down what its scheduler does,
//! and the file that they go to.
//!
//! **A word** has an argument in its low [`ARGUMENT_BITS`] bits and a kind in the others.
//! That of a kind from [`RUN`] on is an event; what comes before one of those says more about
//! the events that follow: the upper part of large numbers of goroutines, why they park,
//! where in the source they are made. Who runs is not repeated: it follows from the events
//! before.
//!
//! **Times** stand beside the words, in stamps: a stamp is the time of the event that
//! begins at a word. Where much goes on only every so many events have one, 10 µs apart
//! or so, since to read the counter costs as much as all the rest: see `ring`.
//!
//! **The file** is [`MAGIC`] and chunks behind it: the kind, a `u32`; how many bytes follow,
//! a `u32`; those, padded to a multiple of 8. All numbers are little-endian.
//!
//! | chunk | what it holds |
//! | --- | --- |
//! | [`CLOCK`] | the counter, u64; the monotonic clock in nanoseconds at the same time, i64 |
//! | [`WORDS`] | the P, u32; how many stamps, u32; the number of the first word, u64; how many words, u32; how many the file has, u32; the stamps, of three u32: the word since the first, and the counter, low part first; the words |
//! | [`NAME`] | [`OF_REASON`] or [`OF_PLACE`], u32; its number, u32; the text |
//! | [`EXTRA`] | events of threads without a P, [`Extra`] as it stands in memory |
//! | [`BOOT`] | a step of the boot: when it began and ended, two u64; its name |
//! | [`FINISH`] | the end: the exit status, u32 |
//!
//! The file stands alone: `cargo xtask trace` and the tests include it, too.

/// What a file begins with.
pub(crate) const MAGIC: [u8; 8] = *b"gorttrc\x02";

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

/// How many bits of a word say what it is.
pub(crate) const KIND_BITS: u32 = 6;

/// How many bits the argument has.
pub(crate) const ARGUMENT_BITS: u32 = 32 - KIND_BITS;

/// From here on a goroutine's number is large: of it an event has the bits below this one,
/// and this one, which says that [`HIGH`] has the rest. So who made less than 33 million of
/// them need not ask, event by event, what that has.
pub(crate) const LARGE: u64 = 1 << (ARGUMENT_BITS - 1);

/// The upper part of large goroutines' numbers from here on.
pub(crate) const HIGH: u32 = 1;
/// So many events were lost here: there was no room for them.
pub(crate) const LOST: u32 = 2;
/// The number of the reason for which goroutines park from here on.
pub(crate) const REASON: u32 = 3;
/// The number of the place where goroutines are made from here on.
pub(crate) const PLACE: u32 = 4;

/// The goroutine goes on, from the scheduler.
pub(crate) const RUN: u32 = 8;
/// The current one parks, and the goroutine goes on.
pub(crate) const PARK_RUN: u32 = 9;
/// The current one parks.
pub(crate) const PARK: u32 = 10;
/// The current one ends, and the goroutine goes on.
pub(crate) const END_RUN: u32 = 11;
/// The current one ends.
pub(crate) const END: u32 = 12;
/// The current one gives way to the goroutine.
pub(crate) const YIELD_RUN: u32 = 13;
/// The current one gives way.
pub(crate) const YIELD: u32 = 14;
/// The current one was made to give way.
pub(crate) const PREEMPT: u32 = 15;
/// The goroutine may go on.
pub(crate) const READY: u32 = 16;
/// The goroutine is made.
pub(crate) const CREATE: u32 = 17;
/// The current one goes into a system call.
pub(crate) const ENTER: u32 = 18;
/// The goroutine comes back from one.
pub(crate) const EXIT: u32 = 19;
/// The M has the P from here on.
pub(crate) const P_START: u32 = 20;
/// The M gives it up.
pub(crate) const P_STOP: u32 = 21;
/// It has taken goroutines from that P.
pub(crate) const STEAL: u32 = 22;
/// A timer fires.
pub(crate) const TIMER: u32 = 23;
/// The goroutine, which was parked last, goes on: what it waited for was there.
pub(crate) const REFUSED: u32 = 24;

/// In a file alone: so many words are as those [`PERIOD`] before.
pub(crate) const REPEAT: u32 = 63;

/// After how many words a pattern is taken for one: two goroutines that wake each other
/// write four.
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

/// The bits of an argument.
const ARGUMENT: u32 = (1 << ARGUMENT_BITS) - 1;

/// Makes a word. What the argument has too much of is cut.
#[inline(always)]
#[must_use]
pub(crate) const fn word(kind: u32, argument: u32) -> u32 {
    argument & ARGUMENT | kind << ARGUMENT_BITS
}

/// Takes a word apart: the kind, and the argument.
#[allow(dead_code, reason = "for those who read")]
#[must_use]
pub(crate) const fn parts(word: u32) -> (u32, u32) {
    (word >> ARGUMENT_BITS, word & ARGUMENT)
}

/// Makes the arguments of [`HIGH`] and of an event of a large number.
#[inline(always)]
#[must_use]
pub(crate) const fn parts_of_large(goid: u64) -> (u32, u32) {
    ((goid / LARGE) as u32, ((goid % LARGE) | LARGE) as u32)
}

/// Makes a goroutine's number of an event's argument, and of what [`HIGH`] has said last.
#[allow(dead_code, reason = "for those who read")]
#[must_use]
pub(crate) const fn goid(argument: u32, high: u32) -> u64 {
    let low = argument as u64;
    if low < LARGE {
        low
    } else {
        low % LARGE + high as u64 * LARGE
    }
}

/// Writes words as a file has them: what repeats itself as a count. Calls `put` with each
/// row of words that goes to the file, and returns how many words those were. Most of the
/// writer's work, and its thread may have no CPU of its own: so words are looked at
/// [`PERIOD`] at a time, with one comparison, and of a repetition that is shorter than two
/// such looks nothing may be seen.
pub(crate) fn pack(words: &[u32], mut put: impl FnMut(&[u32])) -> usize {
    let mut count = 0;
    let mut put = |row: &[u32]| {
        put(row);
        count += row.len();
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
        put(words.get(row..at).unwrap_or_default());
        put(&[word(REPEAT, same as u32)]);
        row = at + same;
        at = row.next_multiple_of(PERIOD);
    }
    put(words.get(row..).unwrap_or_default());
    count
}

/// Tells how many words from there on are as those [`PERIOD`] before.
#[inline(always)]
fn as_before(words: &[u32], at: usize) -> usize {
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
