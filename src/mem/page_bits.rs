//! The pages of one arena: which are free, which have been touched, and how long
//! the free runs are.
//!
//! Go's counterparts: `runtime/mpallocbits.go`, and `pallocSum` in
//! `mpagealloc.go`.
//!
//! An arena is 64 MiB: 16 chunks of 512 pages of 8 KiB. Each page has two bits:
//!
//! | free | backed | the page                                            |
//! | ---- | ------ | --------------------------------------------------- |
//! | 0    | 0      | is not usable, or is being given back               |
//! | 0    | 1      | is in use                                           |
//! | 1    | 1      | is free, holds anything, counts as resident         |
//! | 1    | 0      | is free, and was never touched or has been given back: reads as zeros |
//!
//! All zeros is a valid arena, with no usable page; so a fresh mapping is one,
//! and what belongs to pages beyond the usable ones is never touched. The two
//! bitmaps lie side by side chunk by chunk, and behind the summaries: a small
//! heap stays within the first lines.

/// The pages of a chunk.
pub(crate) const CHUNK_PAGES: usize = 64 * CHUNK_WORDS;

/// The pages of an arena.
pub(crate) const ARENA_PAGES: usize = CHUNKS * CHUNK_PAGES;

/// The words of a chunk's bitmap.
const CHUNK_WORDS: usize = 8;

/// The chunks of an arena.
const CHUNKS: usize = 16;

/// How long the free runs in a range of pages are: the one at its start, the
/// longest, the one at its end. In a range that is all free, each is the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Summary {
    pub(super) start: u32,
    pub(super) max: u32,
    pub(super) end: u32,
}

impl Summary {
    /// Summarises `self`, of `pages` pages, and `next`, of `next_pages`, which
    /// follows it; with `joined`, at the very next address.
    pub(super) fn join(self, pages: u32, next: Self, next_pages: u32, joined: bool) -> Self {
        let mut both = Self {
            start: self.start,
            max: self.max.max(next.max),
            end: next.end,
        };
        if joined {
            if self.start == pages {
                both.start = pages + next.start;
            }
            if next.end == next_pages {
                both.end = self.end + next_pages;
            }
            both.max = both.max.max(self.end + next.start);
        }
        both
    }
}

/// The bitmaps of 512 pages.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Chunk {
    free: [u64; CHUNK_WORDS],
    backed: [u64; CHUNK_WORDS],
}

impl Chunk {
    /// Summarises the chunk.
    fn summary(&self) -> Summary {
        // Longest run so far, and the run that reaches the place looked at.
        let (mut max, mut run) = (0, 0);
        let mut start = None;
        for free in self.free {
            if free == u64::MAX {
                run += 64;
                continue;
            }
            run += free.trailing_ones();
            start.get_or_insert(run);
            max = max.max(run);
            // Only a run longer than `max` matters: cut that much off each.
            let mut rest = starts_of_runs(free, max + 1);
            while rest != 0 {
                max += 1;
                rest &= rest >> 1;
            }
            run = free.leading_ones();
        }
        Summary {
            start: start.unwrap_or(run),
            max: max.max(run),
            end: run,
        }
    }

    /// Finds the first run of `pages` free pages that begins at `from` or later:
    /// its first page, or the length of the run at the end.
    fn find(&self, from: usize, pages: usize) -> Result<usize, usize> {
        let mut run = 0;
        for word in from / 64..CHUNK_WORDS {
            let mut free = self.free[word];
            if word == from / 64 {
                free &= u64::MAX << (from % 64);
            }
            if run + free.trailing_ones() as usize >= pages {
                return Ok(word * 64 - run);
            }
            if free == u64::MAX {
                run += 64;
                continue;
            }
            let starts = starts_of_runs(free, pages.min(65) as u32);
            if starts != 0 {
                return Ok(word * 64 + starts.trailing_zeros() as usize);
            }
            run = free.leading_ones() as usize;
        }
        Err(run)
    }
}

/// Keeps of each run of ones the bits at which `length` ones begin, `length`
/// being at least 1. In each round the runs lose as many bits as make the next
/// rounds cut twice as much.
fn starts_of_runs(mut bits: u64, length: u32) -> u64 {
    if length > 64 {
        return 0;
    }
    let (mut left, mut cut) = (length - 1, 1);
    while left > 0 && bits != 0 {
        let now = cut.min(left);
        bits &= bits >> now;
        left -= now;
        cut *= 2;
    }
    bits
}

/// The pages of one arena. All zeros is one without usable pages.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct ArenaPages {
    /// All of them joined.
    summary: Summary,
    summaries: [Summary; CHUNKS],
    chunks: [Chunk; CHUNKS],
}

impl ArenaPages {
    /// Makes one without usable pages.
    #[cfg(test)]
    pub(crate) const fn new() -> Self {
        let none = [0; CHUNK_WORDS];
        Self {
            summary: Summary {
                start: 0,
                max: 0,
                end: 0,
            },
            summaries: [Summary {
                start: 0,
                max: 0,
                end: 0,
            }; CHUNKS],
            chunks: [Chunk {
                free: none,
                backed: none,
            }; CHUNKS],
        }
    }

    /// Tells how long the arena's free runs are.
    pub(super) fn summary(&self) -> Summary {
        self.summary
    }

    /// Joins the chunks' summaries.
    fn join(&self) -> Summary {
        let mut all = self.summaries[0];
        for (chunk, next) in self.summaries.iter().enumerate().skip(1) {
            let pages = (chunk * CHUNK_PAGES) as u32;
            all = all.join(pages, *next, CHUNK_PAGES as u32, true);
        }
        all
    }

