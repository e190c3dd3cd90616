//! A queue of threads, by a link in each: a thread is on one at most.

use core::cell::Cell;
use core::ptr;

use super::kernel::Context;

/// First in, first out; behind the kernel's lock.
pub(super) struct Queue {
    first: Cell<*const Context>,
    last: Cell<*const Context>,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self {
            first: Cell::new(ptr::null()),
            last: Cell::new(ptr::null()),
        }
    }

    /// Tells whether there is nobody on it.
    pub(super) fn is_empty(&self) -> bool {
        self.first.get().is_null()
    }

    /// Goes through it, the first one first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'static Context> {
        core::iter::successors(thread(self.first.get()), |at| thread(at.link.get()))
    }

    /// Finds the first one of which that is true.
    pub(super) fn find(&self, wanted: impl Fn(&Context) -> bool) -> Option<&'static Context> {
        self.iter().find(|thread| wanted(thread))
    }

    /// Puts a thread at the end.
    pub(super) fn push(&self, thread: &'static Context) {
        thread.link.set(ptr::null());
        match self::thread(self.last.get()) {
            Some(last) => last.link.set(thread),
            None => self.first.set(thread),
        }
        self.last.set(thread);
    }

    /// Puts a thread at the beginning.
    pub(super) fn push_front(&self, thread: &'static Context) {
        thread.link.set(self.first.get());
        if self.is_empty() {
            self.last.set(thread);
        }
        self.first.set(thread);
    }

    /// Takes the first one.
    pub(super) fn pop(&self) -> Option<&'static Context> {
        let first = thread(self.first.get())?;
        self.remove(first);
        Some(first)
    }

    /// Takes one off that is on it.
    pub(super) fn remove(&self, thread: &'static Context) {
        let mut before: *const Context = ptr::null();
        let mut link = &self.first;
        while let Some(at) = self::thread(link.get()) {
            if ptr::eq(at, thread) {
                link.set(at.link.get());
                if ptr::eq(self.last.get(), at) {
                    self.last.set(before);
                }
                return;
            }
            before = at;
            link = &at.link;
        }
    }
}

/// Follows a link.
fn thread(link: *const Context) -> Option<&'static Context> {
    // SAFETY: null, or a thread that somebody has put there; its memory stays a thread's.
    unsafe { link.as_ref() }
}
