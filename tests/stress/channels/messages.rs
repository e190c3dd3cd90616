//! What goes through the channels, and the books that are kept of it.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::{Count, Random};

/// How many values something has happened to, and the sum of their numbers.
#[derive(Default)]
pub(super) struct Tally {
    count: AtomicUsize,
    sum: AtomicUsize,
}

impl Tally {
    pub(super) fn add(&self, number: usize) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(number, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> [usize; 2] {
        [&self.count, &self.sum].map(|number| number.load(Ordering::Relaxed))
    }
}

/// What has become of the values of one scene.
#[derive(Default)]
pub(super) struct Books {
    pub(super) made: Tally,
    pub(super) sent: Tally,
    pub(super) received: Tally,
    dropped: Tally,
}

impl Books {
    /// Checks that each has been dropped once; and that `all` that were sent were received.
    pub(super) fn add_up(&self, all: bool) {
        assert_eq!(self.made.get(), self.dropped.get());
        let [sent, received] = [&self.sent, &self.received].map(Tally::get);
        assert!(sent[0] >= received[0], "{sent:?} {received:?}");
        assert!(!all || sent == received, "{sent:?} {received:?}");
    }
}

/// What goes through a channel.
pub(super) trait Message: Send + 'static {
    fn new(random: &Random, books: &Arc<Books>) -> Self;
    fn number(&self) -> usize;
}

/// One of `SIZE` words and a few, with a number of its own.
pub(super) struct Value<const SIZE: usize> {
    copies: [usize; SIZE],
    books: Arc<Books>,
}

impl<const SIZE: usize> Message for Value<SIZE> {
    fn new(random: &Random, books: &Arc<Books>) -> Self {
        let number = random.below(1 << 30);
        books.made.add(number);
        Self {
            copies: [number; SIZE],
            books: Arc::clone(books),
        }
    }

    fn number(&self) -> usize {
        assert!(self.copies.iter().all(|&copy| copy == self.copies[0]));
        self.copies[0]
    }
}

impl<const SIZE: usize> Drop for Value<SIZE> {
    fn drop(&mut self) {
        self.books.dropped.add(self.number());
    }
}

/// One of no size.
pub(super) struct Nothing;

pub(super) static NOTHINGS: Count = Count::new();

impl Message for Nothing {
    fn new(_: &Random, _: &Arc<Books>) -> Self {
        NOTHINGS.begin();
        Self
    }

    fn number(&self) -> usize {
        0
    }
}

impl Drop for Nothing {
    fn drop(&mut self) {
        NOTHINGS.end();
    }
}
