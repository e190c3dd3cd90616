//! A futex: the kernel compares the word and puts the thread to sleep as one step, as
//! seen from whoever wakes. So it is here, by a lock as the kernel's.

use std::cell::{Cell, RefCell};

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicU32, Ordering, fence};
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
    /// The system has no barrier for us any more.
    static REFUSES: Cell<bool> = const { Cell::new(false) };
}

loom::lazy_static! {
    /// The lock of the kernel's queue: who sleeps has it from before he looks at the word until
    /// he is in the queue, and who wakes takes it.
    static ref QUEUE: Mutex<()> = Mutex::new(());
}

/// Begins a model: nobody sleeps, the time is 0.
pub(super) fn begin() {
    SLEEPERS.take();
    NOW.set(0);
    REFUSES.set(false);
}

/// From here on [`membarrier`] is refused.
pub(super) fn refuse() {
    REFUSES.set(true);
}

/// One that does not sleep for ever returns at once, when half of its time has gone by,
/// as after a signal. That the word comes to be woken before, after or while is all that
/// there is to a time.
pub(super) fn futexsleep(word: &AtomicU32, value: u32, ns: i64) {
    let address = std::ptr::from_ref(word).addr();
    let queue = QUEUE.lock().unwrap();
    // It may have changed since, by somebody who has yet to come and wake us.
    if word.load(Ordering::Relaxed) != value {
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
    drop(queue);
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
    let _queue = QUEUE.lock().unwrap();
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

/// A fence of every thread that happens while this is called is more than loom knows; but
/// what it is for is that either side has a fence between its store and its load.
pub(super) fn membarrier() -> bool {
    if REFUSES.get() {
        return false;
    }
    fence(Ordering::SeqCst);
    true
}

pub(super) fn light_barrier() {
    fence(Ordering::SeqCst);
}

pub(super) fn nap(_: u64) {
    thread::yield_now();
}

pub(super) fn osyield() {
    thread::yield_now();
}

/// Goes on with each sleep that has an end.
pub(super) fn nanotime() -> i64 {
    NOW.get()
}
