//! The ways to die.

use alloc::string::String;
use alloc::vec::Vec;
use core::arch::asm;
use core::fmt;
use core::hint::black_box;
use core::mem;
use core::sync::atomic::{AtomicUsize, Ordering};

use gort::channel::{Receiver, Select, Sender};
use gort::process::{self, ExitCode};
use gort::time::{self, Duration, Instant};
use gort::{channel, println, runtime, thread};

use crate::{Command, Failure, OK, number};

pub(crate) const COMMANDS: &[Command] = &[
    ("return", |code| Ok(ExitCode::from(number(code) as u8))),
    ("return-error", |_| {
        Err(Failure {
            why: "it was asked to",
        })
    }),
    ("return-with-others", return_with_others),
    ("exit", |code| process::exit(number(code) as i32)),
    ("exit-goroutine", |code| {
        let code = number(code) as i32;
        on_goroutine(move || process::exit(code))
    }),
    ("abort", |_| process::abort()),
    ("panic", |value| panic!("the value is {value}")),
    ("panic-plain", |_| panic!("a plain text")),
    ("panic-goroutine", |_| {
        on_goroutine(|| panic!("on a goroutine"))
    }),
    ("panic-long", |length| panic!("{}", long(number(length)))),
    ("panic-gosched", |_| {
        gort::go(|| panic!("another one"));
        panic!("{}", Leaves(runtime::gosched))
    }),
    ("panic-with-others", |_| {
        gort::go(|| _ = park());
        runtime::gosched();
        gort::go(|| _ = spin());
        panic!("a plain text")
    }),
    ("panic-lines", |_| panic!("first\nsecond")),
    ("panic-index", |text| {
        panic!("{}", text.as_bytes()[black_box(7)])
    }),
    ("nil", |_| load(0)),
    ("nil-goroutine", |_| on_goroutine(|| _ = load(8))),
    ("bad-address", |_| load(0x6660_0000_0000)),
    ("no-address", |_| load(0x6660_0000_0000_0000)),
    ("illegal", |_| illegal()),
    ("divide", |_| divide()),
    ("overflow", |_| Ok(ExitCode::from(descend(0) as u8))),
    ("overflow-goroutine", |_| on_goroutine(|| _ = descend(0))),
    ("overflow-late-and-back", |count| {
        overflow_late(number(count), || {
            black_box(descend_by(310 << 10));
            runtime::gosched();
        })
    }),
    ("overflow-late-and-end", |count| {
        overflow_late(number(count), || _ = black_box(descend_by(310 << 10)))
    }),
    ("overflow-late-and-stay", |count| {
        overflow_late(number(count), || {
            black_box(descend_and(272 << 10, runtime::gosched));
        })
    }),
    ("overflow-late-for-ever", |count| {
        overflow_late(number(count), || _ = descend(0))
    }),
    ("deadlock-scavenged", deadlock_scavenged),
    ("goexit", |_| runtime::goexit()),
    ("goexit-others", goexit_others),
    ("deadlock", |_| park()),
    ("deadlock-others", deadlock_others),
    ("deadlock-many", deadlock_many),
    ("deadlock-join", join_deadlock),
    ("deadlock-channels", deadlock_channels),
    ("deadlock-slept", deadlock_slept),
    ("deadlock-timers", deadlock_timers),
    ("panic-thread", panic_thread),
    ("out-of-memory", |size| out_of_memory(number(size))),
    ("too-many-goroutines", |_| too_many_goroutines()),
    ("too-many-threads", |size| too_many_threads(number(size))),
    ("spin", |_| spin()),
];

/// Runs `f` on a goroutine of its own, for as long as that takes.
fn on_goroutine(f: impl FnOnce() + Send + 'static) -> Result<ExitCode, Failure> {
    gort::go(f);
    spin()
}

/// Returns from main while goroutines are left.
fn return_with_others(_: &str) -> Result<ExitCode, Failure> {
    for _ in 0..10 {
        gort::go(|| _ = spin());
    }
    runtime::gosched();
    OK
}

