//! Goroutines that are locked to their threads, and those threads.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use gort::runtime::{self, gomaxprocs, gosched, lock_os_thread, unlock_os_thread};
use gort::{go, thread};
use gort_test::{one_p, under_qemu};

use crate::system::{Pipe, main_thread, name_of, nap, set_name, thread, threads};
use crate::{until, until_alone};

/// Goroutines that give way all the time, until this is dropped.
struct Crowd {
    stop: Arc<AtomicBool>,
    /// How often one of them ran on that thread, which none of them shall.
    intruded: Arc<AtomicUsize>,
    /// That thread, or 0.
    taboo: Arc<AtomicI32>,
}

impl Crowd {
    /// Starts so many.
    fn new(count: usize) -> Self {
        let crowd = Self {
            stop: Arc::default(),
            intruded: Arc::default(),
            taboo: Arc::default(),
        };
        for _ in 0..count {
            let (stop, intruded, taboo) = (
                Arc::clone(&crowd.stop),
                Arc::clone(&crowd.intruded),
                Arc::clone(&crowd.taboo),
            );
            go(move || {
                while !stop.load(Ordering::Relaxed) {
                    if thread() == taboo.load(Ordering::Relaxed) {
                        intruded.fetch_add(1, Ordering::Relaxed);
                    }
                    gosched();
                }
            });
        }
        crowd
    }

    /// Says that the current thread is the caller's alone.
    fn keep_off(&self) {
        self.taboo.store(thread(), Ordering::Relaxed);
    }

    /// Says that it is not any more. Nobody must have run there.
    fn let_on(&self) {
        self.taboo.store(0, Ordering::Relaxed);
        assert_eq!(
            self.intruded.load(Ordering::Relaxed),
            0,
            "ran on a locked thread"
        );
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        until_alone();
    }
}

/// Gives way in every way there is; says whether it was on the same thread each time.
fn stays_on_its_thread() -> bool {
    let here = thread();
    let mut stayed = true;
    let mut check = || stayed &= thread() == here;
    for round in 0..100 {
        gosched();
        check();
        runtime::blocking(|| {
            if round % 10 == 0 {
                nap(200); // long enough to lose the P
            }
        });
        check();
        thread::spawn(gosched).join().unwrap();
        check();
        let me = thread::current();
        go(move || me.unpark());
        thread::park();
        check();
    }
    stayed
}

/// Waits until there is no thread of that number.
fn until_gone(number: i32) {
    until(|| !threads().contains(&number));
}

/// Keeps the main thread, which never ends, for the caller: nobody has started another
/// goroutine so far, so that it is there.
fn keep_the_main_thread() {
    lock_os_thread();
    assert_eq!(thread(), main_thread());
}

/// Runs `f` on a goroutine that ends locked to its thread; returns the number of that.
fn end_locked(f: impl FnOnce() + Send + 'static) -> i32 {
    let used = Arc::new(AtomicI32::new(0));
    let its = Arc::clone(&used);
    go(move || {
        lock_os_thread();
        lock_os_thread();
        its.store(thread(), Ordering::Release);
        f();
    });
    until(|| used.load(Ordering::Acquire) != 0);
    used.load(Ordering::Acquire)
}

/// Returns the names of all threads but the current one.
fn names_of_others() -> Vec<String> {
    let others = threads().into_iter().filter(|&other| other != thread());
    others.filter_map(name_of).collect()
}

