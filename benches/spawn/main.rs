//! The goroutines of `cargo xtask bench spawn` on gort. The first million park for
//! good: nobody has a handle to them, which would be memory of its own, 80 bytes. A
//! tenth more can be released: whoever parks leaves its handle in a list whose links
//! lie on the stacks of those who wait. As many again find their stacks.

#![no_std]
#![no_main]

extern crate alloc;

#[path = "../shared/platform_gort.rs"]
mod platform;
#[path = "../shared/status.rs"]
mod status;

use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

use gort::process::ExitCode;
use gort::thread::{self, Thread};
use gort::{println, runtime};

gort::main!(main);

/// How many goroutines, divided by the SCALE of the command line.
const MANY: usize = 1_000_000;

/// The memory that counts: that of the program, and that of its page tables.
const MEMORY: [&str; 2] = ["VmRSS:", "VmPTE:"];

/// A goroutine that waits.
struct Waiter {
    thread: Thread,
    /// It may end.
    released: AtomicBool,
    next: *const Waiter,
}

static WAITERS: AtomicPtr<Waiter> = AtomicPtr::new(ptr::null_mut());
static PARKED: AtomicUsize = AtomicUsize::new(0);
static ENDED: AtomicUsize = AtomicUsize::new(0);

fn main() -> ExitCode {
    let mut arguments = gort::env::args_c().skip(1);
    let mut argument = || arguments.next().and_then(|text| text.to_str().ok());
    let (name, _procs) = (argument(), argument());
    let scale = argument().and_then(|text| text.parse::<usize>().ok());
    let (Some("spawn"), Some(scale @ 1..)) = (name, scale) else {
        gort::eprintln!("usage: PROGRAM spawn PROCS SCALE");
        return ExitCode::FAILURE;
    };
    let count = MANY / scale;
    let before = platform::status(&MEMORY);
    let (first, after) = park(count, || thread::park());
    let few = (count / 10).max(1);
    park(few, wait);
    release(few);
    let (again, _) = park(few, wait);
    release(few);
    println!("spawn/first {:.4}", first as f64 / count as f64);
    println!("spawn/again {:.4}", again as f64 / few as f64);
    println!("spawn/bytes {:.4}", (after - before) as f64 / count as f64);
    println!("check {}", count + few);
    ExitCode::SUCCESS
}

/// Has goroutines park. Returns how many nanoseconds it took until all were parked,
/// and the resident memory then.
fn park(count: usize, wait: fn()) -> (u64, u64) {
    let others = runtime::num_goroutine();
    PARKED.store(0, Ordering::Relaxed); // before anybody else looks
    let start = platform::now();
    for _ in 0..count {
        gort::go(move || {
            PARKED.fetch_add(1, Ordering::Release); // pairs with wait_for
            wait();
        });
    }
    wait_for(&PARKED, count);
    let took = platform::now() - start;
    let memory = platform::status(&MEMORY);
    assert!(runtime::num_goroutine() == others + count);
    (took, memory)
}

/// What each goroutine does that is released.
fn wait() {
    let mut waiter = Waiter {
        thread: thread::current(),
        released: AtomicBool::new(false),
        next: WAITERS.load(Ordering::Relaxed), // the exchange below is what counts
    };
    // Release pairs with the swap in `release`.
    while let Err(head) = WAITERS.compare_exchange_weak(
        waiter.next.cast_mut(),
        &raw mut waiter,
        Ordering::Release,
        Ordering::Relaxed,
    ) {
        waiter.next = head;
    }
    // Acquire pairs with the store in `release`.
    while !waiter.released.load(Ordering::Acquire) {
        thread::park();
    }
    ENDED.fetch_add(1, Ordering::Release); // pairs with wait_for
}

/// Lets those go that have left a handle, and waits until they have ended.
fn release(count: usize) {
    ENDED.store(0, Ordering::Relaxed); // before anybody else looks
    let others = runtime::num_goroutine() - count;
    // Acquire pairs with the exchanges of those who wait.
    let mut next: *const Waiter = WAITERS.swap(ptr::null_mut(), Ordering::Acquire);
    // SAFETY: on the stack of a goroutine that stays until it is released.
    while let Some(waiter) = unsafe { next.as_ref() } {
        next = waiter.next;
        let thread = waiter.thread.clone();
        // The last look at it. Release pairs with the load in `wait`.
        waiter.released.store(true, Ordering::Release);
        thread.unpark();
    }
    wait_for(&ENDED, count);
    while runtime::num_goroutine() > others {
        runtime::gosched();
    }
}

/// Lets others run until there are so many.
fn wait_for(counter: &AtomicUsize, count: usize) {
    // Acquire pairs with the additions: what they did is seen here.
    while counter.load(Ordering::Acquire) < count {
        runtime::gosched();
    }
}
