//! gort: Go's program start-up and goroutine runtime, in `no_std` Rust, for
//! x86_64 Linux, without a libc.
//!
//! ```
#![doc = include_str!("../examples/hello.rs")]
//! ```
//!
//! # In place of std
//!
//! Code that is written against std and crossbeam-channel runs on goroutines: what it calls
//! a thread is one, and what waits parks it, while others have its thread.
//!
//! ```
//! #![no_std]
//! #![no_main]
//!
//! #[macro_use]
//! extern crate gort as std;
//!
//! use std::channel;
//! use std::collections::HashMap;
//! use std::prelude::v1::*;
//! use std::sync::Mutex;
//! use std::thread;
//!
//! std::main!(main);
//!
//! fn main() {
//!     let lengths = Mutex::new(HashMap::new());
//!     let (words, work) = channel::bounded::<&str>(2);
//!     thread::scope(|scope| {
//!         for _ in 0..4 {
//!             let work = work.clone();
//!             scope.spawn(|| {
//!                 for word in work {
//!                     lengths.lock().unwrap().insert(word, word.len());
//!                 }
//!             });
//!         }
//!         for word in ["goroutines", "in", "Rust"] {
//!             words.send(word).unwrap();
//!         }
//!         drop(words);
//!     });
//!     println!("{} words", lengths.into_inner().unwrap().len());
//! }
//! ```
//!
//! A `no_std` program has no `Vec` and no `String` without asking: each module wants
//! [`prelude::v1`].
//!
//! - [`channel`] is crossbeam-channel 0.5, with [`select!`] and [`select_biased!`], over
//!   Go's channel.
//! - [`thread`], [`sync`], [`time`], [`task`]: threads, locks, clocks and futures. Besides
//!   what std has there are [`time::Timer`] and [`time::Ticker`], [`sync::WaitGroup`] and
//!   [`sync::Semaphore`], and [`task::block_on()`].
//! - [`io`], [`env`](mod@env), [`process`]: the traits, the standard streams, arguments and
//!   variables, the end. There are no files, sockets, paths or child processes yet.
//! - [`signal`]: Go's `os/signal`, to channels.
//! - [`collections`], [`hash`], [`alloc`](mod@alloc), [`ffi`], and what std has of core's and
//!   alloc's modules, at std's paths.
//! - [`runtime`] and [`debug`](mod@debug) have what Go's packages of these names have.
//!
//! A panic ends the program, as in Go: nothing is caught, and no lock is ever poisoned.
//!
//! # Features
//!
//! | feature | what it is |
//! | --- | --- |
//! | `global-allocator` | gort's heap is the program's allocator; on unless left out |
//! | `panic-handler` | a panic prints Go's text, and ends the program with status 2; on unless left out |
//! | `signals` | SIGQUIT shows all goroutines; SIGPIPE, and process 1, as in Go: see [`signal`]; on unless left out |
//! | `trace` | GODEBUG; on unless left out |
//! | `traceback` | a death shows where goroutines are: in release builds by frame pointers, with names as the linker has them; on unless left out |
//! | `backtrace` | the same by DWARF, with files, lines and what was inlined, as debug builds have it anyway; for release builds with `debug = "line-tables-only"` in their profile |
//! | `sched-trace` | GORT_TRACE: what the scheduler does, in a file; `docs/trace.md` goes through it |
//! | `critical-section` | an implementation of the crate of that name: one lock for all |
//! | `getrandom` | that crate asks the system by gort. It wants a flag besides: `rustflags = ["--cfg", 'getrandom_backend="custom"']` for the target in `.cargo/config.toml` |
//! | `log` | `gort::logger`: records are printed to standard error, as `RUST_LOG` says |
//! | `embedded-io` | that crate's traits for the standard streams |
//! | `none` | no system below: the program is one that a virtual machine monitor boots; `docs/none.md` goes through it |
//! | `archive` | for `cargo xtask dist` alone |
//!
//! # The boot
//!
//! What happens between the kernel's first instruction and your `main`. The
//! symbols are those in the ELF file, Go's; set a breakpoint on any of them.
//!
//! | step | symbol | where | what it does |
//! | --- | --- | --- | --- |
//! | 1 | `_rt0_amd64_linux` | `asm/rt0_linux_amd64.S` | the ELF entry: one jump |
//! | 2 | `_rt0_amd64` | `asm/asm_amd64.S` | argc and argv, g0's stack, CPUID |
//! | 3 | `runtime.settls` | `asm/sys_linux_amd64.S` | thread-local storage; the slot of g is proven, g0 and m0 bound |
//! | 4 | `runtime.rt0_go` | `boot/rt0.rs` | the first Rust code: calls step 3, then all that follows |
//! | 5 | `runtime.check` | `boot/check.rs` | what the runtime assumes holds |
//! | 6 | `runtime.args` | `boot/args.rs` | arguments, environment, auxiliary vector, vDSO |
//! | 7 | `runtime.osinit` | `boot/osinit.rs` | CPUs, huge pages |
//! | 8 | `runtime.schedinit` | `boot/schedinit.rs` | every subsystem, in order |
//! | 9 | `runtime.newproc` | `sched/newproc.rs` | the main goroutine, on P0's queue |
//! | 10 | `runtime.mstart` | `sched/machine.rs`, `sched/proc.rs` | the scheduling loop, for good |
//! | 11 | `runtime.main` | `boot/main.rs` | init tasks; the first `go` brings `runtime.sysmon` |
//! | 12 | `main.main` | your program | on the main goroutine |
//!
//! `GODEBUG=boottrace=1` prints each step as it ends, with its time. The directory `docs`
//! walks through all of them, and through the scheduler, with sessions in gdb.
//!
//! # The scheduler
//!
//! Goroutines (G) run on threads (M) that hold a processor (P); there are
//! [`runtime::gomaxprocs`] of those. It is Go's scheduler, with its queues, its
//! stealing, its `sysmon` and its rules of when a program is deadlocked: the module
//! `sched` says which file holds what. It begins with the first [`go`] or timer; until
//! then there is one goroutine on one thread. One that runs for 10 ms gives way, by a
//! signal where it does not by itself: so code on a goroutine may be interrupted, and go
//! on on another thread, between any two instructions, unless it is locked to its thread
//! ([`runtime::lock_os_thread`]). What blocks the thread goes into
//! [`runtime::blocking`].
//!
//! # Memory
//!
//! A goroutine has 256 KiB of addresses for its stack and costs what it touches of
//! them, a page at least. [`thread::Builder`] makes one with more, up to 1 GiB, and
//! [`stack::grow`] is for code that does not know how deep it will go. `Box` and
//! `Vec` allocate from a heap in Go's tiers, whose free memory goes back to the
//! system by and by; [`debug::set_memory_limit`] and [`debug::free_os_memory`]
//! hurry that, and [`runtime::read_mem_stats`] says what there is. The file
//! `docs/memory.md` goes through all of it.
//!
//! # The layers
//!
//! A module uses what stands above it here and nothing below; `boot` and
//! `debug` stand beside all of them.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`arch`] | the CPU |
//! | [`os`] | the operating system, as little of it as will do |
//! | [`mem`] | stacks and heap |
//! | `sched` | goroutines, machines, processors |
//! | `malloc` | the heap behind `Box` and `Vec` |
//! | [`backtrace`], [`channel`], [`collections`], [`env`](mod@env), [`hash`], [`io`], [`prelude`], [`process`], [`runtime`], [`signal`], [`stack`], [`sync`], [`task`], [`thread`], [`time`] | the API |
//! | `critical`, `logger`, `random` | the features `critical-section`, `log`, `getrandom` |
//! | [`ffi`] | the same for C |
//! | `boot` | the way here |
//! | [`debug`](mod@debug) | messages, deaths, traces |

