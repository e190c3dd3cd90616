//! Models of `sched::timer` and `sched::timer_set`: for each time that a timer is
//! armed, it fires once, or is stopped or set to another time once, and never both,
//! whoever runs its heap meanwhile.
//!
//! An M is a thread of loom's here, and the time is what the model says. What follows
//! from SeqCst between who adds a timer and who goes to sleep is not seen here: loom
//! takes such loads and stores for acquire and release.

use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use crate::patient;
use crate::timer::Timer;
use crate::timer_memory;
use crate::timer_set::TimerSet;

/// A P's timers, the timers, and how often those fired.
struct Model<const TIMERS: usize> {
    set: TimerSet,
    timers: [*const Timer; TIMERS],
    fired: Box<[AtomicUsize; TIMERS]>,
}

// SAFETY: timers may be shared; they live until the model is dropped, or are left.
unsafe impl<const TIMERS: usize> Send for Model<TIMERS> {}
// SAFETY: as above.
unsafe impl<const TIMERS: usize> Sync for Model<TIMERS> {}

/// What the timers call.
fn count(fired: *mut (), _: usize, delta: i64) {
    assert!(delta >= 0, "early");
    // SAFETY: the model lives until all have been joined.
    let fired = unsafe { &*fired.cast::<AtomicUsize>() };
    fired.fetch_add(1, Ordering::Relaxed);
}

/// Nobody asks for the time: `now` is given.
fn no_clock() -> i64 {
    unreachable!()
}

impl<const TIMERS: usize> Model<TIMERS> {
    /// Makes one whose timers are pending, in the heap, for these times.
    fn new(whens: [i64; TIMERS]) -> Arc<Self> {
        timer_memory::free_all();
        let fired: Box<[AtomicUsize; TIMERS]> =
            Box::new(std::array::from_fn(|_| AtomicUsize::new(0)));
        let timers = std::array::from_fn(|index| {
            let arg = (&raw const fired[index]).cast_mut().cast();
            Box::into_raw(Box::new(Timer::new(count, arg))).cast_const()
        });
        let model = Arc::new(Self {
            set: TimerSet::new(),
            timers,
            fired,
        });
        for (index, when) in whens.into_iter().enumerate() {
            assert!(!model.reset(index, when));
        }
        model
    }

    fn timer(&self, index: usize) -> &Timer {
        // SAFETY: it has not been left.
        unsafe { &*self.timers[index] }
    }

    /// Sets a timer, as `timers::modify` does; tells whether it was pending.
    fn reset(&self, index: usize, when: i64) -> bool {
        let modified = self.timer(index).modify(when, 0, None);
        assert!(!(modified.add && modified.wake));
        if modified.add {
            self.set.add(self.timer(index));
        }
        modified.pending
    }

    fn stop(&self, index: usize) -> bool {
        self.timer(index).stop()
    }

    /// Runs what is due.
    fn check(&self, now: i64, local: bool) {
        let (_, next, _) = self.set.check(now, local, no_clock, || false);
        assert!(next == 0 || next > now);
    }

    fn fired(&self, index: usize) -> usize {
        self.fired[index].load(Ordering::Acquire)
    }
}

/// Looks whether all is in order, and frees the timers.
fn end<const TIMERS: usize>(model: &Model<TIMERS>) {
    for index in 0..TIMERS {
        model.stop(index);
    }
    model.check(i64::MAX, true);
    assert_eq!(model.set.wake_time(), 0);
    assert!(!model.set.any());
    for timer in model.timers {
        // SAFETY: nobody has it any more.
        drop(unsafe { Box::from_raw(timer.cast_mut()) });
    }
}

/// Runs a model with so many switches at most at places where none was needed.
fn bounded(bound: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(bound);
    builder.check(model);
}

/// Does something on a thread of its own.
fn go<const TIMERS: usize, T: 'static>(
    model: &Arc<Model<TIMERS>>,
    f: impl FnOnce(&Model<TIMERS>) -> T + 'static,
) -> thread::JoinHandle<T> {
    let model = Arc::clone(model);
    thread::spawn(move || f(&model))
}

#[test]
fn it_is_fired_or_stopped() {
    loom::model(|| {
        let model = Model::new([10]);
        let stopper = go(&model, |model| model.stop(0));
        model.check(10, true);
        let stopped = stopper.join().unwrap();
        assert_eq!(model.fired(0) + usize::from(stopped), 1);
        assert!(!model.stop(0));
        end(&model);
    });
}

/// The P itself, and one that steals, against a stop.
#[test]
fn it_is_fired_by_one_of_two_or_stopped() {
    bounded(2, || {
        let model = Model::new([10]);
        let stopper = go(&model, |model| model.stop(0));
        let thief = go(&model, |model| model.check(10, false));
        model.check(10, true);
        thief.join().unwrap();
        let stopped = stopper.join().unwrap();
        assert_eq!(model.fired(0) + usize::from(stopped), 1);
        end(&model);
    });
}

