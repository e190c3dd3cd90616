//! Models of `thread::parker`: a token between goroutines that each have an M of
//! their own.
//!
//! A goroutine is a thread of loom's here. What gopark and goready do with it is
//! done with a status that goes Running, Waiting, Runnable as in `sched::status`,
//! and with a context, a plain cell, that is written when it is saved and read by
//! whoever has found the goroutine.

use std::ptr;

use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use loom::thread::{self, Thread};

use crate::parker::Token;

const RUNNING: u32 = 0;
const WAITING: u32 = 1;
const RUNNABLE: u32 = 2;

/// A goroutine.
struct Goroutine {
    thread: Thread,
    status: AtomicU32,
    /// How often it was saved.
    context: UnsafeCell<u32>,
}

impl Goroutine {
    /// Makes one of the current thread.
    fn new() -> Self {
        Self {
            thread: thread::current(),
            status: AtomicU32::new(RUNNING),
            context: UnsafeCell::new(0),
        }
    }

    /// Changes the status, as casgstatus does.
    fn change(&self, from: u32, to: u32) {
        let changed = self
            .status
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed);
        assert!(changed.is_ok(), "bad status");
    }

    /// Waits for the token, as `park::sleep` does.
    fn sleep(&self, token: &Token<Self>) {
        while !token.take() {
            // SAFETY: loom sees to it that nobody else is here.
            self.context.with_mut(|saved| unsafe { *saved += 1 });
            self.change(RUNNING, WAITING);
            if token.wait(ptr::from_ref(self).cast_mut()) {
                while self.status.load(Ordering::Acquire) != RUNNABLE {
                    thread::park();
                }
            } else {
                self.change(WAITING, RUNNABLE);
            }
            self.change(RUNNABLE, RUNNING);
        }
    }
}

/// The clock's side of a wait, as in `sched::timed`, and the timer's one word.
struct Clock {
    /// Nobody has stopped it, and it has not fired.
    pending: AtomicBool,
    /// The goroutine has said that the timer is set.
    armed: AtomicBool,
    /// It has ended the wait. A plain cell: the goroutine is the clock's then.
    by_clock: UnsafeCell<bool>,
    /// It has fired, and not ended the wait.
    late: AtomicBool,
    /// What it needs of the goroutine's frame, which ends when that goes on.
    frame: UnsafeCell<u32>,
}

// SAFETY: loom watches the cells.
unsafe impl Sync for Clock {}
// SAFETY: as above.
unsafe impl Send for Clock {}

impl Clock {
    /// Makes one that is not set.
    fn new() -> Self {
        Self {
            pending: AtomicBool::new(false),
            armed: AtomicBool::new(false),
            by_clock: UnsafeCell::new(false),
            late: AtomicBool::new(false),
            frame: UnsafeCell::new(0),
        }
    }

    /// The time comes, maybe: does what `timed::time_out` does, with park's `claim`.
    fn fire(&self, token: &Token<Goroutine>, sleeper: *mut Goroutine) {
        if !self.pending.swap(false, Ordering::AcqRel) {
            return; // it is not set yet, and never fires, or was stopped
        }
        // SAFETY: loom sees to it that nobody else is here.
        self.frame.with_mut(|frame| unsafe { *frame += 1 });
        if token.withdraw(sleeper) {
            // SAFETY: loom sees to it that nobody else is here.
            self.by_clock
                .with_mut(|by_clock| unsafe { *by_clock = true });
            ready(sleeper);
        } else {
            self.late.store(true, Ordering::Release);
        }
    }
}

impl Goroutine {
    /// Waits for the token or the clock, as `park::sleep_until` does; tells whether it has
    /// the token. Says to `set` where the timer is set.
    fn sleep_until(&self, token: &Token<Self>, clock: &Clock, set: impl FnOnce()) -> bool {
        if token.take() {
            return true;
        }
        // SAFETY: loom sees to it that nobody else is here.
        self.context.with_mut(|saved| unsafe { *saved += 1 });
        self.change(RUNNING, WAITING);
        if token.wait(ptr::from_ref(self).cast_mut()) {
            clock.pending.store(true, Ordering::Release);
            set();
            clock.armed.store(true, Ordering::Release);
            while self.status.load(Ordering::Acquire) != RUNNABLE {
                thread::park();
            }
            assert!(clock.armed.load(Ordering::Acquire)); // here the same thread has set it
            let stopped = clock.pending.swap(false, Ordering::AcqRel);
            // SAFETY: as above.
            if !stopped && !clock.by_clock.with(|by_clock| unsafe { *by_clock }) {
                while !clock.late.load(Ordering::Acquire) {
                    thread::yield_now();
                }
            }
        } else {
            self.change(WAITING, RUNNABLE);
        }
        self.change(RUNNABLE, RUNNING);
        // The frame ends. SAFETY: loom sees to it that nobody else is here.
        clock.frame.with_mut(|frame| unsafe { *frame = 0 });
        token.take()
    }
}

/// Sets the token, as `park::wake` does; tells whether that woke somebody.
fn wake(token: &Token<Goroutine>) -> bool {
    let Some(sleeper) = token.set() else {
        return false;
    };
    ready(sleeper);
    true
}

/// Readies a goroutine that was found in a token.
fn ready(sleeper: *mut Goroutine) {
    // SAFETY: the models keep their goroutines until all has been joined.
    let gp = unsafe { &*sleeper };
    // By the token alone the context is ours, to save elsewhere or to run.
    // SAFETY: loom sees to it that nobody else is here.
    gp.context.with_mut(|saved| unsafe { *saved += 100 });
    gp.change(WAITING, RUNNABLE);
    gp.thread.unpark();
}

