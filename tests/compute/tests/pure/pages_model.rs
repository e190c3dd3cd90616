//! A model of `mem::pages` that has two bools for each page, and looks at all of them; what
//! can be done to both; and whether they agree.

use std::ops::Range;

use gort_host_tests::ensure;
use libtest_mimic::Failed;
use proptest::prelude::{Just, Strategy, any};
use proptest::prop_oneof;

use crate::page_bits::{ARENA_PAGES, ArenaPages, CHUNK_PAGES};
use crate::pages::{Pages, Run, Slot};

/// The first page of place 0, where Go's arenas begin.
pub(crate) const BASE: usize = 0xc0_0000_0000 >> 13;

/// Where arenas can be: some are neighbours, some are not.
const PLACES: usize = 8;

/// The pages of a huge page.
const WHOLE: usize = 256;

/// Makes memory that is never freed, as the heap's own is.
pub(crate) fn leak<T>(value: T) -> &'static mut T {
    Box::leak(Box::new(value))
}

/// Adds an arena, and storage for it where that is needed.
pub(crate) fn add_arena(pages: &mut Pages, base: usize, usable: usize, storage: usize) -> bool {
    if pages.needs_storage().is_some() {
        let slots = (0..storage).map(|_| Slot::default()).collect::<Vec<_>>();
        pages.replace_storage(slots.leak());
    }
    pages.add_arena(leak(ArenaPages::new()), base, usable)
}

/// What can be done. Places and pages are taken modulo what there is.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Add {
        place: usize,
        usable: usize,
    },
    Extend {
        place: usize,
        usable: usize,
    },
    Alloc {
        pages: usize,
        align: u32,
    },
    AllocAt {
        page: usize,
        pages: usize,
    },
    /// Frees part of what a former operation allocated.
    Free {
        which: usize,
        from: usize,
        pages: usize,
    },
    FreeAt {
        page: usize,
        pages: usize,
    },
    /// Allocates a stretch in pieces, and frees every other one.
    Fragment {
        page: usize,
        piece: usize,
        count: usize,
    },
    FindReleasable {
        pages: usize,
        whole: bool,
    },
    Take {
        pages: usize,
        whole: bool,
    },
    PutReleased {
        which: usize,
        failed: bool,
    },
    Release {
        page: usize,
        pages: usize,
    },
}

/// Makes numbers of pages: many small ones, some around the size of a word, a
/// chunk and an arena.
fn lengths() -> impl Strategy<Value = usize> {
    let near = |length: usize| length - 2..length + 3;
    prop_oneof![
        4 => 1..20_usize,
        1 => near(64),
        1 => near(128),
        2 => near(CHUNK_PAGES),
        1 => 1..2 * CHUNK_PAGES,
        1 => near(ARENA_PAGES),
        1 => 1..3 * ARENA_PAGES,
    ]
}

/// Makes pages.
fn places() -> impl Strategy<Value = usize> {
    prop_oneof![
        0..PLACES * ARENA_PAGES,
        (1..PLACES, 0..100_usize).prop_map(|(place, before)| place * ARENA_PAGES - before),
    ]
}

/// Makes numbers of usable pages.
fn usables() -> impl Strategy<Value = usize> {
    prop_oneof![Just(ARENA_PAGES), 0..=ARENA_PAGES]
}

/// Makes operations.
pub(crate) fn operations() -> impl Strategy<Value = Operation> {
    use Operation::*;
    let place = 0..PLACES;
    let limit = || prop_oneof![1..1000_usize, Just(usize::MAX)];
    prop_oneof![
        3 => (place.clone(), usables()).prop_map(|(place, usable)| Add { place, usable }),
        1 => (place, usables()).prop_map(|(place, usable)| Extend { place, usable }),
        6 => lengths().prop_map(|pages| Alloc { pages, align: 0 }),
        4 => (lengths(), 0..16_u32).prop_map(|(pages, align)| Alloc { pages, align }),
        3 => (places(), lengths()).prop_map(|(page, pages)| AllocAt { page, pages }),
        6 => (any::<usize>(), any::<usize>(), lengths())
            .prop_map(|(which, from, pages)| Free { which, from, pages }),
        2 => (places(), lengths()).prop_map(|(page, pages)| FreeAt { page, pages }),
        2 => (places(), 1..70_usize, 2..40_usize)
            .prop_map(|(page, piece, count)| Fragment { page, piece, count }),
        1 => (limit(), any::<bool>()).prop_map(|(pages, whole)| FindReleasable { pages, whole }),
        3 => (limit(), any::<bool>()).prop_map(|(pages, whole)| Take { pages, whole }),
        3 => (any::<usize>(), any::<bool>())
            .prop_map(|(which, failed)| PutReleased { which, failed }),
        1 => (places(), lengths()).prop_map(|(page, pages)| Release { page, pages }),
    ]
}

