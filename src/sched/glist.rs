//! Lists of goroutines, linked through `schedlink`: a goroutine is on one at
//! most.
//!
//! Go's counterparts: `gQueue`, `gList` in `runtime/proc.go`.

use core::ptr;

use super::runtime2::{G, GList};

/// First in, first out.
pub(super) struct GQueue {
    head: *mut G,
    tail: *mut G,
    size: usize,
}

impl GQueue {
    /// Makes an empty queue.
    pub(super) const fn new() -> Self {
        Self {
            head: ptr::null_mut(),
            tail: ptr::null_mut(),
            size: 0,
        }
    }

    /// Tells how many are in it.
    pub(super) fn len(&self) -> usize {
        self.size
    }

    /// Adds one at the end.
    pub(super) fn push_back(&mut self, gp: &'static G) {
        gp.schedlink.set(ptr::null_mut());
        let new = ptr::from_ref(gp).cast_mut();
        // SAFETY: what is in the queue are Gs, which are never freed.
        match unsafe { self.tail.as_ref() } {
            Some(last) => last.schedlink.set(new),
            None => self.head = new,
        }
        self.tail = new;
        self.size += 1;
    }

    /// Takes the first.
    pub(super) fn pop(&mut self) -> Option<&'static G> {
        // SAFETY: as above.
        let first = unsafe { self.head.as_ref() }?;
        self.head = first.schedlink.replace(ptr::null_mut());
        if self.head.is_null() {
            self.tail = ptr::null_mut();
        }
        self.size -= 1;
        Some(first)
    }
}

impl GList {
    /// Adds one. Owner of the list only.
    pub(super) fn push(&self, gp: &'static G) {
        gp.schedlink.set(self.head.get());
        self.head.set(ptr::from_ref(gp).cast_mut());
        self.size.set(self.size.get() + 1);
    }

    /// Takes the one that was added last. Owner of the list only.
    pub(super) fn pop(&self) -> Option<&'static G> {
        // SAFETY: what is in the list are Gs, which are never freed.
        let first = unsafe { self.head.get().as_ref() }?;
        self.head.set(first.schedlink.replace(ptr::null_mut()));
        self.size.set(self.size.get() - 1);
        Some(first)
    }
}
