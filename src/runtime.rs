//! The runtime itself: Go's package of that name.

use core::ffi::CStr;
use core::panic::Location;

pub use crate::mem::{BySize, MemStats};
use crate::{mem, sched};

/// Starts a goroutine that calls `f`. Go's `go` statement.
///
/// The goroutine is the next to run on this P, when the current one gives way, unless
/// another P has nothing to do and takes it; and `go` itself gives way where the current
/// one has run for 10 ms and more, or where 256 wait for this P already.
/// It has a stack of 256 KiB of which it costs what it touches. A panic in it
/// ends the program. From any goroutine.
///
/// # Panics
///
/// Ends the program with `fatal error: out of memory (stack allocation)` where
/// the system has no room for another stack.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// gort::go(|| gort::println!("on a goroutine of its own"));
/// gort::runtime::gosched();
/// # }
/// ```
#[track_caller]
pub fn go<F>(f: F)
where
    F: FnOnce() + Send + 'static,
{
    sched::go(f, Some(Location::caller()), mem::DEFAULT_STACK);
}

/// Gives way to other goroutines; the current one goes to the end of its P's queue, or,
/// where that is empty or it is time for the others, of the global one. From any
/// goroutine. Go's `runtime.Gosched`.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use core::sync::atomic::{AtomicBool, Ordering};
///
/// static DONE: AtomicBool = AtomicBool::new(false);
///
/// gort::go(|| DONE.store(true, Ordering::Release));
/// while !DONE.load(Ordering::Acquire) {
///     gort::runtime::gosched();
/// }
/// # }
/// ```
pub fn gosched() {
    sched::gosched();
}

/// Ends the current goroutine. Nothing on its stack is dropped: a lock that a guard there
/// has stays locked, and a channel whose only end is there stays connected. And so nothing
/// else ever uses that stack: what others borrow from it stays good, and 8 KiB or
/// more stay in use. Return where you can. Who calls this in a
/// [`thread::scope`](crate::thread::scope) waits for those that it has spawned there.
///
/// If it is the main goroutine the others go on, and when the last of them has ended the
/// program dies of the deadlock. Called by the `Display` of what the goroutine has panicked
/// with, it ends the program. From any goroutine. Go's `runtime.Goexit`.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// gort::go(|| {
///     gort::runtime::goexit();
/// });
/// while gort::runtime::num_goroutine() > 1 {
///     gort::runtime::gosched();
/// }
/// # }
/// ```
pub fn goexit() -> ! {
    #[cfg(not(feature = "archive"))]
    crate::debug::fatal::no_goexit();
    sched::goexit(true)
}

/// Counts the goroutines that exist, the current one among them. From any
/// goroutine.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// gort::go(|| {});
/// while gort::runtime::num_goroutine() > 1 {
///     gort::runtime::gosched();
/// }
/// # }
/// ```
pub fn num_goroutine() -> usize {
    sched::num_goroutine()
}

/// Counts the CPUs that this process was allowed to run on when it started.
/// From anywhere.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// assert!(gort::runtime::num_cpu() >= 1);
/// # }
/// ```
pub fn num_cpu() -> usize {
    sched::NCPU.load(core::sync::atomic::Ordering::Relaxed) as usize // written at boot
}

/// Sets how many goroutines may run at the same time, 1,024 at most, and returns how
/// many could before. `gomaxprocs(0)` only tells. From any goroutine; all others stop
/// for a moment while the number changes. Go's `runtime.GOMAXPROCS`.
///
/// The program begins with what the environment variable GOMAXPROCS says, or else with
/// as many as the process has CPUs, by its affinity and its control group. That number
/// follows these: once a second the runtime looks, while the program is busy, until it
/// has called this with a number. See also [`set_default_gomaxprocs`].
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// let before = gort::runtime::gomaxprocs(4);
/// assert_eq!(gort::runtime::gomaxprocs(0), 4);
/// gort::runtime::gomaxprocs(before);
/// # }
/// ```
pub fn gomaxprocs(n: usize) -> usize {
    sched::set_gomaxprocs(n) as usize
}

/// Sets [`gomaxprocs`] to what it would be if the program started now and the
/// environment said nothing, and has it follow the process's affinity and the limit of
/// its control group from now on, whatever was set before. From any goroutine. Go's
/// `runtime.SetDefaultGOMAXPROCS`.
///
/// With `GODEBUG=updatemaxprocs=0` the number is set once and follows nothing.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::runtime;
///
/// runtime::gomaxprocs(64);
/// runtime::set_default_gomaxprocs();
/// assert!(runtime::gomaxprocs(0) <= runtime::num_cpu());
/// # }
/// ```
pub fn set_default_gomaxprocs() {
    sched::set_default_gomaxprocs();
}

