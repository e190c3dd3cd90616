//! A list of spans: the partial ones of an mcentral, or the full ones.
//!
//! Go's counterparts: `runtime/mspanset.go`; `mSpanList` in `mheap.go`, which is
//! what this is like. Go's sets need no lock, since its sweeper moves every span
//! in each cycle; here spans move under the lock of their mcentral, which they
//! need anyway, and one that has become free must leave from the middle.
//!
//! Doubly linked through the spans: nothing allocates, and each operation is a
//! few stores. Invariants: a span is on one list at most; its links, and those of
//! its neighbours, belong to the owner of that list.

use core::cell::Cell;

/// The links of a span. All zeros are those of one that is on no list.
pub(crate) struct Links<T: 'static> {
    previous: Cell<Option<&'static T>>,
    next: Cell<Option<&'static T>>,
    listed: Cell<bool>,
}

impl<T> Links<T> {
    /// Makes the links of a span that is on no list.
    pub(crate) const fn new() -> Self {
        Self {
            previous: Cell::new(None),
            next: Cell::new(None),
            listed: Cell::new(false),
        }
    }

    /// Tells whether the span is on a list. Owner of that list only.
    pub(crate) fn listed(&self) -> bool {
        self.listed.get()
    }
}

/// What can be on a list.
pub(crate) trait Linked: 'static {
    /// Gives the links, always the same.
    fn links(&self) -> &Links<Self>
    where
        Self: Sized;
}

/// A list of spans. All zeros is an empty one.
pub(crate) struct SpanSet<T: 'static> {
    first: Option<&'static T>,
    last: Option<&'static T>,
    length: usize,
}

impl<T: Linked> SpanSet<T> {
    /// Makes an empty list.
    pub(crate) const fn new() -> Self {
        Self {
            first: None,
            last: None,
            length: 0,
        }
    }

    /// Counts the spans.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Gives the first, which stays.
    pub(crate) fn first(&self) -> Option<&'static T> {
        self.first
    }

    /// Adds a span at the front: it is used next. It must be on no list.
    pub(crate) fn push_front(&mut self, span: &'static T) {
        self.insert(None, span, self.first);
    }

    /// Adds a span at the back: it is used last. It must be on no list.
    pub(crate) fn push_back(&mut self, span: &'static T) {
        self.insert(self.last, span, None);
    }

    /// Takes the first.
    pub(crate) fn pop_front(&mut self) -> Option<&'static T> {
        let first = self.first?;
        self.remove(first);
        Some(first)
    }

    /// Takes out a span, wherever it stands. It must be on this list.
    pub(crate) fn remove(&mut self, span: &'static T) {
        let links = span.links();
        debug_assert!(links.listed.get(), "a span that is on no list");
        let previous = links.previous.take();
        let next = links.next.take();
        links.listed.set(false);
        match previous {
            Some(previous) => previous.links().next.set(next),
            None => self.first = next,
        }
        match next {
            Some(next) => next.links().previous.set(previous),
            None => self.last = previous,
        }
        self.length -= 1;
    }

    /// Adds a span between two neighbours.
    fn insert(&mut self, previous: Option<&'static T>, span: &'static T, next: Option<&'static T>) {
        let links = span.links();
        debug_assert!(!links.listed.get(), "a span that is on a list already");
        links.previous.set(previous);
        links.next.set(next);
        links.listed.set(true);
        match previous {
            Some(previous) => previous.links().next.set(Some(span)),
            None => self.first = Some(span),
        }
        match next {
            Some(next) => next.links().previous.set(Some(span)),
            None => self.last = Some(span),
        }
        self.length += 1;
    }
}