    /// Finds the first run of `pages` free pages that begins at `from` or later:
    /// its first page, or the length of the run at the end of the arena.
    pub(super) fn find(&self, from: usize, pages: usize) -> Result<usize, usize> {
        let mut run = 0;
        let mut chunk = from / CHUNK_PAGES;
        if !from.is_multiple_of(CHUNK_PAGES) {
            let found = self.chunks[chunk].find(from % CHUNK_PAGES, pages);
            run = match found {
                Ok(page) => return Ok(chunk * CHUNK_PAGES + page),
                Err(run) => run,
            };
            chunk += 1;
        }
        while chunk < CHUNKS {
            let summary = self.summaries[chunk];
            let first = chunk * CHUNK_PAGES;
            if run + summary.start as usize >= pages {
                return Ok(first - run);
            }
            if summary.max as usize >= pages {
                return self.chunks[chunk].find(0, pages).map(|page| first + page);
            }
            if summary.start as usize == CHUNK_PAGES {
                run += CHUNK_PAGES;
            } else {
                run = summary.end as usize;
            }
            chunk += 1;
        }
        Err(run)
    }

    /// Tells whether `pages` pages from `first` are all free.
    pub(super) fn all_free(&self, first: usize, pages: usize) -> bool {
        words(first, pages).all(|(chunk, word, mask)| self.chunks[chunk].free[word] & mask == mask)
    }

    /// Tells whether none of `pages` pages from `first` is free.
    pub(super) fn none_free(&self, first: usize, pages: usize) -> bool {
        words(first, pages).all(|(chunk, word, mask)| self.chunks[chunk].free[word] & mask == 0)
    }

    /// Counts the backed ones of `pages` pages from `first`.
    pub(super) fn backed(&self, first: usize, pages: usize) -> usize {
        words(first, pages)
            .map(|(chunk, word, mask)| {
                (self.chunks[chunk].backed[word] & mask).count_ones() as usize
            })
            .sum()
    }

    /// Sets or clears the free bits of `pages` pages from `first`.
    pub(super) fn set_free(&mut self, first: usize, pages: usize, free: bool) {
        for (chunk, word, mask) in words(first, pages) {
            let bits = &mut self.chunks[chunk].free[word];
            *bits = if free { *bits | mask } else { *bits & !mask };
        }
        let mut changed = false;
        for chunk in first / CHUNK_PAGES..(first + pages).div_ceil(CHUNK_PAGES) {
            let summary = self.chunks[chunk].summary();
            changed |= summary != self.summaries[chunk];
            self.summaries[chunk] = summary;
        }
        if changed {
            self.summary = self.join();
        }
    }

    /// Sets or clears the backed bits of `pages` pages from `first`.
    pub(super) fn set_backed(&mut self, first: usize, pages: usize, backed: bool) {
        for (chunk, word, mask) in words(first, pages) {
            let bits = &mut self.chunks[chunk].backed[word];
            *bits = if backed { *bits | mask } else { *bits & !mask };
        }
    }

    /// Finds the highest run of pages that are free and backed, at most `pages`
    /// of it (its upper end), as its first page and length.
    pub(super) fn find_releasable(&self, pages: usize) -> Option<(usize, usize)> {
        let mut end = ARENA_PAGES; // of the run, once one page of it is found
        let mut length = 0;
        for word in (0..ARENA_PAGES / 64).rev() {
            let chunk = &self.chunks[word / CHUNK_WORDS];
            let mut bits = chunk.free[word % CHUNK_WORDS] & chunk.backed[word % CHUNK_WORDS];
            let mut left = 64; // bits of this word, which are moved to its top
            if length == 0 {
                if bits == 0 {
                    continue;
                }
                left -= bits.leading_zeros() as usize;
                bits <<= bits.leading_zeros();
                end = word * 64 + left;
            }
            let ones = bits.leading_ones() as usize;
            length += ones;
            if ones < left || length >= pages {
                break;
            }
        }
        let length = length.min(pages);
        (length > 0).then(|| (end - length, length))
    }

    /// Finds the highest run of whole huge pages, of `whole` pages each, that are
    /// free and of which each has a page that is backed; at most `pages` of it,
    /// but one huge page at least.
    pub(super) fn find_releasable_whole(
        &self,
        pages: usize,
        whole: usize,
    ) -> Option<(usize, usize)> {
        let chunk_has = |first: usize| {
            let max = self.summaries[first / CHUNK_PAGES].max as usize;
            max >= whole.min(CHUNK_PAGES)
        };
        let releasable = |first: usize| {
            chunk_has(first) && self.all_free(first, whole) && self.backed(first, whole) > 0
        };
        let mut first = (0..ARENA_PAGES)
            .step_by(whole)
            .rev()
            .find(|first| releasable(*first))?;
        let mut length = whole;
        while length + whole <= pages && first >= whole && releasable(first - whole) {
            first -= whole;
            length += whole;
        }
        Some((first, length))
    }
}

/// Lists the words that hold the bits of `pages` pages from `first`, as the
/// chunk, the word in it, and those bits.
fn words(first: usize, pages: usize) -> impl Iterator<Item = (usize, usize, u64)> {
    let end = first + pages;
    (first / 64..end.div_ceil(64)).map(move |word| {
        let mut mask = u64::MAX;
        if word == first / 64 {
            mask &= u64::MAX << (first % 64);
        }
        if word == end / 64 {
            mask &= !(u64::MAX << (end % 64));
        }
        (word / CHUNK_WORDS, word % CHUNK_WORDS, mask)
    })
}
