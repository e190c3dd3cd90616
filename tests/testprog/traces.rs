//! Goroutines in all states, and what their traces show of them.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::arch::{asm, global_asm};
use core::hint::{black_box, spin_loop};
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gort::backtrace::Backtrace;
use gort::process::ExitCode;
use gort::sync::{Mutex, WaitGroup};
use gort::time::{Duration, Instant};
use gort::{channel, debug, print, println, runtime, thread};
use rustix::mm::{MprotectFlags, mprotect};

use crate::{Command, Failure, OK, number};

pub(crate) const COMMANDS: &[Command] = &[
    ("trace-states", states),
    ("trace-inlined", |_| outer()),
    ("trace-deep", |depth| deep(number(depth))),
    ("trace-winding", |depth| {
        winding(number(depth));
        OK
    }),
    ("trace-smashed", |how| {
        gort::go(wait_for_ever);
        smashed(how)
    }),
    ("trace-null-call", |_| null_call()),
    ("trace-lost", lost),
    ("trace-places", |count| {
        places(number(count));
        OK
    }),
    ("trace-own", |_| {
        print!("{}", debug::stack());
        debug::print_stack();
        OK
    }),
    ("trace-short", |length| {
        let mut buffer = vec![b'-'; number(length)];
        let written = runtime::stack(&mut buffer, true);
        println!("{written} {}", String::from_utf8_lossy(&buffer));
        OK
    }),
    ("trace-many", |count| many(number(count))),
    ("backtrace", |_| {
        let captured = Backtrace::capture();
        println!("{:?}\n{captured}", captured.status());
        OK
    }),
    ("backtrace-forced", |_| {
        let captured = Backtrace::force_capture();
        println!("{captured}{captured:?}");
        OK
    }),
];

#[inline(never)]
fn wait_for_ever() {
    let (_keep, nothing) = channel::bounded::<()>(0);
    let _ = nothing.recv();
}

static SPINS: AtomicBool = AtomicBool::new(true);

#[inline(never)]
fn spin_for_ever() {
    while SPINS.load(Ordering::Relaxed) {
        spin_loop();
    }
}

#[inline(never)]
fn in_the_system() {
    runtime::blocking(|| {
        while SPINS.load(Ordering::Relaxed) {
            spin_loop();
        }
    });
}

#[inline(never)]
fn on_a_segment() {
    gort::stack::grow(64 << 10, wait_for_ever);
    black_box(()); // or its frame would be gone by now
}

/// Returns the traces of all goroutines.
fn traces() -> String {
    let mut size = 1 << 16;
    loop {
        let mut buffer = vec![0; size];
        let length = runtime::stack(&mut buffer, true);
        if length < size {
            buffer.truncate(length);
            return String::from_utf8_lossy(&buffer).into_owned();
        }
        size *= 2;
    }
}

/// Brings goroutines into all states there are, and shows them.
fn states(_: &str) -> Result<ExitCode, Failure> {
    let mutex: &'static Mutex<()> = alloc::boxed::Box::leak(Mutex::new(()).into());
    let held = mutex.lock();
    let group = WaitGroup::new();
    let (send, _receive) = channel::bounded(0);
    let (_one, never) = channel::bounded::<()>(0);
    let (_another, also_never) = channel::bounded::<()>(0);
    let waiting = group.clone();
    let starts: Vec<fn()> = vec![wait_for_ever, on_a_segment, in_the_system, spin_for_ever];
    for start in starts {
        gort::go(start);
    }
    gort::go(move || _ = send.send(1)); // when we return, nobody receives
    gort::go(move || {
        gort::select! {
            recv(never) -> _ => {}
            recv(also_never) -> _ => {}
        }
    });
    gort::go(|| thread::sleep(Duration::from_secs(100_000)));
    gort::go(move || drop(mutex.lock()));
    gort::go(move || waiting.wait());
    gort::go(|| {
        runtime::lock_os_thread();
        thread::park();
        black_box(0); // or that would be a jump, and nobody's call
    });
    let wanted = [
        "[chan receive]",
        "[chan send]",
        "[select]",
        "[sleep]",
        "[sync.Mutex.Lock]",
        "[sync.WaitGroup.Wait]",
        "[thread::park, locked to thread]",
        "[syscall]",
        "[runnable]",
    ];
    let text = loop {
        let text = traces();
        let waits = text.matches("[chan receive]").count() == 2 && text.contains("spin_for_ever()");
        if waits && wanted.iter().all(|state| text.contains(state)) {
            break text;
        }
        runtime::gosched();
    };
    print!("{text}");
    drop((held, group));
    OK
}

#[inline(never)]
fn outer() -> Result<ExitCode, Failure> {
    middle();
    OK
}

#[inline(always)]
fn middle() {
    black_box(0);
    inner();
    black_box(1);
}

#[inline(always)]
fn inner() {
    print!("{}", debug::stack());
    black_box(2);
}

#[inline(never)]
fn deep(depth: usize) -> Result<ExitCode, Failure> {
    if depth == 0 {
        print!("{}", debug::stack());
        return OK;
    }
    let result = deep(depth - 1);
    black_box(depth);
    result
}

/// As deep, with three frames in one place each time; of odd depths with one more at the end.
#[inline(never)]
fn winding(depth: usize) {
    turn(depth);
    black_box(depth);
}

#[inline(always)]
fn turn(depth: usize) {
    bend(depth);
    black_box(depth);
}

