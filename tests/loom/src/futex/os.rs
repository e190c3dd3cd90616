//! A futex: the kernel compares the word and puts the thread to sleep as one step, as
//! seen from whoever wakes. So it is here, as loom changes threads only where it is
//! called: between the comparison and the queue it is not.

use std::cell::{Cell, RefCell};

use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread::{self, Thread};

/// Who sleeps, on which word, and a number for this sleep of his.
struct Sleeper {
    word: usize,
    number: u64,
    thread: Thread,
}

// loom runs all threads of a model on one. None of this is loom's: there is no order
// between a model's threads but by the words themselves.
thread_local! {
    static SLEEPERS: RefCell<Vec<Sleeper>> = const { RefCell::new(Vec::new()) };
    /// The number of the next sleep, and the time.
    static NEXT: Cell<u64> = const { Cell::new(0) };
    static NOW: Cell<i64> = const { Cell::new(0) };
}

/// Begins a model: nobody sleeps, the time is 0.
pub(super) fn begin() {
    SLEEPERS.take();
    NOW.set(0);
}

/// One that does not sleep for ever returns at once, when half of its time has gone by,
/// as after a signal. That the word comes to be woken before, after or while is all that
/// there is to a time.
pub(super) fn futexsleep(word: &AtomicU32, value: u32, ns: i64) {
    let address = std::ptr::from_ref(word).addr();
    // The last value that anybody has written; a load might give an older one.
    if word.fetch_add(0, Ordering::Relaxed) != value {
        return;
    }
    if ns >= 0 {
        NOW.set(NOW.get() + (ns + 1) / 2);
        return; // without a yield, after which loom would have the waker go first
    }
    let number = NEXT.get();
    NEXT.set(number + 1);
    let thread = thread::current();
    SLEEPERS.with_borrow_mut(|sleepers| {
        sleepers.push(Sleeper {
            word: address,
            number,
            thread,
        });
    });
    while asleep(number) {
        thread::park();
    }
}

/// Tells whether nobody has ended that sleep.
fn asleep(number: u64) -> bool {
    SLEEPERS.with_borrow(|sleepers| sleepers.iter().any(|sleeper| sleeper.number == number))
}

pub(super) fn futexwakeup(word: &AtomicU32, count: u32) {
    let address = std::ptr::from_ref(word).addr();
    for _ in 0..count {
        let woken = SLEEPERS.with_borrow_mut(|sleepers| {
            let found = sleepers.iter().position(|sleeper| sleeper.word == address);
            found.map(|index| sleepers.remove(index))
        });
        if let Some(sleeper) = woken {
            sleeper.thread.unpark();
        }
    }
}

pub(super) fn osyield() {
    thread::yield_now();
}

/// Goes on with each sleep that has an end.
pub(super) fn nanotime() -> i64 {
    NOW.get()
}