/// What two parties share: a token, and two notes with nothing to order them.
struct Shared {
    token: Token<Goroutine>,
    notes: [AtomicBool; 2],
}

impl Shared {
    /// Makes one.
    fn new() -> Arc<Self> {
        Arc::new(Self {
            token: Token::new(),
            notes: [AtomicBool::new(false), AtomicBool::new(false)],
        })
    }

    /// Makes a note and wakes the owner.
    fn note(&self, number: usize) -> bool {
        self.notes[number].store(true, Ordering::Relaxed);
        wake(&self.token)
    }

    /// Tells whether a note is there.
    fn noted(&self, number: usize) -> bool {
        self.notes[number].load(Ordering::Relaxed)
    }
}

/// Starts a goroutine that makes a note.
fn noter(shared: &Arc<Shared>, number: usize) -> thread::JoinHandle<bool> {
    let shared = Arc::clone(shared);
    thread::spawn(move || shared.note(number))
}

/// Whenever the wake-up comes, before, while or after the owner goes to sleep: it
/// goes on, and sees what was done before.
#[test]
fn a_wake_up_is_not_lost() {
    loom::model(|| {
        let (shared, me) = (Shared::new(), Goroutine::new());
        let other = noter(&shared, 0);
        me.sleep(&shared.token);
        assert!(shared.noted(0));
        let woke = other.join().unwrap();
        assert!(!shared.token.is_set(), "the token was taken");
        // SAFETY: all have been joined.
        let saved = me.context.with(|saved| unsafe { *saved });
        assert!(if woke { saved == 101 } else { saved <= 1 }, "{saved}");
    });
}

/// Two set it before it is taken, or one does after: never is more there than one,
/// and never less.
#[test]
fn tokens_of_two_are_one() {
    loom::model(|| {
        let (shared, me) = (Shared::new(), Goroutine::new());
        let others = [noter(&shared, 0), noter(&shared, 1)];
        me.sleep(&shared.token);
        assert!(shared.noted(0) || shared.noted(1));
        let woken = others.map(|other| other.join().unwrap());
        assert!(woken != [true, true], "it slept once");
        // One is left if the second came after the first was taken.
        if shared.token.take() {
            assert!(shared.noted(0) && shared.noted(1));
        }
        assert!(!shared.token.take());
    });
}

/// The second `set` over the first takes nothing away of what the first shows.
#[test]
fn what_each_of_two_did_is_seen() {
    let mut model = Builder::new();
    model.preemption_bound = Some(3); // it takes minutes without one
    model.check(|| {
        let (shared, me) = (Shared::new(), Goroutine::new());
        let others = [noter(&shared, 0), noter(&shared, 1)];
        // Were a note not seen behind its token, this would sleep for ever, and loom
        // say so.
        while !(shared.noted(0) && shared.noted(1)) {
            me.sleep(&shared.token);
        }
        for other in others {
            other.join().unwrap();
        }
    });
}

/// The word is as good after a round as before.
#[test]
fn two_sleeps_two_wakes() {
    loom::model(|| {
        let (there, back) = (Shared::new(), Shared::new());
        let (its_there, its_back) = (Arc::clone(&there), Arc::clone(&back));
        let other = thread::spawn(move || {
            let me = Goroutine::new();
            its_there.note(0);
            me.sleep(&its_back.token);
            assert!(its_back.noted(0));
            its_there.note(1);
        });
        let me = Goroutine::new();
        me.sleep(&there.token);
        assert!(there.noted(0));
        back.note(0);
        me.sleep(&there.token);
        assert!(there.noted(1));
        other.join().unwrap();
    });
}

/// A plain cell goes from who ends to who joins, or to who has looked.
#[test]
fn a_result_is_there_at_the_end() {
    loom::model(|| {
        struct Packet(UnsafeCell<u32>);
        // SAFETY: loom watches.
        unsafe impl Sync for Packet {}
        // SAFETY: as above.
        unsafe impl Send for Packet {}
        let shared = Shared::new();
        let packet = Arc::new(Packet(UnsafeCell::new(0)));
        let (its_shared, its_packet) = (Arc::clone(&shared), Arc::clone(&packet));
        let other = thread::spawn(move || {
            // SAFETY: loom sees to it that nobody else is here.
            its_packet.0.with_mut(|value| unsafe { *value = 7 });
            wake(&its_shared.token);
        });
        let me = Goroutine::new();
        if !shared.token.is_set() {
            me.sleep(&shared.token);
        }
        // SAFETY: as above.
        assert_eq!(packet.0.with(|value| unsafe { *value }), 7);
        other.join().unwrap();
    });
}

/// A token and the end of the time, in any order: one of them wakes the sleeper, the clock
/// is done with it when it goes on, and the token is taken, or there for the next time.
#[test]
fn no_token_is_lost_to_the_clock() {
    loom::model(|| {
        let (shared, me) = (Shared::new(), Arc::new(Goroutine::new()));
        let clock = Arc::new(Clock::new());
        let other = noter(&shared, 0);
        let mut fires = None;
        let taken = me.sleep_until(&shared.token, &clock, || {
            let (shared, clock, me) = (shared.clone(), clock.clone(), me.clone());
            fires = Some(thread::spawn(move || {
                clock.fire(&shared.token, Arc::as_ptr(&me).cast_mut());
            }));
        });
        assert!(!taken || shared.noted(0), "a token that nobody has set");
        // Who sleeps again, without a time, is woken by the token alone.
        if !taken {
            me.sleep(&shared.token);
            assert!(shared.noted(0));
        }
        other.join().unwrap();
        if let Some(fires) = fires {
            fires.join().unwrap();
        }
        assert!(!shared.token.take(), "it was taken once");
    });
}
