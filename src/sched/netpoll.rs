//! Waiting for what comes from outside: so far for the time alone.
//!
//! Go's counterparts: the end of `findRunnable`, `wakeNetPoller` in `runtime/proc.go`,
//! and `netpollBreak`. One M at a time does this, without a P, in place of sleeping on
//! its own note: it wakes up by itself when the next timer is due. The others sleep
//! until somebody needs them. Where the network is to be waited for, it will be this M
//! that does.

use core::sync::atomic::{AtomicU32, Ordering};

use super::SCHED;
use super::idle::wakep;
use crate::os;

/// Changes when the M that waits is to look again.
static BREAK: AtomicU32 = AtomicU32::new(0);

/// Makes this M the one that waits, unless there is one. Without a P. Returns what
/// `wait` takes: who sees that this M waits, and has something for it, changes the word
/// after it was read here, so that the M does not fall asleep.
pub(super) fn begin() -> Option<u32> {
    let word = BREAK.load(Ordering::SeqCst);
    (!SCHED.polling.swap(true, Ordering::SeqCst)).then_some(word)
}

/// Waits until the time `until`, or less. Behind [`begin`], which this ends.
pub(super) fn wait(word: u32, until: i64, now: i64) {
    SCHED.poll_until.store(until, Ordering::SeqCst); // pairs with until's load
    // A P that is left over from here on comes with an interrupt: this M polls.
    let left_over = core::mem::take(&mut SCHED.lock.lock().p_waits);
    if until > now && !left_over {
        os::futexsleep(&BREAK, word, until - now);
    }
    SCHED.poll_until.store(0, Ordering::SeqCst);
    SCHED.polling.store(false, Ordering::SeqCst);
}

/// Sees to it that somebody looks at the clock at `when`, at the latest: there is an M
/// that waits, or was a moment ago.
pub(super) fn until(when: i64) {
    let poll_until = SCHED.poll_until.load(Ordering::SeqCst);
    if poll_until == 0 || poll_until > when {
        BREAK.fetch_add(1, Ordering::SeqCst);
        os::futexwakeup(&BREAK, 1);
    }
}

/// Wakes the M that waits, if there is one.
pub(super) fn interrupt() {
    if SCHED.polling.load(Ordering::SeqCst) {
        until(0); // sooner than anything
    }
}

/// Sees to it that somebody looks at the clock at `when`, at the latest. Whoever adds a
/// timer that is earlier than all others of its P calls this behind it.
pub(super) fn wake_net_poller(when: i64) {
    if SCHED.polling.load(Ordering::SeqCst) {
        until(when);
    } else {
        // Nobody waits: have somebody come to do it.
        wakep();
    }
}