#![no_std]
#![cfg_attr(
    any(
        feature = "archive",
        not(all(
            feature = "global-allocator",
            feature = "panic-handler",
            feature = "signals",
            feature = "trace",
            feature = "traceback"
        ))
    ),
    allow(
        dead_code,
        unused_imports,
        reason = "what a feature that is left out would use"
    )
)]

// `alloc` is the module below, which has what std's has, too.
extern crate alloc as alloc_crate;

#[allow(unsafe_code, reason = "registers, the TLS slot, CPUID")]
pub mod arch;
#[allow(unsafe_code, reason = "system calls, and strings that are their bytes")]
pub mod os;

#[allow(unsafe_code, reason = "raw memory is its business")]
pub mod mem;

#[allow(unsafe_code, reason = "switches stacks and hands goroutines over")]
mod sched;

#[allow(unsafe_code, reason = "raw memory is its business")]
mod malloc;

pub mod backtrace;
#[allow(
    unsafe_code,
    reason = "moves values from one goroutine's stack to another's"
)]
pub mod channel;
pub mod collections;
#[cfg(feature = "critical-section")]
#[allow(unsafe_code, reason = "critical-section's trait is")]
mod critical;
#[allow(unsafe_code, reason = "std says so of what changes the environment")]
pub mod env;
pub mod hash;
pub mod io;
#[cfg(feature = "log")]
pub mod logger;
pub mod process;
#[cfg(feature = "getrandom")]
#[allow(unsafe_code, reason = "what getrandom passes in")]
mod random;
pub mod runtime;
pub mod signal;
#[allow(
    unsafe_code,
    reason = "moves a closure and its result over a seam of the stack"
)]
pub mod stack;
#[allow(unsafe_code, reason = "shares what it locks")]
pub mod sync;
pub mod task;
#[allow(
    unsafe_code,
    reason = "hands results over from one goroutine to another"
)]
pub mod thread;
#[allow(unsafe_code, reason = "hands closures over to the scheduler")]
pub mod time;

