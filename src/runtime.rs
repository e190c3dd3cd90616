//! The runtime itself: Go's package of that name.

use core::panic::Location;

use crate::sched;

/// Starts a goroutine that calls `f`. Go's `go` statement.
///
/// The goroutine is the next to run on this P, when the current one gives way.
/// It has a stack of 256 KiB of which it costs what it touches. A panic in it
/// ends the program. From any goroutine.
///
/// # Panics
///
/// Ends the program with `fatal error: out of memory (stack allocation)` where
/// the system has no room for another stack.
///
/// ```ignore
/// gort::go(|| gort::println!("on a goroutine of its own"));
/// gort::runtime::gosched();
/// ```
#[track_caller]
pub fn go<F>(f: F)
where
    F: FnOnce() + Send + 'static,
{
    sched::go(f, Location::caller());
}

/// Gives way to other goroutines; the current one goes to the end of the global
/// queue. Go's `runtime.Gosched`.
pub fn gosched() {
    sched::gosched();
}

/// Ends the current goroutine. Nothing on its stack is dropped. If it is the
/// main goroutine the others go on, and when the last of them has ended the
/// program dies of the deadlock. Go's `runtime.Goexit`.
pub fn goexit() -> ! {
    sched::goexit()
}

/// Counts the goroutines that exist, the current one among them.
pub fn num_goroutine() -> usize {
    sched::num_goroutine()
}

/// Counts the CPUs that this process was allowed to run on when it started.
pub fn num_cpu() -> usize {
    sched::NCPU.load(core::sync::atomic::Ordering::Relaxed) as usize // written at boot
}

/// Returns how many goroutines may run at the same time.
///
/// So far one thread runs all of them, whatever this says.
pub fn gomaxprocs() -> usize {
    sched::gomaxprocs() as usize
}

/// Returns gort's version.
pub fn version() -> &'static str {
    concat!("gort ", env!("CARGO_PKG_VERSION"))
}

/// Returns the number of the CPU that runs the current goroutine at this moment.
pub fn current_cpu() -> usize {
    crate::os::getcpu() as usize
}