/// Ends the main goroutine while others go on for a while.
fn goexit_others(_: &str) -> Result<ExitCode, Failure> {
    gort::go(|| {
        for round in 0..3 {
            println!("round {round} without main");
            runtime::gosched();
        }
    });
    runtime::goexit()
}

/// Makes a message of so many letters.
fn long(length: usize) -> String {
    ('a'..='z').cycle().take(length).collect()
}

/// Calls a function when it is printed.
struct Leaves(fn());

impl fmt::Display for Leaves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)();
        f.write_str("and was back")
    }
}

/// Reads a word at an address where there is none.
#[inline(never)] // it is what the debugger shall name
pub(crate) fn load(address: usize) -> Result<ExitCode, Failure> {
    let word: u64;
    // SAFETY: the fault ends the program, which is what this is for. Rust's own
    // read would see the null pointer and panic.
    unsafe { asm!("mov {}, qword ptr [{}]", out(reg) word, in(reg) address) };
    Ok(ExitCode::from(word as u8))
}

/// Executes what is no instruction.
fn illegal() -> Result<ExitCode, Failure> {
    // SAFETY: the fault ends the program.
    unsafe { asm!("ud2") };
    OK
}

/// Has the CPU divide by zero: Rust's own division would panic before.
fn divide() -> Result<ExitCode, Failure> {
    // SAFETY: the fault ends the program.
    unsafe {
        asm!("xor edx, edx", "mov eax, 1", "xor ecx, ecx", "div ecx", out("eax") _, out("ecx") _, out("edx") _)
    };
    OK
}

/// Calls itself until the stack is used up.
pub(crate) fn descend(depth: usize) -> usize {
    let frame = black_box([depth; 32]);
    if black_box(true) {
        descend(depth + 1) + black_box(frame)[depth % 32]
    } else {
        depth
    }
}

/// Calls itself until the stack has grown by `size` bytes, and goes back.
fn descend_by(size: usize) -> usize {
    descend_and(size, || {})
}

/// The same, and calls `f` down there.
fn descend_and(size: usize, f: fn()) -> usize {
    fn descend(end: usize, f: fn()) -> usize {
        let frame = black_box([end; 32]);
        if frame.as_ptr().addr() > end {
            descend(end, f) + black_box(frame)[end % 32]
        } else {
            f();
            end
        }
    }
    let top = 0u8;
    descend((&raw const *black_box(&top)).addr() - size, f)
}

/// Has so many goroutines wait, and then one overflow its stack.
fn overflow_late(
    count: usize,
    overflow: impl FnOnce() + Send + 'static,
) -> Result<ExitCode, Failure> {
    static PARKING: AtomicUsize = AtomicUsize::new(0);
    for _ in 0..count {
        gort::go(|| {
            PARKING.fetch_add(1, Ordering::Relaxed);
            thread::park();
        });
    }
    // Nobody looks at what is overwritten, before it is noticed.
    while PARKING.load(Ordering::Relaxed) < count || gort::__private::waiting() < count {
        runtime::gosched();
    }
    gort::go(move || {
        overflow();
        println!("nobody has noticed");
    });
    spin()
}

/// Has goroutines end and gives their memory back; then two wait, and the main one.
fn deadlock_scavenged(_: &str) -> Result<ExitCode, Failure> {
    for _ in 0..200 {
        gort::go(runtime::gosched);
    }
    while runtime::num_goroutine() > 1 {
        runtime::gosched();
    }
    gort::__private::scavenge_stacks(usize::MAX);
    deadlock_many("2")
}

/// Waits for what never comes.
fn park() -> Result<ExitCode, Failure> {
    thread::park();
    OK
}

/// Panics in a goroutine that another one waits for.
fn panic_thread(_: &str) -> Result<ExitCode, Failure> {
    let handle = thread::spawn(|| panic!("in a spawned one"));
    _ = handle.join();
    OK
}

/// Waits for one that waits.
fn join_deadlock(_: &str) -> Result<ExitCode, Failure> {
    let handle = thread::spawn(thread::park);
    _ = handle.join();
    OK
}

