//! The words of one P, from whoever holds it to whoever writes the file.
//!
//! Go's counterpart: `traceBuf` in `runtime/trace*.go`, whose events have a time each.
//! Here the usual event is two comparisons and two stores: it costs 2 ns or so, where
//! reading the counter costs 10.
//!
//! ```text
//!               tail              next    limit     WORDS
//!   words   ------|=================|--------|---------|
//!                 what the file     ^        from here on: the slow way, which takes
//!                 does not have     |        the time, looks for room, begins anew at
//!                               the next     the end, and sets the next limit
//! ```
//!
//! **Times.** The slow way stamps the next event, and says how many may follow without a
//! stamp: as many as fit into [`FAR`] ticks at the pace that it sees, [`MOST`] at most. Where
//! events are rarer than that each has its own. And [`Ring::ask`], which the writer calls
//! every few milliseconds, makes the next event a stamped one: so one that runs for long
//! behind a burst does not lend its time to those before it.
//!
//! Invariants:
//! 1. `put` is called by whoever holds the P and keeps it for that, one at a time; `take`
//!    and `taken` by whoever has the writer's lock.
//! 2. Words from `tail` up to `next` are written, and the owner does not touch them: its
//!    store of `next` hands them over, the writer's of `tail` gives the room back. Never are
//!    all of them written: so `next` alone says which are, if one knows `tail`.
//! 3. The slow way comes first to `clock`, which waits for room where there is nearly none.
//!    What finds none nevertheless, since the file stands still, is counted and left out,
//!    and the next that finds some says so; at the end of the file what is left of that.
//! 4. `limit` is `WORDS - 1` at most: from a slot below it on there are two.
//!
//! The file stands alone: `atomic` is `core::sync::atomic`, or what a test puts there.

use core::arch::asm;
use core::cell::{Cell, UnsafeCell};
use core::slice;

use super::atomic::{AtomicU64, AtomicUsize, Ordering};
use super::chrome::Reader;
use super::words::{
    BASE, CREATE, FILLER, HIGH, LARGE, LONG_BITS, LOST, NEAR, NEXT, PLACE, REASON, Said, Stamp,
    bare, long, near, parts_of_large, said,
};

/// How many words a ring has: 9 ms of the fastest switches there are.
pub(crate) const WORDS: usize = 1 << 18;

/// How many stamps.
pub(crate) const STAMPS: usize = 1 << 15;

/// How many ticks may lie between two stamps, or so, where much goes on.
const FAR: u64 = 64 << 10;

/// How many words may have no stamp in between.
const MOST: u64 = 512;

/// Where fewer eighths than that are used it is not known how many exactly: what the writer
/// has taken is written on its CPU, and to read that takes as long as all else that the slow
/// way does.
pub(crate) const FEW: u64 = 3;

/// With less room than that nothing is written down.
const RESERVE: u64 = 1024;

/// Reads the counter, when it has seen to it that there is room.
pub(crate) type Clock = fn(&Ring) -> u64;

/// A ring. All zeros are an empty one, whose first event takes the slow way.
#[repr(C)]
pub(crate) struct Ring {
    /// The next word's slot; behind the last one, the first.
    next: AtomicUsize,
    /// At which one to take the slow way.
    limit: AtomicUsize,
    /// The number of the word in the first slot: how many there were before.
    lap: Cell<u64>,
    /// From where goroutines are counted, the upper part of large numbers, the reason and the
    /// place that were written last; 0 is what holds at the beginning.
    base: Cell<u64>,
    high: Cell<u64>,
    reason: Cell<u64>,
    place: Cell<u64>,
    /// How many words may follow without a stamp.
    pace: Cell<u64>,
    /// The counter at the last stamp.
    last: Cell<u64>,
    /// How many events found no room, since one did.
    lost: AtomicU64,
    /// Every event is to be stamped.
    exact: Cell<bool>,
    /// The number of the next stamp.
    stamp_head: AtomicU64,
    /// What of both the writer has taken; on a line of its own.
    taken: Taken,
    /// What of that the owner has seen.
    seen: [Cell<u64>; 2],
    /// What the writer knows of the P, if it makes Chrome's format.
    pub(super) reader: Reader,
    stamps: [UnsafeCell<Stamp>; STAMPS],
    words: [UnsafeCell<u16>; WORDS],
}

#[repr(C, align(64))]
struct Taken {
    words: AtomicU64,
    stamps: AtomicU64,
}