/// Set to later, to the same time, to earlier: what was due has fired or was pending
/// still, and what is due now fires once.
#[test]
fn it_is_fired_or_set_again() {
    for when in [5, 10, 20] {
        bounded(3, move || {
            let model = Model::new([10]);
            let setter = go(&model, move |model| model.reset(0, when));
            model.check(10, true);
            let pending = setter.join().unwrap();
            assert!(model.fired(0) <= 2);
            model.check(20, true);
            assert_eq!(model.fired(0) + usize::from(pending), 2, "of two armings");
            assert!(!model.stop(0));
            end(&model);
        });
    }
}

/// It is set and stopped, or stopped and set, while it is due.
#[test]
fn it_is_fired_or_set_and_stopped() {
    for set_first in [true, false] {
        bounded(3, move || {
            let model = Model::new([10]);
            let setter = go(&model, move |model| {
                let before = !set_first && model.stop(0);
                let pending = model.reset(0, 15);
                let after = set_first && model.stop(0);
                [before, pending, after]
                    .into_iter()
                    .map(usize::from)
                    .sum::<usize>()
            });
            model.check(15, true);
            let stopped = setter.join().unwrap();
            model.check(20, true);
            assert_eq!(model.fired(0) + stopped, 2, "of two armings");
            assert!(!model.stop(0));
            end(&model);
        });
    }
}

/// Two set two timers to earlier, where neither is the first, while the heap is put in
/// order: neither is forgotten, and nobody sleeps for too long.
#[test]
fn none_that_is_set_to_earlier_is_forgotten() {
    bounded(patient(2), || {
        let model = Model::new([50, 100, 100]);
        assert!(model.reset(1, 60));
        let first = go(&model, |model| model.reset(1, 40));
        let second = go(&model, |model| model.reset(2, 45));
        model.check(60, false);
        let pending = [first.join().unwrap(), second.join().unwrap()];
        let next = model.set.wake_time();
        for index in [1, 2] {
            let due = model.timer(index).lock().when();
            assert!(due == 0 || (next != 0 && next <= due), "{next} for {due}");
        }
        model.check(60, true);
        assert!(pending[1]);
        assert_eq!(model.fired(0), 1);
        assert_eq!(model.fired(1) + usize::from(pending[0]), 2);
        assert_eq!(model.fired(2), 1);
        end(&model);
    });
}

/// While the heap is put in order, who looks without the lock never learns of a time
/// that is too late.
#[test]
fn who_looks_does_not_sleep_too_long() {
    bounded(3, || {
        let model = Model::new([50, 100]);
        // A time that is not any timer's any more: at 35 it looks as if one were due, and
        // all are looked through.
        assert!(model.reset(1, 30));
        assert!(model.reset(1, 40));
        let looker = go(&model, |model| {
            let next = model.set.wake_time();
            assert!(next != 0 && next <= 40, "{next}");
        });
        model.check(35, true);
        assert_eq!(model.set.wake_time(), 40);
        looker.join().unwrap();
        end(&model);
    });
}

/// A timer that is left is freed once, whether it fires, was stopped, or is swept out
/// at that moment.
#[test]
fn what_was_left_is_freed_once() {
    static FREED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    unsafe fn free(timer: *const Timer) {
        FREED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // SAFETY: a box, and nobody else's by now.
        drop(unsafe { Box::from_raw(timer.cast_mut()) });
    }
    for stop in [false, true] {
        bounded(3, move || {
            FREED.store(0, std::sync::atomic::Ordering::Relaxed);
            let model = Model::new([10]);
            let leaver = go(&model, move |model| {
                let stopped = stop && model.stop(0);
                // SAFETY: nobody uses it but the heap, which is what this is about.
                unsafe { Timer::leave(model.timers[0], free) };
                stopped
            });
            model.check(10, true);
            let stopped = leaver.join().unwrap();
            model.check(10, true);
            assert_eq!(model.fired(0) + usize::from(stopped), 1);
            assert_eq!(FREED.load(std::sync::atomic::Ordering::Relaxed), 1);
            assert!(!model.set.any());
        });
    }
}

/// A P's timers go to another P, while a thread without a P stops one and sets the
/// other.
#[test]
fn none_is_lost_when_a_p_goes() {
    bounded(3, || {
        let model = Model::new([10, 20]);
        let other = Arc::new(TimerSet::new());
        let setter = go(&model, |model| (model.stop(0), model.reset(1, 15)));
        other.take(&model.set);
        assert_eq!(setter.join().unwrap(), (true, true));
        assert_eq!(model.set.wake_time(), 0);
        assert!(!model.set.any());
        assert!(other.any());
        let next = other.wake_time();
        assert!(next != 0 && next <= 15, "{next}");
        other.check(15, true, no_clock, || false);
        assert_eq!([model.fired(0), model.fired(1)], [0, 1]);
        assert!(!other.any());
        end(&model);
    });
}
