//! Goroutines in all states, for a debugger to look at: a hundred, or as many as one likes.
//!
//! Each kind goes through functions of its own, `entry`, `middle` as often as the kind says,
//! and `deepest`, where it stays: what a backtrace has to show.

use core::arch::asm;
use core::hint::black_box;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;

use gort::channel::{self, Receiver, Sender};
use gort::process::ExitCode;
use gort::sync::{Condvar, LazyLock, Mutex, RwLock, Semaphore, go};
use gort::{runtime, select, thread};

use crate::{Command, Failure, number};

pub(crate) const COMMANDS: &[Command] = &[
    ("crowd", |procs| crowd(number(procs), everybody_is_there)),
    ("crowd-dies", |_| crowd(1, || panic!("that is all"))),
    ("crowd-many", |count| many(number(count))),
];

/// Longer than anybody looks.
const HOUR: Duration = Duration::from_secs(3600);

/// How many goroutines have come to where they stay.
static ARRIVED: AtomicUsize = AtomicUsize::new(0);

/// A channel of numbers.
type Chan = LazyLock<(Sender<u64>, Receiver<u64>)>;

static FULL: Chan = LazyLock::new(|| channel::bounded(2));
static EMPTY: Chan = LazyLock::new(|| channel::bounded(3));
static ONE: Chan = LazyLock::new(|| channel::bounded(0));
static OTHER: Chan = LazyLock::new(channel::unbounded);
static MUTEX: Mutex<u64> = Mutex::new(7);
static WRITTEN: RwLock<()> = RwLock::new(());
static READ: RwLock<()> = RwLock::new(());
static CONDITION: Mutex<()> = Mutex::new(());
static CONDVAR: Condvar = Condvar::new();
static GROUP: go::WaitGroup = go::WaitGroup::new();
static SEMAPHORE: Semaphore = Semaphore::new(0);

/// A kind: how many calls of `middle` there are, and what `deepest` does. Nothing is called
/// last in any of them, so that all have frames.
macro_rules! kind {
    ($name:ident, $levels:literal, $stay:expr) => {
        mod $name {
            use super::*;

            #[inline(never)]
            pub(super) fn entry() {
                middle($levels - 1);
                black_box(());
            }

            #[inline(never)]
            fn middle(more: usize) {
                if more > 0 {
                    middle(more - 1);
                } else {
                    deepest();
                }
                black_box(());
            }

            #[inline(never)]
            fn deepest() {
                let level = black_box($levels);
                ARRIVED.fetch_add(1, Ordering::Relaxed);
                $stay;
                black_box(level);
            }
        }
    };
}

kind!(chan_send, 1, _ = FULL.0.send(3));
kind!(chan_recv, 2, _ = EMPTY.1.recv());
kind!(recv_timeout, 3, _ = EMPTY.1.recv_timeout(HOUR));
kind!(select_chans, 4, {
    select! {
        recv(ONE.1) -> _ => {}
        recv(OTHER.1) -> _ => {}
    }
});
kind!(select_time, 5, {
    select! {
        recv(ONE.1) -> _ => {}
        recv(channel::after(HOUR)) -> _ => {}
    }
});
kind!(sleeps, 1, thread::sleep(HOUR));
kind!(lock_mutex, 2, drop(MUTEX.lock()));
kind!(read_lock, 3, drop(WRITTEN.read()));
kind!(write_lock, 4, drop(READ.write()));
kind!(waits_for_condition, 5, {
    drop(CONDITION.lock().and_then(|guard| CONDVAR.wait(guard)));
});
kind!(wait_group, 1, GROUP.wait());
kind!(parks, 2, thread::park());
kind!(joins, 3, _ = thread::spawn(parks::entry).join());
kind!(semaphore, 4, drop(SEMAPHORE.acquire()));
kind!(locked, 5, {
    runtime::lock_os_thread();
    thread::park();
});
kind!(registers, 1, park_with_registers());
kind!(spins, 2, spin_with_registers());
kind!(syscalls, 3, runtime::blocking(read_for_ever));
kind!(
    yields,
    4,
    while black_box(true) {
        runtime::gosched();
    }
);
kind!(late, 5, _ = black_box(0));