/// Two bools for each page.
struct Model {
    free: Vec<bool>,
    backed: Vec<bool>,
    /// The usable pages of each place that has an arena.
    usable: [Option<usize>; PLACES],
}

impl Model {
    fn new() -> Self {
        Self {
            free: vec![false; PLACES * ARENA_PAGES],
            backed: vec![false; PLACES * ARENA_PAGES],
            usable: [None; PLACES],
        }
    }

    /// Makes the pages of a place usable.
    fn make_usable(&mut self, place: usize, usable: usize) {
        let before = self.usable[place].replace(usable).unwrap_or(0);
        let first = place * ARENA_PAGES;
        self.free[first + before..first + usable].fill(true);
    }

    /// Tells whether `length` pages from `page` on are all free, or in use.
    fn all(&self, page: usize, length: usize, free: bool) -> bool {
        let usable = |page: usize| {
            let usable = self.usable.get(page / ARENA_PAGES).copied().flatten();
            page % ARENA_PAGES < usable.unwrap_or(0)
        };
        (page..page + length).all(|page| usable(page) && self.free[page] == free)
    }

    /// Finds the first fit.
    fn first_fit(&self, length: usize, align: usize) -> Option<usize> {
        let mut start = None;
        for (page, free) in self.free.iter().enumerate() {
            if !free {
                start = None;
                continue;
            }
            let start = *start.get_or_insert(page);
            if page + 1 - start >= length {
                let aligned = (BASE + start).next_multiple_of(align) - BASE;
                if aligned + length <= page + 1 {
                    return Some(aligned);
                }
            }
        }
        None
    }

    /// Allocates.
    fn take(&mut self, pages: Range<usize>) -> Run {
        let backed = self.backed[pages.clone()].iter().filter(|backed| **backed);
        let newly_backed = pages.len() - backed.count();
        self.free[pages.clone()].fill(false);
        self.backed[pages.clone()].fill(true);
        Run {
            page: BASE + pages.start,
            fresh: newly_backed == pages.len(),
            newly_backed,
        }
    }

    /// Finds what to give back.
    fn find_releasable(&self, limit: usize, whole: bool) -> Option<(usize, usize)> {
        let unit = if whole { WHOLE } else { 1 };
        let releasable = |page: &usize| {
            self.free[*page..page + unit].iter().all(|free| *free)
                && self.backed[*page..page + unit].contains(&true)
        };
        let highest = (0..self.free.len()).step_by(unit).rev().find(releasable)?;
        let (mut first, mut length) = (highest, unit);
        while length + unit <= limit
            && !first.is_multiple_of(ARENA_PAGES)
            && releasable(&(first - unit))
        {
            first -= unit;
            length += unit;
        }
        Some((BASE + first, length))
    }
}

/// Both, and what former operations have left to do.
pub(crate) struct Both {
    pages: Pages,
    model: Model,
    allocated: Vec<Range<usize>>,
    taken: Vec<(usize, usize)>,
}

impl Both {
    pub(crate) fn new() -> Self {
        Self {
            pages: Pages::new(),
            model: Model::new(),
            allocated: Vec::new(),
            taken: Vec::new(),
        }
    }

