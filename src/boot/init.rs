//! Init tasks: functions that run before `main.main`, on the main goroutine, on
//! the main thread: within a module in the order in which they are written, the
//! modules in the order in which the linker found them.
//!
//! Go's counterpart: `doInit` in `runtime/proc.go`. The tasks are a table in a
//! section of their own, between two symbols of the linker script.

use core::ptr;
use core::sync::atomic::{AtomicI64, Ordering};

use super::settings::inittrace;
use crate::debug::print::say;
use crate::os;

/// One task: what `init!` puts into the table.
#[doc(hidden)]
#[repr(C)]
pub struct InitTask {
    /// What to call.
    pub run: fn(),
    /// The module in which it is written.
    pub module: &'static str,
    /// Its name there, for `GODEBUG=inittrace=1`.
    pub name: &'static str,
    /// The line of its `init!`.
    pub line: u32,
}

// SAFETY: labels of the linker script around the tables; nothing writes there.
unsafe extern "C" {
    #[link_name = "runtime.runtime_inittasks"]
    safe static RUNTIME_TASKS: [u8; 0];
    #[link_name = "runtime.eruntime_inittasks"]
    safe static RUNTIME_TASKS_END: [u8; 0];
    #[link_name = "runtime.inittasks"]
    safe static TASKS: [u8; 0];
    #[link_name = "runtime.einittasks"]
    safe static TASKS_END: [u8; 0];
    #[link_name = "runtime.init_array"]
    safe static CONSTRUCTORS: [u8; 0];
    #[link_name = "runtime.einit_array"]
    safe static CONSTRUCTORS_END: [u8; 0];
}

/// When the world started, in nanoseconds; `inittrace` counts from here.
static RUNTIME_INIT_TIME: AtomicI64 = AtomicI64::new(0);

/// The runtime's own task, for the trace alone.
#[cfg(feature = "trace")]
#[used]
#[unsafe(link_section = ".gort.inittask.runtime")]
static INIT_TIME: InitTask = InitTask {
    run: start_clock,
    module: "runtime",
    name: "start_clock",
    line: 0,
};

/// Notes when the world started, if anybody will ask.
#[cfg(feature = "trace")]
fn start_clock() {
    if inittrace() {
        RUNTIME_INIT_TIME.store(os::nanotime(), Ordering::Relaxed); // read by this goroutine
    }
}

/// Runs the runtime's tasks. On the main goroutine.
pub(super) fn run_runtime_tasks() {
    // SAFETY: the linker script puts all of them, and nothing else, between the two.
    do_init(unsafe { table(&RUNTIME_TASKS, &RUNTIME_TASKS_END) });
}

/// Runs the program's tasks, and before them the constructors of what is written
/// in C or C++, which may be what the tasks rely on. On the main goroutine.
pub(super) fn run_program_tasks() {
    // SAFETY: as above.
    let constructors = unsafe { table::<extern "C" fn()>(&CONSTRUCTORS, &CONSTRUCTORS_END) };
    constructors.iter().for_each(|constructor| constructor());
    // SAFETY: as above.
    do_init(unsafe { table(&TASKS, &TASKS_END) });
}

/// Returns the table between two labels of the linker script.
///
/// # Safety
///
/// Between the two there must be whole and aligned `T`s, and nothing else.
unsafe fn table<T>(start: &'static [u8; 0], end: &'static [u8; 0]) -> &'static [T] {
    let count = (end.as_ptr().addr() - start.as_ptr().addr()) / size_of::<T>();
    // SAFETY: the caller's promise.
    unsafe { core::slice::from_raw_parts(start.as_ptr().cast(), count) }
}

/// Runs a table of tasks.
#[unsafe(export_name = "runtime.doInit")]
#[inline(never)]
fn do_init(tasks: &'static [InitTask]) {
    // The runtime's, in most programs: an emulator would translate all of the below for it.
    if !cfg!(feature = "archive")
        && let [task] = tasks
    {
        return run(task);
    }
    // The compiler keeps no order, and reverses it where it optimises across
    // crates: a module's tasks run where its first one is, by their lines.
    for first in tasks {
        let same_module = |task: &InitTask| task.module == first.module;
        // `first` is not the module's first: its turn is over.
        if tasks
            .iter()
            .find(|task| same_module(task))
            .is_some_and(|task| !ptr::eq(task, first))
        {
            continue;
        }
        let mut line = 0;
        while line != u32::MAX {
            let mut next = u32::MAX;
            for task in tasks {
                if task.line >= line && same_module(task) {
                    if task.line == line {
                        run(task);
                    } else {
                        next = next.min(task.line);
                    }
                }
            }
            line = next;
        }
    }
}

/// Runs a task; with inittrace, says how long it took, in Go's format.
#[inline(never)]
fn run(task: &InitTask) {
    if !inittrace() {
        return (task.run)();
    }
    let start = os::nanotime();
    (task.run)();
    let end = os::nanotime();
    let since = start - RUNTIME_INIT_TIME.load(Ordering::Relaxed).min(start); // written by this goroutine
    let numbers = [since as u64, (end - start) as u64];
    say(
        "init %s::%s @%m ms, %m ms clock",
        &numbers,
        &[task.module.as_bytes(), task.name.as_bytes()],
    );
}
