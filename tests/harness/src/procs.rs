//! How many Ps a test has.

use gort::runtime::gomaxprocs;

/// Leaves the program one P, until it is dropped; see [`one_p`].
#[derive(Debug)]
#[must_use]
pub struct OneP {
    /// How many there were.
    before: usize,
}

/// Leaves the program one P, for tests of what is true of one alone: in which order
/// its queue is run, which stack it takes next, that nobody else runs meanwhile.
pub fn one_p() -> OneP {
    OneP {
        before: gomaxprocs(1),
    }
}

impl Drop for OneP {
    fn drop(&mut self) {
        gomaxprocs(self.before);
    }
}
