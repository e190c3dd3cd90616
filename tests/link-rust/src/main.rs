//! A Rust program on `libgort.a`: through C's functions, as `gort.h` declares
//! them, with a panic handler of its own that ends it with status 9.

#![no_std]
#![no_main]

use core::ffi::{c_int, c_void};
use core::fmt::{self, Write};
use core::panic::PanicInfo;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

unsafe extern "C" {
    fn gort_go(f: extern "C" fn(*mut c_void), arg: *mut c_void);
    safe fn gort_yield();
    safe fn gort_goexit() -> !;
    safe fn gort_exit(status: c_int) -> !;
    safe fn gort_num_goroutine() -> usize;
    fn gort_write(fd: c_int, data: *const c_void, size: usize) -> isize;
}

/// How many goroutines there are.
const MANY: usize = 1000;

static SUM: AtomicUsize = AtomicUsize::new(0);
static COUNTED: AtomicBool = AtomicBool::new(false);

/// What gort calls on the main goroutine.
#[unsafe(no_mangle)]
extern "C" fn main_main() -> c_int {
    for number in 1..=MANY {
        // SAFETY: the argument is a number, good on any thread.
        unsafe { gort_go(add, ptr::without_provenance_mut(number)) };
    }
    print(format_args!("{} goroutines\n", gort_num_goroutine()));
    COUNTED.store(true, Ordering::Relaxed);
    while gort_num_goroutine() > 1 {
        gort_yield();
    }
    print(format_args!("sum {}\n", SUM.load(Ordering::Relaxed)));
    panic!("the end, at {}", MANY);
}

/// A goroutine: adds its number, and ends before its function does.
extern "C" fn add(number: *mut c_void) {
    while !COUNTED.load(Ordering::Relaxed) {
        gort_yield();
    }
    SUM.fetch_add(number.addr(), Ordering::Relaxed);
    gort_goexit();
}

/// Prints, by a write for each piece.
fn print(text: fmt::Arguments<'_>) {
    struct Stdout;
    impl Write for Stdout {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            // SAFETY: the bytes of the text.
            let written = unsafe { gort_write(1, text.as_ptr().cast(), text.len()) };
            if written == text.len() as isize {
                Ok(())
            } else {
                Err(fmt::Error)
            }
        }
    }
    if Stdout.write_fmt(text).is_err() {
        gort_exit(1);
    }
}

/// This program's own, which gort's must not collide with.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    print(format_args!("my own panic: {}\n", info.message()));
    gort_exit(9)
}
