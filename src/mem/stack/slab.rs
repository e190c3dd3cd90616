//! Slabs: runs of stacks of one size, and the marks which of them are whose.
//!
//! Go's counterpart: the `mspan`s of `stackpool` in `runtime/stack.go`. The file
//! needs nothing but `core`: build.rs takes the offsets for the debugger from it.
//!
//! ```text
//!   |<------------- stride ------------->|
//!   +-------+-------------+---+---+------+-------+-------------+---+---+------+
//!   | guard | stack       | G |   | line | guard | stack       | G |   | line | ...
//!   +-------+-------------+---+---+------+-------+-------------+---+---+------+
//!           lo               top         hi
//! ```
//!
//! **Colours.** What is between a G and its slot's line is unused, and not equally long
//! in all slots. All slots begin at a page, and so all Gs, and the same frames of all
//! goroutines, would lie on the same few lines of their pages; but where a cache puts a
//! line depends on just that. A tenth of it would be used, and the rest be idle; and a
//! CPU that saves one goroutine and takes the next one up would take each load for one
//! of what it has just stored, until it has compared all of the two addresses.
//!
//! The line at the end of a slot is the canary of the slot above it, where that has
//! no guard. A slot's two bits say what it is:
//!
//! | live | free | |
//! | --- | --- | --- |
//! | 0 | 0 | not opened; or taken, and its G is being made |
//! | 1 | 0 | it holds a G |
//! | 1 | 1 | it is being given back: what is in it becomes zeros |
//! | 0 | 1 | given back |
//!
//! The lock of the module `pool` is held for all steps but the one to 1 0. Whoever
//! goes through all goroutines needs no lock: a slab is published whole and stays,
//! and the live bit is set when the G is.

use core::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

/// How many stacks a slab has at most.
pub(crate) const MAX_SLOTS: usize = 1024;

/// The bytes at the end of each slot that are not the goroutine's.
pub(crate) const LINE: usize = 64;

/// How many different places in its page a G may have, a line apart. Half of a page: the
/// rest is for the G and its first frames, so that most goroutines have one page.
pub(crate) const COLOURS: usize = 32;

const WORDS: usize = MAX_SLOTS / 64;

/// A run of slots. All zeros are one without any.
#[repr(C)]
pub(crate) struct Slab {
    /// The next in the list of all.
    pub(crate) next: AtomicPtr<Slab>,
    /// Where the first slot's line begins.
    pub(crate) line: AtomicUsize,
    /// From one slot to the next, in bytes.
    pub(crate) stride: AtomicUsize,
    /// How many slots there are.
    pub(crate) slots: AtomicUsize,
    /// How many of them have ever been taken: the lowest ones.
    opened: AtomicUsize,
    /// How many have been given back.
    returned: AtomicUsize,
    /// The lowest slot without a guard, 0 if all have one.
    unguarded: AtomicUsize,
    /// Which slots hold a G: a bit each.
    pub(crate) live: [AtomicU64; WORDS],
    /// Which have been given back.
    free: [AtomicU64; WORDS],
}

// What is below is Relaxed but for `next` and `live`: it is written before the slab
// is published, or read and written with the lock held.
impl Slab {
    /// Makes one without slots.
    pub(crate) const fn new() -> Self {
        Self {
            next: AtomicPtr::new(core::ptr::null_mut()),
            line: AtomicUsize::new(0),
            stride: AtomicUsize::new(0),
            slots: AtomicUsize::new(0),
            opened: AtomicUsize::new(0),
            returned: AtomicUsize::new(0),
            unguarded: AtomicUsize::new(0),
            live: [const { AtomicU64::new(0) }; WORDS],
            free: [const { AtomicU64::new(0) }; WORDS],
        }
    }

    /// Says which addresses this is. The first slot is the caller's. Before it is
    /// published.
    pub(crate) fn init(&self, line: usize, stride: usize, slots: usize) {
        self.line.store(line, Ordering::Relaxed);
        self.stride.store(stride, Ordering::Relaxed);
        self.slots.store(slots, Ordering::Relaxed);
        self.opened.store(1, Ordering::Relaxed);
    }

    /// Adds another slab behind this one. With the lock.
    pub(crate) fn link(&self, other: &'static Slab) {
        let next = self.next.load(Ordering::Relaxed);
        other.next.store(next, Ordering::Relaxed);
        let other = core::ptr::from_ref(other).cast_mut();
        self.next.store(other, Ordering::Release); // pairs with `following`
    }

