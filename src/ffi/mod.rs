//! The runtime for C: what `include/gort.h` declares, and says more of.
//!
//! Sizes are in bytes, times in nanoseconds, errors are negative errnos. The program
//! supplies `int main_main(void)`. Nothing here keeps C's frames from being left behind:
//! whatever is called on a goroutine's stack may park it.
//!
//! For Rust it is `std::ffi`: C's types and strings, and the system's.
//!
//! | file | what it holds |
//! | --- | --- |
//! | this one | goroutines, their threads, the process |
//! | `chan` | channels, select |
//! | `sync` | locks, groups, semaphores |
//! | `errno` | the errors |
//!
//! Whoever adds a function declares it in gort.h: a test compares the two, parameter by
//! parameter.

mod chan;
mod errno;
mod sync;

pub use crate::alloc::ffi::{CString, FromVecWithNulError, IntoStringError, NulError};
pub use core::ffi::{
    CStr, FromBytesUntilNulError, FromBytesWithNulError, c_char, c_double, c_float, c_int, c_long,
    c_longlong, c_schar, c_short, c_uchar, c_uint, c_ulong, c_ulonglong, c_ushort, c_void,
};

pub use crate::os::os_str::{self, OsStr, OsString};

use core::time::Duration;

use crate::mem::DEFAULT_STACK;
use crate::{os, runtime, sched, thread};

/// What C passes to a goroutine: C says that it may go to another thread.
struct Argument(*mut c_void);

// SAFETY: gort.h says that arg must be good on any thread.
unsafe impl Send for Argument {}

/// What a goroutine calls.
fn call(f: extern "C" fn(*mut c_void), arg: *mut c_void) -> impl FnOnce() + Send + 'static {
    let argument = Argument(arg);
    move || {
        let argument = argument;
        f(argument.0);
    }
}

/// Starts a goroutine.
#[unsafe(no_mangle)]
extern "C" fn gort_go(f: extern "C" fn(arg: *mut c_void), arg: *mut c_void) {
    sched::go(call(f, arg), None, DEFAULT_STACK); // C does not say from where
}

/// Starts a goroutine with a stack of at least so many bytes; returns 0 or -ENOMEM.
#[unsafe(no_mangle)]
extern "C" fn gort_go_stack(
    f: extern "C" fn(arg: *mut c_void),
    arg: *mut c_void,
    size: usize,
) -> c_int {
    match sched::try_go(call(f, arg), None, size.max(DEFAULT_STACK)) {
        Ok(_) => 0,
        Err(sched::NoRoom) => -errno::ENOMEM,
    }
}

/// Lets other goroutines run.
#[unsafe(no_mangle)]
extern "C" fn gort_yield() {
    sched::gosched();
}

/// Ends the current goroutine.
#[unsafe(no_mangle)]
extern "C" fn gort_goexit() -> ! {
    sched::goexit(false) // C's frames have nothing to drop
}

/// Counts the goroutines.
#[unsafe(no_mangle)]
extern "C" fn gort_num_goroutine() -> usize {
    sched::num_goroutine()
}

/// Puts the goroutine to sleep.
#[unsafe(no_mangle)]
extern "C" fn gort_sleep_ns(ns: i64) {
    thread::sleep(Duration::from_nanos(u64::try_from(ns).unwrap_or(0)));
}

/// Returns the monotonic time.
#[unsafe(no_mangle)]
extern "C" fn gort_now_ns() -> i64 {
    os::nanotime()
}

/// Sets how many goroutines may run at the same time; returns how many could.
#[unsafe(no_mangle)]
extern "C" fn gort_gomaxprocs(n: c_int) -> c_int {
    runtime::gomaxprocs(usize::try_from(n).unwrap_or(0)) as c_int // 1,024 at most
}

/// Counts the CPUs.
#[unsafe(no_mangle)]
extern "C" fn gort_num_cpu() -> c_int {
    runtime::num_cpu() as c_int // it is one of these
}

/// Ties the goroutine to its thread.
#[unsafe(no_mangle)]
extern "C" fn gort_lock_os_thread() {
    runtime::lock_os_thread();
}

/// Undoes one `gort_lock_os_thread`.
#[unsafe(no_mangle)]
extern "C" fn gort_unlock_os_thread() {
    runtime::unlock_os_thread();
}

/// Calls what may block the thread; returns what it returns.
#[unsafe(no_mangle)]
extern "C" fn gort_blocking(
    f: extern "C" fn(arg: *mut c_void) -> *mut c_void,
    arg: *mut c_void,
) -> *mut c_void {
    runtime::blocking(|| f(arg))
}

/// Returns gort's name and version.
#[unsafe(no_mangle)]
extern "C" fn gort_version() -> *const c_char {
    runtime::VERSION.as_ptr()
}

/// Ends the process.
#[unsafe(no_mangle)]
extern "C" fn gort_exit(status: c_int) -> ! {
    os::exit(status)
}

/// Writes all of it; returns `size`, or a negative errno.
///
/// # Safety
///
/// `data` must point at `size` readable bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn gort_write(fd: c_int, data: *const c_void, size: usize) -> isize {
    if size == 0 {
        return 0;
    }
    // SAFETY: the caller's promise.
    let bytes = unsafe { core::slice::from_raw_parts(data.cast::<u8>(), size) };
    // Not by `sched::blocking`: a signal handler may be in the middle of anything.
    match os::write_all(fd, bytes) {
        Ok(()) => size as isize,
        Err(errno) => -(errno as isize),
    }
}
