//! A program on gort without any of gort's features: its memory comes from an
//! array, and its panics end with status 9.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::boxed::Box;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::panic::PanicInfo;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

use gort::{println, process, runtime};

gort::main!(main);

// SAFETY: thread_local.c defines it so, and anybody may call it.
unsafe extern "C" {
    safe fn count() -> i32;
}

fn main() {
    static SUM: AtomicUsize = AtomicUsize::new(0);
    for number in 1..=100 {
        let number = Box::new(number);
        gort::go(move || {
            SUM.fetch_add(*number, Ordering::Relaxed);
        });
    }
    while runtime::num_goroutine() > 1 {
        runtime::gosched();
    }
    println!(
        "sum {}, {} bytes",
        SUM.load(Ordering::Relaxed),
        USED.load(Ordering::Relaxed)
    );
    println!("C counts {}, {}", count(), count());
    panic!("the end, at {}", 100);
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    println!("my own panic: {}", info.message());
    process::exit(9)
}

/// Hands out an array, and takes nothing back.
struct Bump;

/// The array.
struct Arena(UnsafeCell<[u8; 64 << 10]>);

// SAFETY: whoever gets a piece of it is the only one who does.
unsafe impl Sync for Arena {}

static ARENA: Arena = Arena(UnsafeCell::new([0; 64 << 10]));
static USED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: each piece is given once, aligned as asked, within the array.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let size = layout.size() + layout.align();
        let start = USED.fetch_add(size, Ordering::Relaxed);
        if start + size > 64 << 10 {
            return ptr::null_mut();
        }
        let memory: *mut u8 = ARENA.0.get().cast::<u8>().wrapping_add(start);
        memory.wrapping_add(memory.align_offset(layout.align()))
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static BUMP: Bump = Bump;