/// Spawns so many of a kind.
macro_rules! spawn {
    ($($count:literal $name:ident)+) => {
        $(for _ in 0..$count {
            gort::go($name::entry);
        })+
    };
}

/// A hundred goroutines, on so many Ps. When they are there, time and again, `then` is
/// called.
fn crowd(procs: usize, then: fn()) -> Result<ExitCode, Failure> {
    runtime::gomaxprocs(procs);
    (0..2).for_each(|value| _ = FULL.0.send(value));
    GROUP.add(1);
    let (_mutex, _writer, _reader) = (MUTEX.lock(), WRITTEN.write(), READ.read());
    spawn! {
        6 chan_send 6 chan_recv 4 recv_timeout 6 select_chans 4 select_time 6 sleeps
        6 lock_mutex 5 read_lock 4 write_lock 5 waits_for_condition 5 wait_group 4 parks
        4 joins 3 semaphore 3 locked 3 registers 5 syscalls 6 yields 4 spins
    }
    const STAY: usize = 93; // those, and the four that the joins have spawned
    while ARRIVED.load(Ordering::Relaxed) < STAY {
        runtime::gosched();
    }
    loop {
        runtime::gosched(); // those that were late end
        spawn!(6 late);
        then();
        next_round();
    }
}

/// So many goroutines that wait.
fn many(count: usize) -> Result<ExitCode, Failure> {
    for _ in 0..count {
        gort::go(chan_recv::entry);
    }
    while ARRIVED.load(Ordering::Relaxed) < count {
        runtime::gosched();
    }
    loop {
        runtime::gosched();
        everybody_is_there();
        next_round();
    }
}

/// Where the debugger stops.
#[inline(never)]
fn everybody_is_there() {
    black_box(());
}

/// Where it stops as well: gdb steps over a breakpoint from which a program goes on, and may
/// stop there again if the goroutine is preempted meanwhile. So there are two, of which one
/// is set.
#[inline(never)]
fn next_round() {
    black_box(());
}

/// Reads from a pipe that nobody writes to.
#[inline(never)]
fn read_for_ever() {
    if let Ok((reader, _writer)) = rustix::pipe::pipe() {
        _ = rustix::io::read(&reader, &mut [0; 1]);
    }
}

/// What the registers hold that a function preserves for its caller.
extern "C" fn park() {
    thread::park();
    black_box(());
}

/// Parks with numbers in the registers that functions preserve.
#[inline(never)]
fn park_with_registers() {
    // SAFETY: a call; all registers that it and we change are named.
    unsafe {
        asm!(
            "push rbx",
            "mov ebx, 0x101",
            "mov r12d, 0x112",
            "mov r13d, 0x113",
            "mov r14d, 0x114",
            "mov r15d, 0x115",
            "sub rsp, 8",
            "call {park}",
            "add rsp, 8",
            "pop rbx",
            park = sym park,
            out("r12") _, out("r13") _, out("r14") _, out("r15") _,
            clobber_abi("C"),
        );
    }
}

/// Spins with numbers in all registers.
#[inline(never)]
fn spin_with_registers() {
    // SAFETY: it never comes back, and uses no memory.
    unsafe {
        asm!(
            "mov eax, 0x200",
            "mov ebx, 0x201",
            "mov ecx, 0x202",
            "mov edx, 0x203",
            "mov esi, 0x204",
            "mov edi, 0x205",
            "mov r8d, 0x208",
            "mov r9d, 0x209",
            "mov r10d, 0x20a",
            "mov r11d, 0x20b",
            "mov r12d, 0x20c",
            "mov r13d, 0x20d",
            "mov r14d, 0x20e",
            "mov r15d, 0x20f",
            "2: pause",
            "jmp 2b",
            options(noreturn),
        );
    }
}