// SAFETY: invariants 1 and 2.
unsafe impl Sync for Ring {}

impl Ring {
    /// Writes an event about a goroutine, of a kind up to [`END_NEXT`]; false if it is lost.
    ///
    /// [`END_NEXT`]: super::words::END_NEXT
    #[inline(always)]
    pub(crate) fn put_goid(&self, kind: u32, goid: u64, clock: Clock) -> bool {
        match self.word_near(kind, goid) {
            Some(word) => self.put([word], clock),
            None => self.put_far(kind, goid, clock),
        }
    }

    /// The same if it is about one near the base, else nothing; tells whether it is.
    #[inline(always)]
    pub(crate) fn put_near(&self, kind: u32, goid: u64, clock: Clock) -> bool {
        let word = self.word_near(kind, goid);
        if let Some(word) = word {
            self.put([word], clock);
        }
        word.is_some()
    }

    /// Makes the word of an event about a goroutine, if that is near the base.
    #[inline(always)]
    fn word_near(&self, kind: u32, goid: u64) -> Option<u16> {
        let offset = goid.wrapping_sub(self.base.get());
        (offset < NEAR).then(|| near(kind, offset))
    }

    /// Stamps the moment at which a goroutine becomes the P's next, if the next event would be
    /// stamped.
    #[inline(always)]
    pub(crate) fn note_next(&self, goid: u64, clock: Clock) {
        // Relaxed: as in put.
        if self.next.load(Ordering::Relaxed) >= self.limit.load(Ordering::Relaxed) {
            self.put_next(goid, clock);
        }
    }

    /// Does that.
    #[cold]
    #[inline(never)]
    fn put_next(&self, goid: u64, clock: Clock) {
        let lost = self.lost.load(Ordering::Relaxed); // only we write it
        if lost > 0 {
            return; // the next event looks whether there is room again
        }
        if !self.put_long_goid(NEXT, goid, clock) {
            self.lost.store(0, Ordering::Relaxed); // this is no event; as above
        }
    }

    /// The same about one that is not near the base. One that is made takes that along: so it
    /// stays near those that are made now.
    #[cold]
    #[inline(never)]
    fn put_far(&self, kind: u32, goid: u64, clock: Clock) -> bool {
        if kind != CREATE {
            return self.put_long_goid(kind, goid, clock);
        }
        let base = goid.saturating_sub(NEAR / 16 * 15);
        if !self.put_long_goid(BASE, base, clock) {
            return false;
        }
        self.base.set(base);
        self.put([near(kind, goid - base)], clock)
    }

    /// Writes an event about a goroutine, of any kind; false if it is lost.
    #[inline(always)]
    pub(crate) fn put_long_goid(&self, kind: u32, goid: u64, clock: Clock) -> bool {
        if goid < LARGE {
            self.put_long(kind, goid as u32, clock)
        } else {
            self.put_large(kind, goid, clock)
        }
    }

    /// The same about one with a large number.
    #[cold]
    #[inline(never)]
    fn put_large(&self, kind: u32, goid: u64, clock: Clock) -> bool {
        let (high, argument) = parts_of_large(goid);
        (u64::from(high) == self.high.get()
            || self.change(HIGH, &self.high, high.into(), high, clock))
            && self.put_long(kind, argument, clock)
    }

    /// Writes an event with a number; false if it is lost.
    #[inline(always)]
    pub(crate) fn put_long(&self, kind: u32, argument: u32, clock: Clock) -> bool {
        self.put(long(kind, argument), clock)
    }

    /// Writes an event of which there is no more to say; false if it is lost.
    #[inline(always)]
    pub(crate) fn put_bare(&self, kind: u32, clock: Clock) -> bool {
        self.put([bare(kind)], clock)
    }

    /// Writes an event's words, one or two; false if it is lost.
    #[inline(always)]
    fn put<const COUNT: usize>(&self, words: [u16; COUNT], clock: Clock) -> bool {
        let mut next = self.next.load(Ordering::Relaxed); // only we write it
        // Relaxed: a request of the writer's, which comes again.
        if next >= self.limit.load(Ordering::Relaxed) {
            match self.slow(clock) {
                Some(now) => next = now,
                None => return false,
            }
        }
        self.write(next, words);
        true
    }