#[allow(unsafe_code, reason = "what C passes in")]
pub mod ffi;

#[allow(
    unsafe_code,
    reason = "reads what the kernel left on the stack, and the linker's tables"
)]
mod boot;
#[allow(unsafe_code, reason = "exported names and the ELF image")]
pub mod debug;

mod macros;
pub mod prelude;

// What std has from core and alloc, at std's paths.
pub use alloc_crate::{borrow, boxed, fmt, rc, slice, str, string, vec};
pub use core::{
    any, array, ascii, cell, char, clone, cmp, convert, default, error, f32, f64, future, hint,
    iter, marker, net, num, ops, option, panic, pin, primitive, ptr, result,
};
// Old code names constants by these paths.
#[expect(
    clippy::legacy_numeric_constants,
    clippy::useless_attribute,
    reason = "std has them"
)]
pub use core::{i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize};

pub use alloc_crate::format;
pub use core::{
    assert, assert_eq, assert_ne, cfg, column, compile_error, concat, debug_assert,
    debug_assert_eq, debug_assert_ne, env, file, format_args, include, include_bytes, include_str,
    line, matches, module_path, option_env, stringify, todo, unimplemented, unreachable, write,
    writeln,
};

/// `std::alloc`: memory by its layout. And all that the crate `alloc` has, for who names
/// that by way of gort: `gort::alloc::vec::Vec`.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
///
/// let page = Layout::from_size_align(4096, 4096).unwrap();
/// // SAFETY: the layout has a size.
/// let memory = unsafe { alloc_zeroed(page) };
/// if memory.is_null() {
///     handle_alloc_error(page);
/// }
/// assert_eq!(memory.addr() % 4096, 0);
/// // SAFETY: it came from there, and nobody uses it afterwards.
/// unsafe { dealloc(memory, page) };
/// # }
/// ```
pub mod alloc {
    pub use alloc_crate::alloc::{
        self, GlobalAlloc, Layout, LayoutError, alloc, alloc_zeroed, dealloc, handle_alloc_error,
        realloc,
    };
    pub use alloc_crate::{
        borrow, boxed, collections, ffi, fmt, format, rc, slice, str, string, sync, task, vec,
    };

    pub use crate::malloc::System;
}

/// What the macros and gort's own tests need; not for anybody else.
#[doc(hidden)]
pub mod __private {
    pub use crate::boot::init::InitTask;
    pub use crate::thread::Key;

    /// Whether there is a system below, which can be called.
    pub const HAS_SYSTEM: bool = !cfg!(feature = "none");

    /// Starts a goroutine with a stack of at least that size, if there is room.
    pub fn try_go<F: FnOnce() + Send + 'static>(f: F, stack: usize) -> bool {
        crate::sched::try_go(f, None, stack).is_ok()
    }

    /// Returns the monotonic time in nanoseconds.
    pub fn nanotime() -> i64 {
        crate::os::nanotime()
    }

    /// Gives cold stacks back; returns how many bytes of memory.
    pub fn scavenge_stacks(max_bytes: usize) -> usize {
        crate::sched::scavenge_stacks(max_bytes)
    }

    /// Returns for how long free memory has been given back in the background, in nanoseconds.
    pub fn scavenged_for() -> i64 {
        crate::sched::scavenged_for()
    }

    /// Has every goroutine preempted all the time, from the first `go` on.
    pub fn preempt_storm(on: bool) {
        crate::sched::storm(on);
    }

    /// Returns how often a goroutine has been preempted between two instructions.
    pub fn preemptions() -> usize {
        crate::sched::preemptions()
    }

    /// Returns how often the only P in use, of many, got company by a thread that had none; none
    /// where that is not looked at.
    pub fn alone_ended() -> Option<usize> {
        crate::sched::alone_ended()
    }

    /// Calls a function on the stack of the scheduler, where nobody's code runs.
    pub fn on_system_stack(f: fn()) {
        crate::sched::on_system_stack(f);
    }

    /// Returns the bytes of memory that nobody has, and all that the machine has.
    #[cfg(feature = "none")]
    pub fn free_memory() -> (usize, usize) {
        crate::os::free_memory()
    }

    /// Counts the goroutines that wait.
    pub fn waiting() -> usize {
        let mut count = 0;
        crate::sched::for_each_g(&mut |gp| {
            let waits = crate::sched::readgstatus(gp) == crate::sched::GStatus::Waiting as u32;
            count += usize::from(waits);
        });
        count
    }

    /// Returns the bytes of addresses that stacks in use have, and all of them.
    pub fn stack_stats() -> (usize, usize) {
        crate::mem::stack_stats()
    }
}

pub use runtime::go;