    /// Returns the slab behind this one.
    pub(crate) fn following(&self) -> Option<&'static Slab> {
        // SAFETY: slabs are never freed. Acquire pairs with `link`.
        unsafe { self.next.load(Ordering::Acquire).as_ref() }
    }

    /// Returns where a slot's line begins.
    pub(crate) fn line(&self, index: usize) -> usize {
        self.line.load(Ordering::Relaxed) + index * self.stride.load(Ordering::Relaxed)
    }

    /// Returns where a slot's G ends.
    pub(crate) fn top(&self, index: usize) -> usize {
        self.line(index) - below_line(index)
    }

    /// Returns which slot an address is in, that of a G of this slab.
    pub(crate) fn index_of(&self, address: usize) -> usize {
        let stride = self.stride.load(Ordering::Relaxed);
        let start = self.line.load(Ordering::Relaxed) + LINE - stride;
        (address - start).checked_div(stride).unwrap_or(0)
    }

    /// Tells how many slots there are.
    pub(crate) fn slots(&self) -> usize {
        self.slots.load(Ordering::Relaxed)
    }

    /// Takes the lowest slot that nobody has had.
    pub(crate) fn open(&self) -> Option<usize> {
        let index = self.opened.load(Ordering::Relaxed);
        if index == self.slots() {
            return None;
        }
        self.opened.store(index + 1, Ordering::Relaxed);
        Some(index)
    }

    /// Takes some of the lowest slots that nobody has had, `most` of them at most, but two at
    /// least. Returns the first, and how many.
    pub(crate) fn open_some(&self, most: usize) -> Option<(usize, usize)> {
        let first = self.opened.load(Ordering::Relaxed);
        let count = most.min(self.slots() - first);
        if count < 2 {
            return None;
        }
        self.opened.store(first + count, Ordering::Relaxed);
        Some((first, count))
    }

    /// Takes the lowest slot that has been given back.
    pub(crate) fn take_returned(&self) -> Option<usize> {
        let words = self.free.iter().zip(&self.live).enumerate();
        let (at, free, bits) = words
            .map(|(at, (free, live))| (at, free, bits(free) & !bits(live)))
            .find(|&(_, _, bits)| bits != 0)?;
        let bit = bits.trailing_zeros();
        free.fetch_and(!(1 << bit), Ordering::Relaxed);
        self.returned.fetch_sub(1, Ordering::Relaxed);
        Some(at * 64 + bit as usize)
    }

    /// Begins to give a slot back.
    pub(crate) fn retire(&self, index: usize) {
        let (word, bit) = place(&self.free, index);
        word.fetch_or(bit, Ordering::Relaxed);
    }

    /// Tells whether a slot is being given back.
    pub(crate) fn is_retiring(&self, index: usize) -> bool {
        let set = |words| {
            let (word, bit) = place(words, index);
            bits(word) & bit != 0
        };
        set(&self.live) && set(&self.free)
    }

    /// Takes that back: the slot holds a G as before.
    pub(crate) fn keep(&self, index: usize) {
        let (word, bit) = place(&self.free, index);
        word.fetch_and(!bit, Ordering::Relaxed);
    }

    /// Gives a slot back that has been retired.
    pub(crate) fn give_back(&self, index: usize) {
        let (word, bit) = place(&self.live, index);
        word.fetch_and(!bit, Ordering::Relaxed); // who still sees it finds zeros
        self.returned.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells whether any slot has been given back.
    pub(crate) fn has_returned(&self) -> bool {
        self.returned.load(Ordering::Relaxed) > 0
    }

    /// Says that a slot holds a G, for all to see. Without the lock.
    pub(crate) fn set_live(&self, index: usize) {
        let (word, bit) = place(&self.live, index);
        word.fetch_or(bit, Ordering::Release); // pairs with `is_live`
    }

    /// Says that this slot has no guard, nor any that will be opened after it.
    pub(crate) fn end_guards(&self, index: usize) {
        if self.unguarded.load(Ordering::Relaxed) == 0 {
            self.unguarded.store(index, Ordering::Relaxed);
        }
    }

    /// Tells whether a slot has a guard, when every `group`th has one in any case.
    pub(crate) fn is_guarded(&self, index: usize, group: usize) -> bool {
        let unguarded = self.unguarded.load(Ordering::Relaxed);
        unguarded == 0 || index < unguarded || index.is_multiple_of(group)
    }

    /// Tells whether a slot holds a G.
    pub(crate) fn is_live(&self, index: usize) -> bool {
        // Acquire pairs with `set_live`.
        let (word, bit) = place(&self.live, index);
        word.load(Ordering::Acquire) & bit != 0
    }
}

/// Returns how far below its slot's line a G ends.
pub(crate) fn below_line(index: usize) -> usize {
    index % COLOURS * LINE
}

/// Reads a word of marks. With the lock, which all that changes them but `set_live`
/// needs, and that is about a slot which nobody else has.
fn bits(word: &AtomicU64) -> u64 {
    word.load(Ordering::Relaxed)
}

/// Finds a slot's bit. The index is below [`MAX_SLOTS`].
fn place(words: &[AtomicU64; WORDS], index: usize) -> (&AtomicU64, u64) {
    (&words[index / 64 % WORDS], 1 << (index % 64))
}
