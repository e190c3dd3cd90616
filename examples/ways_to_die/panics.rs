//! Panics: of a text, of values, of what takes its time to be printed, or never is.

use core::fmt;
use core::hint::black_box;

use gort::prelude::v1::*;
use gort::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use gort::sync::{Mutex, MutexGuard};
use gort::{channel, go, process, runtime, thread};

use crate::ends::wait;
use crate::{Command, Failure};

pub(crate) const COMMANDS: &[Command] = &[
    ("panic", "with a text", |_| panic!("a plain text")),
    ("panic-value", "with a value in it", |_| {
        panic!("the value is {}", black_box(42))
    }),
    ("panic-string", "with what was made before", |_| {
        let text = String::from("a text of its own");
        panic!("{text}")
    }),
    ("panic-lines", "with more than one line", |_| {
        panic!("the first line\ngoroutine 7 [running]:\nthe third line")
    }),
    ("panic-display", "with a type of the program's", |_| {
        panic!("{}", Temperature(-300))
    }),
    ("panic-goroutine", "on a goroutine", |_| {
        go(|| panic!("on a goroutine"));
        wait()
    }),
    ("panic-thread", "on one that another joins", |_| {
        let one = thread::spawn(|| panic!("nobody will hear of this"));
        let _ = one.join();
        Ok(())
    }),
    ("panic-among-others", "while two others wait", |_| {
        among_others()
    }),
    ("panic-together", "on four threads at once", |_| {
        together(|| panic!("all at once"))
    }),
    ("panic-goexit", "by what a goroutine leaves behind", |_| {
        go(|| {
            LEFT.with(|_| {});
            runtime::goexit()
        });
        wait()
    }),
    (
        "panic-as-main-returns",
        "and printing takes its time",
        |_| {
            static BEGUN: AtomicBool = AtomicBool::new(false);
            go(|| {
                let rounds = || {
                    BEGUN.store(true, Ordering::Release);
                    (0..10).for_each(|_| runtime::gosched());
                };
                panic!("{}", Does(rounds))
            });
            while !BEGUN.load(Ordering::Acquire) {
                runtime::gosched();
            }
            Ok(())
        },
    ),
    ("panic-unwrap", "by an unwrap", |_| {
        let number: i32 = black_box("seven").parse().unwrap();
        gort::println!("{number}");
        Ok(())
    }),
    ("panic-index", "by an index that is none", |_| {
        let numbers = black_box([1, 2]);
        gort::println!("{}", numbers[black_box(7)]);
        Ok(())
    }),
    ("panic-divide", "by a division that Rust checks", |_| {
        gort::println!("{}", 1 / black_box(0));
        Ok(())
    }),
    ("panic-capacity", "by a Vec that cannot be", |_| {
        black_box(Vec::<u64>::with_capacity(black_box(usize::MAX)));
        Ok(())
    }),
    ("panic-borrow", "by a RefCell that is borrowed", |_| {
        let cell = core::cell::RefCell::new(1);
        let _first = cell.borrow_mut();
        let _second = cell.borrow_mut();
        Ok(())
    }),
    ("display-waits", "printing waits for a lock", |_| {
        display_waits()
    }),
    ("display-deadlocks", "printing waits for ever", |_| {
        panic!("{}", Does(thread::park))
    }),
    ("display-spawns", "printing starts a goroutine", |_| {
        panic!("{}", Does(|| thread::spawn(|| {}).join().unwrap()))
    }),
    ("display-exits", "printing ends the program", |_| {
        panic!("{}", Does(|| process::exit(7)))
    }),
    ("display-goexits", "printing ends the goroutine", |_| {
        panic!("{}", Does(|| runtime::goexit()))
    }),
    ("display-panics", "printing panics", |_| {
        panic!("{}", Does(|| panic!("while it was printed")))
    }),
    ("display-panics-late", "printing it again panics", |_| {
        panic!("{}", Long(AtomicUsize::new(0)))
    }),
    ("panic-g0", "on the scheduler's stack", |_| {
        gort::__private::on_system_stack(|| panic!("nobody's code runs there"));
        Ok(())
    }),
    ("display-panics-twice", "so does printing that", |_| {
        panic!("{}", Does(|| panic!("{}", Does(|| panic!("the third")))))
    }),
    ("panic-among-running", "while another one runs", |_| {
        among_running()
    }),
];

/// What a goroutine has of its own, and panics when it is dropped.
struct Left;

impl Drop for Left {
    fn drop(&mut self) {
        panic!("dropped too late");
    }
}

gort::thread_local! {
    static LEFT: Left = const { Left };
}

/// What has a form of its own.
struct Temperature(i32);

impl fmt::Display for Temperature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is {} °C, which cannot be", self.0)
    }
}

/// Does something when it is printed.
struct Does(fn());

impl fmt::Display for Does {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)();
        f.write_str("it has done it")
    }
}

/// Is printed once. As it is too long to be kept, it is asked again for the rest.
struct Long(AtomicUsize);

impl fmt::Display for Long {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.fetch_add(1, Ordering::SeqCst) > 0 {
            panic!("it has been printed");
        }
        (1..=50).try_for_each(|line| writeln!(f, "line {line} of what there is to say"))
    }
}

/// Panics when two others wait, each for something else: GOTRACEBACK=all shows them, too.
fn among_others() -> Result<(), Failure> {
    let (_sender, receiver) = channel::unbounded::<()>();
    go(move || _ = receiver.recv());
    go(thread::park);
    while gort::__private::waiting() < 2 {
        runtime::gosched();
    }
    panic!("in the midst of them")
}

/// Has four goroutines on as many threads panic at the same time: one of them says why.
pub(crate) fn together(die: fn()) -> Result<(), Failure> {
    static READY: AtomicUsize = AtomicUsize::new(0);
    for _ in 0..4 {
        go(move || {
            runtime::lock_os_thread();
            READY.fetch_add(1, Ordering::SeqCst);
            while READY.load(Ordering::SeqCst) < 4 {
                core::hint::spin_loop();
            }
            die();
        });
    }
    wait()
}

/// Panics with what only can be printed when another goroutine has opened a lock, which it
/// does when somebody waits.
fn display_waits() -> Result<(), Failure> {
    static NAME: Mutex<&str> = Mutex::new("nobody yet");

    struct Name;

    impl fmt::Display for Name {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(&NAME.lock().unwrap())
        }
    }

    static HELD: AtomicUsize = AtomicUsize::new(0);
    go(|| {
        let mut name: MutexGuard<'_, &str> = NAME.lock().unwrap();
        HELD.store(1, Ordering::SeqCst);
        while gort::__private::waiting() < 1 {
            runtime::gosched();
        }
        *name = "who has waited for it";
    });
    while HELD.load(Ordering::SeqCst) == 0 {
        runtime::gosched();
    }
    panic!("it was {Name}")
}

/// Panics while another goroutine runs and never gives way: it is made to stop, and shown.
fn among_running() -> Result<(), Failure> {
    static ROUNDS: AtomicUsize = AtomicUsize::new(0);
    go(|| {
        loop {
            ROUNDS.fetch_add(1, Ordering::SeqCst);
        }
    });
    while ROUNDS.load(Ordering::SeqCst) == 0 {
        runtime::gosched();
    }
    panic!("while another one runs")
}
