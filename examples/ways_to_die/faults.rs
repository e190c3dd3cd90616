//! What the CPU refuses to do. Rust keeps its users from all of this: here stands `unsafe`,
//! as it stands in whatever program dies of it.

use core::arch::asm;
use core::hint::black_box;
use core::ptr;

use gort::prelude::v1::*;
use gort::{go, runtime, stack, thread};
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap};
use rustix::process::{Signal, getpid, kill_process};

use crate::ends::wait;
use crate::panics::together;
use crate::{Command, Failure};

// SAFETY: as in include/gort.h.
unsafe extern "C" {
    fn gort_mutex_unlock(mutex: *mut [u64; 2]);
}

pub(crate) const COMMANDS: &[Command] = &[
    ("nil", "a null pointer is read", |_| load(0)),
    ("nil-field", "a field of what is not there", |_| load(0x18)),
    ("nil-write", "a null pointer is written to", |_| {
        // SAFETY: none; the program ends here.
        unsafe { asm!("mov qword ptr [{}], 1", in(reg) 0_usize) };
        Ok(())
    }),
    ("nil-goroutine", "the same on a goroutine", |_| {
        go(|| _ = load(0));
        wait()
    }),
    ("nil-together", "on four threads at once", |_| {
        together(|| _ = load(0))
    }),
    ("nil-g0", "the same on the scheduler's stack", |_| {
        gort::__private::on_system_stack(|| _ = load(0));
        Ok(())
    }),
    ("sent-segv", "somebody sends SIGSEGV", |_| {
        let _ = kill_process(getpid(), Signal::SEGV);
        wait()
    }),
    ("nil-call", "a function is called at address 0", |_| call(0)),
    ("wild", "an address where nothing is", |_| load(0xdead)),
    ("wild-call", "a function is called that is data", |_| {
        static DATA: [u8; 4] = [0xc3; 4];
        call(black_box(&DATA).as_ptr().addr())
    }),
    ("read-only", "a constant is written to", |_| {
        static CONSTANT: u64 = 7;
        // SAFETY: none; the program ends here.
        unsafe { asm!("mov qword ptr [{}], 1", in(reg) black_box(&CONSTANT)) };
        Ok(())
    }),
    ("bus", "a mapped file is shorter than that: SIGBUS", |_| {
        bus()
    }),
    ("divide", "the CPU divides by zero: SIGFPE", |_| {
        // SAFETY: none; the program ends here.
        unsafe { asm!("div {0:e}", in(reg) 0, inout("eax") 1 => _, inout("edx") 0 => _) };
        Ok(())
    }),
    ("illegal", "what is no instruction: SIGILL", |_| {
        // SAFETY: none; the program ends here.
        unsafe { asm!("ud2") };
        Ok(())
    }),
    ("trap", "a breakpoint without a debugger: SIGTRAP", |_| {
        // SAFETY: none; the program ends here.
        unsafe { asm!("int3") };
        Ok(())
    }),
    ("unlock", "a lock is opened that is not locked", |_| {
        let mut mutex = [0; 2];
        // SAFETY: what gort.h asks for: zeros are a mutex.
        unsafe { gort_mutex_unlock(&raw mut mutex) };
        Ok(())
    }),
    ("overflow", "main's stack is used up", |_| {
        descend(0);
        Ok(())
    }),
    ("overflow-goroutine", "a goroutine's is", |_| {
        go(|| _ = descend(0));
        wait()
    }),
    ("overflow-builder", "one of 4 MiB is", |_| {
        let builder = thread::Builder::new().stack_size(4 << 20);
        let _ = builder.spawn(|| _ = descend(0)).map(|one| one.join());
        Ok(())
    }),
    ("overflow-grown", "one is that has grown by 1 MiB", |_| {
        stack::grow(1 << 20, || descend(0));
        Ok(())
    }),
    ("overflow-g0", "the scheduler's own is", |_| {
        runtime::lock_os_thread(); // the goroutine is on another one
        go(|| gort::__private::on_system_stack(|| _ = descend(0)));
        wait()
    }),
    ("overflow-m0", "the main thread's own is", |_| {
        gort::__private::on_system_stack(|| _ = descend(0));
        Ok(())
    }),
    ("overflow-gsignal", "a handler's is", |_| {
        runtime::lock_os_thread(); // the goroutine is on another one
        go(|| handle(overflow));
        wait()
    }),
    (
        "overflow-gsignal-m0",
        "a handler's on the main thread",
        |_| {
            runtime::lock_os_thread();
            go(|| {}); // before that there is no guard
            handle(overflow);
            Ok(())
        },
    ),
    ("nil-handler", "a null pointer is read in a handler", |_| {
        handle(nil);
        Ok(())
    }),
];

/// Reads a word where there is none. Not by Rust, which would see the null pointer.
fn load(address: usize) -> Result<(), Failure> {
    // SAFETY: none; the program ends here.
    unsafe { asm!("mov {}, qword ptr [{}]", out(reg) _, in(reg) address) };
    Ok(())
}

/// A handler that has no end.
extern "C" fn overflow(_: i32) {
    black_box(descend(0));
}

/// One that reads where nothing is.
extern "C" fn nil(_: i32) {
    let _ = load(0);
}

/// Has the handler called for a signal that comes at once, on this thread's signal stack. As
/// gort's own signals come to channels, and never to a handler, this asks the kernel.
fn handle(handler: extern "C" fn(i32)) {
    const RT_SIGACTION: usize = 13;
    const GETTID: usize = 186;
    const TKILL: usize = 200;
    const SIGUSR1: usize = 10;
    const SA_ONSTACK: usize = 0x0800_0000;
    const SA_RESTORER: usize = 0x0400_0000;

    let system = |number: usize, arguments: [usize; 3]| {
        let mut result = number;
        // SAFETY: the handler is never returned from, and so needs no restorer.
        unsafe {
            asm!("syscall", inout("rax") result,
                in("rdi") arguments[0], in("rsi") arguments[1], in("rdx") arguments[2],
                in("r10") 8, out("rcx") _, out("r11") _);
        }
        result
    };
    runtime::lock_os_thread();
    let action = [
        handler as *const () as usize,
        SA_ONSTACK | SA_RESTORER,
        0,
        0,
    ];
    system(
        RT_SIGACTION,
        [SIGUSR1, action.as_ptr().expose_provenance(), 0],
    );
    let thread = system(GETTID, [0; 3]);
    system(TKILL, [thread, SIGUSR1, 0]);
}

/// Calls what is no function.
fn call(address: usize) -> Result<(), Failure> {
    // SAFETY: none; the program ends there.
    unsafe { asm!("call {}", in(reg) address, clobber_abi("C")) };
    Ok(())
}

/// Maps a file of no bytes, and reads the first of them.
fn bus() -> Result<(), Failure> {
    let failed = |_| Failure {
        why: "there is no file",
    };
    let file = memfd_create("short", MemfdFlags::CLOEXEC).map_err(failed)?;
    ftruncate(&file, 0).map_err(failed)?;
    // SAFETY: new memory, that nobody else has.
    let memory = unsafe {
        mmap(
            ptr::null_mut(),
            4096,
            ProtFlags::READ,
            MapFlags::SHARED,
            &file,
            0,
        )
    };
    load(memory.map_err(failed)?.addr())
}

/// Calls itself until the stack is used up.
fn descend(depth: usize) -> usize {
    let frame = black_box([depth; 32]);
    if black_box(true) {
        descend(depth + 1) + black_box(frame)[depth % 32]
    } else {
        size_of_val(&frame)
    }
}
