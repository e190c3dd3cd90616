//! The runtime for C: what `include/gort.h` declares.
//!
//! Sizes are in bytes, errors are negative errnos. The program supplies
//! `int main_main(void)`.
//!
//! For Rust it is `std::ffi`: C's types and strings, and the system's.

pub use crate::alloc::ffi::{CString, FromVecWithNulError, IntoStringError, NulError};
pub use core::ffi::{
    CStr, FromBytesUntilNulError, FromBytesWithNulError, c_char, c_double, c_float, c_int, c_long,
    c_longlong, c_schar, c_short, c_uchar, c_uint, c_ulong, c_ulonglong, c_ushort, c_void,
};

pub use crate::os::os_str::{self, OsStr, OsString};

use crate::{os, sched};

/// What C passes to a goroutine: C says that it may go to another thread.
struct Argument(*mut c_void);

// SAFETY: gort.h says that arg must be good on any thread.
unsafe impl Send for Argument {}

/// `void gort_go(void (*f)(void *), void *arg)`: starts a goroutine.
#[unsafe(no_mangle)]
extern "C" fn gort_go(f: extern "C" fn(*mut c_void), arg: *mut c_void) {
    let argument = Argument(arg);
    let call = move || {
        let argument = argument;
        f(argument.0);
    };
    sched::go(call, None, crate::mem::DEFAULT_STACK); // C does not say from where
}

/// `void gort_yield(void)`: lets other goroutines run.
#[unsafe(no_mangle)]
extern "C" fn gort_yield() {
    sched::gosched();
}

/// `void gort_goexit(void)`: ends the current goroutine.
#[unsafe(no_mangle)]
extern "C" fn gort_goexit() -> ! {
    sched::goexit(false) // C's frames have nothing to drop
}

/// `void gort_exit(int status)`: ends the process.
#[unsafe(no_mangle)]
extern "C" fn gort_exit(status: c_int) -> ! {
    os::exit(status)
}

/// `size_t gort_num_goroutine(void)`: counts the goroutines.
#[unsafe(no_mangle)]
extern "C" fn gort_num_goroutine() -> usize {
    sched::num_goroutine()
}

/// `int gort_num_cpu(void)`: counts the CPUs.
#[unsafe(no_mangle)]
extern "C" fn gort_num_cpu() -> c_int {
    sched::NCPU.load(core::sync::atomic::Ordering::Relaxed) // written at boot
}

/// `ssize_t gort_write(int fd, const void *data, size_t size)`: writes all of
/// it; returns `size`, or a negative errno.
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
