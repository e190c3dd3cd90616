//! The poller's side of the timers; a placeholder while one M runs all goroutines.

/// A timer is due at `when`, before all others: whoever sleeps for longer shall wake.
/// The one M that runs goroutines so far is awake if it sets one.
pub(super) fn wake_net_poller(_when: i64) {}