/// Waits on channels in every way, one after the other.
fn deadlock_channels(_: &str) -> Result<ExitCode, Failure> {
    runtime::gomaxprocs(1); // each P has numbers of its own for goroutines
    let (s, r) = channel::bounded::<u8>(0);
    let (other, also) = channel::bounded::<u8>(1);
    _ = other.send(1);
    type Way = fn(&Sender<u8>, &Receiver<u8>);
    let ways: [Way; 5] = [
        |_, r| _ = r.recv(),
        |s, _| _ = s.send(2),
        |_, r| {
            let mut select = Select::new();
            select.recv(r);
            drop(select.select());
        },
        |_, _| _ = channel::never::<u8>().recv(),
        |_, _| {
            let never = channel::never::<u8>();
            let mut select = Select::new();
            select.recv(&never);
            drop(select.select());
        },
    ];
    for (number, way) in ways.into_iter().enumerate() {
        let (s, r) = match number {
            1 => (other.clone(), also.clone()),
            _ => (s.clone(), r.clone()),
        };
        gort::go(move || way(&s, &r));
    }
    _ = channel::at(Instant::now()).recv();
    park()
}

/// Waits for ever, when one that sleeps has done so: while it does, nobody is dead.
fn deadlock_slept(_: &str) -> Result<ExitCode, Failure> {
    gort::go(|| {
        thread::sleep(Duration::from_millis(100));
        println!("awake");
    });
    park()
}

/// Waits for ever, with timers that have fired, and with one for a far day that is
/// stopped and still in the heap.
fn deadlock_timers(_: &str) -> Result<ExitCode, Failure> {
    let day = Duration::from_secs(24 * 3600);
    let far = time::after_func(day, || println!("a day later"));
    let main = thread::current();
    drop(time::after_func(Duration::from_millis(50), move || {
        println!("fired");
        main.unpark();
    }));
    thread::park();
    println!("{}", far.stop());
    park()
}

/// Has two goroutines wait, and ends the main one.
fn deadlock_others(_: &str) -> Result<ExitCode, Failure> {
    gort::go(|| _ = park());
    gort::go(|| _ = park());
    runtime::goexit()
}

/// Has so many goroutines wait, and the main one.
fn deadlock_many(count: &str) -> Result<ExitCode, Failure> {
    for _ in 0..number(count) {
        gort::go(|| _ = park());
    }
    park()
}

/// Allocates blocks of so many bytes until there is no memory left.
fn out_of_memory(size: usize) -> Result<ExitCode, Failure> {
    loop {
        mem::forget(black_box(Vec::<u8>::with_capacity(size)));
    }
}

/// Starts goroutines until there is no memory left.
fn too_many_goroutines() -> Result<ExitCode, Failure> {
    loop {
        gort::go(thread::park);
    }
}

/// How many [`Counted`] have been dropped.
static DROPS: AtomicUsize = AtomicUsize::new(0);

/// Counts that it is dropped.
struct Counted;

impl Drop for Counted {
    fn drop(&mut self) {
        DROPS.fetch_add(1, Ordering::Relaxed);
    }
}

/// Starts goroutines with stacks of so many bytes until there is no room, which is
/// an error that one can live with: then lets them all end.
fn too_many_threads(size: usize) -> Result<ExitCode, Failure> {
    let mut handles = Vec::new();
    let error = loop {
        let held = Counted;
        let builder = thread::Builder::new().stack_size(size);
        match builder.spawn(move || {
            let _held = held;
            thread::park();
        }) {
            Ok(handle) => handles.push(handle),
            Err(error) => break error,
        }
    };
    let (some, dropped) = (!handles.is_empty(), DROPS.load(Ordering::Relaxed));
    let count = handles.len();
    for handle in handles {
        handle.thread().unpark();
        _ = handle.join();
    }
    let later = DROPS.load(Ordering::Relaxed) - dropped == count;
    println!("some: {some}, dropped: {dropped}, the others later: {later}; {error}");
    OK
}

/// Waits for the end.
fn spin() -> Result<ExitCode, Failure> {
    loop {
        runtime::gosched();
    }
}