#[inline(always)]
fn bend(depth: usize) {
    match depth {
        0 => print!("{}", debug::stack()),
        1 => leaf(),
        _ => winding(depth - 2),
    }
    black_box(depth);
}

#[inline(never)]
fn leaf() {
    print!("{}", debug::stack());
    black_box(0);
}

/// Destroys what a trace goes by, and faults.
#[inline(never)]
fn smashed(how: &str) -> Result<ExitCode, Failure> {
    match how {
        // SAFETY: the fault ends the program.
        "fp" => unsafe { asm!("mov rbp, 0x1230", "mov eax, [0]", options(noreturn)) },
        // SAFETY: as above.
        "sp" => unsafe { asm!("mov rsp, 0x1230", "mov eax, [0]", options(noreturn)) },
        // SAFETY: as above.
        "both" => unsafe {
            asm!(
                "mov rsp, 0x1230",
                "mov rbp, 0x4560",
                "mov eax, [0]",
                options(noreturn)
            )
        },
        // A frame that is its own caller's.
        // SAFETY: as above.
        "loop" => unsafe {
            asm!(
                "mov [rsp], rsp",
                "lea rax, [rip]",
                "mov [rsp + 8], rax",
                "mov rbp, rsp",
                "mov eax, [0]",
                options(noreturn)
            )
        },
        // SAFETY: as above.
        "return" => unsafe {
            asm!(
                "mov qword ptr [rbp + 8], 0x1230",
                "mov eax, [0]",
                options(noreturn)
            )
        },
        // SAFETY: as above.
        "all" => unsafe {
            asm!(
                "mov rdi, rsp",
                "mov rax, 0x5a5a5a5a5a5a5a5a",
                "rep stosq",
                "mov eax, [0]",
                // What there is below the G, which lies at the stack's top.
                in("rcx") if cfg!(debug_assertions) { 64 } else { 12 },
                options(noreturn)
            )
        },
        _ => OK,
    }
}

#[inline(never)]
fn null_call() -> Result<ExitCode, Failure> {
    // SAFETY: the fault ends the program.
    unsafe { asm!("call {}", in(reg) black_box(0usize)) };
    OK
}

/// Has a goroutine wait, takes away what memory its record is in, and dies with all shown.
fn lost(how: &str) -> Result<ExitCode, Failure> {
    const PAGE: usize = 4096;
    static AT: AtomicUsize = AtomicUsize::new(0);
    gort::go(|| {
        let local = 0u8;
        AT.store((&raw const *black_box(&local)).addr(), Ordering::Release);
        wait_for_ever();
    });
    while AT.load(Ordering::Acquire) == 0 || gort::__private::waiting() == 0 {
        runtime::gosched();
    }
    // The record is at the stack's top, a page or two further on.
    let page = AT.load(Ordering::Acquire) / PAGE * PAGE;
    // SAFETY: none for who looks at it, and that is what this is for.
    let taken = unsafe {
        mprotect(
            ptr::with_exposed_provenance_mut(page),
            3 * PAGE,
            MprotectFlags::empty(),
        )
    };
    assert_eq!(taken, Ok(()));
    if how == "nil" {
        return crate::deaths::load(0);
    }
    panic!("one is lost")
}

// A function with so many calls of itself, each a place of its own.
global_asm!(
    ".pushsection .text.many_places, \"ax\", @progbits",
    ".type many_places, @function",
    "many_places:",
    "push rbp",
    "mov rbp, rsp",
    "test rdi, rdi",
    "jz 3f",
    "lea rax, [rip + 2f]",
    "imul rcx, rdi, 16",
    "lea rax, [rax + rcx - 16]",
    "dec rdi",
    "jmp rax",
    ".balign 16",
    "2:",
    ".rept {MOST}",
    "call many_places", // five bytes
    "jmp 4f",
    ".balign 16",
    ".endr",
    "3:",
    "call rsi",
    "4:",
    "pop rbp",
    "ret",
    ".size many_places, . - many_places",
    ".popsection",
    MOST = const MOST_PLACES,
);

/// How many those are.
const MOST_PLACES: usize = 2100;

// SAFETY: it calls itself so many times, at another place each time, and then the function.
unsafe extern "C" {
    fn many_places(count: usize, f: extern "C" fn());
}

/// Shows a stack that has been called from so many places.
#[inline(never)]
fn places(count: usize) {
    extern "C" fn show() {
        print!("{}", debug::stack());
        black_box(0);
    }
    assert!(count <= MOST_PLACES);
    // SAFETY: there are as many.
    unsafe { many_places(count, show) };
    black_box(0);
}

/// Has that many goroutines wait, and says how long their traces take, in milliseconds.
fn many(count: usize) -> Result<ExitCode, Failure> {
    static WAITING: AtomicUsize = AtomicUsize::new(0);
    for _ in 0..count {
        gort::go(|| {
            WAITING.fetch_add(1, Ordering::Relaxed);
            wait_for_ever();
        });
    }
    while WAITING.load(Ordering::Relaxed) < count {
        runtime::gosched();
    }
    let mut buffer = vec![0; 1 << 30];
    let start = Instant::now();
    let length = runtime::stack(&mut buffer, true);
    let time = start.elapsed().as_millis();
    let text = core::str::from_utf8(&buffer[..length]).unwrap_or_default();
    println!(
        "{} goroutines",
        text.matches("goroutine ").count() - text.matches(" in goroutine ").count()
    );
    println!(
        "{} waiting",
        text.matches("traces::wait_for_ever()").count()
    );
    gort::eprintln!("{time} ms, {length} bytes");
    OK
}
