//! [`WaitGroup`]: a count of clones, over Go's.

use crate::alloc::sync::Arc;
use core::fmt;

use super::go;

/// A group of those who have a clone of it, and wait for each other: crossbeam-utils'.
///
/// What it does not have is Go's `add`; that is in [`go::WaitGroup`].
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::sync::WaitGroup;
///
/// let group = WaitGroup::new();
/// for n in 0..3 {
///     let group = group.clone();
///     gort::go(move || {
///         gort::println!("goroutine {n}");
///         drop(group);
///     });
/// }
/// group.wait();
/// # }
/// ```
pub struct WaitGroup(Arc<go::WaitGroup>);

impl WaitGroup {
    /// Makes a group of one.
    pub fn new() -> Self {
        let count = go::WaitGroup::new();
        count.add(1);
        Self(Arc::new(count))
    }

    /// Leaves the group, and waits until all others have left it, or wait, too. From any
    /// goroutine.
    pub fn wait(self) {
        let count = Arc::clone(&self.0);
        drop(self);
        count.wait();
    }
}

impl Drop for WaitGroup {
    fn drop(&mut self) {
        self.0.done();
    }
}

impl Clone for WaitGroup {
    fn clone(&self) -> Self {
        self.0.add(1);
        Self(Arc::clone(&self.0))
    }
}

impl Default for WaitGroup {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for WaitGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitGroup")
            .field("count", &self.0.count())
            .finish()
    }
}