    /// Parks from here on have this reason, an address whose number `number` tells. To be
    /// called before each; false if it is lost, with the event that it is for.
    #[inline(always)]
    pub(crate) fn reason(&self, now: usize, number: fn(usize) -> u32, clock: Clock) -> bool {
        let now = now as u64;
        now == self.reason.get()
            || self.change(REASON, &self.reason, now, number(now as usize), clock)
    }

    /// The same for the place where goroutines are made.
    #[inline(always)]
    pub(crate) fn place(&self, now: usize, number: fn(usize) -> u32, clock: Clock) -> bool {
        let now = now as u64;
        now == self.place.get() || self.change(PLACE, &self.place, now, number(now as usize), clock)
    }

    /// Writes what changes, and notes that unless it is lost.
    #[cold]
    #[inline(never)]
    fn change(&self, kind: u32, field: &Cell<u64>, now: u64, number: u32, clock: Clock) -> bool {
        let written = self.put_long(kind, number, clock);
        if written {
            field.set(now);
        }
        written
    }

    /// Writes an event's words where the next ones go, below the limit, and hands them over.
    #[inline(always)]
    fn write<const COUNT: usize>(&self, next: usize, words: [u16; COUNT]) {
        const { assert!(COUNT <= 2) };
        for (at, word) in words.into_iter().enumerate() {
            // SAFETY: invariant 4.
            let slot = unsafe { self.words.get_unchecked(next + at) }.get();
            // SAFETY: invariants 1 and 2: there is room, by `slow`.
            unsafe { slot.write(word) };
        }
        self.next.store(next + COUNT, Ordering::Release); // pairs with ends
    }

    /// Stamps the next event, if there is room, and returns the slot of its word.
    #[cold]
    #[inline(never)]
    fn slow(&self, clock: Clock) -> Option<usize> {
        let ticks = clock(self);
        let mut next = self.around(self.next.load(Ordering::Relaxed)); // only we write it
        let head = self.lap.get() + next as u64;
        let stamp = self.stamp_head.load(Ordering::Relaxed); // only we write it
        let (used, stamps) = self.used_up_to(head, stamp);
        if used + RESERVE >= WORDS as u64 || stamps >= STAMPS as u64 {
            let lost = self.lost.load(Ordering::Relaxed); // only we write it
            self.lost.store(lost + 1, Ordering::Relaxed); // as above
            self.limit.store(0, Ordering::Relaxed); // each looks again
            return None;
        }
        let slot = self.stamps[stamp as usize % STAMPS].get();
        // SAFETY: invariants 1 and 2, for stamps.
        unsafe { slot.write(Stamp { at: head, ticks }) };
        self.stamp_head.store(stamp + 1, Ordering::Release); // pairs with ends
        let lost = self.lost.load(Ordering::Relaxed); // as above
        if lost > 0 {
            self.lost.store(0, Ordering::Relaxed); // as above
            let most = (1 << LONG_BITS) - 1;
            self.write(next, long(LOST, lost.min(most) as u32));
            next = self.around(next + 2);
        }
        let far = ticks.wrapping_sub(self.last.replace(ticks));
        let pace = self.pace.get();
        let pace = match far {
            _ if self.exact.get() => 1,
            _ if far > 4 * FAR => 1,
            _ if far > FAR => (pace / 2).max(1),
            _ if far < FAR / 2 => (pace * 2).clamp(1, MOST),
            _ => pace.max(1),
        };
        self.pace.set(pace);
        self.prefetch(next as u64 + pace, pace);
        let limit = (next + pace as usize).min(WORDS - 1);
        self.limit.store(limit, Ordering::Relaxed); // see put
        Some(next)
    }

    /// Returns a slot behind which there is another one: that, or the first, if that is the
    /// last, which is filled then, or comes behind it.
    fn around(&self, next: usize) -> usize {
        if next < WORDS - 1 {
            return next;
        }
        if next < WORDS {
            self.write(next, [bare(FILLER)]);
        }
        self.lap.set(self.lap.get() + WORDS as u64);
        self.next.store(0, Ordering::Release); // pairs with ends, for the words before it
        0
    }

    /// Gets hold of the memory for so many words from there on: those that come after the
    /// next stamp. The writer's CPU has read what was there, and a store that has to wait for
    /// that memory holds up the next locked instruction, of which a switch has several.
    fn prefetch(&self, from: u64, count: u64) {
        const LINE: u64 = 32; // words
        for line in 0..=count / LINE {
            let slot = self.words[(from + line * LINE) as usize % WORDS].get();
            // SAFETY: a hint, which changes nothing. (The intrinsic is the one for reading
            // unless the program is built for a CPU that is said to have this one. Those
            // that do not, do nothing.)
            unsafe {
                asm!(
                    "prefetchw [{}]",
                    in(reg) slot,
                    options(nostack, preserves_flags, readonly)
                );
            };
        }
    }

