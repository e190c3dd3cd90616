//! Models of `thread::count`: a goroutine, its JoinHandle, and a Thread.
//!
//! The result and the memory have a plain cell each, so that loom sees who touches them
//! at the same time as another, or without what that one did.

use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::Arc;
use loom::thread::{self, Thread};

use crate::count::Count;
use crate::parker::Token;
use crate::patient;

/// What lies in the memory.
struct Packet {
    count: Count,
    /// The goroutine has ended; who joins waits for it.
    ended: Token<Thread>,
    /// How often it was dropped.
    result: UnsafeCell<u32>,
    /// How often it was freed.
    memory: UnsafeCell<u32>,
}

// SAFETY: loom watches over the cells.
unsafe impl Sync for Packet {}
// SAFETY: as above.
unsafe impl Send for Packet {}

/// Counts up.
fn touch(cell: &UnsafeCell<u32>) {
    // SAFETY: loom sees to it that nobody else is here.
    cell.with_mut(|times| unsafe { *times += 1 });
}

impl Packet {
    /// Makes one, for two parties.
    fn new() -> Arc<Self> {
        Arc::new(Self {
            count: Count::new(2),
            ended: Token::new(),
            result: UnsafeCell::new(0),
            memory: UnsafeCell::new(0),
        })
    }

    /// Looks at the memory, as who has a handle may.
    fn look(&self) {
        // SAFETY: loom sees to it that nobody frees it meanwhile.
        self.memory.with(|freed| assert_eq!(unsafe { *freed }, 0));
    }

    /// A party leaves, and drops the result if it is the last.
    fn leave(&self) {
        self.look();
        if self.count.is_alone() {
            touch(&self.result);
            touch(&self.memory);
            return;
        }
        if self.count.leave_party() {
            touch(&self.result);
        }
        self.drop_handle();
    }

    /// The goroutine ends.
    fn end(&self) {
        self.look();
        if !self.count.leave() {
            self.leave();
        }
    }

    /// The goroutine leaves a result and ends, as in `leave_early`.
    fn end_for_joiner(&self) {
        // SAFETY: loom sees to it that nobody else is here.
        self.result.with_mut(|times| unsafe { *times = 0 });
        if let Some(joiner) = self.ended.sleeper()
            && self.count.leave_to_sleeper()
        {
            self.ended.set_for_sleeper();
            // SAFETY: a thread that is there until it has been woken.
            unsafe { &*joiner }.unpark();
            return;
        }
        if let Some(joiner) = self.ended.set() {
            // SAFETY: as above.
            unsafe { &*joiner }.unpark();
        }
        self.look();
        if !self.count.leave() {
            let _ = self.count.leave_party(); // the result is out
            self.drop_handle();
        }
    }

    /// Waits for the goroutine's end and takes the result, as `join` does. True if all of it
    /// is the caller's.
    fn join(&self) -> bool {
        let mut me = thread::current();
        while !self.ended.is_set() {
            if self.ended.wait(&raw mut me) {
                thread::park();
                assert!(self.ended.is_set(), "woken by nobody");
            }
        }
        touch(&self.result);
        self.count.is_alone()
    }

    /// A handle goes, and the memory with the last.
    fn drop_handle(&self) {
        self.look();
        if self.count.drop_handle() {
            touch(&self.memory);
        }
    }

    /// All was done, once.
    fn check(&self) {
        // SAFETY: all others have been joined.
        self.result.with(|times| assert_eq!(unsafe { *times }, 1));
        // SAFETY: as above.
        self.memory.with(|times| assert_eq!(unsafe { *times }, 1));
    }
}

/// The handle is dropped while the goroutine ends.
#[test]
fn two_parties() {
    loom::model(|| {
        let packet = Packet::new();
        let goroutine = Arc::clone(&packet);
        let goroutine = thread::spawn(move || goroutine.end());
        packet.leave();
        goroutine.join().unwrap();
        packet.check();
    });
}

/// The goroutine leaves nothing where nobody wants it, and what it left is seen.
#[test]
fn a_result_is_left() {
    loom::model(|| {
        let packet = Packet::new();
        let goroutine = Arc::clone(&packet);
        let goroutine = thread::spawn(move || {
            if !goroutine.count.one_party() {
                touch(&goroutine.result);
            }
            goroutine.end();
        });
        packet.leave();
        goroutine.join().unwrap();
        packet.result.with(|times| {
            // SAFETY: the other thread has been joined.
            let times = unsafe { *times };
            assert!(times == 1 || times == 2, "{times}");
        });
    });
}

/// A Thread goes as well.
#[test]
fn two_parties_and_a_handle() {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(patient(4));
    builder.check(|| {
        let packet = Packet::new();
        assert!(packet.count.add_handle());
        let goroutine = Arc::clone(&packet);
        let goroutine = thread::spawn(move || goroutine.end());
        let other = Arc::clone(&packet);
        let other = thread::spawn(move || other.drop_handle());
        packet.leave();
        goroutine.join().unwrap();
        other.join().unwrap();
        packet.check();
    });
}

/// The goroutine ends while somebody joins, or waits for it already.
#[test]
fn one_joins() {
    loom::model(|| {
        let packet = Packet::new();
        let goroutine = Arc::clone(&packet);
        let goroutine = thread::spawn(move || goroutine.end_for_joiner());
        if packet.join() {
            touch(&packet.memory);
        } else {
            let _ = packet.count.leave_party(); // the result is out
            packet.drop_handle();
        }
        goroutine.join().unwrap();
        packet.check();
    });
}

/// A Thread goes meanwhile.
#[test]
fn one_joins_and_a_handle() {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(patient(3));
    builder.check(|| {
        let packet = Packet::new();
        assert!(packet.count.add_handle());
        let goroutine = Arc::clone(&packet);
        let goroutine = thread::spawn(move || goroutine.end_for_joiner());
        let other = Arc::clone(&packet);
        let other = thread::spawn(move || other.drop_handle());
        if packet.join() {
            touch(&packet.memory);
        } else {
            let _ = packet.count.leave_party(); // the result is out
            packet.drop_handle();
        }
        goroutine.join().unwrap();
        other.join().unwrap();
        packet.check();
    });
}
