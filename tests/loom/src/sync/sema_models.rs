//! Models of the queues: whoever is to be woken is, once, and by what is meant for it.

use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::Ordering;
use loom::thread;

use super::sema::{Sema, Sleeper};
use super::waitreason::WaitReason;

/// Takes a token, or waits for one; false if the time was over.
fn take(sema: &Sema, deadline: i64) -> bool {
    let sleeper = Sleeper::new(0, deadline);
    let locked = sema.lock();
    let tokens = sema.word.load(Ordering::Relaxed);
    if tokens > 0 {
        sema.word.store(tokens - 1, Ordering::Relaxed);
        return true;
    }
    locked.park(0, &sleeper, false, WaitReason).is_ok()
}

/// Gives a token to who waits, or leaves it.
fn give(sema: &Sema) {
    let locked = sema.lock();
    match locked.pop(0) {
        Some(woken) => locked.ready(woken),
        None => {
            let tokens = sema.word.load(Ordering::Relaxed);
            sema.word.store(tokens + 1, Ordering::Relaxed);
        }
    }
}

/// Runs a model with a bound on how often a thread is interrupted.
fn bounded(f: impl Fn() + Sync + Send + 'static) {
    let mut model = Builder::new();
    model.preemption_bound = Some(3);
    model.check(f);
}

/// As many as there are tokens go on; else loom would find a deadlock.
#[test]
fn no_wake_up_is_lost() {
    bounded(|| {
        let sema = Arc::new(Sema::<1>::new());
        let waiters = [(); 2].map(|()| {
            let sema = Arc::clone(&sema);
            thread::spawn(move || assert!(take(&sema, 0)))
        });
        give(&sema);
        give(&sema);
        for waiter in waiters {
            waiter.join().unwrap();
        }
        assert_eq!(sema.word.load(Ordering::Relaxed), 0);
        assert!(sema.lock().is_empty(0));
    });
}

/// A token is not lost to one whose time is over: another one has it, or it is left.
#[test]
fn no_wake_up_is_lost_to_the_clock() {
    bounded(|| {
        let sema = Arc::new(Sema::<1>::new());
        let its = Arc::clone(&sema);
        let timed = thread::spawn(move || take(&its, 1));
        let its = Arc::clone(&sema);
        let other = thread::spawn(move || assert!(take(&its, 0)));
        give(&sema);
        give(&sema);
        other.join().unwrap();
        let left = u32::from(!timed.join().unwrap());
        assert_eq!(sema.word.load(Ordering::Relaxed), left);
        assert!(sema.lock().is_empty(0));
    });
}

/// Those who give up find their way out of the middle of the queue.
#[test]
fn two_give_up() {
    bounded(|| {
        let sema = Arc::new(Sema::<1>::new());
        let timed = [(); 2].map(|()| {
            let sema = Arc::clone(&sema);
            thread::spawn(move || take(&sema, 1))
        });
        give(&sema);
        let taken = timed.map(|timed| u32::from(timed.join().unwrap()));
        let left = sema.word.load(Ordering::Relaxed);
        assert_eq!(taken.iter().sum::<u32>() + left, 1);
        assert!(sema.lock().is_empty(0));
    });
}

/// A queue that is taken as a whole: each in it is woken, and nobody behind it.
#[test]
fn all_are_taken() {
    bounded(|| {
        let sema = Arc::new(Sema::<1>::new());
        let waiters = [(); 2].map(|()| {
            let sema = Arc::clone(&sema);
            thread::spawn(move || {
                let sleeper = Sleeper::new(0, 0);
                let locked = sema.lock();
                if sema.word.load(Ordering::Relaxed) == 0 {
                    assert!(locked.park(0, &sleeper, false, WaitReason).is_ok());
                }
            })
        });
        let locked = sema.lock();
        sema.word.store(1, Ordering::Relaxed);
        let all = locked.take_all(0);
        drop(locked);
        all.ready(|| {});
        for waiter in waiters {
            waiter.join().unwrap();
        }
    });
}
