//! Models of `debug::futex_lock`. The threads are those that loom has: some take the
//! lock and give it back, with a plain cell behind it that loom watches.

use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::AtomicU32;
use loom::thread;

use super::futex_lock::FutexLock;
use super::os;

/// A lock, and what it protects.
struct Locked {
    lock: FutexLock,
    /// Who sleeps, where it is given back by a plain store.
    sleepers: Option<AtomicU32>,
    value: UnsafeCell<u32>,
}

// SAFETY: loom watches.
unsafe impl Sync for Locked {}
// SAFETY: as above.
unsafe impl Send for Locked {}

impl Locked {
    fn new(counted: bool) -> Arc<Self> {
        os::begin();
        Arc::new(Self {
            lock: FutexLock(AtomicU32::new(0)),
            sleepers: counted.then(|| AtomicU32::new(0)),
            value: UnsafeCell::new(0),
        })
    }

    /// Counts, as `debug::lock` would.
    fn count(&self, spins: u32) {
        if !self.lock.try_lock() {
            match &self.sleepers {
                Some(sleepers) => self.lock.wait_counted(spins, sleepers),
                None => self.lock.wait(spins),
            }
        }
        // SAFETY: loom sees to it that nobody else is here.
        self.value.with_mut(|value| unsafe { *value += 1 });
        let wake = match &self.sleepers {
            Some(sleepers) => self.lock.unlock_counted(sleepers),
            None => self.lock.unlock(),
        };
        if wake {
            self.lock.wake();
        }
    }

    /// Returns how often that was done.
    fn counted(&self) -> u32 {
        // SAFETY: as above; loom knows who was joined.
        self.value.with(|value| unsafe { *value })
    }
}

/// Each of `threads` counts so often; whoever is never woken keeps loom from its end.
fn model(threads: u32, rounds: u32, spins: u32, preemptions: Option<usize>) {
    check(threads, rounds, spins, preemptions, false);
}

/// The same, of a lock that is given back by a plain store.
fn counted(threads: u32, rounds: u32, spins: u32, preemptions: Option<usize>) {
    check(threads, rounds, spins, preemptions, true);
}

fn check(threads: u32, rounds: u32, spins: u32, preemptions: Option<usize>, counted: bool) {
    let mut model = Builder::new();
    model.preemption_bound = preemptions;
    model.check(move || {
        let locked = Locked::new(counted);
        let others: Vec<_> = (1..threads)
            .map(|_| {
                let locked = Arc::clone(&locked);
                thread::spawn(move || (0..rounds).for_each(|_| locked.count(spins)))
            })
            .collect();
        (0..rounds).for_each(|_| locked.count(spins));
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(locked.counted(), threads * rounds);
        assert!(locked.lock.try_lock(), "it is open in the end");
    });
}

#[test]
fn two_take_turns() {
    model(2, 2, 0, None);
}

#[test]
fn two_look_before_they_sleep() {
    model(2, 2, 1, Some(4));
}

/// Two sleep, and each unlock wakes one: the mark must be there for the second.
#[test]
fn three_are_all_woken() {
    model(3, 1, 0, Some(3));
}

#[test]
fn three_look_before_they_sleep() {
    model(3, 1, 1, Some(3));
}

#[test]
fn two_take_turns_by_plain_stores() {
    counted(2, 2, 0, None);
}

/// Two sleep, and each unlock wakes one.
#[test]
fn three_are_all_woken_by_plain_stores() {
    counted(3, 1, 0, Some(3));
}