gort_test::test_module! {
    fn a_locked_one_stays_and_nobody_else_comes() {
        for procs in [1, 2, 4] {
            gomaxprocs(procs);
            let crowd = Crowd::new(10);
            lock_os_thread();
            crowd.keep_off();
            assert!(stays_on_its_thread());
            crowd.let_on();
            unlock_os_thread();
        }
    }

    fn locks_nest() {
        gomaxprocs(4);
        let crowd = Crowd::new(10);
        for _ in 0..3 {
            lock_os_thread();
        }
        crowd.keep_off();
        for _ in 0..2 {
            unlock_os_thread();
            assert!(stays_on_its_thread());
        }
        crowd.let_on();
        unlock_os_thread();
        // What was not locked may be unlocked, and still be locked after that.
        unlock_os_thread();
        lock_os_thread();
        crowd.keep_off();
        assert!(stays_on_its_thread());
        crowd.let_on();
        unlock_os_thread();
    }

    fn one_that_is_unlocked_shares_its_thread_again() {
        let _one = one_p();
        lock_os_thread();
        let mine = thread();
        gosched();
        unlock_os_thread();
        static SEEN: AtomicBool = AtomicBool::new(false);
        // There is one P, and main on its thread: sooner or later another runs there.
        until(|| {
            go(move || _ = SEEN.fetch_or(thread() == mine, Ordering::Relaxed));
            SEEN.load(Ordering::Relaxed)
        });
        until_alone();
    }

    fn many_are_locked_at_the_same_time() {
        static RIGHT: AtomicUsize = AtomicUsize::new(0);
        for procs in [1, 2, 4] {
            gomaxprocs(procs);
            RIGHT.store(0, Ordering::Relaxed);
            for _ in 0..10 {
                go(|| {
                    lock_os_thread();
                    RIGHT.fetch_add(usize::from(stays_on_its_thread()), Ordering::Relaxed);
                    unlock_os_thread();
                });
            }
            until_alone();
            assert_eq!(RIGHT.load(Ordering::Relaxed), 10);
        }
    }

    fn the_thread_of_one_that_ends_locked_ends() {
        keep_the_main_thread();
        for procs in [1, 4] {
            gomaxprocs(procs);
            for _ in 0..20 {
                until_gone(end_locked(|| {}));
                until_gone(end_locked(|| {
                    go(|| {});
                    gosched();
                }));
                until_gone(end_locked(|| runtime::goexit()));
            }
        }
        until_alone();
    }

    fn the_thread_of_one_that_is_unlocked_at_its_end_stays() {
        let _one = one_p();
        static THREAD: AtomicI32 = AtomicI32::new(0);
        for _ in 0..20 {
            go(|| {
                lock_os_thread();
                THREAD.store(thread(), Ordering::Release);
                unlock_os_thread();
            });
            until_alone();
            assert!(threads().contains(&THREAD.load(Ordering::Acquire)));
        }
    }

    fn the_main_thread_stays_and_runs_nobody() {
        // Main leaves its thread to another, which ends locked to it.
        let _one = one_p();
        static TOOK: AtomicBool = AtomicBool::new(false);
        until(|| {
            go(|| {
                lock_os_thread();
                if thread() == main_thread() {
                    TOOK.store(true, Ordering::Relaxed);
                } else {
                    unlock_os_thread();
                }
            });
            TOOK.load(Ordering::Relaxed)
        });
        until_alone();
        for _ in 0..1000 {
            assert_ne!(thread(), main_thread());
            gosched();
        }
        assert!(threads().contains(&main_thread()));
    }

    fn threads_that_end_leave_nothing() {
        keep_the_main_thread();
        let _one = one_p(); // others may have to make a stack while this one has many
        let mut before = None;
        for round in 0..100 {
            until_gone(end_locked(|| {}));
            until_alone();
            if round == 20 {
                before = Some((gort::__private::stack_stats().1, threads().len()));
            }
        }
        let (stacks, count) = before.unwrap();
        let now = gort::__private::stack_stats().1;
        // An emulator's threads may be slow to go.
        assert!(now <= stacks + (8 << 20), "{now} bytes of stacks, and {stacks} before");
        assert!(threads().len() <= count + 8 || under_qemu());
    }

    fn a_thread_that_was_changed_has_no_children() {
        // Its name stands for all that a thread inherits from the one that makes it.
        // Nobody has said `go` so far: not even sysmon is there.
        let _one = Changed::new();
        let pipe = Arc::new(Pipe::new());
        let readers: Vec<_> = (0..5)
            .map(|_| {
                let pipe = Arc::clone(&pipe);
                thread::spawn(move || pipe.wait())
            })
            .collect();
        until(|| threads().len() > 6);
        assert_eq!(changed(), 0, "{:?}", names_of_others());
        pipe.put(5);
        for reader in readers {
            reader.join().unwrap();
        }
    }

    fn nor_has_it_when_it_ends() {
        // There is one P, which the thread hands on at its end, and no other thread.
        gomaxprocs(1);
        static RAN: AtomicBool = AtomicBool::new(false);
        static THREAD: AtomicI32 = AtomicI32::new(0);
        go(|| {
            lock_os_thread();
            set_name(c"changed");
            THREAD.store(thread(), Ordering::Relaxed);
            go(|| RAN.store(true, Ordering::Release));
        });
        until(|| RAN.load(Ordering::Acquire));
        until_alone();
        // The thread itself may take its time to end, and the main one never does.
        let itself = THREAD.load(Ordering::Relaxed);
        let changed: Vec<_> = threads()
            .into_iter()
            .filter(|&other| other != itself && name_of(other).as_deref() == Some("changed"))
            .collect();
        assert_eq!(changed, [], "of {:?}", threads());
    }
}

/// A goroutine that is locked to its thread, which it has changed.
struct Changed;

impl Changed {
    /// Makes the current one such.
    fn new() -> Self {
        lock_os_thread();
        set_name(c"changed");
        Self
    }
}

impl Drop for Changed {
    fn drop(&mut self) {
        set_name(c"as before");
        unlock_os_thread();
    }
}

/// Counts the other threads that have inherited the change.
fn changed() -> usize {
    names_of_others()
        .iter()
        .filter(|name| *name == "changed")
        .count()
}
