//! Lists of goroutines, linked through `schedlink`: a goroutine is on one at
//! most.
//!
//! Go's counterparts: `gQueue`, `gList` in `runtime/proc.go`, and `sched.gFree`.

use core::cell::Cell;
use core::ptr;

use super::runtime2::{G, GList};

/// First in, first out.
pub(super) struct GQueue {
    pub(super) head: *mut G,
    tail: *mut G,
    pub(super) size: usize,
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
    /// Makes an empty list.
    pub(super) const fn new() -> Self {
        Self {
            head: Cell::new(ptr::null_mut()),
            size: Cell::new(0),
        }
    }

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

/// Dead goroutines, from the one that died last, the hottest, to the coldest.
pub(super) struct GFree {
    hottest: *mut G,
    coldest: *mut G,
    pub(super) size: usize,
}

impl GFree {
    /// Makes an empty list.
    pub(super) const fn new() -> Self {
        Self {
            hottest: ptr::null_mut(),
            coldest: ptr::null_mut(),
            size: 0,
        }
    }

    /// Tells how many are in it.
    pub(super) fn len(&self) -> usize {
        self.size
    }

    /// Moves all but `keep` of a P's here, the coldest of them.
    pub(super) fn put(&mut self, list: &GList, keep: u32) {
        // The P's list is in the same order. Where is it to be cut?
        let mut link = &list.head;
        for _ in 0..keep {
            // SAFETY: what is in the list are Gs, which are never freed.
            let Some(gp) = (unsafe { link.get().as_ref() }) else {
                return;
            };
            link = &gp.schedlink;
        }
        let first = link.replace(ptr::null_mut());
        let (mut next, mut last): (_, *mut G) = (first, ptr::null_mut());
        // SAFETY: as above.
        while let Some(gp) = unsafe { next.as_ref() } {
            gp.schedprev.set(last);
            last = next;
            next = gp.schedlink.get();
        }
        // SAFETY: as above.
        let Some(gp) = (unsafe { last.as_ref() }) else {
            return;
        };
        gp.schedlink.set(self.hottest);
        // SAFETY: as above.
        match unsafe { self.hottest.as_ref() } {
            Some(old) => old.schedprev.set(last),
            None => self.coldest = last,
        }
        self.hottest = first;
        self.size += (list.size.get() - keep) as usize;
        list.size.set(keep);
    }

    /// Moves at most `count` to a P's list, which is empty: the hottest.
    pub(super) fn take(&mut self, list: &GList, count: u32) {
        let first = self.hottest;
        let (mut next, mut last): (_, *mut G) = (first, ptr::null_mut());
        while list.size.get() < count {
            // SAFETY: what is in the list are Gs, which are never freed.
            let Some(gp) = (unsafe { next.as_ref() }) else {
                break;
            };
            list.size.set(list.size.get() + 1);
            last = next;
            next = gp.schedlink.get();
        }
        // SAFETY: as above.
        let Some(last) = (unsafe { last.as_ref() }) else {
            return;
        };
        last.schedlink.set(ptr::null_mut());
        list.head.set(first);
        self.size -= list.size.get() as usize;
        self.hottest = next;
        // SAFETY: as above.
        match unsafe { next.as_ref() } {
            Some(gp) => gp.schedprev.set(ptr::null_mut()),
            None => self.coldest = ptr::null_mut(),
        }
    }

    /// Takes the coldest.
    pub(super) fn pop_coldest(&mut self) -> Option<&'static G> {
        // SAFETY: what is in the list are Gs, which are never freed.
        let gp = unsafe { self.coldest.as_ref() }?;
        self.coldest = gp.schedprev.replace(ptr::null_mut());
        // SAFETY: as above.
        match unsafe { self.coldest.as_ref() } {
            Some(last) => last.schedlink.set(ptr::null_mut()),
            None => self.hottest = ptr::null_mut(),
        }
        self.size -= 1;
        Some(gp)
    }

    /// Adds one as the coldest.
    pub(super) fn push_coldest(&mut self, gp: &'static G) {
        let new = ptr::from_ref(gp).cast_mut();
        gp.schedlink.set(ptr::null_mut());
        gp.schedprev.set(self.coldest);
        // SAFETY: what is in the list are Gs, which are never freed.
        match unsafe { self.coldest.as_ref() } {
            Some(last) => last.schedlink.set(new),
            None => self.hottest = new,
        }
        self.coldest = new;
        self.size += 1;
    }
}
