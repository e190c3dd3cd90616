//! Models of `sched::note`: who sleeps owns the note, another thread wakes it.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use loom::thread::{self, JoinHandle};

use super::os;
use super::runtime2::Note;

/// Two notes, for the way there and back, and what is handed over.
struct Shared {
    there: Note,
    back: Note,
    value: UnsafeCell<u32>,
    begun: AtomicBool,
}

// SAFETY: loom watches.
unsafe impl Sync for Shared {}
// SAFETY: as above.
unsafe impl Send for Shared {}

impl Shared {
    fn new() -> Arc<Self> {
        os::begin();
        let note = || Note {
            key: AtomicU32::new(0),
        };
        Arc::new(Self {
            there: note(),
            back: note(),
            value: UnsafeCell::new(0),
            begun: AtomicBool::new(false),
        })
    }

    fn write(&self, value: u32) {
        // SAFETY: loom sees to it that nobody else is here.
        self.value.with_mut(|place| unsafe { *place = value });
    }

    fn read(&self) -> u32 {
        // SAFETY: as above.
        self.value.with(|place| unsafe { *place })
    }
}

/// Starts a thread that writes 7 and wakes the note.
fn waker(shared: &Arc<Shared>) -> JoinHandle<()> {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        shared.write(7);
        shared.there.wakeup();
    })
}

/// Before, while or after it goes to sleep: it goes on, and sees what was done.
#[test]
fn a_wake_up_is_not_lost() {
    loom::model(|| {
        let shared = Shared::new();
        let other = waker(&shared);
        shared.there.sleep();
        assert_eq!(shared.read(), 7);
        other.join().unwrap();
    });
}

/// A note is as good after `clear` as before.
#[test]
fn two_sleeps_two_wakes() {
    loom::model(|| {
        let shared = Shared::new();
        let its = Arc::clone(&shared);
        let other = thread::spawn(move || {
            its.write(1);
            its.there.wakeup();
            its.back.sleep();
            assert_eq!(its.read(), 2);
            its.write(3);
            its.there.wakeup();
        });
        shared.there.sleep();
        assert_eq!(shared.read(), 1);
        shared.there.clear();
        shared.write(2);
        shared.back.wakeup();
        shared.there.sleep();
        assert_eq!(shared.read(), 3);
        other.join().unwrap();
    });
}

/// The time may be over before: then it says so, has not slept longer than it was to, and
/// the wake-up that is still to come is there for the next sleep.
#[test]
fn a_time_or_a_wake_up() {
    loom::model(|| {
        let shared = Shared::new();
        let other = waker(&shared);
        let woken = shared.there.tsleep(10);
        assert!(os::nanotime() <= 10);
        if woken {
            assert_eq!(shared.read(), 7);
        } else {
            assert_eq!(os::nanotime(), 10, "not early");
            shared.there.sleep();
            assert_eq!(shared.read(), 7);
        }
        other.join().unwrap();
    });
}

/// Both ends of the last are reached by some order.
#[test]
fn either_can_come_first() {
    use std::sync::Mutex;
    static SEEN: Mutex<[bool; 2]> = Mutex::new([false; 2]);
    loom::model(|| {
        let shared = Shared::new();
        let other = waker(&shared);
        let woken = shared.there.tsleep(10);
        SEEN.lock().unwrap()[usize::from(woken)] = true;
        other.join().unwrap();
    });
    assert_eq!(*SEEN.lock().unwrap(), [true; 2]);
}

/// A time below zero has no end.
#[test]
fn without_a_time_it_waits() {
    loom::model(|| {
        let shared = Shared::new();
        let other = waker(&shared);
        assert!(shared.there.tsleep(-1));
        assert_eq!(shared.read(), 7);
        other.join().unwrap();
    });
}

/// sysmon's way to sleep: it says under a word that it will, then sleeps; who finds the
/// word takes it back and wakes. With a time that may be over meanwhile.
#[test]
fn a_sleeper_that_gives_up() {
    loom::model(|| {
        let shared = Shared::new();
        let its = Arc::clone(&shared);
        shared.begun.store(true, Ordering::Release);
        let other = thread::spawn(move || {
            let found = its.begun.swap(false, Ordering::AcqRel);
            if found {
                its.there.wakeup();
            }
            found
        });
        let woken = shared.there.tsleep(10);
        // Who took the word wakes, or has: nobody may clear the note before that.
        if !shared.begun.swap(false, Ordering::AcqRel) {
            shared.there.sleep();
        } else {
            assert!(!woken, "nobody found the word");
        }
        let found = other.join().unwrap();
        assert!(found || !woken);
        shared.there.clear();
        assert!(!shared.there.tsleep(0));
    });
}

#[test]
#[should_panic(expected = "notewakeup - double wakeup")]
fn nobody_wakes_twice() {
    loom::model(|| {
        let shared = Shared::new();
        shared.there.wakeup();
        shared.there.wakeup();
    });
}
