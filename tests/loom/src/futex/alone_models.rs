//! Models of `debug::alone`: one thread has a P, the other takes an idle one, and both want a
//! lock, with a plain cell behind it that loom watches.

use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::atomic::AtomicU32;
use loom::sync::{Arc, Mutex};
use loom::thread;

use super::alone::Alone;
use super::futex_lock::FutexLock;
use super::os;

/// What the two share.
struct Shared {
    alone: Alone,
    lock: FutexLock,
    sleepers: AtomicU32,
    value: UnsafeCell<u32>,
}

// SAFETY: loom watches.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

impl Shared {
    /// What a program is that has one P in use.
    fn new() -> Arc<Self> {
        os::begin();
        let shared = Self {
            alone: Alone::new(),
            lock: FutexLock(AtomicU32::new(0)),
            sleepers: AtomicU32::new(0),
            value: UnsafeCell::new(0),
        };
        shared.alone.begin();
        Arc::new(shared)
    }

    /// Counts, as `debug::lock` would, with a P in its hands.
    fn count(&self) {
        if !self.alone.take(&self.lock.0) && !self.lock.try_lock() {
            self.lock.wait_counted(0, &self.sleepers);
        }
        // SAFETY: loom sees to it that nobody else is here.
        self.value.with_mut(|value| unsafe { *value += 1 });
        if self.lock.unlock_counted(&self.sleepers) {
            self.lock.wake();
        }
    }

    /// Returns how often that was done, by who has waited for the other.
    fn counted(&self) -> u32 {
        // SAFETY: as above; loom knows who was joined.
        self.value.with(|value| unsafe { *value })
    }
}

/// Runs `owner`, who has the P, beside `other`, with whom they count to `total`.
fn model(owner: fn(&Shared), other: fn(&Shared), total: u32) {
    let mut model = Builder::new();
    model.preemption_bound = Some(4);
    model.check(move || {
        let shared = Shared::new();
        let its = Arc::clone(&shared);
        let thread = thread::spawn(move || other(&its));
        owner(&shared);
        thread.join().unwrap();
        assert_eq!(shared.counted(), total);
        assert!(shared.lock.try_lock(), "it is open in the end");
    });
}

/// Somebody who has none takes an idle P while the owner is at it.
#[test]
fn another_takes_an_idle_p() {
    let twice = |shared: &Shared| (0..2).for_each(|_| shared.count());
    model(
        twice,
        |shared| {
            assert!(shared.alone.end());
            shared.count();
        },
        3,
    );
}

/// One is alone again, and then not, while it is at it.
#[test]
fn it_comes_and_goes() {
    let twice = |shared: &Shared| (0..2).for_each(|_| shared.count());
    model(
        twice,
        |shared| {
            assert!(shared.alone.end());
            shared.count();
            shared.alone.begin(); // it is idle again
            assert!(shared.alone.end());
            shared.count();
        },
        4,
    );
}

/// The owner starts another itself: no barrier, but what it has done is handed over.
#[test]
fn its_own_m_wakes_another() {
    let mut model = Builder::new();
    model.preemption_bound = Some(4);
    model.check(|| {
        let shared = Shared::new();
        shared.count();
        shared.alone.end_own();
        let its = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            its.count();
            its.alone.begin(); // it is idle again
        });
        shared.count();
        shared.count();
        thread.join().unwrap();
        assert_eq!(shared.counted(), 4);
    });
}

/// The P goes from one to the other, as out of a system call.
#[test]
fn it_changes_hands() {
    let mut model = Builder::new();
    model.preemption_bound = Some(4);
    model.check(|| {
        let shared = Shared::new();
        shared.count();
        let its = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            its.count();
            its.count();
        });
        // We are back, without a P, and take an idle one.
        assert!(shared.alone.end());
        shared.count();
        thread.join().unwrap();
        assert_eq!(shared.counted(), 4);
    });
}

/// The barrier is refused: who wants an idle P gets it when the owner has heard of that, by a
/// lock, or wakes somebody itself. Until then it has none, and here it asks twice.
#[test]
fn the_barrier_is_refused() {
    let mut model = Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let shared = Shared::new();
        let list = Arc::new(Mutex::new(())); // of idle Ps
        let (its, its_list) = (Arc::clone(&shared), Arc::clone(&list));
        let thread = thread::spawn(move || {
            os::refuse();
            for _ in 0..2 {
                let locked = its_list.lock().unwrap();
                let gets_one = !its.alone.is_set() || its.alone.end();
                drop(locked);
                if gets_one {
                    its.count();
                    return 1;
                }
                assert!(its.alone.is_leaving() || !its.alone.is_set());
                thread::yield_now();
            }
            0
        });
        shared.count();
        shared.count();
        let locked = list.lock().unwrap();
        shared.alone.end_own();
        drop(locked);
        shared.count();
        let others = thread.join().unwrap();
        assert_eq!(shared.counted(), 3 + others);
        assert!(!shared.alone.is_set());
    });
}
