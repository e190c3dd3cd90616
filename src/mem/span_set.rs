//! The partial and full sets of an mcentral: a doubly linked list through its
//! members.
use core::cell::Cell;

/// Where a member of a set keeps its neighbours.
pub(crate) struct Links<T: 'static> {
    prev: Cell<Option<&'static T>>,
    next: Cell<Option<&'static T>>,
}

/// What can be in a set.
pub(crate) trait Node: Sized {
    fn links(&self) -> &Links<Self>;
}

/// A set.
pub(crate) struct SpanSet<T: Node + 'static> {
    first: Option<&'static T>,
    last: Option<&'static T>,
}

impl<T: Node> SpanSet<T> {
    pub(crate) const fn new() -> Self {
        Self {
            first: None,
            last: None,
        }
    }
    pub(crate) fn first(&self) -> Option<&'static T> {
        self.first
    }
    pub(crate) fn push_front(&mut self, node: &'static T) {
        node.links().prev.set(None);
        node.links().next.set(self.first);
        match self.first {
            Some(first) => first.links().prev.set(Some(node)),
            None => self.last = Some(node),
        }
        self.first = Some(node);
    }
    pub(crate) fn remove(&mut self, node: &'static T) {
        let (prev, next) = (node.links().prev.take(), node.links().next.take());
        match prev {
            Some(prev) => prev.links().next.set(next),
            None => self.first = next,
        }
        match next {
            Some(next) => next.links().prev.set(prev),
            None => self.last = prev,
        }
    }
}