/// Ties the current goroutine to the thread that it runs on: no other thread runs it,
/// and that thread runs no other goroutine, until [`unlock_os_thread`] has been called as
/// often as this. For what the system keeps for each thread: signal masks, namespaces,
/// priorities. If the goroutine ends while it is locked, the thread ends with it. From
/// any goroutine; in an `init!` task it locks to the main thread. Go's
/// `runtime.LockOSThread`.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// use gort::runtime;
///
/// runtime::lock_os_thread();
/// // Here the thread may be changed in ways that other goroutines shall not see.
/// runtime::unlock_os_thread();
/// # }
/// ```
pub fn lock_os_thread() {
    // sysmon makes the threads that this one must not make; its own comes first.
    sched::start_sysmon();
    sched::lock_os_thread::<false>();
}

/// Undoes one [`lock_os_thread`]; where there is none to undo it does nothing. From any
/// goroutine. Go's `runtime.UnlockOSThread`.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// gort::runtime::unlock_os_thread(); // nothing happens
/// # }
/// ```
pub fn unlock_os_thread() {
    sched::unlock_os_thread::<false>();
}

/// Calls `f`, which may block the thread for long (a system call, a library that waits
/// by itself), and lets other goroutines have the processor meanwhile. From any
/// goroutine.
///
/// Outside of it a call that blocks for 10 ms and more is interrupted by the signal that
/// preempts: `read` and its like go on by themselves, but `nanosleep` or `poll` then fail
/// with EINTR, as they may in any program with a signal handler.
///
/// What needs a processor, as giving way, waiting or starting a goroutine does, may be
/// done in there and ends the exemption: the rest of `f` runs as any other code. Where a
/// libc hosts the program there is one thread for all goroutines, and they wait.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// let seven = gort::runtime::blocking(|| 7);
/// assert_eq!(seven, 7);
/// # }
/// ```
pub fn blocking<T>(f: impl FnOnce() -> T) -> T {
    sched::blocking(f)
}

/// Writes the trace of the current goroutine to `buffer`, in Go's format, and behind it
/// those of all others, if that is wanted; as much as there is room for. Returns how many
/// bytes that are. From any goroutine; with `all` the others stop meanwhile. Go's
/// `runtime.Stack`.
///
/// Without the feature `traceback`, and if there is no memory, it writes nothing.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// let mut buffer = [0; 4096];
/// let length = gort::runtime::stack(&mut buffer, true);
/// let text = core::str::from_utf8(&buffer[..length]).unwrap();
/// assert!(text.starts_with("goroutine 1 [running]:\n"));
/// # }
/// ```
#[inline(never)]
pub fn stack(buffer: &mut [u8], all: bool) -> usize {
    #[cfg(feature = "traceback")]
    {
        use crate::debug::traceback;

        let [pc, sp, fp] = crate::arch::registers();
        let registers = traceback::unwind::Registers { pc, sp, fp };
        traceback::stack(buffer, all, registers)
    }
    #[cfg(not(feature = "traceback"))]
    {
        let _ = (buffer, all);
        0
    }
}

/// Returns gort's name and version. From anywhere.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// assert!(gort::runtime::version().starts_with("gort "));
/// # }
/// ```
pub fn version() -> &'static str {
    const {
        match VERSION.to_str() {
            Ok(version) => version,
            Err(_) => panic!("Cargo.toml is UTF-8"),
        }
    }
}

/// The same for C.
pub(crate) const VERSION: &CStr = {
    let version = concat!("gort ", env!("CARGO_PKG_VERSION"), "\0");
    match CStr::from_bytes_with_nul(version.as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("there is no NUL in a version"),
    }
};

/// The operating system that programs are for, by Go's name of it. Go's `runtime.GOOS`.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// assert_eq!(gort::runtime::GOOS, "linux");
/// # }
/// ```
pub const GOOS: &str = "linux";

/// The processor that programs are for, by Go's name of it. Go's `runtime.GOARCH`.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// assert_eq!(gort::runtime::GOARCH, "amd64");
/// # }
/// ```
pub const GOARCH: &str = "amd64";

/// Tells what memory the program and the runtime use. From any goroutine. Go's
/// `runtime.ReadMemStats`, but that nothing is stopped for it: the numbers are
/// exact when no other goroutine allocates meanwhile.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # extern crate alloc;
/// # fn main() {
/// let before = gort::runtime::read_mem_stats();
/// let block = core::hint::black_box(alloc::vec![0u8; 1000]);
/// let after = gort::runtime::read_mem_stats();
/// assert_eq!(after.mallocs - before.mallocs, 1);
/// assert_eq!(after.heap_alloc - before.heap_alloc, 1024); // its size class
/// # drop(block);
/// # }
/// ```
pub fn read_mem_stats() -> MemStats {
    mem::read_mem_stats()
}

/// Returns the number of the CPU that runs the current goroutine at this moment,
/// which may be another one when this returns. From any goroutine.
///
/// ```
/// # #![no_std]
/// # #![no_main]
/// # gort::main!(main);
/// # fn main() {
/// gort::println!("on CPU {}", gort::runtime::current_cpu());
/// # }
/// ```
pub fn current_cpu() -> usize {
    crate::os::getcpu() as usize
}