    /// Has each event stamped. Before the first.
    pub(super) fn stamp_all(&self) {
        self.exact.set(true);
    }

    /// Tells whether each is.
    pub(super) fn is_exact(&self) -> bool {
        self.exact.get()
    }

    /// Has the next event stamped. By anybody.
    pub(crate) fn ask(&self) {
        self.limit.store(0, Ordering::Relaxed); // one that is lost comes again
    }

    /// Returns where words and stamps end that can be taken.
    pub(crate) fn ends(&self) -> (u64, u64) {
        // Acquire: pairs with write and around. The words first: all stamps of those are there then.
        let next = self.next.load(Ordering::Acquire);
        let words = self.taken.words.load(Ordering::Relaxed) + self.used(next); // by us alone
        (words, self.stamp_head.load(Ordering::Acquire)) // as above
    }

    /// Returns where those begin.
    pub(crate) fn begins(&self) -> (u64, u64) {
        // Relaxed: by the writer alone.
        (
            self.taken.words.load(Ordering::Relaxed),
            self.taken.stamps.load(Ordering::Relaxed),
        )
    }

    /// Tells how many words there are up to that slot: invariant 2.
    fn used(&self, next: usize) -> u64 {
        let tail = self.taken.words.load(Ordering::Relaxed); // the caller's, or a hint
        (next as u64).wrapping_sub(tail) % WORDS as u64
    }

    /// Tells how many eighths are used, if those are not [`FEW`]. Owner only.
    pub(crate) fn eighths(&self) -> u64 {
        // Relaxed, both: only we write them.
        let head = self.lap.get() + self.next.load(Ordering::Relaxed) as u64;
        let stamp = self.stamp_head.load(Ordering::Relaxed);
        let (words, stamps) = self.used_up_to(head, stamp);
        eighths(words, stamps)
    }

    /// Tells how many words and stamps are used up to those; where they are few, at most.
    /// Owner only.
    fn used_up_to(&self, word: u64, stamp: u64) -> (u64, u64) {
        let [words, stamps] = &self.seen;
        let used = || (word - words.get(), stamp - stamps.get());
        let (w, s) = used();
        if eighths(w, s) >= FEW {
            // Acquire, both: pairs with taken.
            words.set(self.taken.words.load(Ordering::Acquire));
            stamps.set(self.taken.stamps.load(Ordering::Acquire));
        }
        used()
    }

    /// Returns what a word from between the two says, with the next if that is a part of it,
    /// and the number of the word behind that.
    pub(crate) fn said(&self, number: u64) -> (Said, u64) {
        let mut next = number + 1;
        let said = said(self.word(number), || {
            next += 1;
            self.word(number + 1)
        });
        (said, next)
    }

    /// Returns a word from between the two.
    fn word(&self, number: u64) -> u16 {
        // SAFETY: invariant 2.
        unsafe { self.words[number as usize % WORDS].get().read() }
    }

    /// Returns as many words from there on as lie in a row, at most `count`: all of them
    /// from between the two.
    pub(crate) fn row(&self, number: u64, count: usize) -> &[u16] {
        let start = number as usize % WORDS;
        let count = count.min(WORDS - start);
        // SAFETY: invariant 2; and they lie in a row up to the array's end.
        unsafe { slice::from_raw_parts(self.words[start].get(), count) }
    }

    /// Returns a stamp from between the two.
    pub(crate) fn stamp(&self, number: u64) -> Stamp {
        // SAFETY: invariant 2.
        unsafe { self.stamps[number as usize % STAMPS].get().read() }
    }

    /// Returns how many events found no room that nobody has said yet. A hint while the P
    /// is at it.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed) // by itself
    }

    /// Gives the room back of what was before these.
    pub(crate) fn taken(&self, words: u64, stamps: u64) {
        self.taken.words.store(words, Ordering::Release); // pairs with slow
        self.taken.stamps.store(stamps, Ordering::Release); // as above
    }
}

/// Tells of how many eighths so many words and stamps are, the more of both.
fn eighths(words: u64, stamps: u64) -> u64 {
    (words * 8 / WORDS as u64).max(stamps * 8 / STAMPS as u64)
}
