//! What the timers' heap has of the runtime: a lock, and memory.

use std::alloc::{Layout, alloc as std_alloc, dealloc};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::DerefMut;

use loom::sync::Mutex;

/// A lock like the runtime's.
pub(crate) struct TimersLock<T>(Mutex<T>);

impl<T> TimersLock<T> {
    /// Makes an open one.
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Takes it.
    pub(crate) fn lock(&self) -> impl DerefMut<Target = T> {
        self.0.lock().unwrap()
    }
}

/// Pages of that size.
fn pages(size: usize) -> Layout {
    Layout::from_size_align(size, 4096).unwrap()
}

thread_local! {
    /// What is allocated: in gort a heap is for ever, and here it ends with each round
    /// of a model. Those are coroutines of one thread.
    static ALLOCATED: RefCell<BTreeMap<usize, usize>> = const { RefCell::new(BTreeMap::new()) };
}

/// Frees what the last round has left.
pub(crate) fn free_all() {
    while let Some((memory, size)) = ALLOCATED.with_borrow_mut(BTreeMap::pop_first) {
        // SAFETY: it came from `alloc`, and that round is over.
        unsafe { dealloc(std::ptr::with_exposed_provenance_mut(memory), pages(size)) };
    }
}

/// Allocates some.
pub(crate) fn alloc(size: usize) -> *mut u8 {
    // SAFETY: it has a size.
    let memory = unsafe { std_alloc(pages(size)) };
    ALLOCATED.with_borrow_mut(|allocated| allocated.insert(memory.expose_provenance(), size));
    memory
}

/// Frees them.
///
/// # Safety
///
/// They must come from `alloc`, and be free of uses.
pub(crate) unsafe fn free(memory: *mut u8, size: usize) {
    let known = ALLOCATED.with_borrow_mut(|allocated| allocated.remove(&memory.addr()));
    assert_eq!(known, Some(size));
    // SAFETY: the caller's promise.
    unsafe { dealloc(memory, pages(size)) };
}

/// Asks for memory that is to be used soon: nothing to a model.
pub(crate) fn prefetch(_: *const u8) {}