    /// Does an operation on both, and compares what they say.
    pub(crate) fn apply(&mut self, operation: &Operation) -> Result<(), Failed> {
        match *operation {
            Operation::Add { place, usable } => {
                let there = self.model.usable[place].is_some();
                let arenas = self.model.usable.iter().flatten().count();
                // As little as will do, so that it grows often.
                let storage = (arenas + 1).next_power_of_two();
                let added = add_arena(&mut self.pages, BASE + place * ARENA_PAGES, usable, storage);
                ensure!(added != there, "added: {added}");
                if added {
                    self.model.make_usable(place, usable);
                }
            }
            Operation::Extend { place, usable } => {
                let right = self.model.usable[place].is_some_and(|before| before <= usable);
                let extended = self.pages.extend(BASE + place * ARENA_PAGES, usable);
                ensure!(extended == right, "extended: {extended}");
                if extended {
                    self.model.make_usable(place, usable);
                }
            }
            Operation::Alloc { pages, align } => {
                let fit = self.model.first_fit(pages, 1 << align);
                let right = fit.map(|page| self.model.take(page..page + pages));
                let run = self.pages.alloc(pages, 1 << align);
                ensure!(run == right, "{run:x?} in place of {right:x?}");
                self.allocated.extend(fit.map(|page| page..page + pages));
            }
            Operation::AllocAt { page, pages } => self.alloc_at(page, pages)?,
            Operation::Free { which, from, pages } => {
                if !self.allocated.is_empty() {
                    let which = which % self.allocated.len();
                    let run = self.allocated.swap_remove(which);
                    let from = run.start + from % run.len();
                    let end = run.end.min(from + pages);
                    self.free(from, end - from)?;
                    let rest = [run.start..from, end..run.end];
                    self.allocated
                        .extend(rest.into_iter().filter(|run| !run.is_empty()));
                }
            }
            Operation::FreeAt { page, pages } => self.free(page, pages)?,
            Operation::Fragment { page, piece, count } => {
                let pieces = || (0..count).map(|i| page + i * piece);
                for page in pieces() {
                    self.alloc_at(page, piece)?;
                }
                for page in pieces().step_by(2) {
                    self.free(page, piece)?;
                }
            }
            Operation::FindReleasable { pages, whole } => {
                let right = self.model.find_releasable(pages, whole);
                let found = self
                    .pages
                    .find_releasable(pages, usize::from(whole) * WHOLE);
                ensure!(found == right, "{found:x?} in place of {right:x?}");
            }
            Operation::Take { pages, whole } => {
                let right = self.model.find_releasable(pages, whole);
                let taken = self
                    .pages
                    .take_releasable(pages, usize::from(whole) * WHOLE);
                ensure!(taken == right, "{taken:x?} in place of {right:x?}");
                if let Some((page, length)) = taken {
                    self.model.free[page - BASE..][..length].fill(false);
                    self.taken.push((page - BASE, length));
                }
            }
            Operation::PutReleased { which, failed } => {
                if !self.taken.is_empty() {
                    let which = which % self.taken.len();
                    let (page, length) = self.taken.swap_remove(which);
                    if failed {
                        return self.free(page, length);
                    }
                    // Another operation may have freed some of it.
                    let right = self.model.all(page, length, false);
                    let put = self.pages.put_released(BASE + page, length);
                    ensure!(put == right, "put: {put}");
                    if put {
                        self.model.free[page..page + length].fill(true);
                        self.model.backed[page..page + length].fill(false);
                    }
                }
            }
            Operation::Release { page, pages } => {
                let right = self.model.all(page, pages, true);
                let released = self.pages.release(BASE + page, pages);
                ensure!(released == right, "released: {released}");
                if released {
                    self.model.backed[page..page + pages].fill(false);
                }
            }
        }
        Ok(())
    }

    fn alloc_at(&mut self, page: usize, pages: usize) -> Result<(), Failed> {
        let fits = self.model.all(page, pages, true);
        let right = fits.then(|| self.model.take(page..page + pages));
        let run = self.pages.alloc_at(BASE + page, pages);
        ensure!(run == right, "{run:x?} in place of {right:x?}");
        self.allocated.extend(fits.then(|| page..page + pages));
        Ok(())
    }

    fn free(&mut self, page: usize, pages: usize) -> Result<(), Failed> {
        let right = self.model.all(page, pages, false);
        let freed = self.pages.free(BASE + page, pages);
        ensure!(freed == right, "freed: {freed}");
        if freed {
            self.model.free[page..page + pages].fill(true);
        }
        Ok(())
    }

    /// Compares the counters.
    pub(crate) fn compare(&self) -> Result<(), Failed> {
        let (pages, model) = (&self.pages, &self.model);
        let free = model.free.iter().filter(|free| **free).count();
        let both = model.free.iter().zip(&model.backed);
        let free_backed = both.filter(|(free, backed)| **free && **backed).count();
        let usable: usize = model.usable.iter().flatten().sum();
        ensure!(pages.free_pages() == free, "free: {}", pages.free_pages());
        let resident = pages.resident_pages();
        ensure!(
            resident == usable - free + free_backed,
            "{resident} pages take memory"
        );
        let found = pages.free_backed_pages();
        ensure!(
            found == free_backed,
            "free and backed: {found}, not {free_backed}"
        );
        ensure!(
            pages.in_use_pages() == usable - free,
            "in use: {}",
            pages.in_use_pages()
        );
        Ok(())
    }

    /// Allocates each free run as a whole, after trying one page more on either
    /// side.
    pub(crate) fn fill(&mut self) -> Result<(), Failed> {
        let mut page = 0;
        while page < self.model.free.len() {
            let rest = &self.model.free[page..];
            let length = rest.iter().take_while(|free| **free).count();
            if length > 0 {
                self.alloc_at(page, length + 1)?;
                self.alloc_at(page.saturating_sub(1), length + 1)?;
                self.alloc_at(page, length)?;
            }
            page += length + 1;
        }
        ensure!(self.pages.free_pages() == 0, "still free");
        ensure!(self.pages.alloc(1, 1).is_none(), "allocated");
        Ok(())
    }
}
