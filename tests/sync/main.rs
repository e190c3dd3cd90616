//! gort::sync: what std's documentation says of its types, Go's of its mutexes and groups,
//! and that nobody waits for ever.

#![no_std]
#![no_main]

extern crate alloc;

mod condvar;
mod groups;
#[allow(unsafe_code, reason = "raw locks are unlocked by promise")]
mod lock_api;
mod mpsc;
mod mutex;
mod once;
mod rwlock;
mod semaphore;

use core::time::Duration;

use gort::__private::{preempt_storm, waiting};
use gort::runtime::gomaxprocs;
use gort::thread::{self, JoinHandle};

/// Longer than any test takes: a wait with this ends before its time, or the test hangs.
const LONG: Duration = Duration::from_secs(3600);

/// Longer than nothing.
const SHORT: Duration = Duration::from_millis(2);

/// Lets others run until a condition holds.
fn until(condition: impl Fn() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}

/// Starts a goroutine.
fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    thread::spawn(f)
}

/// Starts a goroutine that will wait until it is woken, by nothing that ends by itself, and
/// comes back when it waits (or another does that did not).
fn spawn_waiting<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let before = waiting();
    let handle = spawn(f);
    until(|| waiting() > before);
    handle
}

/// Calls `test` with 1, 2 and 8 Ps, while all goroutines are preempted all the time, and
/// while they are not.
fn storms(test: impl Fn(usize)) {
    for procs in [1, 2, 8] {
        gomaxprocs(procs);
        for storm in [false, true] {
            preempt_storm(storm);
            test(procs);
        }
        preempt_storm(false);
    }
}

/// Has so many goroutines call `f` with their number, and waits for all of them.
fn all(goroutines: usize, f: impl Fn(usize) + Send + Clone + 'static) {
    let handles: alloc::vec::Vec<_> = (0..goroutines)
        .map(|number| {
            let f = f.clone();
            spawn(move || f(number))
        })
        .collect();
    for handle in handles {
        handle.join().unwrap();
    }
}

gort_test::tests! {
    mod condvar, groups, lock_api, mpsc, mutex, once, rwlock, semaphore;

    fn all_of_it_may_be_used_by_init_tasks() {
        assert!(INITIALIZED.is_completed());
        assert_eq!(*COUNT.lock().unwrap(), 3);
    }
}

static INITIALIZED: gort::sync::Once = gort::sync::Once::new();
static COUNT: gort::sync::Mutex<u32> = gort::sync::Mutex::new(0);

gort::init!(initialize);

/// Waits for goroutines while the program begins.
fn initialize() {
    INITIALIZED.call_once(|| all(3, |_| *COUNT.lock().unwrap() += 1));
}
